import numpy as np
import pytest

from gateway.study.benches.citylearn.least_squares import LeastSquares
from gateway.study.benches.citylearn.regression import Regression, added, scaled

DAYS = 12


def periodic(step_s: float) -> np.ndarray:
    """A load of 400 W and a kitchen, PV like a bell from 6 to 18 h; shape (days, steps in a day)."""
    hour = (np.arange(round(86400 / step_s)) + 0.5) * step_s / 3600
    load = 400 + 900 * np.exp(-((hour - 19) ** 2))
    pv = np.maximum(3000 * np.sin((hour - 6) / 12 * np.pi), 0)
    return np.stack([load, pv])


def learnt(series: np.ndarray, step_s: float, regressors=added) -> Regression:
    forecaster = Regression(len(series), step_s=step_s, leads=24, days=5, regressors=regressors)
    for values in series.T:
        forecaster.learn(values)
    return forecaster


@pytest.mark.parametrize("step_s", [900.0, 1800.0, 3600.0])
@pytest.mark.parametrize("regressors", [added, scaled])
def test_what_repeats_every_day_is_foreseen_exactly(step_s: float, regressors) -> None:
    day = periodic(step_s)
    forecaster = learnt(np.tile(day, DAYS), step_s, regressors)
    assert forecaster.forecast() == pytest.approx(day[:, :24], abs=1e-6)
    assert forecaster.paths(5) == pytest.approx(np.repeat(day[:, None, :24], 5, axis=1), abs=1e-6)


def test_a_history_with_holes_gives_finite_scenarios_as_good_as_what_was_left() -> None:
    day = periodic(3600.0)
    series = np.tile(day, DAYS)
    series[:, 30:45] = series[0, 100:160] = series[1, 250:] = np.nan
    forecaster = learnt(series, 3600.0)
    assert forecaster.forecast() == pytest.approx(day[:, :24], abs=1.0)
    assert np.isfinite(forecaster.paths(5)).all()


def test_nothing_known_is_nothing_expected() -> None:
    forecaster = Regression(2, step_s=3600.0, leads=24, days=5, regressors=added)
    assert forecaster.forecast().tolist() == np.zeros((2, 24)).tolist()
    assert forecaster.paths(5).shape == (2, 1, 24)


def test_scenarios_are_the_forecast_and_its_whole_past_errors() -> None:
    random = np.random.default_rng(7)
    series = np.abs(np.tile(periodic(3600.0), DAYS) + random.normal(0, 100, (2, 24 * DAYS)))
    cut = learnt(series[:, : 24 * (DAYS - 3)], 3600.0).forecast()  # what was expected three days ago
    error = series[:, 24 * (DAYS - 3) :][:, :24] - cut
    forecaster = learnt(series, 3600.0)
    assert forecaster.paths(5)[:, 2] == pytest.approx(np.maximum(forecaster.forecast() + error, 0))


def test_a_clouded_morning_lowers_the_afternoon() -> None:
    day = periodic(3600.0)[1:]
    random = np.random.default_rng(3)
    clouds = np.concatenate([random.uniform(0.3, 1.0, 60), [0.4]])
    series = np.concatenate([day * share for share in clouds], axis=1)
    forecast = learnt(series[:, : 60 * 24 + 12], 3600.0, scaled).forecast()[0]
    assert forecast[:4] == pytest.approx(0.4 * day[0, 12:16], rel=0.15)
    assert forecast[8:16] == pytest.approx(np.zeros(8), abs=1.0)  # the night stays dark


def test_least_squares_finds_the_line_and_stays_still_without_observations() -> None:
    random = np.random.default_rng(1)
    fit = LeastSquares(np.zeros((1, 2)), variance=100.0, forgetting=0.999)
    for features in random.normal(size=(200, 1, 2)):
        fit.learn(features, features @ np.array([2.0, -3.0]))
    for _ in range(10_000):
        fit.learn(np.ones((1, 2)), np.array([np.nan]))
        fit.learn(np.zeros((1, 2)), np.array([5.0]))
    assert fit.predict(np.array([[1.0, 1.0]])) == pytest.approx(-1.0, abs=1e-3)


def test_scenarios_that_reach_two_days_take_errors_that_are_whole() -> None:
    day = periodic(3600.0)
    forecaster = Regression(2, step_s=3600.0, leads=48, days=6, regressors=added)
    for values in np.tile(day, DAYS).T:
        forecaster.learn(values)
    assert forecaster.paths(5) == pytest.approx(np.repeat(np.tile(day, 2)[:, None], 5, axis=1), abs=1e-6)
