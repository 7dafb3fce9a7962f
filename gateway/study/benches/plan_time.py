"""How long plans with flexible loads take, and how near their schedule is to what no schedule can beat."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.loads.car import Car, CarState, phase_bands
from gateway.core.loads.kind import FlexibleLoad, LoadWithState
from gateway.core.loads.needs import Need
from gateway.core.loads.request import Outlook
from gateway.core.loads.switchable import Switchable, SwitchableState
from gateway.core.loads.tank import Tank, TankState
from gateway.core.model.history import Scenarios
from gateway.core.model.levels import Floats, GridLimits, Storage
from gateway.core.model.load import Band
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.planner import plan
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.core.planning.schedule.program import formulated
from gateway.core.planning.schedule.schedule import own_eur, scheduled
from gateway.core.planning.schedule.supply import Supply
from gateway.core.pricing.prices import Prices

STEPS, STEP_S, SCENARIOS = 96, 900.0, 24
START_S = 1_718_985_600.0  # midsummer; the sun of each building is scaled
TURN_H = 7.0
STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)
LIMITS = GridLimits(import_max_w=9000.0)
STORED_WH = 2000.0
CASES = {
    "battery": (),
    "battery, car": ("car",),
    "battery, car, tank": ("car", "tank"),
    "battery, car, tank, 2 switchable": ("car", "tank", "pool", "pump"),
}
LONG = Effort(seconds=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Of one case: wall time of a plan (ms), and what the schedules cost beyond the bound (EUR a day, mean)."""

    median_ms: float
    worst_ms: float
    processor_ms: float
    beyond_bound_eur: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Building:
    """One of the made-up buildings."""

    scenarios: Scenarios
    prices: Prices
    loads: tuple[FlexibleLoad, ...]


def buildings(names: Sequence[str], runs: int) -> Iterator[Building]:
    """So many different days, the same ones every time."""
    for run in range(runs):
        rng = np.random.default_rng(run)
        begin_h = START_S / 3600.0 + 2.0 + TURN_H * run  # plans are made around the clock
        clock = (begin_h + STEP_S / 3600.0 * np.arange(STEPS, dtype=np.float64)) % 24.0
        sun = -5000.0 * rng.uniform(0.1, 1.0) * np.clip(np.sin((clock - 6.0) / 12.0 * np.pi), 0.0, None)
        usual = 350.0 + 1200.0 * ((clock > 18.0) & (clock < 22.0)) + 500.0 * ((clock > 7.0) & (clock < 9.0))
        load = usual * rng.uniform(0.6, 1.6) * rng.uniform(0.7, 1.3, (SCENARIOS, STEPS))
        scenarios = Scenarios(
            start_s=START_S, step_s=STEP_S, load_w=load, pv_w=sun * rng.uniform(0.8, 1.2, (SCENARIOS, 1))
        )
        buy = np.where((clock >= 22.0) | (clock < 6.0), 0.1635, 0.2081)
        prices = Prices(start_s=START_S, step_s=STEP_S, buy=buy, sell=np.full(STEPS, 0.04), names=("",) * STEPS)
        yield Building(scenarios=scenarios, prices=prices, loads=tuple(_job(name, clock, rng) for name in names))


def measure(names: Sequence[str], *, runs: int, solver: Solver | None, method: PlanningMethod) -> Timing:
    """Plans of so many buildings, one after the other; the first is made once before, unmeasured."""
    walls, processors = [], []
    days = list(buildings(names, runs))
    for index, day in enumerate([days[0], *days]):
        wall_s, processor_s = time.perf_counter(), time.process_time()
        plan(
            STORAGE,
            STORED_WH,
            day.scenarios,
            day.prices,
            Flexible(loads=day.loads),
            made_s=START_S,
            solver=solver,
            limits=LIMITS,
            method=method,
        )
        if index:
            walls.append(1000.0 * (time.perf_counter() - wall_s))
            processors.append(1000.0 * (time.process_time() - processor_s))
    return Timing(
        median_ms=float(np.median(walls)),
        worst_ms=max(walls),
        processor_ms=float(np.median(processors)),
        beyond_bound_eur=None,
    )


def beyond_bound_eur(names: Sequence[str], *, runs: int, with_solver: bool, solver: Solver) -> float:
    """Mean cost of the schedules above the linear program, whose loads may take any share at any time.

    The storage is at its best in both. SolverError where a program could not be solved.
    """
    beyond = []
    for day in buildings(names, runs):
        supply, needs = _stated(day)
        powers = scheduled(supply, needs, solver if with_solver else None, Effort()).powers_w
        total = np.sum(powers, axis=0)
        own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))
        paid = _least_eur(replace(supply, net_w=supply.net_w + total), (), solver) + own
        beyond.append(paid - _least_eur(supply, needs, solver))
    return float(np.mean(beyond))


def _least_eur(supply: Supply, needs: Sequence[Need], solver: Solver) -> float:
    program = formulated(supply, needs).program
    return float(program.cost @ solver(program, LONG).x)


def _stated(day: Building) -> tuple[Supply, list[Need]]:
    supply = Supply(
        hours=STEP_S / 3600.0,
        net_w=day.scenarios.net_w.mean(axis=0),
        buy=day.prices.buy,
        sell=day.prices.sell,
        limits=LIMITS,
        storage=STORAGE,
        stored_wh=STORED_WH,
        end_price=0.95 * float(day.prices.buy.min()),
    )
    grid = TimeGrid(start_s=START_S, step_s=STEP_S, steps=STEPS)
    price = np.where(supply.net_w < 0.0, supply.sell, supply.buy)
    outlook = Outlook(grid=grid, now_s=START_S, price=price, outdoor_c=np.zeros(STEPS))
    wanted = [one.request(outlook).need for one in day.loads]
    return supply, [need for need in wanted if need is not None]


def _job(name: str, clock: Floats, rng: np.random.Generator) -> FlexibleLoad:
    if name == "car":
        car = Car(id="car", bands=phase_bands(least_a=6.0, most_a=32.0, phases=(1,)), capacity_wh=60_000.0)
        arrival_s = START_S + 3600.0 * rng.uniform(0.0, 3.0)
        requested_wh = rng.uniform(8_000.0, 30_000.0)
        departure_s = START_S + 3600.0 * 13.0
        state = CarState(arrival_s=arrival_s, departure_s=departure_s, stored_wh=0.0, requested_wh=requested_wh)
        return LoadWithState(load=car, state=state)
    if name == "tank":
        tank = Tank(id="tank", litres=200.0, band=Band(low_w=2400.0, high_w=2400.0))
        draw = np.zeros(STEPS)
        for at in (7.0, 12.0, 19.0, 21.0):
            draw[int(np.argmin(np.abs(clock - at)))] += rng.uniform(300.0, 2000.0)
        return LoadWithState(load=tank, state=TankState(temp_c=rng.uniform(48.0, 58.0), draw_wh=draw))
    power_w = rng.uniform(500.0, 1500.0)
    load = Switchable(id=name, band=Band(low_w=power_w, high_w=power_w), minimum_up_s=3600.0, minimum_down_s=1800.0)
    end_s = START_S + 3600.0 * 23.0
    hours = SwitchableState(earliest_s=START_S, latest_s=end_s, requested_wh=4.0 * power_w)
    return LoadWithState(load=load, state=hours)
