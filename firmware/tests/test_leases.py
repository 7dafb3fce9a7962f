"""A lease ends on time, whatever is lost meanwhile; and reading back costs no time before a write."""

import asyncio
import json
import time

import pytest
import tables
from bench import figure, until
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
    late_ms = []
    seq = 0
    for _ in range(3):
        battery.written.clear()
        begin = time.monotonic()
        seq = await gateway.order([700], ttl=2000)
        await until(lambda: len(battery.written) == 2, "the write")
        await lost(gateway, broker)
        await until(lambda: writes(battery)[-1] == SAFE, "the safe values")
        late_ms.append(round(1000 * (battery.written[-1][0] - begin) - 2000))
        if lost is broker_killed:
            await broker.start()
        elif lost is network_gone:
            broker.thaw()
        await gateway.ack("expired", seq, 60)
    figure(capsys, f"{lost.__name__}: safe values {late_ms} ms after the end of the lease")
    assert all(0 <= late <= 500 for late in late_ms)


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
