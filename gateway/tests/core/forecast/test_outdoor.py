"""Loads that go with the cold are foreseen by the temperature; all others are foreseen as ever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.forecast.outdoor import OutdoorTemperatures, day_degrees
from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History

DAY, DAYS = 96, 28
NOON = 1_735_732_800.0  # 2025-01-01 12:00 UTC


def winter(heating_w_per_k: float, ahead_c: float, seed: int = 3) -> tuple[History, OutdoorTemperatures]:
    """Four weeks of days between 0 and 14 °C in no order, then one of `ahead_c`; 300 W beside the heating."""
    rng = np.random.default_rng(seed)
    temp_c = np.repeat(rng.uniform(0.0, 14.0, DAYS), DAY)
    load_w = 300.0 + rng.uniform(-150.0, 150.0, DAYS).repeat(DAY) + heating_w_per_k * (18.0 - temp_c)
    history = History(start_s=NOON, step_s=900.0, load_w=load_w, pv_w=np.zeros(DAYS * DAY))
    return history, OutdoorTemperatures(past_c=temp_c, ahead_c=np.full(DAY, ahead_c))


@pytest.mark.parametrize(("ahead_c", "expected_w"), [(1.0, 300 + 100 * 17), (13.0, 300 + 100 * 5)])
def test_a_building_that_is_heated_by_electricity_is_foreseen_by_the_cold(ahead_c: float, expected_w: float) -> None:
    history, outdoor = winter(100.0, ahead_c)
    blind, seeing = (float(draw(history, steps=DAY, outdoor=each).load_w.mean()) for each in (None, outdoor))
    assert abs(seeing - expected_w) < 200.0
    assert abs(seeing - expected_w) < 0.5 * abs(blind - expected_w)


def test_a_building_that_is_not_is_foreseen_as_ever() -> None:
    history, outdoor = winter(0.0, 1.0)
    blind, seeing = (draw(history, steps=DAY, outdoor=each).load_w for each in (None, outdoor))
    assert np.array_equal(blind, seeing)


def test_warmth_above_the_base_of_degree_days_is_all_the_same() -> None:
    past_c = np.repeat([10.0, 25.0, 30.0], DAY)
    degrees = day_degrees(OutdoorTemperatures(past_c=past_c, ahead_c=np.full(DAY, 4.0)), 900.0, 4)
    assert degrees[:, 0] == pytest.approx([14.0, 0.0, 0.0, 8.0, np.nan], nan_ok=True)


@settings(max_examples=40)
@given(
    length=st.integers(0, 40 * DAY),
    seed=st.integers(0, 1000),
    lost=st.floats(0.0, 1.0),
    ahead=st.sampled_from(["known", "partly", "none", "short"]),
)
def test_any_temperatures_give_finite_scenarios(length: int, seed: int, lost: float, ahead: str) -> None:
    rng = np.random.default_rng(seed)
    past_c, load_w = rng.uniform(-20.0, 40.0, length), rng.uniform(0.0, 3000.0, length)
    past_c[rng.random(length) < lost] = np.nan
    load_w[rng.random(length) < lost] = np.nan
    ahead_c = rng.uniform(-20.0, 40.0, 10 if ahead == "short" else DAY)
    ahead_c[{"known": 0, "short": 0, "partly": 30, "none": DAY}[ahead] * -1 or DAY :] = np.nan
    history = History(start_s=0.0, step_s=900.0, load_w=load_w, pv_w=np.zeros(length))
    made = draw(history, steps=DAY, outdoor=OutdoorTemperatures(past_c=past_c, ahead_c=ahead_c))
    assert np.isfinite(made.load_w).all()
    assert made.load_w.min() >= 0.0
