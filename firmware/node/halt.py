"""Safe values, then silence: the end of a plant and of the node. Loaded when it comes."""

import asyncio

from micropython import const
from node.link import DOWN
from node.wait import after, left

_GOODBYE_MS = const(3000)
_CANCELS = const(50)
_STOP_MS = const(3000)  # for the safe values at a stop: a dead device must not hold up the others


async def node(app):
    """Safe values, their acks, goodbye; no order is taken any more."""
    app.orders.shut = app.orders.shut or "stop"
    await plant(app.plant, app.supervisor)
    app.link.stopping = True
    app.link.announce(DOWN)
    end = after(_GOODBYE_MS)  # then the will speaks for us
    while left(end) > 0 and not app.linked.task.done():
        await asyncio.sleep_ms(20)


def restart(app, why):
    """From the beginning, safe values and goodbye first. It was wanted: this is none of the short boots."""
    app.memory.put("short", 0)
    app.supervisor.end(why)


async def plant(plant, supervisor):
    """Safe values where an order is held or the device may hold anything, then silence."""
    await drop(supervisor, plant.jobs)  # they let go of their buses
    leaving = []
    for actuator in plant.actuators:
        if busy(actuator):
            actuator.leave()
            leaving.append(actuator.go_safe())
    try:
        await asyncio.wait_for_ms(asyncio.gather(*leaving, return_exceptions=True), _STOP_MS)
    except asyncio.TimeoutError:
        pass  # the device's own reversion is left
    for bus in plant.buses:
        bus.master.close()


async def drop(supervisor, jobs):
    """End these jobs; they are not watched any more.

    A cancellation can get lost (a bell that rings at the same moment, a time-out that ends), so it is repeated.
    """
    supervisor.jobs = [job for job in supervisor.jobs if job not in jobs]
    for _ in range(_CANCELS):
        alive = [job for job in jobs if not job.task.done()]
        if not alive:
            return
        for job in alive:
            job.task.cancel()
        await asyncio.sleep_ms(1)
    supervisor.end("cannot be ended: " + alive[0].name)


def busy(actuator):
    """True while an order is held or the device may hold anything."""
    return actuator.held or actuator.waiting or actuator.leaving


async def safe(plant):
    """True as soon as no actuator holds anything; False when that takes too long."""
    end = after(_STOP_MS)
    while left(end) > 0:
        if not [1 for one in plant.actuators if busy(one)]:
            return True
        await asyncio.sleep_ms(100)
    return False
