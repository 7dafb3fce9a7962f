"""A converter runs only when that brings more than it loses."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control.least_power import least_w, pays_off
from gateway.tests.core.plant import BATTERY, Plant

from .test_level_rule import slot

LOSSY = replace(BATTERY, loss_constant_w=40.0, loss_linear=0.02, loss_quadratic_per_w=5e-6)


def benefit_eur(power_w: float, ratio: float) -> float:
    """Per kWh of the buying price: what a discharge saves less what it takes out of the store."""
    return power_w - ratio * (power_w + LOSSY.loss_w(power_w))


@given(ratio=st.floats(0.3, 0.89))
def test_the_least_power_is_where_saving_and_loss_are_equal(ratio) -> None:
    plan = slot(value=0.2 * ratio)  # the buying price is 0.2
    least = least_w(LOSSY, plan, charging=False)
    if benefit_eur(1000.0, ratio) > 0:
        assert benefit_eur(1.01 * least, ratio) > 0 > benefit_eur(0.99 * least, ratio)


def test_without_a_plan_any_net_benefit_will_do() -> None:
    assert least_w(LOSSY, None, charging=True) == pytest.approx(40.0 / 0.98, rel=0.01)
    assert least_w(BATTERY, None, charging=True) == 0.0


def test_a_running_converter_goes_on_where_a_resting_one_does_not_start() -> None:
    least = least_w(LOSSY, None, charging=False)
    assert pays_off(-1.2 * least, LOSSY, None, was_running=True)
    assert not pays_off(-1.2 * least, LOSSY, None, was_running=False)


def test_sixty_watts_are_left_to_the_grid_and_it_says_why() -> None:
    battery = replace(LOSSY, loss_constant_w=70.0)
    plant = Plant(load_w=lambda _: 60.0)
    plant.site = replace(plant.site, batteries=(battery,))
    plant.run(20)
    setpoint = plant.setpoints[-1][1]
    assert (setpoint.power_w, setpoint.reason.code) == (0.0, "too_little")
