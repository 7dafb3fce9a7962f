"""From the faults of this moment to the devices that they befall: what they can, whom they obey, what they report."""

import math
from collections.abc import Sequence
from dataclasses import replace

from gateway.simulator.device_faults import (
    BatteryIgnoresOrders,
    BatteryMeterWrong,
    BatteryRestarts,
    BatterySocWrong,
    BatteryTakesOnly,
    CarOnePhase,
    ForeignMaster,
    InverterIgnoresLimit,
    LoadIgnoresOrders,
    SameWord,
)
from gateway.simulator.fault import Device, LoadName
from gateway.simulator.faults import ActiveFaults, CarAsleep
from gateway.simulator.physics.battery import Battery
from gateway.simulator.physics.building import State
from gateway.simulator.physics.inverter import Inverter
from gateway.simulator.physics.loads import Loads
from gateway.simulator.products.places import Places
from gateway.simulator.settings.config import LOADS

MASTERED: tuple[Device, ...] = ("battery", "pv", "car", "tank")
VOLT = 230.0  # by which a foreign master of a charger turns watts into amperes


class FaultEffects:
    """`begin_step` passes on what has changed, and lets foreign masters write."""

    def __init__(self, faults: ActiveFaults, *, battery: Battery, inverter: Inverter, loads: Loads) -> None:
        self._faults = faults
        self._battery = battery
        self._inverter = inverter
        self._loads = loads
        self._seen = -1
        self._masters: list[ForeignMaster] = []
        self._wrote_s: dict[Device, float] = {}  # when each foreign master wrote last

    def begin_step(self, now_s: float) -> None:
        """Before a step of the physics."""
        if self._faults.changes != self._seen:
            self._seen = self._faults.changes
            self._pass_on()
        for master in self._masters:
            if now_s - self._wrote_s.get(master.device, -math.inf) >= master.every_s:
                self._wrote_s[master.device] = now_s
                self._write(master, now_s)

    def _pass_on(self) -> None:
        find = self._faults.find
        takes, deaf = find(BatteryTakesOnly, "battery"), find(BatteryIgnoresOrders, "battery")
        out_w, in_w = (takes.discharge_w, takes.charge_w) if takes else (None, None)
        self._battery.takes_w = (math.inf if out_w is None else out_w, math.inf if in_w is None else in_w)
        self._battery.obeys, self._battery.goes_on_w = deaf is None, deaf.w if deaf else None
        if find(BatteryRestarts, "battery"):
            self._battery.release()
        self._inverter.obeys = find(InverterIgnoresLimit, "pv") is None
        loads = self._loads.by_name
        for name in LOADS:
            if name not in loads:
                continue
            load, ignores = loads[name], find(LoadIgnoresOrders, name)
            load.obeys, load.goes_on_w = ignores is None, ignores.w if ignores else None
        car = self._loads.car
        if car:
            car.asleep = find(CarAsleep, "car") is not None
            car.on_one_phase = find(CarOnePhase, "car") is not None
        self._masters = [found for device in MASTERED if (found := find(ForeignMaster, device))]

    def _write(self, master: ForeignMaster, now_s: float) -> None:
        """As a second master on the device's link would."""
        match master.device:
            case "battery":
                self._battery.set_power(master.w, now_s)
                self._battery.enable(now_s)
            case "pv":
                self._inverter.set_limit(
                    min(max(-master.w / self._inverter.settings.inverter_limit_w, 0.0), 1.0), now_s
                )
            case "car" if self._loads.car:
                car = self._loads.car
                current_a = master.w / (car.phases * VOLT)
                car.charger.set_current(min(current_a, car.charger.most_a) if current_a >= 6.0 else 0.0, now_s)
            case "tank" if self._loads.tank:
                self._loads.tank.set_power(max(master.w, 0.0), now_s)
            case _:
                pass

    def reported(self, state: State) -> State:
        """The state as the battery tells it of itself."""
        wrong, soc = self._faults.find(BatteryMeterWrong, "battery"), self._faults.find(BatterySocWrong, "battery")
        if wrong:
            power_w = state.battery_w * wrong.factor if wrong.w is None else wrong.w
            state = replace(state, battery_w=power_w)
        return replace(state, soc=soc.soc) if soc else state


def spoiled(
    faults: ActiveFaults, device: Device | LoadName, places: Places, address: int, words: Sequence[int]
) -> list[int]:
    """The words of an answer as the faults of its device leave them."""
    same = faults.find(SameWord, device)
    if same:
        return [same.word] * len(words)
    found = list(words)
    for point in faults.counters_at_zero(device):
        first, count = places[point]
        for place in range(max(first, address), min(first + count, address + len(words))):
            found[place - address] = 0
    return found
