"""A day of a house with loads, and the physics of each load step by step, written apart from what plans them."""

import numpy as np

from gateway.core.loads.appliance import Appliance, ApplianceState
from gateway.core.loads.car import Car, CarState, phase_bands
from gateway.core.loads.heat_pump import HeatPump, HeatPumpState
from gateway.core.loads.kind import FlexibleLoad, LoadWithState
from gateway.core.loads.switchable import Switchable, SwitchableState
from gateway.core.loads.tank import Tank, TankState
from gateway.core.model.history import Scenarios
from gateway.core.model.levels import GridLimits, Storage
from gateway.core.model.load import Band
from gateway.core.model.plan import Plan
from gateway.core.planning.linear_program import Effort, Program, Solution, SolverError
from gateway.core.planning.planner import plan
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.core.pricing.prices import Prices

NOW = 1_718_985_600.0  # 2024-06-21 18:00 in Paris, 16:00 UTC
STEP_S = 900.0
STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)
LIMITS = GridLimits(import_max_w=9000.0)

CAR = Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(1,)), capacity_wh=60_000.0)
TANK = Tank(id="tank", litres=200.0, band=Band(low_w=2400.0, high_w=2400.0))
PUMP = HeatPump(id="pump", bands=(Band(low_w=2000.0, high_w=2000.0),), wh_per_k=8000.0, loss_w_per_k=180.0)
WASHER = Appliance(id="washer", profile_w=(2000.0, 500.0, 200.0, 200.0, 1000.0, 200.0))
POOL = Switchable(id="pool", band=Band(low_w=900.0, high_w=900.0), minimum_up_s=3600.0, minimum_down_s=1800.0)


def hour(steps: int = 96, start_s: float = NOW) -> np.ndarray:
    """Hours of the day in Paris summer time at the beginnings of the steps."""
    return ((start_s + STEP_S * np.arange(steps)) / 3600.0 + 2.0) % 24.0


def day(steps: int = 96, *, sun: float = 1.0, seed: int = 1, start_s: float = NOW) -> Scenarios:
    rng = np.random.default_rng(seed)
    clock = hour(steps, start_s)
    pv = -4000.0 * sun * np.clip(np.sin((clock - 6.0) / 12.0 * np.pi), 0.0, None)
    load = 400.0 + rng.uniform(0.0, 300.0, (6, steps)) + 1000.0 * ((clock > 18) & (clock < 22))
    return Scenarios(start_s=start_s, step_s=STEP_S, load_w=load, pv_w=np.tile(pv, (6, 1)))


def tariff(steps: int = 96, start_s: float = NOW, sell: float = 0.04) -> Prices:
    clock = hour(steps, start_s)
    buy = np.where((clock >= 22) | (clock < 6), 0.1635, 0.2081)
    return Prices(start_s=start_s, step_s=STEP_S, buy=buy, sell=np.full(steps, sell), names=("",) * steps)


def car_state(requested_wh: float = 20_000.0, *, arrival_h: float = 1.0, departure_h: float = 13.0) -> CarState:
    return CarState(
        arrival_s=NOW + 3600 * arrival_h, departure_s=NOW + 3600 * departure_h, stored_wh=0.0, requested_wh=requested_wh
    )


def tank_state(temp_c: float = 55.0, due_h: float | None = None, steps: int = 96) -> TankState:
    draw = np.zeros(steps)
    for at, wh in ((7.0, 1500.0), (12.0, 500.0), (19.0, 1500.0), (21.0, 1500.0)):
        draw[int(np.argmin(np.abs(hour(steps) - at)))] += wh
    return TankState(temp_c=temp_c, draw_wh=draw, hygiene_due_s=None if due_h is None else NOW + 3600 * due_h)


def washer_state(begin_h: float = 1.0, end_h: float = 16.0) -> ApplianceState:
    return ApplianceState(earliest_s=NOW + 3600 * begin_h, latest_s=NOW + 3600 * end_h)


def pool_state(requested_wh: float = 3600.0) -> SwitchableState:
    return SwitchableState(earliest_s=NOW + 3600.0, latest_s=NOW + 3600 * 23, requested_wh=requested_wh)


def at(load: object, state: object) -> LoadWithState:
    """A load where it is now."""
    return LoadWithState(load=load, state=state)


FLEXIBLE = {
    "car": at(CAR, car_state()),
    "tank": at(TANK, tank_state()),
    "pump": at(PUMP, HeatPumpState(indoor_c=20.5)),
    "washer": at(WASHER, washer_state()),
    "pool": at(POOL, pool_state()),
}


def planned(
    *loads: FlexibleLoad,
    solver: object = None,
    scenarios: Scenarios | None = None,
    prices: Prices | None = None,
    limits: GridLimits = LIMITS,
    storage: Storage = STORAGE,
    made_s: float | None = None,
    **more: object,
) -> Plan:
    scenarios = scenarios if scenarios is not None else day()
    prices = prices if prices is not None else tariff(scenarios.load_w.shape[1], scenarios.start_s)
    return plan(
        storage,
        2000.0,
        scenarios,
        prices,
        Flexible(loads=loads, **more),  # type: ignore[arg-type]
        made_s=made_s if made_s is not None else scenarios.start_s,
        solver=solver,  # type: ignore[arg-type]
        limits=limits,
    )


def powers_w(made: Plan, id_: str) -> np.ndarray:
    return np.array([slot.power_w for slot in made.loads[id_]])


def never(program: Program, effort: Effort) -> Solution:
    """A solver whose time is over before it has found anything."""
    raise SolverError("no optimum: Time limit reached")


def tank_temps_c(tank: Tank, temp_c: float, power_w: np.ndarray, draw_wh: np.ndarray, seconds: int = 30) -> np.ndarray:
    """Temperatures at the ends of the steps; draw-off at the end of a step, as meters see it."""
    temps = []
    for power, draw in zip(power_w, draw_wh, strict=True):
        for _ in range(int(STEP_S) // seconds):
            lost = tank.loss_w_per_k * (temp_c - tank.ambient_c)
            temp_c += (power * tank.cop - lost) * seconds / 3600.0 / (tank.litres * 1.163)
        temp_c -= draw / (tank.litres * 1.163)
        temps.append(temp_c)
    return np.array(temps)


def room_temps_c(pump: HeatPump, temp_c: float, power_w: np.ndarray, outdoor_c: float) -> np.ndarray:
    temps = []
    cop = max(pump.cop + pump.cop_per_k * (outdoor_c - 7.0), 1.0)
    for power in power_w:
        for _ in range(int(STEP_S) // 30):
            lost = pump.loss_w_per_k * (temp_c - outdoor_c)
            temp_c += (power * cop - lost) * 30 / 3600.0 / pump.wh_per_k
        temps.append(temp_c)
    return np.array(temps)
