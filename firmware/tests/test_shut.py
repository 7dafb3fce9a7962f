"""When no order is taken: after short boots, before an update's restart, at a stop. Safe values are written all the same."""

import pytest
from node_rig import until
from tables import SAFE, writes
from test_guards import poll, short_boots, ups

pytestmark = pytest.mark.hil


async def test_the_third_short_boot_gives_devices_back_and_takes_no_order_for_two_minutes(node, gateway, battery):
    """Thirty times faster than real: two minutes are four seconds."""
    node.speed = 30
    table = poll(battery, 30)
    await short_boots(node, gateway, table, 2)
    battery.written.clear()
    gateway.acks.clear()
    node.start(table)
    await until(lambda: len(ups(gateway)) == 3, "the third boot")
    await gateway.ack("safe")
    refused = await gateway.ack("refused", await gateway.order([700], at=2**31 - 1))
    assert (refused["why"], ups(gateway)[-1]["mode"]) == ("boots", "run")
    assert writes(battery) == [SAFE]
    await until(lambda: gateway.health and gateway.health[-1]["uptime_s"] > 140, "two minutes")
    await gateway.ack("applied", await gateway.order([700], at=2**31 - 1))


async def test_an_order_that_comes_while_the_node_stops_is_refused(safe_node, gateway, battery):
    """A silent battery keeps the node at its safe values for three seconds."""
    await gateway.ack("applied", await gateway.order([700]))
    battery.units = set()
    seen = len(battery.asked)
    safe_node.interrupt()
    await until(lambda: [one for one in battery.asked[seen:] if one[2] == 16], "the first try of the safe values")
    refused = await gateway.ack("refused", await gateway.order([800]))
    assert refused["why"] == "stop"
    battery.units = {3}
    await until(lambda: writes(battery)[-1] == SAFE, "the safe values")


def test_from_the_safe_values_of_an_update_to_the_restart_no_order_is_taken(play):
    async def scenario(rig):
        import asyncio

        from node.app import App, Log
        from node.update import Job

        def sleep_ms(ms, real=asyncio.sleep_ms):
            return rig.nap(ms) if ms else real(0)

        asyncio.sleep_ms = sleep_ms
        log = Log(rig.clock, rig.memory, print)
        app = App({}, rig.memory, "run", rig.boot, (0, "0"), "", log, None, rig.orders, None, None)
        app.plant.actuators = [rig.actuator]
        job = Job(app)
        for before in "", "boots":
            rig.orders.shut = ""
            await rig.run(500)
            rig.order([700])
            await rig.run(500)
            rig.done()
            rig.writes()
            rig.orders.shut = before
            going = rig.spawn(job.let_go())
            rig.order([800])
            await rig.run(10)
            rig.order([800])
            await rig.run(500)
            assert going.done()
            assert await going
            rig.order([900])
            await rig.run(500)
            acknowledged = rig.done()[1 if before else 0 :]
            assert [one for one in acknowledged if one[0] == "applied"] == []
            assert acknowledged[-1] == ("refused", "update", [900])
            assert rig.writes()[-1] == (102, 803)
            assert rig.device.is_safe()
            job.go_on()  # the update is refused after all
            assert rig.orders.shut == before
            job.go_on()
            assert rig.orders.shut == before

    play(scenario)
