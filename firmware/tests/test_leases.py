"""A lease ends on time, whatever is lost meanwhile; and reading back costs no time before a write."""

import asyncio
import json
import time

import pytest
import tables
from node_rig import figure, until
from tables import SAFE, writes

pytestmark = pytest.mark.hil


async def gateway_killed(gateway, broker):
    """Its will is what the broker publishes; here it is simply silent."""


async def broker_killed(gateway, broker):
    broker.kill()


async def network_gone(gateway, broker):
    """Nothing comes through and nobody says so."""
    broker.freeze()


@pytest.mark.parametrize("lost", [gateway_killed, broker_killed, network_gone])
async def test_a_lease_ends_on_time_whatever_is_lost(node, gateway, broker, battery, capsys, lost):
    battery.units = {3}
    node.start(tables.battery_table(battery.port))
    await gateway.ack("safe")
    late_ms, early_ms = [], []
    seq = 0
    for _ in range(3):
        battery.written.clear()
        begin = time.monotonic()
        seq = await gateway.order([700], ttl=2000)
        await until(lambda: len(battery.written) == 2, "the write")
        await lost(gateway, broker)
        await until(lambda: writes(battery)[-1] == SAFE, "the safe values")
        # The lease begins between the sending of the order and its write: whatever the broker makes of the time.
        first, safe = battery.written[0][0], battery.written[-1][0]
        early_ms.append(round(1000 * (begin + 2 - safe)))
        late_ms.append(round(1000 * (safe - first - 2)))
        if lost is broker_killed:
            await broker.start()
        elif lost is network_gone:
            broker.thaw()
        await gateway.ack("expired", seq, 60)
    figure(capsys, f"{lost.__name__}: safe values {late_ms} ms after the end of the lease")
    assert all(early <= 0 for early in early_ms)
    assert all(late <= 500 for late in late_ms)


async def test_the_gateway_s_will_gives_the_device_back_at_once(safe_node, gateway, battery, capsys):
    await gateway.ack("applied", await gateway.order([700], ttl=15000))
    begin = time.monotonic()
    await gateway.say("state", json.dumps({"up": False, "sid": gateway.sid}), node="gateway", retain=True)
    await until(lambda: writes(battery)[-1] == SAFE, "the safe values")
    figure(capsys, f"gateway's will: safe values after {round(1000 * (battery.written[-1][0] - begin))} ms")
    await gateway.ack("safe")


async def test_reading_back_does_not_delay_the_next_write(safe_node, gateway, battery, capsys):
    """A device that answers reads slowly: the write is out before, and its ack comes after the read-back."""
    battery.delay_s = 0.05
    writes_ms, acks_ms = [], []
    for power_w in range(1, 11):
        battery.written.clear()
        begin = time.monotonic()
        seq = await gateway.order([power_w])
        await until(lambda: battery.written, "the write")
        writes_ms.append(round(1000 * (battery.written[0][0] - begin)))
        await gateway.ack("applied", seq)
        acks_ms.append(round(1000 * (time.monotonic() - begin)))
        await asyncio.sleep(0.05)
    figure(capsys, f"order to write {sorted(writes_ms)[5]} ms, to ack with read-back {sorted(acks_ms)[5]} ms (median)")
    assert sorted(writes_ms)[5] < 80
    assert sorted(acks_ms)[5] > 200  # two writes and two reads of 50 ms


def test_a_lease_that_ends_during_the_writing_is_reported_and_the_device_is_not_enabled(play):
    """Each write takes 0.42 s: after three of them, 1.26 s, the lease of one second is over."""

    async def scenario(rig):
        await rig.run(500)
        rig.done()
        rig.writes()
        rig.device.slow_ms = 400
        rig.order([700], ttl=1000)
        await rig.run(3000)
        assert rig.done() == [("failed", "lease", [700]), ("expired", "", None)]
        assert rig.writes() == [(90, 1), (91, 1), (92, 1), (102, 803)]

    play(scenario, arm=[[90, [1]], [91, [1]], [92, [1]]])


def test_checks_in_between_the_writes_and_the_questions_of_a_slow_device(play):
    """Nine seconds for one order: five writes and five readings of 0.92 s each."""

    async def scenario(rig):
        await rig.run(500)
        rig.device.slow_ms = 900
        rig.device.words.update({90: 1, 91: 1, 92: 1})
        rig.order([700], ttl=15000)
        rig.gap_ms = 0
        await rig.run(10000)
        assert rig.done()[-1] == ("applied", "", [700])
        assert rig.gap_ms <= 1100

    play(scenario, arm=[[90, [1]], [91, [1]], [92, [1]]])


def test_the_same_values_again_after_the_end_of_the_lease_are_a_new_order(play):
    """It comes before the safe values are written, while the device still holds what is asked for."""

    async def scenario(rig):
        await rig.run(500)
        rig.order([700])
        await rig.run(500)
        rig.done()
        rig.writes()
        rig.actuator.leave("expired")
        rig.order([700])
        assert rig.done() == []
        await rig.run(1000)
        assert rig.done() == [("expired", "", None), ("applied", "", [700])]
        assert rig.writes() == [(102, 803), (100, 700), (102, 802)]

    play(scenario)


def test_an_order_taken_back_during_the_writing_leaves_safe_values_at_once(play):
    """Each exchange takes 20 ms: the one under way, the safe value and the look at it."""

    async def scenario(rig):
        await rig.run(500)
        rig.order([700])
        await rig.run(10)
        rig.orders.leave()
        rig.writes()
        rig.done()
        await rig.run(100)
        assert rig.done() == [("failed", "lease", [700]), ("safe", "", None)]
        assert rig.writes() == [(100, 700), (102, 803)]

    play(scenario)
