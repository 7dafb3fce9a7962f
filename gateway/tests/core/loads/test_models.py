"""Each load's model against its physics in small steps, and what cannot be a load."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.loads.appliance import Appliance, ApplianceState
from gateway.core.loads.car import phase_bands
from gateway.core.loads.curtailable import Curtailable
from gateway.core.loads.heat_pump import HeatPumpState, sg_ready
from gateway.core.loads.kind import FlexibleLoad
from gateway.core.loads.needs import Band, EnergyStore
from gateway.core.loads.request import Outlook, switching_of
from gateway.core.loads.tank import TankState
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.tests.core.planning.cases import (
    CAR,
    FLEXIBLE,
    NOW,
    PUMP,
    STEP_S,
    TANK,
    WASHER,
    at,
    car_state,
    room_temps_c,
    tank_state,
    tank_temps_c,
)


def outlook(steps: int = 96, now_s: float = NOW, outdoor: float = 7.0) -> Outlook:
    grid = TimeGrid(start_s=NOW, step_s=STEP_S, steps=steps)
    return Outlook(grid=grid, now_s=now_s, price=np.full(steps, 0.2), outdoor_c=np.full(steps, outdoor))


def store_of(load: FlexibleLoad, view: Outlook | None = None) -> EnergyStore:
    found = load.request(view or outlook()).store
    assert found is not None
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(40.0, 65.0), st.floats(0.0, 10.0), st.floats(1.0, 4.0))
def test_a_tank_is_as_warm_as_its_physics_say(seed: int, temp_c: float, loss: float, cop: float) -> None:
    rng = np.random.default_rng(seed)
    tank = replace(TANK, loss_w_per_k=loss, cop=cop)
    power, draw = rng.integers(0, 2, 96) * 600.0, rng.uniform(0.0, 100.0, 96)
    store = store_of(at(tank, TankState(temp_c=temp_c, draw_wh=draw)))
    temps = tank.low_c + store.energies_wh(power) / tank.wh_per_k
    assert temps == pytest.approx(tank_temps_c(tank, temp_c, power, draw), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(15.0, 25.0), st.floats(-15.0, 15.0))
def test_a_building_is_as_warm_as_its_physics_say(seed: int, temp_c: float, outdoor: float) -> None:
    power = np.random.default_rng(seed).integers(0, 2, 96) * 2000.0
    store = store_of(at(PUMP, HeatPumpState(indoor_c=temp_c)), outlook(outdoor=outdoor))
    temps = PUMP.low_c + store.energies_wh(power) / PUMP.wh_per_k
    assert temps == pytest.approx(room_temps_c(PUMP, temp_c, power, outdoor), abs=0.02)


def test_a_car_is_charged_only_while_it_is_there() -> None:
    store = store_of(at(CAR, car_state(arrival_h=1.1, departure_h=2.6)))
    # arrival 6 min into the fifth quarter, departure 6 min into the eleventh: 9, 15 x 5 and 6 minutes
    assert (store.gain / CAR.efficiency * 15).tolist()[4:11] == pytest.approx([9, 15, 15, 15, 15, 15, 6])
    assert np.flatnonzero(store.free).tolist() == list(range(4, 11))
    assert store.floor_wh[10] == 20_000.0


def test_what_can_still_be_charged_behind_the_plan_is_not_asked_for_in_it() -> None:
    state = car_state(20_000.0, departure_h=26.0)
    store = store_of(at(CAR, state))
    assert store.floor_wh[95] == pytest.approx(20_000.0 - 2 * 7360.0 * 0.9)


def test_the_powers_of_a_course_are_means_of_the_steps_of_the_plan() -> None:
    appliance = Appliance(id="a", profile_w=(1200.0, 0.0, 600.0), profile_step_s=600.0)
    started = ApplianceState(earliest_s=NOW, latest_s=NOW + 7200, started_s=NOW - 300.0)
    wanted = at(appliance, started).request(outlook(4))
    # 5 min of 1200 W are over: 5 min of 1200 W and 10 of none; then 10 min of 600 W and nothing
    assert wanted.fixed_w == pytest.approx([400.0, 400.0, 0.0, 0.0])
    assert wanted.need is None
    done = at(appliance, replace(started, started_s=NOW - 1800.0)).request(outlook(4))
    assert (done.code, done.fixed_w.sum() if done.fixed_w is not None else None) == ("load_done", 0.0)


def test_an_appliance_may_start_late_in_the_quarter_it_was_planned_for() -> None:
    """Two seconds after the quarter began its run still fits."""
    state = ApplianceState(earliest_s=NOW - 900, latest_s=NOW + WASHER.length_s)
    run = at(WASHER, state).request(outlook(now_s=NOW + 2.0)).run
    assert run is not None
    assert run.starts == (0,)


@pytest.mark.parametrize(
    ("switched", "on", "left"),
    [
        (None, False, 0),
        (Switched(runs=True, since_s=NOW - 100.0), True, 4),  # 3500 s of 3600 are left
        (Switched(runs=True, since_s=NOW - 3600.0), True, 0),
        (Switched(runs=False, since_s=NOW - 100.0), False, 2),  # 1700 s of 1800 are left
        (Switched(runs=True, since_s=NOW + 50.0), True, 4),  # a clock that was set back
    ],
)
def test_a_run_that_has_begun_lasts_for_its_minimum_time(switched: Switched | None, on: bool, left: int) -> None:  # noqa: FBT001
    found = switching_of(switched, outlook(), minimum_up_s=3600.0, minimum_down_s=1800.0)
    assert (found.is_on, found.left_steps, found.up_steps, found.down_steps) == (on, left, 4, 2)


def test_heat_pumps_are_sent_the_states_of_sg_ready() -> None:
    bands = (Band(low_w=1500.0, high_w=1500.0), Band(low_w=2500.0, high_w=2500.0))
    assert [sg_ready(power, bands) for power in (0.0, 1500.0, 2500.0)] == [2, 3, 4]
    assert sg_ready(1500.0, bands[:1]) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: phase_bands(least_a=5.0, most_a=16.0, phases=(1,)),
        lambda: phase_bands(least_a=16.0, most_a=6.0, phases=(1,)),
        lambda: replace(CAR, capacity_wh=0.0),
        lambda: replace(CAR, bands=()),
        lambda: replace(CAR, efficiency=1.2),
        lambda: replace(CAR, wear_price=-0.1),
        lambda: replace(TANK, litres=0.0),
        lambda: replace(TANK, low_c=70.0),
        lambda: replace(TANK, loss_w_per_k=float("nan")),
        lambda: replace(PUMP, cop=0.5),
        lambda: replace(PUMP, low_c=25.0),
        lambda: replace(WASHER, profile_w=()),
        lambda: replace(WASHER, profile_w=(0.0,)),
        lambda: Band(low_w=2000.0, high_w=1000.0),
        lambda: Curtailable(id="pv", rated_w=0.0),
        lambda: Flexible(loads=(FLEXIBLE["car"], FLEXIBLE["car"])),
        lambda: TankState(temp_c=float("nan"), draw_wh=tank_state().draw_wh),
    ],
)
def test_what_is_no_load_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wrong()  # type: ignore[operator]
