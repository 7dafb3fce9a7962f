"""The devices of one poll table: buses, units, blocks and actuators, built, started and stopped together."""

import asyncio

from micropython import const
from node import hal
from node.bus import Block, Bus, Unit
from node.modbus import Line, Master, Net
from node.orders import Actuator
from wire.orders import SAFE

_STOP_MS = const(3000)  # for the safe values at a stop: a dead device must not hold up the others


class Plant:
    """`serial` explains the port names; `push` takes records, `report` what actuators do. Nothing is opened yet."""

    def __init__(self, table, serial, push, report):
        self.buses = []
        self.units = []
        self.actuators = []
        self.tasks = []
        for spec in table["buses"]:
            self.buses.append(Bus(master(spec, serial), push))
            self.buses[-1].spec = spec
        for spec in table["units"]:
            self.units.append(Unit(spec, self.buses[spec["bus"]]))
        for number, spec in enumerate(table["blocks"]):
            unit = self.units[spec["u"]]
            unit.bus.blocks.append(Block(number, unit, spec))
        for number, spec in enumerate(table["actuators"]):
            self.actuators.append(Actuator(number, spec, self.units[spec["u"]], report))

    def start(self, spawn):
        """`spawn(coroutine)` makes a watched task."""
        self.tasks = [spawn(part.run()) for part in self.buses + self.actuators]

    async def stop(self):
        """Safe values where an order is held or the device may hold anything, then silence."""
        for task in self.tasks:
            task.cancel()
        await asyncio.sleep_ms(0)  # they let go of their buses
        leaving = []
        for actuator in self.actuators:
            if actuator.held or actuator.leaving or actuator.waiting:
                actuator.leave(SAFE)
                leaving.append(actuator.go_safe())
        try:
            await asyncio.wait_for_ms(asyncio.gather(*leaving), _STOP_MS)
        except asyncio.TimeoutError:
            pass  # the device's own reversion is left
        for bus in self.buses:
            bus.master.way.close()


def master(spec, serial):
    """The Modbus master of a bus of the table."""
    gap_ms = spec.get("gap_ms", 0)
    if spec["kind"] == "tcp":
        way = Net(spec["host"], spec.get("port", 502))
    else:
        where, baud = serial[spec["port"]], spec["baud"]
        way = Line(lambda: hal.Line(where, spec), baud)
        # 3.5 characters of 11 bits and at least 1.75 ms (MODBUS over Serial Line V1.02, 2.5.1.1), in whole ms
        gap_ms = max(gap_ms, 38500 // baud + 1, 2)
    return Master(way, spec["timeout_ms"], gap_ms)
