"""A plan and the loop agree on which loads the storage supplies: by default none that is measured."""

import math

import numpy as np
import pytest

from gateway.adapters.solver import solve
from gateway.core.model.plan import Plan
from gateway.tests.core.planning.cases import (
    CAR,
    FLEXIBLE,
    STEP_S,
    STORAGE,
    at,
    car_state,
    day,
    planned,
    powers_w,
    tariff,
)

# From 18:00 on, when a car of 12 kWh has come that leaves at 20:00: it has to charge while the sun is gone.
NEEDED = at(CAR, car_state(12_000.0, arrival_h=0.0, departure_h=2.0))
SOLVERS = pytest.mark.parametrize("solver", [solve, None], ids=["solver", "rules"])


def given_wh(made: Plan, steps: int) -> float:
    """What the storage is expected to give in the first steps (Wh taken out of it)."""
    return 2000.0 - (made.slots[steps - 1].energy_wh or 0.0)


def house_wh(made: Plan, steps: int) -> float:
    """What the building needs in them without the car (Wh at its terminals)."""
    loads = powers_w(made, "car")[:steps]
    net = np.array([slot.net_w for slot in made.slots[:steps]])
    return float(np.maximum(net - loads, 0.0).sum() * STEP_S / 3600.0)


@SOLVERS
def test_by_default_the_storage_is_left_to_the_rest_of_the_building(solver: object) -> None:
    made = planned(NEEDED, solver=solver, scenarios=day(sun=0.0))
    assert powers_w(made, "car")[:8].sum() * STEP_S / 3600.0 >= 12_000.0
    assert given_wh(made, 8) <= house_wh(made, 8) / STORAGE.discharge_efficiency + 1.0


@SOLVERS
def test_a_load_that_may_be_supplied_is_so(solver: object) -> None:
    made = planned(NEEDED, solver=solver, scenarios=day(sun=0.0), supplied_above_wh={"car": 0.0})
    assert given_wh(made, 8) == pytest.approx(2000.0)


def test_above_a_floor_it_is_supplied_and_below_it_the_building_alone() -> None:
    flat = tariff()
    made = planned(NEEDED, solver=solve, scenarios=day(sun=0.0), prices=flat, supplied_above_wh={"car": 1500.0})
    steps = [slot.energy_wh or 0.0 for slot in made.slots[:8]]
    assert steps[0] <= 1500.0 + 1.0  # 500 Wh go into the car at once
    assert 2000.0 - steps[7] <= 500.0 + house_wh(made, 8) / STORAGE.discharge_efficiency + 1.0


@SOLVERS
def test_no_plan_is_dearer_for_what_it_may_not_do_than_for_what_it_may(solver: object) -> None:
    """What the storage keeps from the car is still there afterwards."""
    one = planned(FLEXIBLE["car"], solver=solver)
    other = planned(FLEXIBLE["car"], solver=solver, supplied_above_wh={"car": 0.0})
    assert (one.slots[40].energy_wh or 0.0) >= (other.slots[40].energy_wh or 0.0) - 1.0
    assert math.isfinite(one.slots[0].value)
