"""A node whose clock is wrong: its records get their true time, and its orders are dated by its own clock."""

import json
import struct
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.broker import Message
from gateway.adapters.node.actuation import Actuator
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.session import NodeSession
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.database.tags import RowOrigin
from gateway.paths import config_folder
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.tests.adapters.node_side import Wire, node_side
from gateway.tests.adapters.test_node_parts import StillClock, listening
from gateway.tests.adapters.test_readback import readable
from gateway.wire import records
from gateway.wire.records import EPOCH_2000

NOW = 800_000_000.0  # the true time, seconds since 2000
POWER = 0
WRONG_S = [600.0, -600.0, 86_400.0 * 365, -86_400.0 * 365]


def demo(*, is_set: bool = True) -> NodeSession:
    file = site_file.read(config_folder() / "demo" / "site.toml")
    roles = {name: device.role for name, device in file.devices.items()}
    table = poll_tables(file)["cellar"]
    return NodeSession(
        origin=RowOrigin(site="lens", building="lens", roles=roles),
        table=table,
        ledger=Ledger(),
        trusted={"grid"},
        is_dated=lambda: is_set,
        boot=9,
    )


def batch(session: NodeSession, seq: int, made: float, sent: float, *, boot: int = 9, oldest: int = 1) -> bytes:
    """One power, in the node's own time."""
    known = records.CLOCK_SYNCED
    head = struct.pack(">BBIIIIH", 2, 1, session.table.identity, boot, oldest, int(sent), round(sent % 1 * 1000))
    row = struct.pack(">IIHBBBB", seq, int(made), round(made % 1 * 1000), known, POWER, 0, 2)
    return head + row + struct.pack(">f", 100.0 + seq)


def times(session: NodeSession, payload: bytes, after_s: float, *, live: bool = True) -> list[float]:
    """The times (seconds since 2000) of what is stored of a message that arrives so long after the begin."""
    rows = session.receive_batch(payload, 1000.0 + after_s, EPOCH_2000 + NOW + after_s, live=live)
    return [row.time_ms / 1000 - EPOCH_2000 for row in rows]


@pytest.mark.parametrize("off_s", WRONG_S)
def test_records_of_a_wrong_clock_get_the_time_at_which_they_were_made(off_s: float) -> None:
    session = demo()
    assert times(session, batch(session, 1, NOW + off_s, NOW + off_s), 0.02) == [pytest.approx(NOW, abs=0.05)]
    late = batch(session, 2, NOW + 1 + off_s, NOW + 100 + off_s)  # kept in the ring while the broker was away
    assert times(session, late, 100.02) == [pytest.approx(NOW + 1, abs=0.05)]
    assert session.ahead_s == pytest.approx(off_s, abs=0.1)
    assert session.readings["grid"]["p_w"].measured_s == pytest.approx(1001.0, abs=0.05)


@pytest.mark.parametrize("off_s", [0.0, 1.0, -3.0])
def test_a_clock_that_agrees_dates_its_own_records(off_s: float) -> None:
    session = demo()
    assert times(session, batch(session, 1, NOW + off_s, NOW + off_s), 0.02) == [NOW + off_s]
    assert session.ahead_s == 0


def test_while_nobody_vouches_for_our_clock_its_records_go_with_it() -> None:
    """They are held, and dated anew when somebody does; so the node is not judged by our clock."""
    session = demo(is_set=False)
    assert times(session, batch(session, 1, NOW + 7200, NOW + 7200), 0.02) == [pytest.approx(NOW, abs=0.05)]
    assert session.ahead_s == 0


def test_what_a_boot_left_on_flash_is_dated_by_what_was_known_of_that_boot() -> None:
    session = demo()
    times(session, batch(session, 1, NOW + 600, NOW + 600), 0.02)
    said = json.dumps({"up": True, "boot": 10, "table": session.table.identity}).encode()
    session.receive_state(said, 1100.0)
    assert times(session, batch(session, 1, NOW + 100, NOW + 100, boot=10), 100.0) == [NOW + 100]  # right by now
    assert session.ahead_s == 0
    old = batch(session, 2, NOW + 30 + 600, 0.0)
    assert times(session, old, 101.0) == [pytest.approx(NOW + 30, abs=0.05)]


@pytest.mark.parametrize("off_s", WRONG_S)
def test_what_a_boot_left_on_flash_is_judged_and_read_by_its_corrected_time(off_s: float) -> None:
    session = demo()
    session.is_possible = lambda utc_s: abs(utc_s - EPOCH_2000 - NOW) < 3600.0
    times(session, batch(session, 1, NOW + off_s, NOW + off_s), 0.02)
    session.receive_state(json.dumps({"up": True, "boot": 10, "table": session.table.identity}).encode(), 1100.0)
    old = batch(session, 2, NOW + 30 + off_s, 0.0)
    assert times(session, old, 101.0) == [pytest.approx(NOW + 30, abs=0.05)]
    assert session.readings["grid"]["p_w"].measured_s == pytest.approx(1030.0, abs=0.05)
    assert session.undatable == 0


def test_a_clock_that_is_set_right_is_believed_again() -> None:
    session = demo()
    times(session, batch(session, 1, NOW + 600, NOW + 600), 0.02)
    assert times(session, batch(session, 2, NOW + 1, NOW + 1), 1.02) == [NOW + 1]
    assert session.ahead_s == 0


@pytest.mark.parametrize("off_s", [0.0, *WRONG_S])
async def test_no_order_is_old_to_a_node_whatever_its_clock_shows(off_s: float, tmp_path: Path) -> None:
    clock, wire, session = StillClock(), Wire(), demo()
    actuator = Actuator(node="cellar", number=0, key=bytes(32), profile=readable(), ttl_ms=10_000)
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=50)) as outbox:
        side = node_side(
            clock=clock,
            outbox=outbox,
            wire=wire,
            sessions={"cellar": session},
            actuators={"battery": actuator},
            site_id="lens",
        )
        await listening(wire, clock, side)
        for seq in range(1, 30):
            shown = NOW + off_s + seq  # by the node's clock, when its message leaves
            message = Message(topic="zev/1/lens/cellar/data", payload=batch(session, seq, shown, shown), retained=False)
            side.link.receive(message)
            clock.now_s += 0.4
            await side.actuation.send(
                SetPoint(device="battery", power_w=500.0, mode=Mode.CONTROL, reason=Reason(code="test"))
            )
            clock.now_s += 0.6
            age_s = shown + 0.4 - wire.orders()[-1]["at"]  # as a synced node reckons it
            assert 0 <= age_s < 1.5
