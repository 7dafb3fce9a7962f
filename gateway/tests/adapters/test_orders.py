"""Only an answer to an order that we wrote to that node changes anything."""

import json
import logging
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.broker import Message
from gateway.adapters.node.actuation import Actuator
from gateway.adapters.node.orders import (
    FIRST_STEP,
    HIGHEST_SESSION,
    OPEN_S,
    OVERTAKEN_S,
    UNDATED,
    OrderAnswer,
    OrderLog,
    Origin,
    node_moment,
)
from gateway.adapters.node.readback import Readback
from gateway.adapters.node.strays import SAY_AGAIN_S, SHOWN_S
from gateway.adapters.presence import RIVAL_S
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.tests.adapters.node_side import NodeSide, Wire, node_side
from gateway.tests.adapters.test_node_parts import StillClock, listening
from gateway.tests.adapters.test_readback import readable, session_of

BOOT, SESSION = 77, 1
SETPOINT = SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="test"))
GOOD = {"boot": BOOT, "sid": SESSION, "seq": 1, "act": 0, "done": "applied", "why": "", "v": [-500], "s": 1, "ms": 0}


class Building:
    """Two nodes with a battery each; one order was sent to that of the cellar."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.wire = StillClock(), Wire()
        self.outbox = Outbox(folder / "a.sqlite", max_mb=50)
        sessions = {"cellar": session_of(readable()), "attic": session_of(readable())}
        actuators = {
            device: Actuator(node=node, number=0, key=bytes(32), profile=readable(), ttl_ms=10_000)
            for device, node in (("battery", "cellar"), ("other", "attic"))
        }
        self.side: NodeSide = node_side(
            clock=self.clock, outbox=self.outbox, wire=self.wire, sessions=sessions, actuators=actuators
        )

    async def begin(self) -> None:
        await listening(self.wire, self.clock, self.side)
        await self.side.end_cycle()
        for node in self.side.sessions:
            self.hear(node, "state", {"up": True, "boot": BOOT, "table": self.side.sessions[node].table.identity})
        await self.side.actuation.send(SETPOINT)

    def hear(self, node: str, leaf: str, said: dict[str, Any]) -> None:
        payload = json.dumps(said).encode()
        self.side.link.receive(Message(topic=f"zev/1/s/{node}/{leaf}", payload=payload, retained=False))

    def counts(self) -> tuple[int, int, int]:
        orders = self.side.actuation.orders
        return (orders.applied, orders.refused, orders.failed)

    def strays(self) -> dict[str, int]:
        return {node: session.strays.count for node, session in self.side.sessions.items()}


FORGED = {
    "of another node": ("attic", {}),
    "without run and session": ("cellar", {"boot": None, "sid": None}),
    "of another run of the node": ("cellar", {"boot": 78}),
    "never sent": ("cellar", {"seq": 2}),
    "of another actuator": ("cellar", {"act": 1}),
    "of no actuator": ("cellar", {"act": "0"}),
    "of the future": ("cellar", {"seq": 2**32 - 1}),
    "as 0.1.0 believed it": ("cellar", {"boot": None, "sid": None, "act": None, "done": None, "v": None}),
    "to a message that was none": ("cellar", {"sid": 0, "seq": 0, "act": -1, "done": "refused", "why": "seal"}),
    "no answer at all": ("cellar", {"s": "now"}),
}


@pytest.mark.parametrize("done", [("applied", ""), ("refused", "session"), ("failed", "device")])
@pytest.mark.parametrize("forged", FORGED)
async def test_a_forged_answer_changes_nothing_and_names_its_node(
    forged: str, done: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    building = Building(tmp_path)
    with closing(building.outbox):
        await building.begin()
        node, changes = FORGED[forged]
        said = GOOD | {"done": done[0], "why": done[1]} | changes
        sent = len(building.wire.sent)
        with caplog.at_level(logging.WARNING):
            for _ in range(1000):
                building.hear(node, "ack", {name: value for name, value in said.items() if value is not None})
        assert building.counts() == (0, 0, 0)
        assert all(session.readbacks == {} for session in building.side.sessions.values())
        assert building.side.actuation.yields_to() is None
        assert building.strays() == {"cellar": 0, "attic": 0} | {node: 1000}
        assert [record.message.partition(":")[0] for record in caplog.records] == [f"node {node}"]  # one line
        building.clock.now_s += 1
        await building.side.actuation.send(SETPOINT)
        assert building.wire.orders()[-1]["sid"] == SESSION
        assert len(building.wire.sent) == sent + 1
        building.hear("cellar", "ack", GOOD)
        assert building.counts() == (1, 0, 0)


@pytest.mark.parametrize(
    "honest",
    [
        {"sid": 0, "seq": 0, "done": "safe"},  # what a node does at its start
        {"sid": 0, "seq": 0, "done": "failed", "why": "device"},
        {"sid": SESSION - 1, "seq": 500, "done": "expired"},  # an order of our former run
        {"sid": SESSION + 500, "seq": 3, "done": "applied"},  # another gateway's
        {"boot": BOOT - 1, "sid": 5, "seq": 3, "done": "safe"},
        {"boot": BOOT + 1, "done": "refused", "why": "boot"},  # it has started anew, or is another board
    ],
    ids=str,
)
async def test_what_an_honest_node_says_of_others_orders_is_no_alarm_and_no_answer(
    honest: dict[str, Any], tmp_path: Path
) -> None:
    building = Building(tmp_path)
    with closing(building.outbox):
        await building.begin()
        building.hear("cellar", "ack", GOOD | honest)
        assert building.counts() == (0, 0, 0)
        assert building.strays() == {"cellar": 0, "attic": 0}


async def test_answers_to_other_gateways_are_an_alarm_when_there_has_long_been_none(tmp_path: Path) -> None:
    building = Building(tmp_path)
    with closing(building.outbox):
        await building.begin()
        building.clock.now_s += 2 * RIVAL_S + 1
        building.hear("cellar", "ack", GOOD | {"sid": SESSION + 500})
        assert building.strays()["cellar"] == 1


def test_a_late_end_of_an_old_order_is_no_alarm() -> None:
    book = OrderLog(session=5)
    book.order("cellar", 9, 0, [1], ttl_ms=1, at=0, now_s=0.0)
    book.order("cellar", 9, 0, [1], ttl_ms=1, at=0, now_s=OPEN_S + 1)
    late = OrderAnswer(seq=1, boot=9, session=5, number=0, done="expired", why="", written=True, at_s=0.0)
    assert book.origin("cellar", late, alone=True) is Origin.OTHERS


def test_what_is_said_again_and_again_is_logged_once_a_minute_and_shown_for_ten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strays = session_of(readable()).strays
    with caplog.at_level(logging.WARNING):
        for now in range(150):
            strays.note("cellar", "applied", float(now))
    said = [record.message for record in caplog.records]
    assert [text.split(": ")[1].split(" ")[0] for text in said] == ["1", "60", "60"]
    assert SAY_AGAIN_S == 60.0
    assert (strays.lately(149.0), strays.lately(SHOWN_S + 100.0), strays.lately(SHOWN_S + 150.0)) == (150, 50, 0)
    assert strays.count == 150


def refusal(book: OrderLog, node: str, now_s: float) -> int:
    """A node refuses the session of the next order; the session of the one after it."""
    text = json.loads(book.order(node, 9, 0, [1], ttl_ms=1, at=0, now_s=now_s))
    answer = OrderAnswer(seq=text["seq"], done="refused", why="session", written=False, at_s=now_s)
    book.settle(answer)
    return book.session_of(node)


def test_a_node_that_obeys_a_newer_session_though_nobody_commands_is_offered_higher_ones_until_it_obeys() -> None:
    book = OrderLog(session=1000)
    offered = [refusal(book, "cellar", float(t)) for t in range(30)]
    waited = int(OVERTAKEN_S)
    assert offered[:waited] == [1000] * waited  # another gateway that commands says so by then
    assert offered[waited : waited + 3] == [1000 + FIRST_STEP, 1000 + 3 * FIRST_STEP, 1000 + 7 * FIRST_STEP]
    assert offered[waited + 16] > 1000 + 30 * 86_400  # whoever had a clock a month ahead
    assert book.session_of("attic") == 1000  # no other node is touched
    assert max(refusal(book, "cellar", 30.0 + t) for t in range(60)) == HIGHEST_SESSION


def test_an_order_is_dated_by_the_node_s_own_clock() -> None:
    assert node_moment(946_684_800.0 + 5.9) == 5
    assert node_moment(None) == node_moment(1e12) == UNDATED
    assert node_moment(0.0) == 0


async def test_the_clock_of_the_gateway_is_in_no_order(tmp_path: Path) -> None:
    building = Building(tmp_path)
    with closing(building.outbox):
        await building.begin()
        assert [order["at"] for order in building.wire.orders()] == [UNDATED]  # no record of the node came yet


def test_a_readback_of_nothing_is_nothing() -> None:
    assert Readback().fields() == {"order_by": "", "order_why": ""}
