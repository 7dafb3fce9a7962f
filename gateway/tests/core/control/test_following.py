"""What a battery does with what it is sent: relied on, offered more again, named when it does something else."""

from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.core.control.trust.following import Direction
from gateway.core.model.state import Mode
from gateway.tests.core.plant import BATTERY, SITE, Plant

SURPLUS = 4_000.0


def codes_of(plant: Plant, since_s: float = 0.0) -> set[str]:
    return {setpoint.reason.code for at_s, setpoint in plant.setpoints if at_s >= since_s}


def test_a_battery_that_takes_little_is_relied_on_for_so_much_and_found_out_when_it_takes_more() -> None:
    most = [300.0]
    plant = Plant(load_w=lambda _: -SURPLUS, battery_does=lambda w: min(w, most[0]), soc=0.5)
    plant.run(20)
    takes = plant.memory.readings.following["battery"].takes
    assert takes.proven_w == pytest.approx(300.0, abs=1.0)
    assert plant.setpoints[-1][1].reason.code == "takes_less"
    assert 300.0 < (plant.setpoints[-1][1].power_w or 0.0) < 800.0
    most[0] = 1e9
    plant.run(70)
    assert plant.setpoints[-1][1].power_w == pytest.approx(SURPLUS, abs=20.0)


def test_the_same_of_one_that_gives_little() -> None:
    plant = Plant(load_w=lambda _: SURPLUS, battery_does=lambda w: max(w, -800.0), soc=0.5)
    plant.run(20)
    assert plant.memory.readings.following["battery"].gives.proven_w == pytest.approx(800.0, abs=1.0)
    assert -1_400.0 < (plant.setpoints[-1][1].power_w or 0.0) < -800.0


def test_one_that_does_a_share_of_what_it_is_sent_is_not_sent_ever_less() -> None:
    plant = Plant(load_w=lambda _: -SURPLUS, battery_does=lambda w: 0.5 * w, soc=0.5)
    plant.run(200)
    takes = plant.memory.readings.following["battery"].takes
    assert takes.is_share
    assert takes.proven_w == pytest.approx(0.5 * SURPLUS, abs=20.0)
    assert plant.setpoints[-1][1].power_w == pytest.approx(SURPLUS, abs=20.0)


def test_one_that_is_ordered_by_somebody_else_now_and_then_is_given_back() -> None:
    """Three of ten seconds: most of the time it follows."""
    now = [0.0]
    plant = Plant(load_w=lambda _: 500.0, battery_does=lambda w: 2_500.0 if now[0] % 10 < 3 else w, soc=0.5)
    for second in range(120):
        now[0] = float(second)
        plant.run(1)
    assert "not_followed" in codes_of(plant)


WRONG = {
    "goes on with its own": lambda _w: -1_500.0,
    "does the opposite": lambda w: -w,
    "does three times as much": lambda w: 3.0 * w,
    "does nothing": lambda _w: 0.0,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_battery_that_does_not_follow_is_named_and_given_back_within_20_s(name: str) -> None:
    plant = Plant(load_w=lambda _: 500.0, battery_does=WRONG[name], soc=0.5)
    plant.site = replace(SITE, batteries=(BATTERY,))
    plant.run(30)
    released = [at_s for at_s, setpoint in plant.setpoints if setpoint.reason.code == "not_followed"]
    assert released
    assert released[0] <= 27.0  # dead time, ramp and reports before it can be known, then 20 s at most
    assert plant.setpoints[-1][1].mode is Mode.RELEASE


def test_it_is_tried_again_after_a_pause_that_doubles_and_kept_when_it_follows() -> None:
    follows = [False]
    plant = Plant(load_w=lambda _: 500.0, battery_does=lambda w: w if follows[0] else -1_500.0, soc=0.5)
    plant.run(800)
    spans = [at_s for at_s, setpoint in plant.setpoints if setpoint.mode is Mode.CONTROL]
    gaps = [after - before for before, after in pairwise(spans) if after - before > 10.0]
    assert gaps[0] == pytest.approx(300.0, abs=3.0)
    follows[0] = True
    plant.run(700)
    assert plant.setpoints[-1][1].mode is Mode.CONTROL
    assert codes_of(plant, since_s=plant.t - 60.0) <= {"hold_grid_discharge"}


def test_a_battery_that_follows_is_never_said_not_to() -> None:
    plant = Plant(load_w=lambda t: 300.0 + (2_500.0 if t % 70.0 < 25.0 else 0.0) - (3_000.0 if t % 200 < 90 else 0.0))
    plant.run(900)
    assert codes_of(plant) & {"not_followed", "takes_less", "meter_asked"} == set()
    assert plant.memory.readings.following["battery"].takes == Direction()


def test_near_full_it_may_rest_without_a_word() -> None:
    plant = Plant(load_w=lambda _: -SURPLUS, battery_does=lambda _w: 0.0, soc=0.97)
    plant.run(120)
    assert "not_followed" not in codes_of(plant)
