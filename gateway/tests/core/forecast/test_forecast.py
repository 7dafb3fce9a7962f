import math
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.forecast.expected_day import expected_days, widened
from gateway.core.forecast.method import ForecastMethod
from gateway.core.forecast.past_days import PastSeries
from gateway.core.forecast.prior import Prior
from gateway.core.forecast.pv_feed import PvForecast
from gateway.core.forecast.scenarios import Now, draw, drawn_pairs, systematic
from gateway.core.forecast.similar_days import CandidateDays, weekdays_favoured
from gateway.core.model.history import History

PARIS = ZoneInfo("Europe/Paris")
METHOD = ForecastMethod()


def paris(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def living(end: str, days: int, step_s: float = 1800.0) -> History:
    """People who cook at 19 h on their clock, and a sun that stands in the south at 12 h UTC."""
    end_s = paris(end)
    start_s = end_s - days * 86400.0
    starts = np.arange(start_s, end_s, step_s)
    clocks = [datetime.fromtimestamp(start, PARIS) for start in starts.tolist()]
    load = np.array([2000.0 if clock.hour == 19 else 200.0 for clock in clocks])
    hour_utc = starts % 86400.0 / 3600.0
    pv = -3000.0 * np.clip(np.cos((hour_utc - 11.75) / 12.0 * np.pi), 0.0, None)
    return History(start_s=start_s, step_s=step_s, load_w=load, pv_w=pv)


@pytest.mark.parametrize("end", ["2024-03-31T12:00", "2024-10-27T12:00", "2024-04-03T12:00", "2024-06-21T12:00"])
def test_loads_follow_the_clock_of_people_and_pv_the_sun_over_a_change_of_hour(end: str) -> None:
    future = draw(living(end, 21), steps=24, zone=PARIS)
    dinner = int((paris(end[:10] + "T19:00") - paris(end)) / 1800.0)
    mean_w = future.load_w.mean(axis=0)
    assert mean_w[dinner : dinner + 2] == pytest.approx([2000.0, 2000.0])
    assert np.delete(mean_w, [dinner, dinner + 1]) == pytest.approx(200.0)
    hours_utc = (future.start_s + np.arange(24) * 1800.0) % 86400.0 / 3600.0
    assert future.pv_w.mean(axis=0) == pytest.approx(
        -3000.0 * np.clip(np.cos((hours_utc - 11.75) / 12.0 * np.pi), 0, None)
    )


@settings(max_examples=40)
@given(
    length=st.integers(0, 400),
    seed=st.integers(0, 1000),
    lost=st.floats(0.0, 1.0),
    step_s=st.sampled_from([900.0, 1800.0, 3600.0]),
)
def test_any_history_gives_finite_scenarios(length: int, seed: int, lost: float, step_s: float) -> None:
    rng = np.random.default_rng(seed)
    load, pv = rng.uniform(0, 3000, length), -rng.uniform(0, 3000, length)
    load[rng.random(length) < lost] = math.nan
    pv[rng.random(length) < lost] = math.nan
    history = History(start_s=1.7e9, step_s=step_s, load_w=load, pv_w=pv)
    future = draw(history, steps=30, zone=PARIS, now=Now(load_w=500.0))
    assert future.load_w.shape == future.pv_w.shape == (METHOD.scenarios, 30)
    assert np.isfinite(future.net_w).all()
    assert future.load_w.min() >= 0.0
    assert future.pv_w.max() <= 0.0
    assert future.start_s == history.end_s


def test_a_building_without_history_has_what_is_expected_of_it() -> None:
    history = History(start_s=0.0, step_s=1800.0, load_w=np.empty(0), pv_w=np.empty(0))
    prior = Prior(load_w=np.linspace(100, 570, 48), pv_w=-np.linspace(0, 47, 48))
    future = draw(history, steps=48, prior=prior)
    assert future.load_w.mean(axis=0) == pytest.approx(prior.load_w)
    assert future.pv_w.mean(axis=0) == pytest.approx(prior.pv_w)


def test_the_same_history_gives_the_same_bytes() -> None:
    first, second = (draw(living("2024-06-21T12:00", 10), steps=48, zone=PARIS) for _ in range(2))
    assert first.net_w.tobytes() == second.net_w.tobytes()


def test_scenarios_begin_with_what_is_known_and_come_back_to_the_usual() -> None:
    future = draw(living("2024-06-21T12:00", 10), steps=12, zone=PARIS, now=Now(load_w=1200.0, pv_w=-50.0))
    # 1000 W above the usual 200 W, halved each half-hour
    assert future.load_w[0, :4] == pytest.approx([1200.0, 700.0, 450.0, 325.0])
    assert set(future.pv_w[:, 0]) == {-50.0}


def test_missing_steps_of_a_day_are_as_on_the_other_days() -> None:
    history = living("2024-06-21T12:00", 14)
    load = history.load_w.copy()
    load[-30:-10] = math.nan
    holed = History(start_s=history.start_s, step_s=history.step_s, load_w=load, pv_w=history.pv_w)
    whole = draw(history, steps=48, zone=PARIS)
    assert draw(holed, steps=48, zone=PARIS).load_w.mean(axis=0) == pytest.approx(whole.load_w.mean(axis=0), rel=0.02)


def test_a_relation_between_today_and_tomorrow_is_learnt() -> None:
    """Energies that swing back and forth: after a high day a low one is expected."""
    days = np.where(np.arange(40) % 2 == 0, 100.0, 300.0)
    series = PastSeries.of(np.repeat(days, 48), 1800.0)
    before, real = series.last_hours((24.0,), 30), series.day_means(30)
    expected = expected_days(real, before, ForecastMethod(regression_memory_days=28.0, regression_prior_days=1.0))
    assert expected[0] == pytest.approx(100.0, abs=15.0)  # the last day had 300 W
    assert real[1] == 300.0
    assert math.isnan(real[0])


def test_without_a_relation_the_mean_is_expected() -> None:
    series = PastSeries.of(np.full(20 * 48, 250.0), 1800.0)
    before, real = series.last_hours((24.0, 4.0), 30), series.day_means(30)
    expected = expected_days(real, before, ForecastMethod(regression_memory_days=28.0, regression_prior_days=5.0))
    assert expected[0] == pytest.approx(250.0)


def test_systematic_sampling_draws_each_day_as_often_as_it_weighs() -> None:
    drawn = systematic(np.array([0.5, 0.25, 0.125, 0.125]), 24)
    assert np.bincount(drawn).tolist() == [12, 6, 3, 3]


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), count=st.sampled_from([1, 3, 24, 48]))
def test_drawn_pairs_hit_the_quantiles_of_the_net_energy_of_all_pairs(seed: int, count: int) -> None:
    """Beside the plain definition: pair number k is the one at the share (k + 1/2) / count of the sorted weights."""
    rng = np.random.default_rng(seed)
    loads = CandidateDays(rng.uniform(100.0, 900.0, (9, 4)), rng.dirichlet(np.ones(9)))
    pvs = CandidateDays(rng.uniform(0.0, 900.0, (7, 4)), rng.dirichlet(np.ones(7)))
    pairs = sorted(
        (float(load.sum() - sun.sum()), float(often * seldom))
        for load, often in zip(loads.paths_w, loads.weights, strict=True)
        for sun, seldom in zip(pvs.paths_w, pvs.weights, strict=True)
    )
    shares = np.cumsum([weight for _, weight in pairs])
    wanted = [pairs[int(np.argmax(shares >= (k + 0.5) / count))][0] for k in range(count)]
    load_day, pv_day = drawn_pairs(loads, pvs, count)
    drawn = (loads.paths_w[load_day] - pvs.paths_w[pv_day]).sum(axis=1)
    assert drawn == pytest.approx(wanted)


