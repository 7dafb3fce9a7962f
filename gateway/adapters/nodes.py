"""The nodes as the gateway knows them: their records become readings, their answers become counts."""

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from gateway.adapters import batches, registers, telegrams
from gateway.adapters.batches import FLAG_NAMES, BatchError, Record
from gateway.adapters.clock import NodeClock, Stamp
from gateway.adapters.holdings import Holding, from_health, held_w, numbers_of, ordered_w
from gateway.adapters.ledger import Ledger
from gateway.adapters.profiles import Label, Point
from gateway.adapters.standing import Standing
from gateway.adapters.tables import Block, NodeTable
from gateway.core.model import Reading
from gateway.ports import Row
from gateway.wire import records
from gateway.wire.records import CLOCK_UNKNOWN, EPOCH_2000, OK

MEASUREMENTS: Mapping[str, str] = {"grid": "meter", "pv": "pv", "battery": "battery", "load": "meter"}  # by role
STALE_PERIODS = 3
COUNTER_SLACK_WH = 100.0  # coarse counters step by up to 0.1 kWh
COUNTER_MAX_W = 200_000.0  # no building of ours moves more


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an order. `written`: the device was really written in this answer; moment on our clock.

    `values`: of the order, raw; `back`: what was read back, as `rb` of `gateway.wire.orders`.
    """

    seq: int
    device: str | None = None
    done: str
    why: str
    written: bool
    at_s: float
    values: object = None
    back: Sequence[int | None] | None = None

    @property
    def is_overtaken(self) -> bool:
        """Whether a younger order stands in its place: a device that takes one in 5 s is sent one a second."""
        return self.done == "refused" and self.why == "sequence"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTable:
    """What is left of a poll table: its blocks by number, and the devices that fitted their profile."""

    blocks: Sequence[Block]
    proven: AbstractSet[str]


@dataclass(slots=True)
class NodeDesk:
    """All that is known through one node. Fed with its messages; gives readings by device and rows for the store."""

    site_id: str
    table: NodeTable
    roles: Mapping[str, str]  # device -> role
    ledger: Ledger
    table_number: int = 0  # how new the table is
    proven: set[str] = field(default_factory=set)  # devices that fit their profile under this table
    former: Mapping[int, FormerTable] = field(default_factory=dict)  # by identity
    readings: dict[str, dict[str, Reading]] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    runs_our_table: bool = False
    seen_s: float = -math.inf
    health: Mapping[str, Any] = field(default_factory=dict)
    malformed: int = 0
    unreadable: int = 0  # records of a poll table that nobody remembers
    holdings: dict[str, Holding] = field(default_factory=dict)  # by device that takes orders
    undatable: int = 0  # records of a former boot that never knew the time
    boot: int | None = None  # the node's present one
    _clock: NodeClock = field(default_factory=NodeClock)
    _counters: dict[tuple[str, str], Reading] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """Whether the node is at the broker, as it or its will says."""
        return self.standing.up

    def on_state(self, payload: bytes, now_s: float) -> None:
        """The node's presence: retained JSON, or its will."""
        state = json_object(payload)
        self.standing = self.standing.after_state(state)
        self.runs_our_table = self.up and state.get("table") == self.table.identity
        if self.up and _is_count(boot := state.get("boot")):
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
        if not (_is_count(seq) and _is_count(s) and _is_count(ms) and ms < 1000):
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
        """good, stale (no report for three periods) or absent (reported without a value) for a device's power."""
        reading = self.readings.get(device, {}).get("p_w")
        block = next((b for b in self.table.blocks if b.device == device and _has(b, "p_w")), None)
        if reading is None or block is None or now_s - reading.measured_s > STALE_PERIODS * block.every_s + 0.5:
            return "stale"
        return "good" if reading.value is not None else "absent"

    def _hold(self, answer: Answer) -> None:
        """Renew what the device of an answer holds."""
        device = answer.device
        if device is None:
            return
        before = self.holdings.get(device, Holding())
        if answer.is_overtaken:
            return
        if answer.done == "refused":
            self.holdings[device] = replace(before, why=answer.why)
            return
        profile, rating = self.table.profile(device), self.table.ratings[device]
        asked_w = ordered_w(profile, answer.values, rating)
        self.holdings[device] = Holding(
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
            fresh = self._believed(block, fresh)
            self._remember(block.device, fresh)
        elif block.device not in former.proven:
            fresh = {name: _without(reading, "proof") for name, reading in fresh.items()}
        return block, fresh

    def _believed(self, block: Block, fresh: Mapping[str, Reading]) -> Mapping[str, Reading]:
        if block.profile.proof is None:
            self.proven.add(block.device)  # each group of a telegram has a checksum
        else:
            self._prove(block.device, fresh.get(block.profile.proof))
        if block.device not in self.proven:
            return {name: _without(reading, "proof") for name, reading in fresh.items()}
        return {name: self._plausible(block, name, reading) for name, reading in fresh.items()}

    def _prove(self, device: str, proof: Reading | None) -> None:
        """A device is believed from the first proof that fits to the first that is impossible."""
        if proof is not None and proof.value is not None:
            self.proven.add(device)
        elif proof is not None and proof.why == "implausible":
            self.proven.discard(device)

    def _plausible(self, block: Block, name: str, reading: Reading) -> Reading:
        """A counter may neither go back nor rise faster than any building draws; a changed meter starts anew.

        Records from the node's flash come behind younger ones: those are compared the other way round.
        """
        point = block.profile.point(name)
        if point is None or not point.counter or reading.value is None:
            return reading
        known = self._counters.get((block.device, name))
        is_old = known is not None and reading.measured_s < known.measured_s
        if not is_old:
            self._counters[block.device, name] = reading
        if known is None or known.value is None:
            return reading
        most_wh = COUNTER_SLACK_WH + COUNTER_MAX_W * abs(reading.measured_s - known.measured_s) / 3600
        risen_wh = known.value - reading.value if is_old else reading.value - known.value
        if 0 <= risen_wh <= most_wh:
            return reading
        return Reading.absent("implausible", reading.measured_s)

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


@dataclass(slots=True)
class OrderBook:
    """Orders sent and what became of them. `latency_ms`: from the meter's sample to the device's answer."""

    session: int
    seq: int = 0
    sent: int = 0
    applied: int = 0
    refused: int = 0
    failed: int = 0
    latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))
    _open: dict[int, float | None] = field(default_factory=dict)

    def order(
        self, boot: int, actuator: int, values: list[int] | None, ttl_ms: int, utc_s: float, sample_s: float | None
    ) -> str:
        """The text of the next order to that run of a node; `sample_s` is the moment of the meter sample behind it."""
        self.seq += 1
        self.sent += 1
        self._open = {seq: at for seq, at in self._open.items() if seq > self.seq - 50}
        self._open[self.seq] = sample_s
        order = {"boot": boot, "sid": self.session, "seq": self.seq, "act": actuator, "v": values, "ttl": ttl_ms}
        order["at"] = max(0, int(utc_s) - EPOCH_2000)
        return json.dumps(order, separators=(",", ":"))

    def settle(self, answer: Answer) -> None:
        """Count an answer; only those that really wrote tell about latency."""
        if answer.done in ("applied", "released"):
            self.applied += 1
        elif answer.done == "refused":
            self.refused += 1
        elif answer.done == "failed":
            self.failed += 1
        sample_s = self._open.pop(answer.seq, None)
        if sample_s is not None and answer.done == "applied" and answer.written:
            self.latency_ms.append(1000 * (answer.at_s - sample_s))


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


def _is_count(value: object) -> TypeGuard[int]:
    """A whole number that fits the wire's u32."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _has(block: Block, name: str) -> bool:
    return any(point.name == name for point in block.points)


def _without(reading: Reading, why: str) -> Reading:
    return Reading.absent(why, reading.measured_s) if reading.value is not None else reading


def json_object(payload: bytes) -> dict[str, Any]:
    """The object in a payload; an empty one for anything else."""
    try:
        text = payload.decode()
        value = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair: no file and no database takes it
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _no_constant(name: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259), and no page could show them."""
    raise ValueError(f"{name} is no number")
