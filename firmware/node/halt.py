"""Safe values, then silence: the end of a plant and of the node. Loaded when it comes."""

import asyncio

from micropython import const
from node.link import DOWN
from node.wait import after, left

_GOODBYE_MS = const(3000)
_STOP_MS = const(3000)  # for the safe values at a stop: a dead device must not hold up the others


async def node(app):
    """Safe values, their acks, goodbye."""
    await plant(app.plant, app.supervisor)
    app.link.stopping = True
    app.link.announce(DOWN)
    try:
        await asyncio.wait_for_ms(app.linked.task, _GOODBYE_MS)
    except asyncio.TimeoutError:
        pass  # the will speaks for us


async def plant(plant, supervisor):
    """Safe values where an order is held or the device may hold anything, then silence."""
    drop(supervisor, plant.jobs)
    await asyncio.sleep_ms(0)  # they let go of their buses
    leaving = []
    for actuator in plant.actuators:
        if busy(actuator):
            actuator.leave()
            leaving.append(actuator.go_safe())
    try:
        await asyncio.wait_for_ms(asyncio.gather(*leaving), _STOP_MS)
    except asyncio.TimeoutError:
        pass  # the device's own reversion is left
    for bus in plant.buses:
        bus.master.close()


def drop(supervisor, jobs):
    """End these jobs; they are not watched any more."""
    for job in jobs:
        job.task.cancel()
        if job in supervisor.jobs:
            supervisor.jobs.remove(job)


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