def test_days_of_the_same_weekday_count_more() -> None:
    favoured = weekdays_favoured(np.full(14, 1.0 / 14.0), 3.0)
    shares = np.ones(14)
    shares[[6, 13]] = 3.0  # 7 and 14 days ago; 12 + 2 * 3 = 18 in all
    assert favoured == pytest.approx(shares / 18.0)


def test_a_wash_day_is_expected_once_a_week() -> None:
    """Every Saturday 1,000 W more: on the eve of one, more scenarios hold it than one in seven."""
    load = np.repeat(np.where(np.arange(42) % 7 == 6, 1300.0, 300.0), 48)
    week = History(start_s=0.0, step_s=1800.0, load_w=load[: 41 * 48], pv_w=np.zeros(41 * 48))
    eve, other = draw(week, steps=48), draw(replace(week, load_w=load[: 38 * 48], pv_w=np.zeros(38 * 48)), steps=48)
    high = [float((future.load_w.mean(axis=1) > 800.0).mean()) for future in (eve, other)]
    assert high[0] > 1.5 / 7.0
    assert high[1] < 1.0 / 7.0


def test_at_night_the_sunshine_of_the_afternoon_still_counts() -> None:
    """Days of sun, the last one dark in the morning or in the afternoon: seen from midnight the afternoon says more."""
    hour = np.arange(48) / 2
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None)
    usual = np.tile(sun, 20)
    mean = PastSeries.of(np.append(usual, sun), 1800.0).last_sunshine(1)[0, 0]
    dark_morning = PastSeries.of(np.append(usual, sun * (hour >= 12)), 1800.0).last_sunshine(1)[0, 0]
    dark_afternoon = PastSeries.of(np.append(usual, sun * (hour < 12)), 1800.0).last_sunshine(1)[0, 0]
    assert 0.0 < dark_afternoon < 0.5 * dark_morning < dark_morning < mean


