"""Costs by day, and how far the mean of some days can be trusted."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gateway.study.benches.homes import solarhome
from gateway.study.replay.slots import cost_eur, replay, rule
from gateway.study.replay.spread import daily_eur, interval


def test_the_days_add_up_to_the_whole_but_for_what_is_left_in_the_battery(solarhome_file: Path) -> None:
    case = solarhome(solarhome_file, start=date(2011, 11, 20), days=5)
    powers = replay(case, rule(case))
    left_kwh = powers.sum() * case.hours / 1000.0  # no losses here
    daily = daily_eur(case, powers)
    assert len(daily) == 5
    assert daily.sum() == pytest.approx(cost_eur(case, powers) - 0.10 * left_kwh)


def test_equal_days_leave_no_doubt() -> None:
    assert interval(np.full(30, 0.5)) == pytest.approx((0.5, 0.5))


def test_the_interval_of_independent_days_is_that_of_the_textbook() -> None:
    """400 normal days: 90 % of the means lie within 1.645 deviations of their mean, sigma / sqrt(400) = 0.05."""
    daily = np.random.default_rng(7).normal(2.0, 1.0, 400)
    low, high = interval(daily)
    assert (high - low) / 2.0 == pytest.approx(1.645 * 0.05, rel=0.2)
    assert (high + low) / 2.0 == pytest.approx(daily.mean(), abs=0.01)


def test_days_that_come_in_spells_leave_more_doubt() -> None:
    spells = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0], 3)
    mixed = np.tile([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 5)
    assert np.diff(interval(spells))[0] > 1.5 * np.diff(interval(mixed))[0]
