"""One node as the gateway knows it: records become readings; answers and health become readbacks and a status."""

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.adapters.clock import NodeClock, Stamp
from gateway.adapters.node import batches
from gateway.adapters.node.batches import BatchError, Record
from gateway.adapters.node.boards import Boards
from gateway.adapters.node.counters import Counters
from gateway.adapters.node.dates import RecordDates
from gateway.adapters.node.day_writes import DayWrites
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.orders import OrderAnswer
from gateway.adapters.node.payloads import is_count, json_object
from gateway.adapters.node.poll_tables import Block, NodeTable
from gateway.adapters.node.readback import MOST_LETTERS, Readback, after_answer, from_health, numbers_of
from gateway.adapters.node.reading_trust import ReadingTrust, unproven
from gateway.adapters.node.readings import event_rows, readings_of
from gateway.adapters.node.status import NodeStatus
from gateway.adapters.node.strays import Strays
from gateway.adapters.site_time import ToldTime
from gateway.core.model.state import Reading
from gateway.database.reading_rows import reading_rows
from gateway.database.tags import RowOrigin
from gateway.ports import Row
from gateway.wire.records import CLOCK_UNKNOWN, EPOCH_2000, OK

STALE_PERIODS = 3  # one report may get lost and one come late
STALE_SLACK_S = 0.5  # a period that is short is not measured more finely than messages travel


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTable:
    """What is left of a poll table: its blocks by number, and the devices that fitted their profile."""

    blocks: Sequence[Block]
    trusted: AbstractSet[str]