def test_a_dull_morning_says_much_of_the_rest_of_the_day_and_little_of_tomorrow() -> None:
    """Each day has its own clearness, drawn anew; at noon of a dull one."""
    hour = np.arange(48) / 2
    clearness = np.random.default_rng(3).uniform(0.2, 1.0, 41)
    clearness[40] = 0.25
    pv = -(clearness[:, None] * np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * 3000.0).ravel()[: 40 * 48 + 24]
    future = draw(History(start_s=0.0, step_s=1800.0, load_w=np.full(len(pv), 300.0), pv_w=pv), steps=48)
    usual = pv[: 40 * 48].reshape(40, 48).mean(axis=0)
    afternoon, morning = future.pv_w[:, :12].sum() / 24, future.pv_w[:, 36:].sum() / 24
    assert afternoon < 0.0
    assert afternoon / usual[24:36].sum() < 0.65  # 0.25 of the clear sky is 0.42 of the usual
    assert morning / usual[12:24].sum() > 0.75


@pytest.mark.parametrize(("now", "steps"), [(0, 36), (24, 12), (35, 1), (40, 44)])
def test_the_evening_is_where_the_usual_sun_ends(now: int, steps: int) -> None:
    day = np.zeros(48)
    day[12:36] = 1000.0  # 6 to 18 h
    assert PastSeries.of(np.append(np.tile(day, 10), day[:now]), 1800.0).steps_to_sunset() == steps


def test_a_coming_value_is_as_far_from_the_mean_as_the_widened_ones() -> None:
    """Drawn anew 4,000 times from one bell: the next draw beside eight before it."""
    draws = np.random.default_rng(5).normal(10.0, 2.0, (4000, 9))
    weights = np.full(8, 1.0 / 8.0)
    spread = [float(((widened(row[:8], weights) - row[:8].mean()) ** 2).mean()) for row in draws]
    missed = (draws[:, 8] - draws[:, :8].mean(axis=1)) ** 2
    assert np.mean(spread) == pytest.approx(missed.mean(), rel=0.06)


def test_a_single_day_is_not_widened() -> None:
    assert widened(np.array([7.0]), np.array([1.0])).tolist() == [7.0]


def _feed(said: np.ndarray, coming: float) -> PvForecast:
    return PvForecast(members_w=np.full((5, 48), -coming), past_w=said)


def test_a_weather_feed_has_as_much_say_as_it_has_deserved() -> None:
    rng = np.random.default_rng(2)
    energies = rng.uniform(100.0, 1000.0, 30)
    pv = -np.repeat(energies, 48)
    history = History(start_s=0.0, step_s=1800.0, load_w=np.full(len(pv), 300.0), pv_w=pv)

    def taken(said: np.ndarray) -> int:
        future = draw(history, steps=48, pv_forecast=_feed(said, 4321.0))
        return int((future.pv_w[:, 5] < -2000.0).sum())

    assert taken(np.full(len(pv), math.nan)) == 0  # never said anything
    assert taken(pv) == METHOD.scenarios  # always right
    assert taken(0.8 * pv) == METHOD.scenarios  # a known bias is taken away
    assert 0 < taken(-np.repeat(1100.0 - energies, 48)) < METHOD.scenarios / 3  # rain for sun: worse than ourselves
