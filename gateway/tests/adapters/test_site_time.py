"""What time it is while nobody has set the machine: the nodes' time, or none; and what is measured meanwhile."""

import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.node import held_rows
from gateway.adapters.node.held_rows import HeldRows
from gateway.adapters.site_time import SiteTime, TimeSource, ToldTime
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Row
from gateway.tests.adapters.node_side import Wire
from gateway.tests.adapters.test_nodes import HZ_50, POWER, PROOF, demo_session, watts
from gateway.wire.records import CLOCK_SYNCED, CLOCK_UNKNOWN, EPOCH_2000

NOW = 1_764_547_200.0  # 2025-12-01: the true time at monotonic 1000
BEHIND_S = 3 * 3600.0


@dataclass
class Machine:
    """A computer whose clock is `behind_s` behind the truth until somebody sets it."""

    behind_s: float = BEHIND_S
    now_s: float = 1000.0
    is_synchronised: bool = False
    up_s: float = 30.0
    told: list[ToldTime] = field(default_factory=list)

    def true_s(self) -> float:
        return NOW + self.now_s - 1000.0

    def utc_s(self) -> float:
        return self.true_s() - self.behind_s

    def monotonic_s(self) -> float:
        return self.now_s

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.up_s += seconds

    def tells(self, utc_s: float) -> None:
        self.told.append(ToldTime(utc_s=utc_s, at_s=self.now_s))

    def time(self, *, known_s: float | None = None, settle_s: float = 600.0, is_real: bool = True) -> SiteTime:
        return SiteTime(
            system=self,
            is_synchronised=lambda: self.is_synchronised,
            is_settled=lambda: self.up_s >= settle_s or self.is_synchronised,
            settle_s=settle_s,
            known_s=known_s,
            is_real=is_real,
            told=lambda: list(self.told),
        )


def test_a_machine_that_wakes_hours_behind_lives_by_its_nodes_and_then_by_ntp() -> None:
    machine = Machine()
    time = machine.time(known_s=NOW - 7200.0)
    assert (time.is_vouched, time.source) == (False, TimeSource.UNSET)
    assert time.utc_s() == NOW - 7200.0  # what the store knew: the machine says an hour less
    machine.passes(2.0)
    machine.tells(machine.true_s() - 0.1)
    assert (time.is_vouched, time.source) == (True, TimeSource.NODES)
    assert time.utc_s() == pytest.approx(machine.true_s(), abs=0.2)
    machine.passes(3600.0)  # the node is silent meanwhile, and nobody sets the machine
    assert time.utc_s() == pytest.approx(machine.true_s(), abs=0.2)
    machine.behind_s, machine.is_synchronised = 0.0, True
    machine.passes(2.0)
    assert (time.source, time.utc_s()) == (TimeSource.SYSTEM, machine.true_s())


def test_a_machine_that_was_set_is_followed_wherever_it_goes() -> None:
    machine = Machine(behind_s=0.0, is_synchronised=True)
    time = machine.time(known_s=NOW - 5.0)
    assert time.source is TimeSource.SYSTEM
    machine.is_synchronised = False
    for behind_s in (-20_000.0, 20_000.0):
        machine.behind_s = behind_s
        machine.passes(5.0)
        machine.tells(machine.true_s())
        assert time.utc_s() == machine.utc_s()


@pytest.mark.parametrize(
    ("behind_s", "known_s", "told", "source"),
    [
        (0.0, None, (0.0,), TimeSource.SYSTEM),  # both agree
        (BEHIND_S, None, (0.0,), TimeSource.NODES),
        (BEHIND_S, None, (0.0, 2.0), TimeSource.NODES),
        (BEHIND_S, None, (0.0, 600.0), TimeSource.UNSET),  # two nodes that do not agree
        (BEHIND_S, NOW - 60.0, (-7200.0,), TimeSource.UNSET),  # a node of before the store's last row
        (BEHIND_S, None, (-NOW,), TimeSource.UNSET),  # 1970
        (BEHIND_S, None, (75 * 365.25 * 86400.0,), TimeSource.UNSET),  # 2100
    ],
)
def test_who_vouches_for_the_time_of_a_machine_that_has_just_woken(
    behind_s: float, known_s: float | None, told: tuple[float, ...], source: TimeSource
) -> None:
    machine = Machine(behind_s=behind_s)
    for ahead_s in told:
        machine.tells(machine.true_s() + ahead_s)
    time = machine.time(known_s=known_s)
    assert (time.is_vouched, time.source) == (source is not TimeSource.UNSET, source)


