"""The coming day's energy from the last hours: a small ridge regression on the days gone by."""

import numpy as np

from gateway.core.forecast.past_days import Series
from gateway.core.model.levels import Floats

FEWEST_DAYS = 3
FARTHEST = 3.0  # standard deviations: what was never seen is not extrapolated
FADING_DAYS = 0.1  # of sunshine: how fast what the sun did loses its say
PROFILE_DAYS = 28
LIT = 0.01  # share of the usual day's highest power above which it is day


def tomorrow(
    series: Series, regressors: Floats, *, memory_days: float, prior_days: float, span: slice | None = None
) -> tuple[Floats, Floats]:
    """Expected and real mean power of the day that began 0, 1 … days ago; the real one of day 0 is NaN.

    `regressors` (days x columns): what was known at each of these beginnings, NaN where it was not. `span`: the steps
    of that day that are meant, if not all.
    """
    begin, end, _ = (span or slice(None)).indices(series.day)
    ages = np.arange(len(regressors), dtype=np.intp)
    hours = (end - begin) * series.step_s / 3600.0
    real = series.means(len(series.values) - ages * series.day + end, hours)
    real[0] = np.nan
    known = np.isfinite(real)
    if known.sum() < FEWEST_DAYS:
        return np.full(len(ages), real[known].mean() if known.any() else np.nan), real
    weights = np.where(known, np.exp(-ages / memory_days), 0.0)
    weights /= weights.sum()
    mean = float(weights @ np.where(known, real, 0.0))
    columns = standardised(regressors, weights)
    spread = (columns * weights[:, None]).T
    prior = prior_days * float(weights @ weights) * np.eye(columns.shape[1])
    slopes = np.linalg.solve(spread @ columns + prior, spread @ np.where(known, real - mean, 0.0))
    return np.asarray(mean + columns @ slopes), real


def last_hours(series: Series, hours: tuple[float, ...], days: int) -> Floats:
    """Mean powers of the last `hours` before now and before the same time on `days` days (days + 1 x spans)."""
    places = len(series.values) - np.arange(days + 1, dtype=np.intp) * series.day
    return np.stack([series.means(places, span) for span in hours], axis=1)


def last_sunshine(series: Series, days: int) -> Floats:
    """The latest sunshine before now and before the same time on `days` days (days + 1 x 1), the nearest counting most.

    Weights fall with the sunshine that usually lies between, not with time: at night the afternoon still counts.
    """
    day = series.day
    back = np.arange(1, 2 * day + 1, dtype=np.intp)
    usual = _usual_day(series)
    between = np.cumsum(usual[-back % day])
    between = (between - usual[-back % day] / 2.0) / max(float(usual.sum()), 1e-9)
    weights = np.exp(-between / FADING_DAYS)
    beginnings = len(series.values) - np.arange(days + 1, dtype=np.intp)[:, None] * day
    seen = series.at(beginnings - back[None, :])
    known = np.isfinite(seen)
    usual_seen = (known * weights * usual[-back % day]).sum(axis=1)
    of_all = usual_seen / max(float(weights @ usual[-back % day]), 1e-9)
    shine = np.where(known, seen, 0.0) @ weights
    sunshine = np.divide(shine, of_all, out=np.full(days + 1, np.nan), where=of_all > 0.5)
    return np.asarray(sunshine[:, None])


def evening(series: Series) -> int:
    """Steps from now to the end of the sun of today, or of tomorrow where today's is over; at most a day."""
    usual = _usual_day(series)
    lit = usual > LIT * float(usual.max())
    over = np.flatnonzero(~lit & np.logical_or.accumulate(lit))
    return int(over[0]) if len(over) else series.day


def _usual_day(series: Series) -> Floats:
    """The mean day of the last weeks, from now on (steps of a day); 0 where nothing is known."""
    places = len(series.values) - np.arange(1, PROFILE_DAYS + 1, dtype=np.intp)[:, None] * series.day
    seen = series.at(places + np.arange(series.day, dtype=np.intp)[None, :])
    known = np.isfinite(seen)
    return np.asarray(np.where(known, seen, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def standardised(columns: Floats, weights: Floats) -> Floats:
    """Columns less their weighted mean through their deviation, cut at 3; 0 where unknown or constant."""
    known = np.isfinite(columns)
    weighted = np.where(known, weights[:, None], 0.0)
    total = np.maximum(weighted.sum(axis=0), 1e-12)
    centred = np.where(known, columns - (weighted * np.where(known, columns, 0.0)).sum(axis=0) / total, 0.0)
    deviation = np.sqrt((weighted * centred**2).sum(axis=0) / total)
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))
