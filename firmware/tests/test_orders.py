"""Orders: executed, renewed, refused, ended. A Sunny Boy Storage on TCP: set-point at 40149, enable at 40151."""

import json
import struct
import time

import pytest
import tables
from node_rig import figure, seal, until
from tables import SAFE, writes
from wire.records import EPOCH_2000

pytestmark = pytest.mark.hil

ENABLE = (40151, [0, 802])


def setpoint(power_w: int) -> tuple[int, list[int]]:
    return 40149, list(struct.unpack(">HH", struct.pack(">i", power_w)))


async def test_writes_the_setpoint_then_the_enable_and_safe_values_when_the_lease_ends(safe_node, gateway, battery):
    begin = time.monotonic()
    seq = await gateway.order([-1200], ttl=1000)
    applied = await gateway.ack("applied", seq)
    assert (applied["v"], applied["sid"], applied["w"]) == ([-1200], gateway.sid, 1)
    await gateway.ack("expired", seq)
    assert writes(battery) == [setpoint(-1200), ENABLE, SAFE]
    written, safe = battery.written[0][0], battery.written[2][0]
    assert safe - begin >= 1.0
    assert safe - written < 1.5


async def test_arms_the_device_first_and_writes_single_registers_where_the_device_wants_it(node, gateway, battery):
    battery.units = {3}
    node.start(tables.battery_table(battery.port, write_function=6, arm=[[41000, [60]]]))
    await gateway.ack("safe")
    battery.written.clear()
    await gateway.ack("applied", await gateway.order([5]))
    assert writes(battery) == [(41000, [60]), (40149, [0]), (40150, [5]), (40151, [0]), (40152, [802])]
    assert {function for _, _, function, _, _ in battery.asked if function > 4} == {6}


async def test_the_same_values_again_only_extend_the_lease(safe_node, gateway, battery):
    first = await gateway.order([700], ttl=1000)
    await gateway.ack("applied", first)
    again = await gateway.order([700], ttl=3000)
    extended = await gateway.ack("applied", again)
    assert extended["w"] == 0
    begin = time.monotonic()
    await gateway.ack("expired", again)
    assert time.monotonic() - begin > 2.5
    assert writes(battery) == [setpoint(700), ENABLE, SAFE]


async def test_refreshes_what_it_holds(node, gateway, battery):
    battery.units = {3}
    node.start(tables.battery_table(battery.port, refresh_ms=500))
    await gateway.ack("safe")
    battery.written.clear()
    await gateway.order([700], ttl=1800)
    await gateway.ack("expired")
    assert writes(battery) == [setpoint(700), ENABLE] * 4 + [SAFE]  # at 0, 0.5, 1.0, 1.5 s


async def test_null_gives_the_actuator_back(safe_node, gateway, battery):
    await gateway.ack("applied", await gateway.order([700]))
    await gateway.ack("released", await gateway.order(None))
    assert writes(battery) == [setpoint(700), ENABLE, SAFE]


async def test_the_end_of_the_gateway_ends_the_lease(safe_node, gateway, battery):
    seq = await gateway.order([700])
    await gateway.ack("applied", seq)
    other = json.dumps({"up": False, "sid": gateway.sid - 5})
    await gateway.say("state", other, node="gateway", retain=True)  # one that only watched
    await gateway.ack("applied", await gateway.order([700]))
    assert writes(battery) == [setpoint(700), ENABLE]
    await gateway.say("state", json.dumps({"up": False, "sid": gateway.sid}), node="gateway", retain=True)
    await gateway.ack("safe")
    assert writes(battery) == [setpoint(700), ENABLE, SAFE]


async def test_ctrl_c_writes_safe_values_and_says_goodbye(safe_node, gateway, battery):
    seq = await gateway.order([700])
    await gateway.ack("applied", seq)
    safe_node.interrupt()
    await gateway.ack("safe", seq)
    await until(lambda: gateway.states[-1] == {"up": False}, "the goodbye")
    assert writes(battery)[-1] == SAFE
    assert safe_node.process.wait(5) == 0


async def test_a_power_cut_is_reported_by_the_will_and_healed_at_the_next_boot(safe_node, gateway, battery):
    await gateway.ack("applied", await gateway.order([700]))
    safe_node.kill()
    await until(lambda: gateway.states[-1] == {"up": False}, "the will")
    safe_node.start()
    await gateway.ack("safe")
    assert writes(battery)[-1] == SAFE


REFUSED = {
    "seal": {"key": bytes(32)},
    "size": {"v": list(range(200))},
    "fields": {"ttl": "10000"},
    "boot": {"boot": 1},
    "session": {"sid": 1},
    "sequence": {"seq": 1},
    "old": {"at": 1},
    "actuator": {"act": 1},
    "ttl": {"ttl": 15001},
    "count": {"v": [1, 2]},
    "range": {"v": [5001]},
}


async def test_refuses_what_is_forged_replayed_or_not_allowed_and_says_why(safe_node, gateway, battery):
    await gateway.ack("applied", await gateway.order([1]))
    for why, fields in REFUSED.items():
        await gateway.order(**({"values": [2]} | fields))
        refused = await gateway.ack("refused")
        assert refused["why"] == why
    await gateway.ack("applied", await gateway.order([3]))  # and none of them has locked the right one out
    assert writes(battery) == [setpoint(1), ENABLE, setpoint(3), ENABLE]
    health = await until(lambda: gateway.health and gateway.health[-1], "the health")
    counts = health["orders"]
    assert counts == dict.fromkeys(REFUSED, 1) | {"safe": 1, "applied": 2}


