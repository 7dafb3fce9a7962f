"""What a device was asked for and what it holds: from answers and health, in W, with the sign of the building."""

import json
import logging
from pathlib import Path

import pytest

from gateway.adapters.broker import Message
from gateway.adapters.clock import SystemClock
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.node.readback import Readback, from_health, readback_w
from gateway.adapters.node.session import NodeSession
from gateway.adapters.products.profiles import Profile, ProfileError, find, load
from gateway.adapters.store.outbox import Outbox
from gateway.database.tags import RowOrigin
from gateway.paths import config_folder
from gateway.tests.adapters.node_side import Wire, node_side
from gateway.wire import table as wire
from gateway.wire.table import TableError

BUS = {"kind": "tcp", "host": "127.0.0.1", "port": 502, "timeout_ms": 1000, "gap_ms": 0}


def readable(**setpoint: object) -> Profile:
    """The storage inverter as if its set-point could be read back."""
    text = (config_folder() / "devices" / "sma_sunny_boy_storage.json").read_text(encoding="utf-8")
    profile = json.loads(text)
    for register in (profile["setpoint"]["point"], *profile["setpoint"]["go"], *profile["setpoint"]["safe"]):
        del register["write_only"]
    profile["setpoint"] |= setpoint
    if profile["setpoint"]["device_timeout_s"] is None:
        del profile["setpoint"]["timer"]
    return Profile.model_validate(profile)


def session_of(profile: Profile) -> NodeSession:
    wiring = Wiring(device="battery", profile=profile, bus=BUS, unit=3, range_w=(-5000, 5000))
    table = compile_table("cellar", [wiring], 10_000)
    session = NodeSession(
        origin=RowOrigin(site="s", building="s", roles={"battery": "battery"}),
        table=table,
        ledger=Ledger.restored(None),
    )
    session.receive_state(json.dumps({"up": True, "table": table.identity}).encode(), 0.0)
    return session


def hear(session: NodeSession, payload: bytes, now_s: float) -> None:
    """The answer to an order of ours."""
    answer = session.receive_answer(payload, now_s)
    assert answer is not None
    session.renew_readback(answer)


HELD = [  # type, word order, number read back -> W; positive in the register is discharging, which is negative here
    ("int32", "big", 1200, -1200.0),
    ("int32", "big", 2**32 - 1200, 1200.0),
    ("int32", "little", 0x04B0_0000, -1200.0),  # 0x4B0 = 1200 stands in the first, low word
    ("int16", "big", 2**16 - 5, 5.0),
    ("uint16", "little", 65531, -65531.0),
    ("int16", "big", 2**16, None),  # more than the register has
    ("int32", "big", None, None),
    ("int32", "big", "1200", None),
    ("int32", "big", True, None),
]


@pytest.mark.parametrize("number", [2**32, -(2**31) - 1, pytest.param(10**400, id="huge"), True, "1200", None])
def test_of_a_number_that_no_register_holds_nothing_is_known(number: object) -> None:
    readback = from_health(readable(), [[number], [-1200], None, "applied", ""])
    assert readback == Readback(asked_w=None, applied_w=1200.0, by="applied")


@pytest.mark.parametrize(("kind", "order", "number", "power_w"), HELD)
def test_a_number_read_back_becomes_a_power(kind: str, order: str, number: object, power_w: float | None) -> None:
    profile = readable(point={"address": 40149, "type": kind, "sign": -1}).model_copy(update={"word_order": order})
    assert readback_w(profile, [number, 802]) == power_w


@pytest.mark.parametrize("entry", [None, {}, [], [1], [[1], [1], None, "", ""], [None] * 5, [[None], {}, "x", 3, 4]])
def test_an_entry_of_any_kind_raises_nothing(entry: object) -> None:
    from_health(readable(), entry)


def test_an_order_that_is_held_is_reported_with_three_powers() -> None:
    session = session_of(readable())
    answer = {"sid": 1, "seq": 1, "act": 0, "done": "applied", "why": "", "v": [-1200], "s": 1, "ms": 0, "w": 1}
    hear(session, json.dumps(answer | {"rb": [2**32 - 1200, 802]}).encode(), 1.0)
    assert session.readbacks["battery"] == Readback(
        asked_w=1200.0, applied_w=1200.0, held_w=1200.0, by="applied", why=""
    )
    hear(session, json.dumps(answer | {"seq": 2, "done": "refused", "why": "range"}).encode(), 1.0)
    assert session.readbacks["battery"].why == "range"
    assert session.readbacks["battery"].applied_w == 1200.0
    hear(session, json.dumps(answer | {"seq": 3, "done": "expired", "v": None, "rb": [803]}).encode(), 1.0)
    assert session.readbacks["battery"] == Readback(by="expired")


def test_the_health_of_a_node_renews_what_is_known_only_under_our_table() -> None:
    session = session_of(readable())
    health = json.dumps({"actuators": [[[-700], None, [2**32 - 650, 802], "safe", "readback"]]}).encode()
    session.receive_health(health, 1.0)
    known = Readback(asked_w=700.0, applied_w=None, held_w=650.0, by="safe", why="readback")
    assert session.readbacks == {"battery": known}
    session.receive_state(json.dumps({"up": True, "table": 1}).encode(), 2.0)
    session.receive_health(json.dumps({"actuators": [[None, None, None, "", ""]]}).encode(), 2.0)
    assert session.readbacks == {"battery": known}