@pytest.mark.parametrize(
    ("behind_s", "known_s", "source"),
    [
        (0.0, NOW - 60.0, TimeSource.SYSTEM),
        (60.0, None, TimeSource.SYSTEM),
        (BEHIND_S, NOW - 60.0, TimeSource.STORE),  # nobody will say more: after the last row, at least
        (NOW, None, TimeSource.UNSET),  # 1970 is no time at all
    ],
)
def test_a_machine_that_nobody_sets_is_believed_after_its_time_if_it_can_be(
    behind_s: float, known_s: float | None, source: TimeSource
) -> None:
    machine = Machine(behind_s=behind_s)
    time = machine.time(known_s=known_s)
    assert not time.is_vouched
    machine.passes(650.0)
    assert (time.is_vouched, time.source) == (source is not TimeSource.UNSET, source)


def test_a_demonstration_lives_in_any_year() -> None:
    machine = Machine(behind_s=NOW - 1e9, up_s=1e6)  # 2001
    assert machine.time(is_real=False).is_vouched
    assert not machine.time().is_vouched


@pytest.mark.parametrize(
    ("utc_s", "possible"), [(NOW, True), (NOW - 4e6, True), (NOW + 86_000, True), (NOW + 9e4, False), (5.0, False)]
)
def test_nothing_was_measured_in_1970_or_tomorrow(utc_s: float, *, possible: bool) -> None:
    assert Machine(behind_s=0.0, is_synchronised=True).time().is_possible(utc_s) == possible


def test_rows_without_a_time_are_held_within_bounds_and_dated_right_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_rows, "MOST", 3)
    machine = Machine()
    time = machine.time()
    held = HeldRows(time, lambda: time.is_vouched)
    for _ in range(5):
        assert held.taken([Row(measurement="m", tags={}, fields={"v": 1}, time_ms=round(1000 * time.utc_s()))]) == []
        machine.passes(1.0)
    assert (len(held), held.cut) == (3, 2)
    machine.behind_s, machine.is_synchronised = 0.0, True
    machine.passes(1.0)
    rows = held.taken([Row(measurement="m", tags={}, fields={"v": 2}, time_ms=round(1000 * time.utc_s()))])
    assert [row.time_ms / 1000 - NOW for row in rows] == pytest.approx([2.0, 3.0, 4.0, 6.0], abs=0.01)
    assert len(held) == 0


def batch(identity: int, node_s: float, *, boot: int = 9, clock: int = CLOCK_SYNCED, first: int = 1) -> bytes:
    """The meter's proof and a power of 1.2 kW, read at this second of the node's clock."""
    rows = [(PROOF, (*HZ_50, *watts(1.5), *watts(2.5))), (POWER, watts(1200.0))]
    s = int(node_s)
    parts = [struct.pack(">BBIIIIH", 2, len(rows), identity, boot, 1, s, 100)]
    for seq, (block, words) in enumerate(rows, start=first):
        parts.append(struct.pack(">IIHBBBB", seq, s, 0, clock, block, 0, len(words)))
        parts.append(struct.pack(f">{len(words)}H", *words))
    return b"".join(parts)


class Side:
    """A gateway's node side on such a machine, with the demo's node."""

    def __init__(self, machine: Machine, time: SiteTime, outbox: Outbox) -> None:
        from gateway.adapters.node.persistence import NodePersistence  # noqa: PLC0415
        from gateway.adapters.presence import Presence  # noqa: PLC0415

        self.machine, self.time, self.session, self.wire = machine, time, demo_session(), Wire()
        self.session.is_dated, self.session.is_possible = (lambda: time.is_vouched), time.is_possible
        time.told = lambda: [self.session.told] if self.session.told else []
        self.persistence = NodePersistence(
            site_id="s",
            clock=time,
            broker=self.wire,
            presence=Presence(instance="a", session=1),
            sessions={"cellar": self.session},
            outbox=outbox,
            is_dated=lambda: time.is_vouched,
        )

    async def hears(self, payload: bytes, *, live: bool = True) -> None:
        self.persistence.add(self.session.receive_batch(payload, self.time.monotonic_s(), self.time.utc_s(), live=live))
        await self.persistence.save([])


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as one:
        yield one


