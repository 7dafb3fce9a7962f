"""The coming day's energy from the last hours: a small ridge regression on the days gone by."""

import numpy as np

from gateway.core.forecast.past_days import Series
from gateway.core.levels import Floats

FEWEST_DAYS = 3
FARTHEST = 3.0  # standard deviations: what was never seen is not extrapolated


def tomorrow(
    series: Series, *, hours: tuple[float, ...], days: int, memory_days: float, prior_days: float
) -> tuple[Floats, Floats]:
    """Expected and real mean power of the day that began 0, 1 … `days` days ago; the real one of day 0 is NaN.

    Regressors are the means of the last `hours` before each beginning. NaN where a real mean is not known.
    """
    places = len(series.values) - np.arange(days + 1, dtype=np.intp) * series.day
    real = series.means(places + series.day, 24.0)
    real[0] = np.nan
    known = np.isfinite(real)
    weights = np.where(known, np.exp(-np.arange(days + 1) / memory_days), 0.0)
    if known.sum() < FEWEST_DAYS:
        return np.full(days + 1, real[known].mean() if known.any() else np.nan), real
    weights /= weights.sum()
    mean = weights @ np.where(known, real, 0.0)
    regressors = standardised(np.stack([series.means(places, span) for span in hours], axis=1), weights)
    prior = prior_days * (weights @ weights)
    spread = (regressors * weights[:, None]).T
    slopes = np.linalg.solve(
        spread @ regressors + prior * np.eye(len(hours)), spread @ np.where(known, real - mean, 0.0)
    )
    return mean + regressors @ slopes, real


def standardised(columns: Floats, weights: Floats) -> Floats:
    """Columns less their weighted mean through their deviation, cut at 3; 0 where unknown or constant."""
    known = np.isfinite(columns)
    weighted = np.where(known, weights[:, None], 0.0)
    total = np.maximum(weighted.sum(axis=0), 1e-12)
    centred = np.where(known, columns - (weighted * np.where(known, columns, 0.0)).sum(axis=0) / total, 0.0)
    deviation = np.sqrt((weighted * centred**2).sum(axis=0) / total)
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))