@dataclass(slots=True)
class NodeSession:
    """All that is known through one node. Fed with its messages; gives readings by device and rows for the store."""

    origin: RowOrigin  # of its rows
    table: NodeTable
    ledger: Ledger
    table_number: int = 0  # how new the table is
    trusted: set[str] = field(default_factory=set)  # devices that fit their profile under this table
    former: Mapping[int, FormerTable] = field(default_factory=dict)  # by identity
    readings: dict[str, dict[str, Reading]] = field(default_factory=dict)  # newest, by device and point
    status: NodeStatus = field(default_factory=NodeStatus)
    runs_our_table: bool = False
    seen_s: float = -math.inf  # monotonic
    health: Mapping[str, Any] = field(default_factory=dict)  # as the node sent it last
    malformed: int = 0  # messages
    unreadable: int = 0  # records of a poll table that is not known any more
    readbacks: dict[str, Readback] = field(default_factory=dict)  # by device that takes orders
    undatable: int = 0  # records of a former boot that never knew the time
    boot: int | None = None  # the node's present one
    boards: Boards = field(default_factory=Boards)
    told: ToldTime | None = None  # what its clock showed with its newest records; None while it does not know the time
    is_dated: Callable[[], bool] = lambda: True  # whether our clock may be believed
    is_possible: Callable[[float], bool] = lambda _: True  # whether a record can be of this moment (UTC)
    strays: Strays = field(default_factory=Strays)  # answers to orders that we never wrote
    writes: DayWrites = field(default_factory=DayWrites)  # to the registers of its devices
    _clock: NodeClock = field(default_factory=NodeClock)
    _trust: ReadingTrust = field(init=False)
    _pace: float = field(init=False)  # records a second
    _dates: RecordDates = field(default_factory=RecordDates)

    def __post_init__(self) -> None:
        """The trust in readings is kept in `trusted`."""
        self._trust = ReadingTrust(self.trusted)
        self._pace = sum(1 / block.every_s for block in self.table.blocks if block.every_s > 0)

    @property
    def ahead_s(self) -> float:
        """By how much the node's clock is ahead of ours where they do not agree, else 0."""
        return self._dates.ahead_s

    @property
    def counters(self) -> Counters:
        """The counters of its devices."""
        return self._trust.counters

    @property
    def up(self) -> bool:
        """Whether the node is at the broker, as it or its will says."""
        return self.status.up

    def receive_state(self, payload: bytes, now_s: float) -> None:
        """The node's presence: retained JSON, or its will."""
        state = json_object(payload)
        if state.get("up") is True and not self._is_ours(state.get("boot"), now_s):
            return
        self.status = self.status.after_state(state)
        self.runs_our_table = self.up and state.get("table") == self.table.identity
        if self.up:
            self.seen_s = now_s

    def receive_health(self, payload: bytes, now_s: float) -> None:
        """The node's own figures, and the run that they are of: a state that was not its own does not last."""
        if not self._is_ours(json_object(payload).get("boot"), now_s):
            return
        self.health, self.seen_s = json_object(payload), now_s
        self.status = self.status.after_health(self.health)
        entries = self.health.get("actuators")
        if not isinstance(entries, list) or not self.runs_our_table:
            return
        for device, number in self.table.actuators.items():
            entry = entries[number] if number < len(entries) else None
            readback = from_health(self.table.profile(device), entry, self.table.ratings[device])
            if readback is not None:
                self.readbacks[device] = readback

    def receive_test(self, payload: bytes, now_s: float) -> None:
        """The result of the node's self-test."""
        self.seen_s = now_s
        self.status = self.status.after_test(json_object(payload))

    def receive_answer(self, payload: bytes, now_s: float) -> OrderAnswer | None:
        """The answer to an order, which may be anybody's; None for a message that is none."""
        answer = json_object(payload)
        seq, s, ms = answer.get("seq"), answer.get("s"), answer.get("ms")
        if not (is_count(seq) and is_count(s) and is_count(ms) and ms < 1000):
            self.malformed += 1
            return None
        boot, session, number = (answer.get(name) for name in ("boot", "sid", "act"))
        return OrderAnswer(
            seq=seq,
            boot=boot if is_count(boot) else None,
            session=session if is_count(session) else None,
            number=number if is_count(number) else None,
            device=next((device for device, known in self.table.actuators.items() if known == number), None),
            done=str(answer.get("done"))[:MOST_LETTERS],
            why=str(answer.get("why", ""))[:MOST_LETTERS],
            written=bool(answer.get("w", 1)),
            at_s=self._clock.mapped_s(s + ms / 1000, now_s),
            values=answer.get("v"),
            back=numbers_of(answer.get("rb")),
        )

    def renew_readback(self, answer: OrderAnswer) -> None:
        """What the device of an answer to our order holds now; one that a younger order has overtaken says nothing."""
        device = answer.device
        if device is None or answer.is_overtaken:
            return
        before = self.readbacks.get(device, Readback())
        self.readbacks[device] = after_answer(before, answer, self.table.profile(device), self.table.ratings[device])

    def clock_utc_s(self, now_s: float) -> float | None:
        """What the node's clock shows now (seconds since 1970); None while it does not know the time."""
        shown_s = self._clock.reading_s(now_s)
        return None if shown_s is None else EPOCH_2000 + shown_s

    def receive_batch(self, payload: bytes, now_s: float, utc_s: float, *, live: bool = True) -> list[Row]:
        """Take a batch in: readings are renewed, the rows returned are to be stored before `heard` is said.

        A record that does not know its time is as old as its batch says, if the message came straight here (`live`).
        Else it is left alone: the node sends it again, and may know more by then. One of a former boot cannot be dated.
        """
        try:
            batch = batches.decode(payload)
        except BatchError:
            self.malformed += 1
            return []
        if self.boards.is_other(batch.boot, now_s):
            return []
        if any(not 0 < batch.oldest <= record.seq for record in batch.records):
            self.malformed += 1
            return []
        self.seen_s = now_s
        former = self.boot not in (None, batch.boot)
        if not self.ledger.begin(batch.boot, batch.oldest, former=former, now_s=now_s, pace=self._pace):
            return []
        if not former and batch.records:
            self._clock.hear(_stamp(batch.boot, batch.records[-1]), batch.sent_s, now_s)
            knows = live and batch.records[-1].clock != CLOCK_UNKNOWN
            self.told = ToldTime(utc_s=EPOCH_2000 + batch.sent_s, at_s=now_s) if knows else self.told
        rows: list[Row] = []
        for record in batch.records:
            direct = live and not former
            stamp = self._believed(_stamp(batch.boot, record), direct=direct)
            if stamp is not None and self._is_taken(record, stamp, now_s, former=former, live=live):
                measured_s = self._moment_s(stamp, now_s, utc_s, former=former, live=live)
                time_s = self._dates.dated_s(stamp, utc_s - (now_s - measured_s), direct=direct)
                rows += self._read(batch.table, record, measured_s, round(1000 * time_s))
        return rows

    def quality(self, device: str, now_s: float) -> str:
        """good, stale (no report for three periods) or absent (reported without a value) for a device's power.

        A device that reports no power is judged by the point that proves its profile.
        """
        profile = self.table.profile(device)
        name = "p_w" if profile.point("p_w") is not None else profile.proof or "p_w"
        reading = self.readings.get(device, {}).get(name)
        block = next((b for b in self.table.blocks if b.device == device and _has(b, name)), None)
        if reading is None or block is None:
            return "stale"
        if now_s - reading.measured_s > STALE_PERIODS * block.every_s + STALE_SLACK_S:
            return "stale"
        return "good" if reading.value is not None else "absent"

    def _believed(self, stamp: Stamp, *, direct: bool) -> Stamp | None:
        """A record's time as far as it can be; None for one that is left alone until the time is known.

        `direct`: it came straight here from the present run. While nobody vouches for our clock such a record is dated
        by its age, like those that know no time.
        """
        if stamp.utc_s is None:
            return stamp
        if not self.is_dated():
            return replace(stamp, utc_s=None) if direct else None
        if direct:
            return stamp
        utc_s = self._dates.corrected_s(stamp.base[0], stamp.utc_s)
        return replace(stamp, utc_s=utc_s if self.is_possible(utc_s) else None)

    def _is_ours(self, run: object, now_s: float) -> bool:
        """Whether a word is of the board that is the node, if it says of which run it is; orders name that run."""
        if not is_count(run):
            return True
        self.boot = self.boards.heard(run, now_s)
        self.status = replace(self.status, twin=self.boards.other_s(now_s) is not None)
        return run == self.boot

    def _is_taken(self, record: Record, stamp: Stamp, now_s: float, *, former: bool, live: bool) -> bool:
        """Whether a record is new and has a time; what is left alone here is not in the ledger and comes again."""
        is_dated = stamp.utc_s is not None
        made_s = self._clock.mapped_s(stamp.node_s, now_s) if live and not former else -math.inf
        if (not is_dated and not former and not live) or not self.ledger.admit(record.seq, made_s=made_s, now_s=now_s):
            return False
        if not is_dated and former:
            self.undatable += 1
            return False
        return True

    def _moment_s(self, stamp: Stamp, now_s: float, utc_s: float, *, former: bool, live: bool) -> float:
        """Our monotonic moment of a record; of a former boot nothing but its UTC is known.

        A message that came straight here says by itself how old its records are, and no UTC is needed.
        """
        if former and stamp.utc_s is not None:
            return now_s - max(0.0, utc_s - stamp.utc_s)
        return self._clock.moment_s(replace(stamp, utc_s=None) if live else stamp, now_s, utc_s)

    def _read(self, identity: int, record: Record, measured_s: float, time_ms: int) -> Sequence[Row]:
        """Renew the readings of a record and give its rows; one of a former table is history and renews nothing."""
        former = self.former.get(identity) if identity != self.table.identity else None
        blocks = self.table.blocks if identity == self.table.identity else former.blocks if former else ()
        if record.block >= len(blocks) or blocks[record.block].device not in self.origin.roles:
            self.unreadable += 1
            return ()
        block = blocks[record.block]
        fresh = readings_of(block, record, measured_s)
        if former is None:
            fresh = self._trust.check(block, record.registers if record.flag == OK else (), fresh)
            self._renew(block.device, fresh)
        elif block.device not in former.trusted:
            fresh = unproven(fresh)
        tags = self.origin.device_tags(block.device)
        events = event_rows(self._trust.take_events(), tags=tags, time_ms=time_ms)
        return (*reading_rows(fresh, origin=self.origin, device=block.device, time_ms=time_ms), *events)

    def _renew(self, device: str, fresh: Mapping[str, Reading]) -> None:
        """Only what is newer: after an outage old records come, and they are history."""
        known = self.readings.setdefault(device, {})
        for name, reading in fresh.items():
            if name not in known or reading.measured_s >= known[name].measured_s:
                known[name] = reading


def _stamp(boot: int, record: Record) -> Stamp:
    node_s = record.s + record.ms / 1000
    known = record.clock != CLOCK_UNKNOWN
    return Stamp(base=(boot, known), seq=record.seq, node_s=node_s, utc_s=EPOCH_2000 + node_s if known else None)


def _has(block: Block, name: str) -> bool:
    return any(point.name == name for point in block.points)
