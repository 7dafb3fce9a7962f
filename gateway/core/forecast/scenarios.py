"""Scenarios from similar days: what the building did on past days, moved to where the coming day is expected.

A past day is a candidate by its age and by how alike the hours before it were. Loads follow the local clock, the sun
UTC. The day's energy is then moved by what a regression on the last hours expects of the coming day instead of what it
expected of that day, so that a scenario is the forecast plus one whole error that was really made.
"""

import math
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.forecast.past_days import Series, clock_shift, places_before
from gateway.core.forecast.tomorrow import last_hours, last_sunshine, tomorrow
from gateway.core.forecast.weather import Skill, Weather, blended, skill
from gateway.core.history import History, Scenarios
from gateway.core.levels import Floats
from gateway.core.method import ForecastMethod

LOAD_HOURS = (24.0, 4.0)  # the last hours of a load that are compared
SCALE = (0.2, 3.0)  # a past day's sun is scaled within these


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Mean powers (W, sign rule) of the step that has begun, as far as known; None where not."""

    load_w: float | None = None
    pv_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is expected of a building that has no history yet (W per coming step, sign rule)."""

    load_w: Floats
    pv_w: Floats


DEFAULT = ForecastMethod()
NOTHING_KNOWN = Now()


def draw(
    history: History,
    *,
    steps: int,
    zone: tzinfo = UTC,
    method: ForecastMethod = DEFAULT,
    now: Now = NOTHING_KNOWN,
    prior: Prior | None = None,
    weather: Weather | None = None,
) -> Scenarios:
    """Equally likely futures of `steps` steps from the end of the history on; never with NaN, always the same.

    Without history and without prior: a building that does nothing. A weather feed stands in for as many
    of the suns as it has deserved.
    """
    candidates = _candidates(history, method)
    load = Series.of(history.load_w, history.step_s)
    pv = Series.of(-history.pv_w, history.step_s)
    shift = clock_shift(history.end_s, history.step_s, days=candidates, steps=steps, zone=zone)
    drawn_load = _loads(load, candidates, steps, shift, method, None if prior is None else prior.load_w)
    drawn_pv = _suns(pv, candidates, steps, method, None if prior is None else -prior.pv_w)
    if weather is not None:
        drawn_pv = blended(drawn_pv, weather, _skill(pv, weather, method))
    drawn_load = np.maximum(_corrected(drawn_load, load, now.load_w, method), method.load_floor_w)
    if now.load_w is not None:
        drawn_load[:, 0] = now.load_w
    if now.pv_w is not None:
        drawn_pv[:, 0] = -now.pv_w
    return Scenarios(start_s=history.end_s, step_s=history.step_s, load_w=drawn_load, pv_w=-drawn_pv)