async def test_a_difference_is_logged_and_stored_with_both_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    sessions = {"cellar": session_of(readable())}
    side = node_side(clock=SystemClock(), outbox=outbox, wire=Wire(), sessions=sessions)
    side.actuation.orders.seq = 6
    side.actuation.orders.order("cellar", 9, 0, [-1200], ttl_ms=10_000, at=0, now_s=SystemClock().monotonic_s())
    answer = {"boot": 9, "sid": 1, "seq": 7, "act": 0, "done": "failed", "why": "readback", "v": [-1200]}
    answer |= {"rb": [2**32 - 1180, 802]}
    payload = json.dumps(answer | {"s": 1, "ms": 0, "w": 1}).encode()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            side.link.receive(Message(topic="zev/1/s/cellar/ack", payload=payload, retained=False))
    assert "order 7: battery was asked for 1200 W and holds 1180 W" in caplog.text
    await side.end_cycle()
    assert outbox.waiting == 1  # the second says nothing new
    outbox.close()


# Profiles and tables


def test_a_register_that_cannot_be_read_says_so_in_the_table() -> None:
    wiring = Wiring(
        device="b", profile=find("sma_sunny_boy_storage", config_folder()), bus=BUS, unit=3, range_w=(-1, 1)
    )
    actuator = wire.parse(compile_table("n", [wiring], 10_000).text)["actuators"][0]
    assert actuator["rb"] == [[40149, 40149, 0], [40151, 40151, 0]]
    assert actuator["reads"] == [[(40149, 0), (40151, 0)], [(40151, 0)]]


def test_a_register_is_read_back_where_it_was_written_or_where_the_profile_says() -> None:
    elsewhere = {"address": 40149, "type": "int32", "sign": -1, "read_at": {"address": 31009, "table": "input"}}
    wiring = Wiring(device="b", profile=readable(point=elsewhere), bus=BUS, unit=3, range_w=(-1, 1))
    actuator = wire.parse(compile_table("n", [wiring], 10_000).text)["actuators"][0]
    assert actuator["reads"] == [[(31009, 4), (40151, 3)], [(40151, 3)]]


def test_a_register_that_wears_out_is_never_refreshed_and_has_its_budget() -> None:
    product = readable(volatile=False, writes_per_day=48, min_write_s=60, device_timeout_s=None)
    wiring = Wiring(device="b", profile=product, bus=BUS, unit=3, range_w=(-1, 1))
    actuator = json.loads(compile_table("n", [wiring], 10_000).text)["actuators"][0]
    assert (actuator["refresh_ms"], actuator["min_ms"], actuator["budget"]) == (0, 60_000, 48)


WORN = {"volatile": False, "writes_per_day": 48, "min_write_s": 60, "device_timeout_s": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volatile": False}, "writes_per_day"),
        ({"writes_per_day": 10}, "writes_per_day"),
        (WORN | {"min_write_s": 0}, "min_write_s"),
        (WORN | {"device_timeout_s": 60}, "device_timeout_s"),
        (WORN | {"writes_per_day": 1}, "greater than or equal to 2"),
        (WORN | {"point": {"address": 1, "type": "int16", "write_only": "so"}}, "readable"),
        ({"min_write_s": 31}, "lapse"),
        ({"safe": [{"address": 40151, "type": "uint32", "value": 803, "write_only": "so"}]}, "two ways"),
    ],
)
def test_a_set_point_that_cannot_be_served_is_a_mistake_of_the_profile(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        readable(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": 1, "min_ms": 1000, "refresh_ms": 0}, "budget"),
        ({"budget": 9, "min_ms": 0, "refresh_ms": 0}, "budget"),
        ({"budget": 9, "min_ms": 1000, "refresh_ms": 5000}, "budget"),
        ({"budget": 9, "min_ms": 1000, "refresh_ms": 0, "rb": [[5, 5, 0]]}, "budget"),
        ({"budget": 1001}, "budget"),
        ({"rb": [[5, 5, 6]]}, "rb"),
        ({"rb": [[5, 70000, 3]]}, "rb"),
        ({"refresh_ms": 499}, "refresh_ms"),
        ({"refresh_ms": True}, "refresh_ms"),
        ({"set": [[5, "h", 0, 1]] * 17}, "set"),
    ],
)
def test_a_table_that_no_node_could_serve_is_refused(change: dict[str, object], message: str) -> None:
    actuator = {"u": 0, "set": [[5, "h", 0, 1]], "safe": [[5, [0]]], "refresh_ms": 5000, "ttl_ms": 5000} | change
    table = {"v": 1, "buses": [BUS], "units": [{"bus": 0, "id": 1, "wfc": 6}], "blocks": [], "actuators": [actuator]}
    with pytest.raises(TableError, match=message):
        wire.parse(json.dumps(table))


def test_the_shipped_profiles_say_why_a_register_cannot_be_read(tmp_path: Path) -> None:
    text = (config_folder() / "devices" / "sma_sunny_boy_storage.json").read_text(encoding="utf-8")
    path = tmp_path / "sma_sunny_boy_storage.json"
    path.write_text(text.replace('"write_only": "access WO in TI-en-28"', '"write_only": ""', 1), encoding="utf-8")
    with pytest.raises(ProfileError, match="write_only"):
        load(path)
