"""The schedule against all possible ones, against the linear program, and over a day of replanning."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gateway.adapters.solver import solve
from gateway.core.loads.appliance import ApplianceState
from gateway.core.loads.car import CarState, phase_bands
from gateway.core.loads.heat_pump import HeatPumpState
from gateway.core.loads.needs import EnergyStore, Run, Switching
from gateway.core.loads.request import Outlook
from gateway.core.loads.switchable import SwitchableState
from gateway.core.loads.tank import TankState
from gateway.core.model.levels import GridLimits
from gateway.core.model.load import Band
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.linear_program import Effort
from gateway.core.planning.schedule.marginal_cost import MarginalCost
from gateway.core.planning.schedule.program import formulated
from gateway.core.planning.schedule.schedule import own_eur, scheduled, score_eur
from gateway.core.planning.schedule.supply import Supply
from gateway.tests.core.planning.cases import (
    CAR,
    FLEXIBLE,
    LIMITS,
    NOW,
    POOL,
    PUMP,
    STEP_S,
    STORAGE,
    TANK,
    WASHER,
    at,
    car_state,
    day,
    planned,
    powers_w,
    tank_state,
    tank_temps_c,
    tariff,
    washer_state,
)

WAYS = pytest.mark.parametrize("solver", [solve, None], ids=["solver", "rules"])
LONG = Effort(seconds=20.0)
STEPS = 6


def small(seed: int) -> tuple[Supply, list[EnergyStore | Run]]:
    """Six hours: a relay that needs two of them, an appliance of two hours, little room under the limit."""
    rng = np.random.default_rng(seed)
    supply = Supply(
        hours=1.0,
        net_w=rng.integers(-2, 3, STEPS) * 1000.0,
        buy=rng.integers(10, 40, STEPS) / 100.0,
        sell=np.full(STEPS, 0.05),
        limits=GridLimits(import_max_w=4000.0),
    )
    floor, price = np.zeros(STEPS), np.zeros(STEPS)
    floor[-1], price[-1] = 4000.0, 3.0
    relay = EnergyStore(
        id="relay",
        hours=1.0,
        start_wh=0.0,
        bands=(Band(low_w=2000.0, high_w=2000.0),),
        free=np.ones(STEPS, dtype=np.bool_),
        gain=np.ones(STEPS),
        drain_wh=np.zeros(STEPS),
        floor_wh=floor,
        short_price=price,
        ceiling_wh=np.full(STEPS, 4000.0),
        switching=Switching(up_steps=2) if seed % 2 else Switching(),
    )
    run = Run(
        id="run", hours=1.0, steps=STEPS, profile_w=np.array([1000.0, 2000.0]), starts=(1, 2, 3, 4), missed_eur=5.0
    )
    return supply, [relay, run]


def alone(supply: Supply) -> MarginalCost:
    nothing = np.zeros(STEPS)
    return MarginalCost(supply=supply, taken_w=nothing, stored_value=nothing, unsupplied_w=nothing)


def every_way(supply: Supply, needs: list[EnergyStore | Run]) -> float:
    """The least cost of all on-off patterns and starts, counted out."""
    relay, run = needs
    assert isinstance(relay, EnergyStore)
    assert isinstance(run, Run)
    power_cost = alone(supply)
    best = np.inf
    for on, start in product(product((0.0, 2000.0), repeat=STEPS), (None, *run.starts)):
        power = np.array(on)
        if power.sum() > 4000.0 or (relay.switching.up_steps > 1 and power.sum() > 0.0 and not _together(power)):
            continue
        best = min(
            best, score_eur(power_cost, needs, [power, np.zeros(STEPS) if start is None else run.power_w(start)])
        )
    return best


def _together(power: np.ndarray) -> bool:
    """Runs of at least two hours, or cut by the end."""
    starts = np.flatnonzero((power > 0) & (np.concatenate(([0.0], power[:-1])) == 0))
    return all(start == STEPS - 1 or power[start + 1] > 0 for start in starts)


def test_the_schedule_is_near_the_best_of_all_ways_and_never_below_it() -> None:
    """Sixteen small cases: nothing missing, no limit broken that need not be; on the mean within 6 %."""
    for solver in (solve, None):
        found, best = [], []
        for seed in range(16):
            supply, needs = small(seed)
            power_cost = alone(supply)
            schedule = scheduled(supply, needs, solver, Effort())
            found.append(score_eur(power_cost, needs, schedule.powers_w))
            best.append(every_way(supply, needs))
            assert found[-1] >= best[-1] - 1e-6
        assert sum(found) - sum(best) <= 0.06 * sum(abs(one) for one in best)


@pytest.mark.parametrize("sun", [0.2, 1.0])
def test_the_schedule_of_a_day_costs_little_more_than_the_linear_program(sun: float) -> None:
    """The linear program may use any share of any load at any time: no schedule is cheaper."""
    future, prices = day(sun=sun), tariff()
    supply = Supply(
        hours=0.25,
        net_w=future.net_w.mean(axis=0),
        buy=prices.buy,
        sell=prices.sell,
        limits=LIMITS,
        storage=STORAGE,
        stored_wh=2000.0,
        end_price=0.155,
    )
    grid = TimeGrid(start_s=NOW, step_s=STEP_S, steps=96)
    outlook = Outlook(grid=grid, now_s=NOW, price=prices.buy, outdoor_c=np.zeros(96))
    needs = [FLEXIBLE[name].request(outlook).need for name in ("car", "tank", "washer", "pool")]
    least = formulated(supply, needs).program  # type: ignore[arg-type]
    bound = float(least.cost @ solve(least, LONG).x)
    powers = scheduled(supply, needs, solve, Effort()).powers_w  # type: ignore[arg-type]
    beside = formulated(replace(supply, net_w=supply.net_w + sum(powers)), []).program
    own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))  # type: ignore[arg-type]
    paid = float(beside.cost @ solve(beside, LONG).x) + own
    assert bound - 0.001 <= paid <= bound + 0.12


def test_a_solver_that_is_out_of_time_at_once_leaves_the_rules() -> None:
    supply, needs = small(1)
    late = scheduled(supply, needs, solve, Effort(seconds=0.0))
    ruled = scheduled(supply, needs, None, Effort())
    assert [note.code for note in late.notes] == ["solver_failed"]
    assert all((one == other).all() for one, other in zip(late.powers_w, ruled.powers_w, strict=True))


def test_a_charger_of_two_phase_modes_works_in_one_of_its_bands() -> None:
    bands = phase_bands(least_a=6, most_a=16, phases=(1, 3))
    made = planned(at(replace(CAR, bands=bands), car_state(30_000.0)), solver=solve)
    power = powers_w(made, "car")
    on = power[power > 1.0]
    inside = [any(band.low_w - 1 <= one <= band.high_w + 1 for band in bands) for one in on.tolist()]
    assert inside.count(False) <= 1  # the last step, in which the car is full before its end
    assert power.sum() / 4 * 0.9 == pytest.approx(30_000.0, rel=1e-3)


def test_the_program_keeps_the_balance_of_every_load() -> None:
    supply, needs = small(3)
    stated = formulated(supply, needs)
    x = solve(stated.program, LONG).x
    relay = needs[0]
    assert isinstance(relay, EnergyStore)
    power = stated.powers_w(x)[0]
    assert relay.energies_wh(power)[-1] == pytest.approx(power.sum())


@pytest.mark.slow
@WAYS
def test_an_appliance_runs_once_and_is_never_interrupted_however_often_it_is_planned_anew(solver: object) -> None:
    """Every quarter hour a new plan with new noise; what the plan says for now is done."""
    state = washer_state(begin_h=0.5, end_h=18.0)
    ran = []
    for quarter in range(80):
        now = NOW + STEP_S * quarter
        made = planned(
            at(WASHER, state),
            solver=solver,
            scenarios=day(start_s=now, seed=quarter),
            prices=tariff(start_s=now),
            made_s=now + 2.0,
        )
        power = made.loads["washer"][0].power_w
        ran.append(power)
        if power > 1.0 and state.started_s is None:
            state = replace(state, started_s=now)
    assert [power for power in ran if power > 0.0] == pytest.approx(list(WASHER.profile_w))
    first = next(i for i, power in enumerate(ran) if power > 0.0)
    assert ran[first : first + 6] == pytest.approx(list(WASHER.profile_w))
    assert 2 <= first <= 72 - 6


def test_an_appliance_runs_at_the_last_moment_rather_than_never() -> None:
    """Prices that always look better tomorrow: the classic way to put a run off for ever."""
    state = washer_state(begin_h=0.0, end_h=4.0)
    for quarter in range(16):
        now = NOW + STEP_S * quarter
        prices = replace(tariff(start_s=now), buy=np.linspace(0.5, 0.1, 96))
        made = planned(
            at(WASHER, state),
            scenarios=day(start_s=now, sun=0.0),
            prices=prices,
            made_s=now + 2.0,
        )
        if made.loads["washer"][0].power_w > 1.0:
            break
    assert quarter == 16 - len(WASHER.profile_w)


@pytest.mark.slow
@WAYS
def test_a_day_of_replanning_serves_all_and_keeps_least_times(solver: object) -> None:
    """Car, tank, pump and pool lived a quarter hour at a time, their physics apart from the plan's."""
    car, tank, pool = 0.0, 55.0, 0.0
    room = 20.5
    switched: dict[str, Switched] = {}
    on: dict[str, list[bool]] = {id_: [] for id_ in ("tank", "pump", "pool")}
    draws = tank_state(steps=2 * 96).draw_wh
    for quarter in range(92):
        now = NOW + STEP_S * quarter
        made = planned(
            at(CAR, replace(car_state(), stored_wh=car)),
            at(TANK, TankState(temp_c=tank, draw_wh=draws[quarter:], switched=switched.get("tank"))),
            at(PUMP, HeatPumpState(indoor_c=room, switched=switched.get("pump"))),
            at(
                POOL,
                SwitchableState(
                    earliest_s=NOW + 3600.0,
                    latest_s=NOW + 3600 * 23,
                    requested_wh=3600.0,
                    served_wh=pool,
                    switched=switched.get("pool"),
                ),
            ),
            solver=solver,
            scenarios=day(start_s=now, seed=quarter),
            prices=tariff(start_s=now),
            made_s=now + 2.0,
            outdoor_c=np.full(96, 6.0),
        )
        now_w = {id_: slots[0].power_w for id_, slots in made.loads.items()}
        there = NOW + 3600.0 <= now < NOW + 3600 * 13
        car += now_w["car"] / 4 * CAR.efficiency * there
        tank = float(tank_temps_c(TANK, tank, np.array([now_w["tank"]]), draws[quarter : quarter + 1])[0])
        cop = PUMP.cop + PUMP.cop_per_k * (6.0 - 7.0)
        room += (now_w["pump"] * cop - PUMP.loss_w_per_k * (room - 6.0)) / 4 / PUMP.wh_per_k
        pool += now_w["pool"] / 4
        assert tank > TANK.low_c - 1.5
        assert PUMP.low_c - 0.4 < room < PUMP.high_c + 0.2
        for id_, was in on.items():
            runs = now_w[id_] > 1.0
            if not was or was[-1] != runs:
                switched[id_] = Switched(runs=runs, since_s=now if was else now - 1e6)
            was.append(runs)
    assert car == pytest.approx(20_000.0, rel=0.01)
    assert pool == pytest.approx(3600.0, rel=0.01)
    for id_, least_s in (("pump", PUMP.minimum_up_s), ("pool", POOL.minimum_up_s)):
        assert all(length * STEP_S >= least_s for length in _runs(on[id_])), id_


def _runs(on: list[bool]) -> list[int]:
    """Lengths of the runs that ended."""
    text = "".join("x" if one else " " for one in on)
    runs = [len(run) for run in text.split()]
    return runs[:-1] if text.endswith("x") else runs


def test_a_state_of_another_load_is_refused() -> None:
    with pytest.raises(ValueError, match="no state of car"):
        at(CAR, HeatPumpState(indoor_c=20.0))
    with pytest.raises(ValueError, match="finite"):
        CarState(arrival_s=NOW, departure_s=NOW, stored_wh=float("nan"), requested_wh=0.0)
    with pytest.raises(ValueError, match="finite"):
        ApplianceState(earliest_s=float("inf"), latest_s=NOW)
