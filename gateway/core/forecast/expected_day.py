"""The coming day's energy from what was known before it: a small ridge regression on the days gone by."""

import math

import numpy as np

from gateway.core.forecast.method import ForecastMethod
from gateway.core.model.levels import Floats

FEWEST_DAYS = 3  # fewer points than that and no line is drawn: the mean stands
FARTHEST = 3.0  # standard deviations: what was never seen is not extrapolated
SCALE = (0.2, 3.0)  # a past day's PV is scaled within these: beyond them it is another kind of day
DARK_W = 1e-3  # a mean power below this is night, which nothing scales


def expected_days(real: Floats, regressors: Floats, method: ForecastMethod) -> Floats:
    """Expected mean power of the day that began 0, 1 … days ago, in the unit of `real`; NaN where no day is known.

    `real`: what these days were, NaN where unknown, as for the one that begins now. `regressors` (days x columns): what
    was known at each of these beginnings, NaN where it was not.
    """
    known = np.isfinite(real)
    if known.sum() < FEWEST_DAYS:
        return np.full(len(real), real[known].mean() if known.any() else np.nan)
    ages = np.arange(len(real), dtype=np.intp)
    weights = np.where(known, np.exp(-ages / method.regression_memory_days), 0.0)
    weights /= weights.sum()
    mean = float(weights @ np.where(known, real, 0.0))
    columns = _standardised(regressors, weights)
    weighted = (columns * weights[:, None]).T
    prior = method.regression_prior_days * float(weights @ weights) * np.eye(columns.shape[1])
    slopes = np.linalg.solve(weighted @ columns + prior, weighted @ np.where(known, real - mean, 0.0))
    return np.asarray(mean + columns @ slopes)


def moves(real: Floats, regressors: Floats, method: ForecastMethod) -> Floats:
    """By how much the day of each age is moved to be like the coming one, in the unit of `real`; 0 where unknown."""
    expected = expected_days(real, regressors, method)
    return np.asarray(np.nan_to_num(expected[0] - expected))


def widened(energies: Floats, weights: Floats) -> Floats:
    """Energies as far from their mean as a coming one is to be expected from it.

    n equally weighing days show (n - 1)/n of the variance, and their mean is itself off by 1/n of it: (n + 1)/(n - 1).
    """
    days = 1.0 / float(weights @ weights)
    mean = float(weights @ energies)
    factor = math.sqrt((days + 1.0) / max(days - 1.0, 1.0))
    return np.asarray(mean + factor * (energies - mean))


def scale_factors(real: Floats, moved: Floats, weights: Floats) -> Floats:
    """By how much each candidate's PV is scaled: moved, then widened; 1 where its energy is unknown or nothing."""
    lit = np.isfinite(real) & (real > DARK_W)
    factors = np.ones(len(real))
    if lit.any():
        known = weights[lit] / weights[lit].sum()
        factors[lit] = widened(real[lit] + moved[lit], known) / real[lit]
    return np.clip(factors, *SCALE)


def _standardised(columns: Floats, weights: Floats) -> Floats:
    """Columns less their weighted mean through their deviation, cut at 3; 0 where unknown or constant."""
    known = np.isfinite(columns)
    weighted = np.where(known, weights[:, None], 0.0)
    total = np.maximum(weighted.sum(axis=0), 1e-12)
    centred = np.where(known, columns - (weighted * np.where(known, columns, 0.0)).sum(axis=0) / total, 0.0)
    deviation = np.sqrt((weighted * centred**2).sum(axis=0) / total)
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))
