"""Two boards with one identity: named, and every order goes to the one that was there first, or to none."""

import json
import logging
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.broker import Message
from gateway.adapters.node.actuation import Actuator
from gateway.adapters.node.boards import GONE_S, SILENT_S, Boards
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.tests.adapters.node_side import Wire, node_side
from gateway.tests.adapters.test_node_parts import StillClock, listening, sample_of
from gateway.tests.adapters.test_nodes import demo_session

A, B, C = 70, 71, 72


def lived(words: list[tuple[float, int]]) -> tuple[list[int], list[bool]]:
    """(which run is the node, whether there is another board) after each word: at that second, of that run."""
    boards, runs, twins = Boards(), [], []
    for at_s, run in words:
        runs.append(boards.heard(run, at_s))
        twins.append(boards.other_s(at_s) is not None)
    return runs, twins


def test_a_restart_is_no_second_board() -> None:
    runs, twins = lived([(0, A), (10, A), (15, B), (16, B), (26, B), (40, C), (50, C)])
    assert runs == [A, A, B, B, B, C, C]
    assert not any(twins)


def test_one_word_of_the_run_before_may_have_been_on_its_way() -> None:
    runs, twins = lived([(0, A), (15, B), (15.2, A), (25, B), (35, B)])
    assert (runs, any(twins)) == ([A, B, B, B, B], False)


def test_of_two_boards_the_one_that_was_heard_first_stays() -> None:
    words = [(0.0, A), (10.0, B), *((10.0 + 0.5 * i, (A, B)[i % 2]) for i in range(2, 60))]
    runs, twins = lived(words)
    assert set(runs[4:]) == {A}
    assert all(twins[4:])


def test_the_board_that_is_left_takes_over_and_after_a_while_is_the_only_one() -> None:
    words = [(0.0, A), (10.0, B), (11.0, A), (12.0, B), (13.0, A), *((20.0 + 10.0 * i, B) for i in range(20))]
    runs, twins = lived(words)
    by_time = {at_s: (run, twin) for (at_s, _), run, twin in zip(words, runs, twins, strict=True)}
    assert by_time[40.0] == (A, True)
    assert by_time[50.0] == (B, True)  # silent for more than SILENT_S
    assert SILENT_S < 50.0 - 13.0
    assert by_time[130.0] == (B, True)
    assert by_time[140.0] == (B, False)
    assert 13.0 + GONE_S < 140.0


class Building:
    """The gateway's node side with a battery that takes orders, and two boards that say they are its node."""

    def __init__(self, outbox: Outbox) -> None:
        self.clock, self.wire, self.session = StillClock(), Wire(), demo_session()
        battery = Actuator(
            node="cellar",
            number=0,
            key=bytes(32),
            profile=self.session.table.profile("battery"),
            ttl_ms=10_000,
        )
        self.side = node_side(
            clock=self.clock,
            outbox=outbox,
            wire=self.wire,
            sessions={"cellar": self.session},
            actuators={"battery": battery},
            site_id="lens",
        )

    def says(self, leaf: str, **said: object) -> None:
        topic = f"zev/1/lens/cellar/{leaf}"
        self.side.link.receive(Message(topic=topic, payload=json.dumps(said).encode(), retained=False))

    def comes(self, run: int) -> None:
        self.says("state", up=True, boot=run, table=self.session.table.identity, fw="1", build=1, mode="run", why="")

    async def orders(self) -> int:
        setpoint = SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="test"))
        await self.side.actuation.send(setpoint)
        found = self.wire.orders()[-1]["boot"]
        assert isinstance(found, int)
        return found


@pytest.mark.parametrize("takes_over", [True, False], ids=["one client name", "names of their own"])
async def test_orders_go_to_one_board_and_the_page_and_the_log_name_the_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, takes_over: bool
) -> None:
    """With one name at the broker each of them pushes the other out, and its will is published."""
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox, caplog.at_level(logging.INFO):
        building = Building(outbox)
        await listening(building.wire, building.clock, building.side)
        building.comes(A)
        named, twins = [], []
        for second in range(60):
            building.clock.now_s += 1.0
            run = (B, A)[second % 2] if second >= 3 else A
            if takes_over and second >= 3:
                building.says("state", up=False)
                building.comes(run)
            elif second == 3:
                building.comes(B)
            building.says("health", boot=run, heard=True, cfg="")
            named.append(await building.orders())
            twins.append(building.session.status.twin)
        assert set(named[8:]) == {A}
        assert all(twins[8:])
        assert building.session.boards.other_s(building.clock.now_s) == pytest.approx(53, abs=4)
        rows = [row for row in building.side.persistence.waiting if "is_twin" in row.fields]
        assert [row.fields["is_twin"] for row in rows if row.fields["is_twin"]]
    said = [record.getMessage() for record in caplog.records if "identity" in record.getMessage()]
    assert said == ["two boards have the identity of node cellar"]


async def test_what_the_other_board_measures_is_left_alone(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:
        building = Building(outbox)
        for run in (A, B, A, B, A):
            building.clock.now_s += 1.0
            building.comes(run)
        message = sample_of(building.session, 1234.5, seq=1)
        payload = bytearray(message.payload)
        payload[6:10] = B.to_bytes(4)
        building.side.link.receive(Message(topic=message.topic, payload=bytes(payload), retained=False))
        assert building.session.readings == {}
        assert building.session.ledger.received == 0  # nothing of it is acknowledged either
        payload[6:10] = A.to_bytes(4)
        building.side.link.receive(Message(topic=message.topic, payload=bytes(payload), retained=False))
        assert building.session.readings["grid"]["p_w"].value == 1234.5


async def test_a_refusal_of_the_other_board_is_no_refusal_of_the_node(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:
        building = Building(outbox)
        await listening(building.wire, building.clock, building.side)
        for run in (A, B, A, B, A):
            building.clock.now_s += 1.0
            building.comes(run)
        await building.orders()
        answer = {"seq": 1, "act": 0, "s": 5, "ms": 0, "v": [-500], "w": 1, "sid": 1}
        building.says("ack", **answer, boot=B, done="refused", why="boot")
        building.says("ack", **answer, boot=A, done="applied", why="")
        orders = building.side.actuation.orders
        assert (orders.applied, orders.refused) == (1, 0)
        assert building.session.readbacks["battery"].why == ""