async def stored(outbox: Outbox) -> list[float]:
    """Times of the lines (s since 1970)."""
    return [int(line.rsplit(" ", 1)[1]) / 1000 for _, line in await outbox.oldest(100)]


@pytest.mark.parametrize("node_s", [5.0, 75 * 365.25 * 86400.0 + NOW - EPOCH_2000], ids=["2000", "2100"])
async def test_a_node_of_2000_or_2100_gives_no_point_of_then(outbox: Outbox, node_s: float) -> None:
    machine = Machine(behind_s=0.0, is_synchronised=True)
    side = Side(machine, machine.time(), outbox)
    await side.hears(batch(side.session.table.identity, node_s % 2**32))
    assert await stored(outbox) == pytest.approx([NOW, NOW], abs=1.0)
    assert side.session.readings["grid"]["p_w"].value == 1200.0
    # of a former run, from its flash: nobody can say when that was
    side.session.receive_state(b'{"up": true, "boot": 10, "table": 1}', 1000.0)
    await side.hears(batch(side.session.table.identity, node_s % 2**32, boot=8))
    assert len(await stored(outbox)) == 2
    assert side.session.undatable == 2


async def test_what_is_measured_before_the_time_is_known_is_stored_with_its_true_time(outbox: Outbox) -> None:
    machine = Machine(behind_s=NOW)  # 1970
    side = Side(machine, machine.time(), outbox)
    for second in range(3):
        payload = batch(side.session.table.identity, 5.0 + second, clock=CLOCK_UNKNOWN, first=1 + 2 * second)
        await side.hears(payload)
        machine.passes(1.0)
    assert side.session.readings["grid"]["p_w"].value == 1200.0  # it is controlled with
    assert await stored(outbox) == []
    assert side.wire.sent == []  # nothing is acknowledged that is not on disk
    machine.behind_s, machine.is_synchronised = 0.0, True
    machine.passes(1.0)
    await side.persistence.save([])
    assert await stored(outbox) == pytest.approx([NOW, NOW, NOW + 1, NOW + 1, NOW + 2, NOW + 2], abs=0.5)
    assert [topic for topic, *_ in side.wire.sent] == ["zev/1/s/cellar/heard"]


async def test_records_of_a_former_run_wait_at_the_node_until_the_time_is_known(outbox: Outbox) -> None:
    machine = Machine()
    side = Side(machine, machine.time(), outbox)
    side.session.receive_state(b'{"up": true, "boot": 10, "table": 1}', 1000.0)
    old = batch(side.session.table.identity, NOW - EPOCH_2000 - 900.0, boot=8)
    await side.hears(old)
    assert side.session.ledger.received == 0
    machine.behind_s, machine.is_synchronised = 0.0, True
    machine.passes(2.0)
    await side.hears(old)
    assert await stored(outbox) == pytest.approx([NOW - 900.0] * 2, abs=0.5)


async def test_a_gateway_that_wakes_three_hours_behind_stores_nothing_of_then(outbox: Outbox) -> None:
    machine = Machine()
    side = Side(machine, machine.time(known_s=NOW - 600.0), outbox)
    own = Row(measurement="state", tags={"site": "s"}, fields={"load_w": 1.0}, time_ms=round(1000 * side.time.utc_s()))
    await side.persistence.save([own])
    assert await stored(outbox) == []
    machine.passes(1.0)
    await side.hears(batch(side.session.table.identity, machine.true_s() - EPOCH_2000))
    machine.passes(1.0)
    await side.persistence.save([])
    times = await stored(outbox)
    assert times[0] == pytest.approx(NOW, abs=0.6)  # the row of before, dated by the node's clock
    assert times == pytest.approx([NOW, NOW + 1, NOW + 1], abs=0.6)


def test_a_message_that_waited_at_the_broker_tells_no_time() -> None:
    session = demo_session()
    session.receive_batch(batch(session.table.identity, NOW - EPOCH_2000), 1000.0, NOW, live=False)
    assert session.told is None
    session.receive_batch(batch(session.table.identity, NOW - EPOCH_2000, first=3), 1000.0, NOW)
    assert session.told == ToldTime(utc_s=pytest.approx(NOW + 0.1), at_s=1000.0)
