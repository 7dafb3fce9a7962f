"""What the building does at its edges: with a disk that cannot be written, and with a node nobody has heard of."""

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.broker import Broker, Message
from gateway.adapters.building import ROWS_KEPT, Actuator, Building
from gateway.adapters.clock import SystemClock
from gateway.adapters.node.orders import OrderBook
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.ports import Row
from gateway.tests.adapters.test_readback import desk_of, readable
from gateway.wire.records import EPOCH_2000


@pytest.mark.parametrize(("count", "cut"), [(100, 0), (ROWS_KEPT - 5_000, 0), (ROWS_KEPT + 5_000, 5_000)])
async def test_rows_outlive_a_locked_store(tmp_path: Path, count: int, cut: int) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    building = Building(
        site_id="s",
        grid="grid",
        clock=SystemClock(),
        desks={},
        keys={},
        actuators={},
        outbox=outbox,
        orders=OrderBook(session=1),
        writes=True,
    )
    rows = [Row(measurement="m", tags={}, fields={"v": 1.0}, time_ms=i) for i in range(count)]
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await building.keep(rows)
        assert building.store_error is not None
    await building.keep([])
    assert building.store_error is None
    assert (outbox.waiting, building.rows_cut) == (count - cut, cut)
    outbox.close()


async def test_what_a_node_found_when_it_tested_itself_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    building = Building(
        site_id="s",
        grid="grid",
        clock=SystemClock(),
        desks={"cellar": desk_of(readable())},
        keys={"cellar": bytes(32)},
        actuators={},
        outbox=Outbox(tmp_path / "a.sqlite", max_mb=50),
        orders=OrderBook(session=1),
        writes=True,
    )
    state = {"up": True, "boot": 7, "table": 1, "fw": "0.1.0", "build": 1, "mode": "run", "why": ""}
    rows = [{"step": "unit", "n": 2, "ok": False, "text": "1"}, {"step": "order", "n": 0, "ok": True, "text": "2"}]
    with caplog.at_level(logging.INFO):
        for leaf, said in (("state", state), *2 * [("test", {"boot": 7, "table": 1, "rows": rows})]):
            payload = json.dumps(said).encode()
            building.receive(Message(topic=f"zev/1/s/cellar/{leaf}", payload=payload, retained=False))
    told = [(record.levelname, record.getMessage()) for record in caplog.records if "tested itself" in record.message]
    assert told == [("WARNING", "node cellar has tested itself: unit 2")]
    assert "zev/1/s/+/test" in building.subscriptions


class Wire(Broker):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.connections = 1
        self.sent: list[tuple[str, bytes, int, bool]] = []

    @property
    def is_up(self) -> bool:
        return True

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        self.sent.append((topic, payload, qos, retain))
        return True

    def tables(self) -> list[tuple[int, dict[str, object]]]:
        """(number, the rest) of those sent so far, without their seals."""
        texts = [
            json.loads(payload[32:]) for topic, payload, _, retain in self.sent if topic.endswith("/cfg") and retain
        ]
        return [(text.pop("n"), text) for text in texts]

    def orders(self) -> list[dict[str, object]]:
        """Those sent so far, without their seals."""
        return [json.loads(payload[32:]) for topic, payload, _, _ in self.sent if topic.endswith("/set")]


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
    building = Building(
        site_id="s",
        grid="grid",
        clock=clock,
        desks={"cellar": desk_of(readable())},
        keys={"cellar": bytes(32)},
        actuators={"battery": actuator},
        outbox=outbox,
        orders=OrderBook(session=1),
        writes=True,
    )
    building.attach(wire)
    await building.keep([])
    [(topic, probe, _, _)] = wire.sent
    building.receive(Message(topic=topic, payload=probe, retained=False))
    clock.now_s += 1
    setpoint = SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="test"))
    await building.send(setpoint)
    assert wire.orders() == []
    await building.answered()  # at once: there is nothing to wait for
    for boot in (77, 78):
        state = json.dumps({"up": True, "boot": boot}).encode()
        building.receive(Message(topic="zev/1/s/cellar/state", payload=state, retained=True))
        await building.send(setpoint)
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
    desk = desk_of(readable())
    desk.table_number = outbox.table_number("cellar", desk.table.identity, 50)
    building = Building(
        site_id="s",
        grid="grid",
        clock=clock,
        desks={"cellar": desk},
        keys={"cellar": bytes(32)},
        actuators={},
        outbox=outbox,
        orders=OrderBook(session=1),
        writes=True,
    )
    building.attach(wire)
    await building.keep([])
    [(topic, probe, _, _)] = wire.sent
    building.receive(Message(topic=topic, payload=probe, retained=False))
    clock.now_s += 1
    await building.keep([])
    health = json.dumps({"cfg": refused}).encode()
    building.receive(Message(topic="zev/1/s/cellar/health", payload=health, retained=False))
    for _ in range(3):
        await building.keep([])
    now = int(clock.utc_s()) - EPOCH_2000
    assert wire.tables() == [(now if number == "now" else number, json.loads(desk.table.text)) for number in numbers]
    last = wire.tables()[-1][0]
    assert outbox.table_number("cellar", desk.table.identity, 0) == desk.table_number == last  # and at the next start
    outbox.close()
