"""A plan every quarter hour, each from what the one before has left: nothing is rolled on, nothing restarted."""

import pytest

from gateway.adapters.solver import solve
from gateway.core.loads.car import CarState
from gateway.core.loads.heat_pump import HeatPumpState
from gateway.core.loads.switchable import SwitchableState
from gateway.core.model.switched import Switched
from gateway.tests.core.planning.cases import CAR, FLEXIBLE, NOW, POOL, PUMP, STEP_S, WASHER, at, day, planned, tariff


@pytest.mark.slow
@pytest.mark.parametrize("solver", [solve, None], ids=["solver", "rules"])
def test_what_was_served_counts_in_the_next_plan(solver: object) -> None:
    jobs = {name: FLEXIBLE[name] for name in ("car", "washer", "pool")}
    ran: dict[str, list[float]] = {name: [] for name in jobs}
    for quarter in range(92):
        now = NOW + STEP_S * quarter
        made = planned(
            *jobs.values(),
            solver=solver,
            scenarios=day(start_s=now, seed=quarter),
            prices=tariff(start_s=now),
            made_s=now + 2.0,
        )
        for name, job in jobs.items():
            power_w = made.loads[name][0].power_w
            ran[name].append(power_w)
            jobs[name] = job.carried(power_w, begin_s=now, end_s=now + STEP_S)
    car, pool = jobs["car"].state, jobs["pool"].state
    assert isinstance(car, CarState)
    assert isinstance(pool, SwitchableState)
    assert car.stored_wh == pytest.approx(20_000.0, rel=0.01)
    assert pool.served_wh == pytest.approx(3600.0, rel=0.01)
    assert [power for power in ran["washer"] if power > 0.0] == pytest.approx(list(WASHER.profile_w))
    runs = "".join("x" if power > 1.0 else " " for power in ran["pool"]).split()
    assert all(len(run) * STEP_S >= POOL.minimum_up_s for run in runs)


def test_least_times_count_from_the_real_start() -> None:
    begun = FLEXIBLE["pool"].carried(900.0, begin_s=NOW, end_s=NOW + 900)
    still = begun.carried(900.0, begin_s=NOW + 900, end_s=NOW + 1800)
    over = still.carried(0.0, begin_s=NOW + 1800, end_s=NOW + 2700)
    for job, expected in ((begun, (True, NOW)), (still, (True, NOW)), (over, (False, NOW + 1800))):
        assert isinstance(job.state, SwitchableState)
        assert job.state.switched == Switched(runs=expected[0], since_s=expected[1])
    pump = at(PUMP, HeatPumpState(indoor_c=20.0)).carried(0.0, begin_s=NOW, end_s=NOW + 900)
    assert isinstance(pump.state, HeatPumpState)
    assert pump.state.switched is None


def test_giving_back_costs_the_losses() -> None:
    car = at(CAR, CarState(arrival_s=NOW, departure_s=NOW + 9000, stored_wh=9000.0, requested_wh=9000.0))
    given = car.carried(-3600.0, begin_s=NOW, end_s=NOW + 900)
    assert isinstance(given.state, CarState)
    assert given.state.stored_wh == pytest.approx(9000.0 - 1000.0)