def _candidates(history: History, method: ForecastMethod) -> int:
    """How many days back anything is known, one at least."""
    days = -(-len(history.load_w) * history.step_s // 86400.0)
    return int(min(max(days, 1), method.similar_days))


def _loads(
    series: Series,
    candidates: int,
    steps: int,
    shift: NDArray[np.intp] | None,
    method: ForecastMethod,
    prior_w: Floats | None,
) -> Floats:
    """Loads of the drawn days (scenarios x steps), each moved along the daily profile to the expected energy."""
    before = last_hours(series, LOAD_HOURS, method.days)
    weights = day_weights(before[: candidates + 1], method.load_memory_days, method.similarity)
    places = places_before(len(series.values), day=series.day, days=candidates, steps=steps, shift=shift)
    drawn = systematic(weights, method.scenarios)
    paths = filled(series.at(places), weights, prior_w)[drawn]
    moves, _ = _moves(series, before, method)
    profile = paths.mean(axis=0)
    share = profile / max(float(profile.mean()), 1e-9)
    return np.asarray(paths + moves[drawn + 1, None] * share)


def _suns(series: Series, candidates: int, steps: int, method: ForecastMethod, prior_w: Floats | None) -> Floats:
    """PV of the drawn days (positive), each scaled to the expected energy, never above the best of these days."""
    before = last_sunshine(series, method.days)
    weights = day_weights(before[: candidates + 1], method.pv_memory_days, method.similarity)
    places = places_before(len(series.values), day=series.day, days=candidates, steps=steps)
    days = filled(series.at(places), weights, prior_w)
    drawn = systematic(weights, method.scenarios)[pairing(method.scenarios)]
    moves, real = _moves(series, before, method)
    energy = np.nan_to_num(real[drawn + 1])
    moved = energy + moves[drawn + 1]
    scale = np.clip(np.divide(moved, energy, out=np.ones_like(moved), where=energy > 1e-3), *SCALE)
    return np.asarray(np.minimum(days[drawn] * scale[:, None], np.maximum(days[drawn], days.max(axis=0))))


def _moves(series: Series, before: Floats, method: ForecastMethod) -> tuple[Floats, Floats]:
    """Mean power by which the day of each age is moved (W; 0 where nothing is expected), and its real one."""
    expected, real = tomorrow(
        series, before, memory_days=method.regression_memory_days, prior_days=method.regression_prior_days
    )
    return np.nan_to_num(expected[0] - expected), real


def _skill(series: Series, weather: Weather, method: ForecastMethod) -> Skill:
    own, real = tomorrow(
        series,
        last_sunshine(series, method.days),
        memory_days=method.regression_memory_days,
        prior_days=method.regression_prior_days,
    )
    return skill(series, -weather.past_w, own, real)


def _corrected(paths: Floats, series: Series, now_w: float | None, method: ForecastMethod) -> Floats:
    """Loads that begin where the load is now; the difference halves with every half-life."""
    if now_w is None:
        return paths
    fading = 0.5 ** (np.arange(paths.shape[1]) * series.step_s / 3600.0 / method.correction_half_life_h)
    return np.asarray(paths + (now_w - paths[:, :1]) * fading)


def day_weights(before: Floats, memory_days: float, similarity: float) -> Floats:
    """Weights of the days of age 1, 2 …: exp(-age/memory), and exp(-similarity * difference/RMS) for each column.

    `before` (days + 1 x columns): what went before now (row 0) and before each of the days. A day of which this is not
    known counts as one that differs as the others do on average.
    """
    weights = np.exp(-np.arange(1, len(before)) / memory_days)
    for column in before.T:
        difference = np.abs(column[1:] - column[0])
        known = np.isfinite(difference)
        if known.any() and (rms := float(np.sqrt(np.mean(difference[known] ** 2)))) > 0.0:
            difference[~known] = difference[known].mean()
            weights = weights * np.exp(-similarity * difference / rms)
    return np.asarray(weights / weights.sum())


def filled(days: Floats, weights: Floats, prior_w: Floats | None) -> Floats:
    """The days with each missing step as the others have it on average; where none has it, the prior or 0."""
    known = np.isfinite(days)
    weighted = np.where(known, weights[:, None], 0.0)
    total = weighted.sum(axis=0)
    mean = (weighted * np.where(known, days, 0.0)).sum(axis=0) / np.where(total > 0.0, total, 1.0)
    mean = np.where(total > 0.0, mean, 0.0 if prior_w is None else prior_w)
    return np.asarray(np.where(known, days, mean))


def systematic(weights: Floats, count: int) -> NDArray[np.intp]:
    """`count` places drawn without chance: the systematic sample of the weights."""
    marks = (np.arange(count) + 0.5) / count
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), marks), len(weights) - 1))


def pairing(count: int) -> NDArray[np.intp]:
    """A fixed order that pairs all parts of one sorted sample with all of another: steps of the golden section."""
    stride = next(step for step in range(max(1, round(count * 0.618)), 2 * count) if math.gcd(step, count) == 1)
    return np.arange(count, dtype=np.intp) * stride % count
