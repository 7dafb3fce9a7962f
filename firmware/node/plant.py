"""The devices of one poll table, started and stopped together; node/config.py builds them."""

import asyncio

from micropython import const
from node.wait import after, left

_STOP_MS = const(3000)  # for the safe values at a stop: a dead device must not hold up the others
_BUS_MS = const(20000)  # deadlines of the check-ins
_ACTUATOR_MS = const(30000)  # several writes to a device that answers none, each tried again
_RESTART_MS = const(1000)  # its safe values must not wait


class Plant:
    def __init__(self):
        self.buses = []
        self.units = []
        self.actuators = []
        self.jobs = []
        self.supervisor = None

    def start(self, supervisor):
        """Every bus and actuator is a job of the supervisor."""
        self.supervisor = supervisor
        for bus in self.buses:
            self.jobs.append(supervisor.start("bus " + bus.name, bus.run, _BUS_MS))
        for actuator in self.actuators:
            name = "actuator %d" % actuator.number
            self.jobs.append(supervisor.start(name, actuator.run, _ACTUATOR_MS, _RESTART_MS))

    def silent(self):
        """Names of the buses on which no unit has ever answered."""
        answering = [unit.bus for unit in self.units if unit.counts[0] or unit.counts[3]]
        return {bus.name for bus in self.buses if bus.blocks and bus not in answering}

    async def safe(self):
        """True as soon as no actuator holds anything; False when that takes too long."""
        end = after(_STOP_MS)
        while left(end) > 0:
            if not [1 for one in self.actuators if one.held or one.waiting or one.leaving]:
                return True
            await asyncio.sleep_ms(100)
        return False

    async def stop(self):
        """Safe values where an order is held or the device may hold anything, then silence."""
        if self.supervisor:
            await self.supervisor.drop(self.jobs)  # they let go of their buses
        leaving = []
        for actuator in self.actuators:
            if actuator.held or actuator.leaving or actuator.waiting:
                actuator.leave()
                leaving.append(actuator.go_safe())
        try:
            await asyncio.wait_for_ms(asyncio.gather(*leaving, return_exceptions=True), _STOP_MS)
        except asyncio.TimeoutError:
            pass  # the device's own reversion is left
        for bus in self.buses:
            bus.master.close()