OVERSIZED = {
    "just above the longest order": (512 + 1, {"size"}),
    "as long as a poll table": (8192, {"size", "seal"}),  # or more than the heap has in one piece: then it is cut
    "too long to be taken in": (8192 + 200, {"seal"}),
    "far too long": (100_000, {"seal"}),
}


async def test_an_oversized_order_is_refused_and_counted_and_disturbs_nothing(safe_node, gateway, battery):
    await gateway.ack("applied", await gateway.order([1]))
    order = {"boot": gateway.boot, "sid": gateway.sid, "seq": 900, "act": 0, "v": [2], "ttl": 5000}
    order["at"] = int(time.time()) - EPOCH_2000
    text = json.dumps(order)
    for size, why in OVERSIZED.values():
        await gateway.say("set", seal("set", text + " " * (size - 32 - len(text))))
        assert (await gateway.ack("refused"))["why"] in why
    nested = "[" * 230 + "]" * 230
    for odd in (nested, f'{{"sid": {nested}}}', '{"sid": ' + "9" * 400 + "}", '{"v": [' + '"x",' * 100 + "0]}", "\x00"):
        await gateway.say("set", seal("set", odd))
        assert (await gateway.ack("refused"))["why"] in ("seal", "fields")
    await gateway.ack("applied", await gateway.order([3]))
    assert writes(battery) == [setpoint(1), ENABLE, setpoint(3), ENABLE]


async def test_never_obeys_a_retained_order(node, gateway, battery):
    battery.units = {3}
    await gateway.order([700], retain=True)
    node.start(tables.battery_table(battery.port))
    assert (await gateway.ack("refused"))["why"] == "retained"
    await gateway.ack("safe")
    assert writes(battery) == [SAFE]


async def test_a_device_that_refuses_is_reported_and_asked_again_while_the_lease_lasts(safe_node, gateway, battery):
    battery.fault = lambda request, answer: bytes((request[0], request[1] | 0x80, 4)) if request[1] == 16 else answer
    seq = await gateway.order([700])
    assert (await gateway.ack("failed", seq))["why"] == "device"
    battery.fault = None
    await until(lambda: writes(battery)[-2:] == [setpoint(700), ENABLE], "the repetition")


async def test_safe_values_are_written_again_until_a_dead_device_takes_them(safe_node, gateway, battery):
    seq = await gateway.order([700], ttl=1000)
    await gateway.ack("applied", seq)
    battery.units = set()
    await gateway.ack("failed", seq)
    battery.units = {3}
    await gateway.ack("expired", seq)
    assert writes(battery)[-1] == SAFE


async def test_an_order_goes_before_waiting_polls(node, gateway, battery, capsys):
    """A bus that is always busy: each poll takes 20 ms and there are always some due. Polls are its clock."""
    battery.units = {3}
    battery.put(0, *range(60))
    battery.delay_s = 0.02
    poll = tables.battery_table(battery.port)
    poll["blocks"] = [tables.block(0, i, 1, ms=100) for i in range(10)]
    node.start(poll)
    await gateway.ack("safe")
    latencies_ms, polls = [], []
    for power_w in range(20):
        begin, asked = time.monotonic(), len(battery.asked)
        battery.written.clear()
        await gateway.order([power_w])
        await until(lambda: battery.written, "the write")
        latencies_ms.append(round(1000 * (battery.written[0][0] - begin), 1))
        polls.append([function > 4 for _, _, function, _, _ in battery.asked[asked:]].index(True))
        await gateway.ack("applied")
    latencies_ms.sort()
    polls.sort()
    figure(capsys, f"order to first write on a busy bus: median {latencies_ms[10]} ms, worst {latencies_ms[-1]} ms")
    assert polls[10] < 100 / 20
    assert polls[-1] < 300 / 20


async def test_what_is_asked_and_what_the_device_holds_is_in_the_health(safe_node, gateway, battery):
    def holds_less(request, answer):
        """A device with a limit of its own: it takes the write and keeps 1180 W."""
        if request[1] == 16 and request[2:4] == struct.pack(">H", 40149):
            battery.put(40149, 0, 1180)
        return answer

    battery.fault = holds_less
    seq = await gateway.order([1200], ttl=15000)
    failed = await gateway.ack("failed", seq)
    assert (failed["why"], failed["v"], failed["rb"]) == ("readback", [1200], [1180, 802])
    health = await until(lambda: gateway.health and gateway.health[-1], "the health", 20)
    assert health["actuators"] == [[[1200], None, [1180, 802], "safe", "readback"]]
    battery.fault = None
    applied = await gateway.ack("applied", await gateway.order([1200]))
    assert applied["rb"] == [1200, 802]


async def test_a_write_budget_outlives_a_power_cut(node, gateway, battery):
    battery.units = {3}
    battery.put(30775, 0, 0)
    battery.put(40149, 0, 0, 0, 803)
    node.start(tables.battery_table(battery.port, refresh_ms=0, min_ms=100, budget=4))
    await gateway.ack("safe")
    assert writes(battery) == []  # it had them
    await gateway.ack("applied", await gateway.order([1]))
    await gateway.ack("applied", await gateway.order([1]))
    node.kill()
    node.start()
    await gateway.ack("safe")
    assert writes(battery) == [setpoint(1), ENABLE, SAFE]
    await gateway.ack("applied", await gateway.order([2]))
    await gateway.order([3])
    assert (await gateway.ack("refused"))["why"] == "budget"
    await gateway.ack("released", await gateway.order(None))
    assert writes(battery)[3:] == [setpoint(2), ENABLE, SAFE]
