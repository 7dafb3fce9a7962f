"""What the node side does at its edges: with a disk that cannot be written, and with a node nobody has heard of."""

import asyncio
import json
import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.broker import Message
from gateway.adapters.clock import SystemClock
from gateway.adapters.node import persistence
from gateway.adapters.node.actuation import Actuator
from gateway.adapters.node.link import subscriptions
from gateway.adapters.node.measurements import NodeMeasurements
from gateway.adapters.node.persistence import ROWS_KEPT
from gateway.adapters.node.session import NodeSession
from gateway.adapters.store import store
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.state import Mode, Reading, Reason, SetPoint
from gateway.ports import Row
from gateway.tests.adapters.node_side import NodeSide, Wire, node_side
from gateway.tests.adapters.test_nodes import POWER, PROOF, batch, demo_session, proof, watts
from gateway.tests.adapters.test_readback import readable, session_of
from gateway.wire import records
from gateway.wire.records import EPOCH_2000


@pytest.mark.parametrize(("count", "cut"), [(100, 0), (ROWS_KEPT - 5_000, 0), (ROWS_KEPT + 5_000, 5_000)])
async def test_rows_outlive_a_locked_store(tmp_path: Path, count: int, cut: int) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    side = node_side(clock=SystemClock(), outbox=outbox, wire=Wire(up=False), sessions={})
    rows = [Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=i) for i in range(count)]
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await side.end_cycle(rows)
        assert side.persistence.error is not None
    while side.persistence.error is not None or side.persistence.waiting:
        await side.end_cycle()
    assert (outbox.waiting, side.persistence.rows_cut) == (count - cut, cut)
    outbox.close()


def record_of(session: NodeSession) -> Message:
    payload = batch(session, (1, PROOF, 0, proof()))
    return Message(topic="zev/1/lens/cellar/data", payload=payload, retained=False)


async def test_a_disk_that_hangs_holds_up_one_cycle_only_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(persistence, "SAVE_S", 0.2)
    monkeypatch.setattr(persistence, "SLOW_S", 0.0)
    outbox, wire, session = Outbox(tmp_path / "a.sqlite", max_mb=50), Wire(), demo_session()
    side = node_side(clock=SystemClock(), outbox=outbox, wire=wire, sessions={"cellar": session}, site_id="lens")
    rows = [Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=i) for i in range(10)]
    answers = threading.Event()
    hangs = asyncio.ensure_future(outbox.read(lambda _db: answers.wait(60)))
    await asyncio.sleep(0)
    side.link.receive(
        Message(topic="zev/1/lens/cellar/data", payload=batch(session, (1, PROOF, 0, proof())), retained=False)
    )
    for one in rows:
        await side.end_cycle([one])
    assert len(side.persistence.waiting) > len(rows)
    assert "has not answered" in str(side.persistence.error)
    assert len([one for one in caplog.records if "has not answered" in one.getMessage()]) == 1
    assert [topic for topic, *_ in wire.sent if topic.endswith("/heard")] == []
    answers.set()
    await hangs
    while side.persistence.error is not None or side.persistence.waiting:
        await side.end_cycle()
    lines = [text for _, text in await outbox.oldest(100)]
    assert len([text for text in lines if text.startswith("m ")]) == len(rows)
    assert len(lines) == len(set(lines)) == outbox.waiting
    assert [topic for topic, *_ in wire.sent if topic.endswith("/heard")] != []
    outbox.close()


async def test_what_is_in_memory_only_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "AGAIN_S", 0.0)
    (tmp_path / "a.sqlite").mkdir()
    outbox, wire, session = Outbox(tmp_path / "a.sqlite", max_mb=50), Wire(), demo_session()
    side = node_side(clock=SystemClock(), outbox=outbox, wire=wire, sessions={"cellar": session}, site_id="lens")
    side.link.receive(
        Message(topic="zev/1/lens/cellar/data", payload=batch(session, (1, PROOF, 0, proof())), retained=False)
    )
    await side.end_cycle()
    assert outbox.waiting > 0
    assert side.persistence.waiting == []
    assert [topic for topic, *_ in wire.sent if topic.endswith("/heard")] == []
    (tmp_path / "a.sqlite").rmdir()
    await side.end_cycle()
    heard = [json.loads(payload) for topic, payload, *_ in wire.sent if topic.endswith("/heard")]
    assert [one["seq"] for one in heard] == [1]
    outbox.close()


