"""The nodes as the gateway knows them: their records become readings, their answers become counts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.adapters.clock import NodeClock, Stamp
from gateway.adapters.node import batches
from gateway.adapters.node.batches import FLAG_NAMES, BatchError, Record
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.orders import Answer
from gateway.adapters.node.payloads import is_count, json_object
from gateway.adapters.node.poll_tables import Block, NodeTable
from gateway.adapters.node.readback import Readback, from_health, held_w, numbers_of, ordered_w
from gateway.adapters.node.reading_trust import ReadingTrust, without
from gateway.adapters.node.status import NodeStatus
from gateway.adapters.products import registers, telegrams
from gateway.adapters.products.points import Label, Point
from gateway.core.model.state import Reading
from gateway.ports import Row
from gateway.wire import records
from gateway.wire.records import CLOCK_UNKNOWN, EPOCH_2000, OK

MEASUREMENTS: Mapping[str, str] = {"grid": "meter", "pv": "pv", "battery": "battery", "load": "meter"}  # by role
STALE_PERIODS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTable:
    """What is left of a poll table: its blocks by number, and the devices that fitted their profile."""

    blocks: Sequence[Block]
    proven: AbstractSet[str]


@dataclass(slots=True)
class NodeSession:
    """All that is known through one node. Fed with its messages; gives readings by device and rows for the store."""

    site_id: str
    table: NodeTable
    roles: Mapping[str, str]  # device -> role
    ledger: Ledger
    table_number: int = 0  # how new the table is
    proven: set[str] = field(default_factory=set)  # devices that fit their profile under this table
    former: Mapping[int, FormerTable] = field(default_factory=dict)  # by identity
    readings: dict[str, dict[str, Reading]] = field(default_factory=dict)
    standing: NodeStatus = field(default_factory=NodeStatus)
    runs_our_table: bool = False
    seen_s: float = -math.inf
    health: Mapping[str, Any] = field(default_factory=dict)
    malformed: int = 0
    unreadable: int = 0  # records of a poll table that nobody remembers
    holdings: dict[str, Readback] = field(default_factory=dict)  # by device that takes orders
    undatable: int = 0  # records of a former boot that never knew the time
    boot: int | None = None  # the node's present one
    _clock: NodeClock = field(default_factory=NodeClock)
    _beliefs: ReadingTrust = field(init=False)

    def __post_init__(self) -> None:
        """ReadingTrust are kept in `proven`."""
        self._beliefs = ReadingTrust(self.proven)

    @property
    def up(self) -> bool:
        """Whether the node is at the broker, as it or its will says."""
        return self.standing.up

    def on_state(self, payload: bytes, now_s: float) -> None:
        """The node's presence: retained JSON, or its will."""
        state = json_object(payload)
        self.standing = self.standing.after_state(state)
        self.runs_our_table = self.up and state.get("table") == self.table.identity
        if self.up and is_count(boot := state.get("boot")):
            self.boot = boot
        if self.up:
            self.seen_s = now_s

    def on_health(self, payload: bytes, now_s: float) -> None:
        """The node's own figures."""
        self.health, self.seen_s = json_object(payload), now_s
        self.standing = self.standing.after_health(self.health)
        entries = self.health.get("actuators")
        if not isinstance(entries, list) or not self.runs_our_table:
            return
        for device, number in self.table.actuators.items():
            entry = entries[number] if number < len(entries) else None
            holding = from_health(self.table.profile(device), entry, self.table.ratings[device])
            if holding is not None:
                self.holdings[device] = holding

    def on_test(self, payload: bytes, now_s: float) -> None:
        """The result of the node's self-test."""
        self.seen_s = now_s
        self.standing = self.standing.after_test(json_object(payload))

    def on_answer(self, payload: bytes, now_s: float) -> Answer | None:
        """The answer to an order; None for a message that is none."""
        answer = json_object(payload)
        seq, s, ms = answer.get("seq"), answer.get("s"), answer.get("ms")
        if not (is_count(seq) and is_count(s) and is_count(ms) and ms < 1000):
            self.malformed += 1
            return None
        number = answer.get("act")
        settled = Answer(
            seq=seq,
            device=next((device for device, known in self.table.actuators.items() if known == number), None),
            done=str(answer.get("done")),
            why=str(answer.get("why", "")),
            written=bool(answer.get("w", 1)),
            at_s=self._clock.mapped_s(s + ms / 1000, now_s),
            values=answer.get("v"),
            back=numbers_of(answer.get("rb")),
        )
        self._hold(settled)
        return settled

    def on_data(self, payload: bytes, now_s: float, utc_s: float, *, live: bool = True) -> list[Row]:
        """Take a batch in: readings are renewed, the rows returned are to be stored before `heard` is said.

        A record that does not know its time is as old as its batch says, if the message came straight here (`live`).
        Else it is left alone: the node sends it again, and may know more by then. One of a former boot cannot be dated.
        """
        try:
            batch = batches.decode(payload)
        except BatchError:
            self.malformed += 1
            return []
        self.seen_s = now_s
        former = self.boot not in (None, batch.boot)
        self.ledger.begin(batch.boot, batch.oldest, former=former)
        if not former and batch.records:
            self._clock.hear(_stamp(batch.boot, batch.records[-1]), batch.sent_s, now_s)
        rows: list[Row] = []
        for record in batch.records:
            stamp = _stamp(batch.boot, record)
            if (stamp.utc_s is None and not former and not live) or not self.ledger.admit(record.seq):
                continue
            if former and stamp.utc_s is None:
                self.undatable += 1
                continue
            measured_s = self._moment_s(stamp, now_s, utc_s, former=former)
            read = self._read_of(batch.table, record, measured_s)
            if read is None:
                self.unreadable += 1
                continue
            block, fresh = read
            time_s = utc_s - (now_s - measured_s) if stamp.utc_s is None else stamp.utc_s
            rows += self._rows(block, fresh, round(1000 * time_s))
        return rows

    def _moment_s(self, stamp: Stamp, now_s: float, utc_s: float, *, former: bool) -> float:
        """Our monotonic moment of a record; of a former boot nothing but its UTC is known."""
        if former and stamp.utc_s is not None:
            return now_s - max(0.0, utc_s - stamp.utc_s)
        return self._clock.moment_s(stamp, now_s, utc_s)

    def quality(self, device: str, now_s: float) -> str:
        """good, stale (no report for three periods) or absent (reported without a value) for a device's power.

        Of a device that does not tell its power: of what proves it.
        """
        profile = self.table.profile(device)
        name = "p_w" if profile.point("p_w") is not None else profile.proof or "p_w"
        reading = self.readings.get(device, {}).get(name)
        block = next((b for b in self.table.blocks if b.device == device and _has(b, name)), None)
        if reading is None or block is None or now_s - reading.measured_s > STALE_PERIODS * block.every_s + 0.5:
            return "stale"
        return "good" if reading.value is not None else "absent"

    def _hold(self, answer: Answer) -> None:
        """Renew what the device of an answer holds."""
        device = answer.device
        if device is None:
            return
        before = self.holdings.get(device, Readback())
        if answer.is_overtaken:
            return
        if answer.done == "refused":
            self.holdings[device] = replace(before, why=answer.why)
            return
        profile, rating = self.table.profile(device), self.table.ratings[device]
        asked_w = ordered_w(profile, answer.values, rating)
        self.holdings[device] = Readback(
            asked_w=asked_w,
            applied_w=asked_w if answer.done == "applied" else None,
            held_w=None if asked_w is None else held_w(profile, answer.back, rating),
            by=before.by if answer.done == "failed" else answer.done,
            why=answer.why,
        )

    def _read_of(self, identity: int, record: Record, measured_s: float) -> tuple[Block, Mapping[str, Reading]] | None:
        """Block and readings of a record; one of a former table is history and renews nothing. None: no such block."""
        former = self.former.get(identity) if identity != self.table.identity else None
        blocks = self.table.blocks if identity == self.table.identity else former.blocks if former else ()
        if record.block >= len(blocks) or blocks[record.block].device not in self.roles:
            return None
        block = blocks[record.block]
        fresh = _scaled(block, record, measured_s)
        if former is None:
            fresh = self._beliefs.believed(block, fresh)
            self._remember(block.device, fresh)
        elif block.device not in former.proven:
            fresh = {name: without(reading, "proof") for name, reading in fresh.items()}
        return block, fresh

    def _remember(self, device: str, fresh: Mapping[str, Reading]) -> None:
        """Only what is newer: after an outage old records come, and they are history."""
        known = self.readings.setdefault(device, {})
        for name, reading in fresh.items():
            if name not in known or reading.measured_s >= known[name].measured_s:
                known[name] = reading

    def _rows(self, block: Block, fresh: Mapping[str, Reading], time_ms: int) -> Iterator[Row]:
        tags = {"site": self.site_id, "device": block.device}
        values = {name: reading.value for name, reading in fresh.items() if reading.value is not None}
        if "soc" in values:
            values["soc_pct"] = 100 * values.pop("soc")
        if values:
            yield Row(measurement=MEASUREMENTS[self.roles[block.device]], tags=tags, fields=values, time_ms=time_ms)
        absent = {f"{name}_why": reading.why for name, reading in fresh.items() if reading.why is not None}
        if absent:
            yield Row(measurement="health", tags=tags, fields=absent, time_ms=time_ms)


def _scaled(block: Block, record: Record, measured_s: float) -> Mapping[str, Reading]:
    """Readings of a block as its profile says; absent with the flag of a failed read."""
    flag, words = record.flag, record.registers
    if flag == OK and len(words) != block.registers:
        flag = records.WRONG_REPLY
    if flag != OK:
        return {point.name: Reading.absent(FLAG_NAMES[flag], measured_s) for point in block.points}
    if block.profile.links.tic is not None:
        labels = [point for point in block.points if isinstance(point, Label)]
        return dict(telegrams.readings(labels, words, measured_s))
    points = [point for point in block.points if isinstance(point, Point)]
    return dict(registers.readings(block.profile, points, block.first, words, measured_s))


def _stamp(boot: int, record: Record) -> Stamp:
    node_s = record.s + record.ms / 1000
    known = record.clock != CLOCK_UNKNOWN
    return Stamp(base=(boot, known), seq=record.seq, node_s=node_s, utc_s=EPOCH_2000 + node_s if known else None)


def _has(block: Block, name: str) -> bool:
    return any(point.name == name for point in block.points)
