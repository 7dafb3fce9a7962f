"""Safe values, then silence: the end of a plant and of the node. Loaded when it comes."""

import asyncio

from micropython import const
from node.link import DOWN
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from node.app import App
    from node.bus import Plant
    from node.orders import Actuator
    from node.supervisor import Job, Supervisor

_GOODBYE_MS = const(3000)
_FREE = const(0)  # that of node.orders
_CANCELS = const(50)
_STOP_MS = const(3000)  # for the safe values at a stop: a dead device must not hold up the others


async def node(app: "App") -> None:
    """Safe values, their acks, goodbye; no order is taken any more."""
    app.orders.shut = app.orders.shut or "stop"
    await plant(app.plant, app.supervisor)
    app.link.stopping = True
    app.link.announce(DOWN)
    end = after(_GOODBYE_MS)  # then the will speaks for us
    while left(end) > 0 and not app.linked.task.done():
        await asyncio.sleep_ms(20)


async def plant(plant: "Plant", supervisor: "Supervisor") -> None:
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


async def drop(supervisor: "Supervisor", jobs: "list[Job]") -> None:
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


def busy(actuator: "Actuator") -> bool:
    """False when it has no lease and the device has its safe values."""
    return actuator.state != _FREE


async def safe(plant: "Plant") -> bool:
    """True as soon as no actuator holds anything; False when that takes too long."""
    end = after(_STOP_MS)
    while left(end) > 0:
        if not [1 for one in plant.actuators if busy(one)]:
            return True
        await asyncio.sleep_ms(100)
    return False
