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

from gateway.core.forecast.outdoor import Outdoor, heating_degrees, tells
from gateway.core.forecast.past_days import Series, clock_shift, places_before
from gateway.core.forecast.season import in_season
from gateway.core.forecast.tomorrow import evening, last_hours, last_sunshine, tomorrow
from gateway.core.forecast.weather import PvForecast, Skill, blended, skill
from gateway.core.model.history import History, Scenarios
from gateway.core.model.levels import Floats
from gateway.core.planning.method import ForecastMethod

LOAD_HOURS = (24.0,)  # the last hours of a load that are compared
WEEK = 7
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
    weather: PvForecast | None = None,
    outdoor: Outdoor | None = None,
) -> Scenarios:
    """Equally likely futures of `steps` steps from the end of the history on; never with NaN, always the same.

    Without history and without prior: a building that does nothing. A weather feed stands in for as many
    of the suns as it has deserved; with temperatures, loads of days as cold as the coming one count more.
    """
    candidates = _candidates(history, method)
    load = Series.of(history.load_w, history.step_s)
    pv = Series.of(-in_season(history), history.step_s)
    shift = clock_shift(history.end_s, history.step_s, days=candidates, steps=steps, zone=zone)
    before = _before(load, outdoor, method)
    loads = _loads(load, before, candidates, steps, shift, method, None if prior is None else prior.load_w)
    suns = _suns(pv, candidates, steps, method, None if prior is None else -prior.pv_w)
    if weather is not None:
        suns = Days(
            *blended(
                suns.paths_w, suns.weights, weather, _skill(Series.of(-history.pv_w, history.step_s), weather, method)
            )
        )
    load_day, pv_day = drawn_pairs(loads, suns, method.scenarios)
    drawn_load, drawn_pv = loads.paths_w[load_day], suns.paths_w[pv_day]
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


@dataclass(frozen=True, slots=True)
class Days:
    """Candidates: paths (days x steps, positive W) and their weights, which sum to 1."""

    paths_w: Floats
    weights: Floats


def _before(series: Series, outdoor: Outdoor | None, method: ForecastMethod) -> Floats:
    """What a day's load is told by, for now and for the beginnings of `days` days before (days + 1 x columns)."""
    hours = last_hours(series, LOAD_HOURS, method.days)
    degrees = None if outdoor is None else heating_degrees(outdoor, series.step_s, method.days)
    if degrees is None or not tells(degrees, series):
        return hours
    return np.concatenate([hours, degrees], axis=1)


def _loads(
    series: Series,
    before: Floats,
    candidates: int,
    steps: int,
    shift: NDArray[np.intp] | None,
    method: ForecastMethod,
    prior_w: Floats | None,
) -> Days:
    """Loads of the candidates, each moved along the daily profile to the expected energy."""
    weights = day_weights(before[: candidates + 1], method.load_memory_days, method.load_similarity)
    weights = weekdays_favoured(weights, method.same_weekday)
    places = places_before(len(series.values), day=series.day, days=candidates, steps=steps, shift=shift)
    paths = filled(series.at(places), weights, prior_w)
    moves, _ = _moves(series, before, method)
    profile = weights @ paths
    share = profile / max(float(profile.mean()), 1e-9)
    paths = paths + moves[1 : candidates + 1, None] * share
    energy = paths.mean(axis=1)
    return Days(np.asarray(paths + (widened(energy, weights) - energy)[:, None] * share), weights)


def _suns(series: Series, candidates: int, steps: int, method: ForecastMethod, prior_w: Floats | None) -> Days:
    """PV of the candidates, each scaled to the expected energy, never above the best of these days.

    What is left of today's sun has its own expectation: it is far surer than tomorrow's.
    """
    before = last_sunshine(series, method.days)
    weights = day_weights(before[: candidates + 1], method.pv_memory_days, method.pv_similarity)
    places = places_before(len(series.values), day=series.day, days=candidates, steps=steps)
    days = filled(series.at(places), weights, prior_w)
    scale = np.ones(days.shape)
    over = evening(series)
    for part in (slice(0, over), slice(over, series.day)):
        if part.start < part.stop:
            moves, real = _moves(series, before, method, part)
            scale[:, part.start :] = _factors(real[1 : candidates + 1], moves[1 : candidates + 1], weights)[:, None]
    return Days(np.minimum(days * scale, np.maximum(days, days.max(axis=0))), weights)


def _factors(real: Floats, moves: Floats, weights: Floats) -> Floats:
    """By how much each candidate's sun is scaled: moved, then widened; 1 where its energy is not known or nothing."""
    lit = np.isfinite(real) & (real > 1e-3)
    factors = np.ones(len(real))
    if lit.any():
        known = weights[lit] / weights[lit].sum()
        factors[lit] = widened(real[lit] + moves[lit], known) / real[lit]
    return np.clip(factors, *SCALE)


def _moves(series: Series, before: Floats, method: ForecastMethod, span: slice | None = None) -> tuple[Floats, Floats]:
    """Mean power by which the day of each age is moved (W; 0 where nothing is expected), and its real one."""
    expected, real = tomorrow(
        series, before, memory_days=method.regression_memory_days, prior_days=method.regression_prior_days, span=span
    )
    return np.nan_to_num(expected[0] - expected), real


def widened(energies: Floats, weights: Floats) -> Floats:
    """Energies as far from their mean as a coming one is to be expected from it.

    n equally weighing days show (n - 1)/n of the variance, and their mean is itself off by 1/n of it: (n + 1)/(n - 1).
    """
    days = 1.0 / float(weights @ weights)
    mean = float(weights @ energies)
    factor = math.sqrt((days + 1.0) / max(days - 1.0, 1.0))
    return np.asarray(mean + factor * (energies - mean))


def _skill(series: Series, weather: PvForecast, method: ForecastMethod) -> Skill:
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


def weekdays_favoured(weights: Floats, factor: float) -> Floats:
    """The weights of the days of age 1, 2 …, those of today's weekday counted `factor` times."""
    ages = np.arange(1, len(weights) + 1)
    favoured = np.where(ages % WEEK == 0, factor, 1.0) * weights
    return np.asarray(favoured / favoured.sum())


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


def drawn_pairs(loads: Days, suns: Days, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """`count` pairs of a load and a sun: the systematic sample of all pairs along the energy of their net load.

    A storage is charged for the net load, so few scenarios must hit the quantiles of its energy before all else.
    """
    net = loads.paths_w.sum(axis=1)[:, None] - suns.paths_w.sum(axis=1)[None, :]
    order = np.argsort(net, axis=None, kind="stable")
    weights = (loads.weights[:, None] * suns.weights[None, :]).ravel()[order]
    load_day, pv_day = np.divmod(order[systematic(weights, count)], len(suns.weights))
    return np.asarray(load_day), np.asarray(pv_day)
