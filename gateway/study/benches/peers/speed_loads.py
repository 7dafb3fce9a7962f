"""The time of our plan when a car and a tank are planned beside the battery; EMHASS gets loads of the same energy."""

import numpy as np

from gateway.adapters.solver import installed
from gateway.core.loads.car import Car, CarState, phase_bands
from gateway.core.loads.kind import LoadWithState
from gateway.core.loads.tank import Tank, TankState
from gateway.core.model.load import Band
from gateway.core.planning.method import Method
from gateway.core.planning.planner import plan
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.study.benches.peers.speed import QUARTER_S, STEPS, Day, Took, Watch, Way
from gateway.study.replay.zen import prices_of

CHARGER = phase_bands(least_a=6.0, most_a=16.0, phases=(1,))
CAR = Car(id="car", bands=CHARGER, capacity_wh=50_000.0)
TANK = Tank(id="tank", litres=200.0, band=Band(low_w=2400.0, high_w=2400.0))
CAR_H, TANK_H = 3, 2
# What EMHASS knows of them: a power that is on or off, and for how many hours.
AS_LOADS = [{"power_w": CHARGER[0].high_w, "hours": CAR_H}, {"power_w": TANK.band.high_w, "hours": TANK_H}]
DRAWS = {28: 0.35, 48: 0.15, 76: 0.3, 84: 0.2}  # step of the plan -> share of the hot water of the day


def ours(method: Method) -> Way:
    """Battery, car and tank: powers of the loads with reasons, and the levels of the battery beside them."""

    def way(day: Day) -> Took:
        case, scenarios = day.case, day.scenarios
        prices, flexible = prices_of(case, day.step, STEPS), jobs(scenarios.start_s)
        watch = Watch()
        plan(
            case.storage,
            case.storage.capacity_wh / 2,
            scenarios,
            prices,
            flexible,
            made_s=scenarios.start_s,
            solver=installed(),
            limits=case.limits,
            zone=case.zone,
            method=method.planning,
        )
        return watch.took()

    return way


def jobs(start_s: float) -> Flexible:
    """The car is there all day and requests what three hours bring; the hot water drawn is what two hours heat."""
    requested_wh = CHARGER[0].high_w * CAR_H * CAR.efficiency
    car = CarState(arrival_s=start_s, departure_s=start_s + STEPS * QUARTER_S, stored_wh=0.0, requested_wh=requested_wh)
    draw_wh = np.zeros(STEPS)
    for step, share in DRAWS.items():
        draw_wh[step] = share * TANK.band.high_w * TANK_H
    charging = LoadWithState(load=CAR, state=car)
    heating = LoadWithState(load=TANK, state=TankState(temp_c=50.0, draw_wh=draw_wh))
    return Flexible(loads=(charging, heating))