async def test_what_a_node_found_when_it_tested_itself_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    side = node_side(
        clock=SystemClock(),
        outbox=Outbox(tmp_path / "a.sqlite", max_mb=50),
        wire=Wire(),
        sessions={"cellar": session_of(readable())},
    )
    state = {"up": True, "boot": 7, "table": 1, "fw": "0.1.0", "build": 1, "mode": "run", "why": ""}
    rows = [{"step": "unit", "n": 2, "ok": False, "text": "1"}, {"step": "order", "n": 0, "ok": True, "text": "2"}]
    with caplog.at_level(logging.INFO):
        for leaf, said in (("state", state), *2 * [("test", {"boot": 7, "table": 1, "rows": rows})]):
            payload = json.dumps(said).encode()
            side.link.receive(Message(topic=f"zev/1/s/cellar/{leaf}", payload=payload, retained=False))
    logged = [(record.levelname, record.getMessage()) for record in caplog.records if "tested itself" in record.message]
    assert logged == [("WARNING", "node cellar has tested itself: unit 2")]
    assert "zev/1/s/+/test" in subscriptions("s")


class StillClock:
    """Shows what it is put to."""

    now_s = 100.0

    def utc_s(self) -> float:
        return 1_700_000_000.0 + self.now_s

    def monotonic_s(self) -> float:
        return self.now_s


async def test_an_order_names_the_run_of_the_node_and_none_is_sent_before_that_is_known(tmp_path: Path) -> None:
    clock, wire = StillClock(), Wire()
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    actuator = Actuator(node="cellar", number=0, key=bytes(32), profile=readable(), ttl_ms=10_000)
    side = node_side(
        clock=clock,
        outbox=outbox,
        wire=wire,
        sessions={"cellar": session_of(readable())},
        actuators={"battery": actuator},
    )
    await side.end_cycle()
    [(topic, probe, _, _)] = wire.sent
    side.link.receive(Message(topic=topic, payload=probe, retained=False))
    clock.now_s += 1
    setpoint = SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="test"))
    await side.actuation.send(setpoint)
    assert wire.orders() == []
    await side.actuation.answered()  # at once: there is nothing to wait for
    for boot in (77, 78):
        state = json.dumps({"up": True, "boot": boot}).encode()
        side.link.receive(Message(topic="zev/1/s/cellar/state", payload=state, retained=True))
        await side.actuation.send(setpoint)
    assert [(order["boot"], order["seq"]) for order in wire.orders()] == [(77, 1), (78, 2)]
    outbox.close()


@pytest.mark.parametrize(
    ("refused", "numbers"),
    [
        ("TableError('old: 50, newer is 99',)", [50, "now"]),  # the node was somebody else's before
        ("TableError('old: 49, newer is 50',)", [50]),  # somebody replayed one of ours
        ("TableError('old: 50, newer is 4000000000',)", [50]),  # our clock does not say that ours is the newer one
        ("silent: rs485", [50]),
        ("", [50]),
    ],
)
async def test_a_table_that_a_node_thinks_old_gets_a_new_number_once(
    refused: str, numbers: list[int | str], tmp_path: Path
) -> None:
    clock, wire = StillClock(), Wire()
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    session = session_of(readable())
    session.table_number = outbox.table_number("cellar", session.table.identity, 50)
    side = node_side(clock=clock, outbox=outbox, wire=wire, sessions={"cellar": session})
    await side.end_cycle()
    [(topic, probe, _, _)] = wire.sent
    side.link.receive(Message(topic=topic, payload=probe, retained=False))
    clock.now_s += 1
    await side.end_cycle()
    health = json.dumps({"cfg": refused}).encode()
    side.link.receive(Message(topic="zev/1/s/cellar/health", payload=health, retained=False))
    for _ in range(3):
        await side.end_cycle()
    now = int(clock.utc_s()) - EPOCH_2000
    assert wire.tables() == [(now if number == "now" else number, json.loads(session.table.text)) for number in numbers]
    last = wire.tables()[-1][0]
    assert (
        outbox.table_number("cellar", session.table.identity, 0) == session.table_number == last
    )  # and at the next start
    outbox.close()


async def listening(wire: Wire, clock: StillClock, side: NodeSide) -> None:
    """Let the probe come back."""
    await side.end_cycle()
    [(topic, probe, _, _)] = wire.sent
    side.link.receive(Message(topic=topic, payload=probe, retained=False))
    clock.now_s += 1


def sample_of(session: NodeSession, power_w: float, *, seq: int) -> Message:
    """The proof of the meter and its power, as records `seq` and the one after it."""
    payload = batch(session, (seq, PROOF, 0, proof()), (seq + 1, POWER, 0, watts(power_w)))
    return Message(topic="zev/1/lens/cellar/data", payload=payload, retained=False)


async def test_a_sample_of_the_grid_meter_begins_a_cycle_and_another_device_s_does_not(tmp_path: Path) -> None:
    clock, session = StillClock(), demo_session()
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:
        side = node_side(clock=clock, outbox=outbox, wire=Wire(), sessions={"cellar": session}, site_id="lens")
        side.link.receive(sample_of(session, 1234.5, seq=1))
        clock.now_s += 5
        assert await side.measurements.sample(1.0) == clock.now_s - 5
        assert side.measurements.state().reading("grid", "p_w").value == 1234.5
        pv = next(i for i, block in enumerate(session.table.blocks) if block.device == "pv")
        payload = batch(session, (3, pv, records.TIMEOUT, ()))
        side.link.receive(Message(topic="zev/1/lens/cellar/data", payload=payload, retained=False))
        assert await side.measurements.sample(0.0) is None


async def test_records_are_heard_when_they_are_on_disk_and_not_before(tmp_path: Path) -> None:
    clock, wire, session = StillClock(), Wire(), demo_session()
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:
        side = node_side(clock=clock, outbox=outbox, wire=wire, sessions={"cellar": session}, site_id="lens")
        await listening(wire, clock, side)
        side.link.receive(sample_of(session, 1.0, seq=1))
        with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await side.end_cycle()
        assert heard(wire) == []
        await side.end_cycle()
    assert heard(wire) == [{"boot": 9, "seq": 2}]


def heard(wire: Wire) -> list[dict[str, int]]:
    return [json.loads(payload) for topic, payload, _, _ in wire.sent if topic.endswith("/heard")]


@pytest.mark.parametrize(
    ("meter", "own", "shown"),
    [
        (Reading(value=1800.0, measured_s=99.0), Reading(value=1750.0, measured_s=99.0), (1800.0, None)),
        (Reading.absent("timeout", 99.0), Reading(value=1750.0, measured_s=99.0), (1750.0, "own")),
        (Reading(value=1800.0, measured_s=90.0), Reading(value=1750.0, measured_s=99.0), (1750.0, "own")),
        (None, Reading(value=1750.0, measured_s=99.0), (1750.0, "own")),
        (Reading.absent("timeout", 99.0), Reading.absent("no_link", 99.0), (None, None)),
        (Reading.absent("timeout", 99.0), None, (None, None)),
    ],
)
def test_while_the_meter_beside_a_load_is_silent_its_own_report_counts(
    meter: Reading | None, own: Reading | None, shown: tuple[float | None, str | None]
) -> None:
    session = demo_session()
    session.readings = {
        name: {} if reading is None else {"p_w": reading} for name, reading in (("car-meter", meter), ("car", own))
    }
    measurements = NodeMeasurements(
        clock=StillClock(), sessions={"cellar": session}, grid="grid", meters={"car": "car-meter"}
    )
    found = measurements.state().reading("car", "p_w")
    assert (found.value, found.mark) == shown


async def test_a_ledger_is_written_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    clock, wire = StillClock(), Wire()
    sessions = {"cellar": demo_session(), "attic": demo_session()}
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:

        def written() -> int:
            return outbox.at_start(lambda db: db.total_changes)

        side = node_side(clock=clock, outbox=outbox, wire=wire, sessions=sessions, site_id="lens")
        await listening(wire, clock, side)
        side.link.receive(sample_of(sessions["cellar"], 1.0, seq=1))
        await side.end_cycle()
        before = written()
        for _ in range(10):
            await side.end_cycle()
        assert written() == before
        assert heard(wire)[-1] == {"boot": 9, "seq": 2}  # said again all the same
        side.link.receive(sample_of(sessions["cellar"], 2.0, seq=3))
        await side.end_cycle()
        rows = written() - before
        assert rows == 2 + 2  # the ledger and its boots, the power and the counters
        assert outbox.ledger("cellar").boots[-1].upto == 4
        assert outbox.ledger("attic") is None


async def test_a_ledger_is_written_again_into_a_store_that_had_to_begin_anew(tmp_path: Path) -> None:
    path, clock, wire, session = tmp_path / "a.sqlite", StillClock(), Wire(), demo_session()
    with closing(Outbox(path, max_mb=50)) as outbox:
        side = node_side(clock=clock, outbox=outbox, wire=wire, sessions={"cellar": session}, site_id="lens")
        await listening(wire, clock, side)
        side.link.receive(sample_of(session, 1.0, seq=1))
        await side.end_cycle()
        known = outbox.ledger("cellar")
        outbox.at_start(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        outbox.at_start(lambda db: db.execute("PRAGMA shrink_memory").fetchall())
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[:100] + bytes(size - 100))
        for _ in range(3):
            await side.end_cycle([Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=1)])
        assert outbox.aside
        assert outbox.ledger("cellar") == known
