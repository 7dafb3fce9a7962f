"""Past days as candidates for the coming one: how much each counts, by its age and by what went before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats

WEEK = 7  # days


@dataclass(frozen=True, slots=True)
class CandidateDays:
    """Past days as candidates for the coming one: the power of each, and how likely it is."""

    # Mean power of each step (days x steps, W, never negative: PV counts as production).
    paths_w: Floats
    # Likelihood of each day (0…1); they sum to 1.
    weights: Floats


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


def filled(days: Floats, weights: Floats, prior_w: Floats | None, *, is_scaled: bool = False) -> Floats:
    """The days with each missing step as the others have it on average; where none has it, the prior or 0.

    `is_scaled`: the prior is of some building, not of this one; where a day at least has passed and some steps of it
    are known, it counts as much more or less as this building had in those.
    """
    known = np.isfinite(days)
    weighted = np.where(known, weights[:, None], 0.0)
    total = weighted.sum(axis=0)
    mean = (weighted * np.where(known, days, 0.0)).sum(axis=0) / np.where(total > 0.0, total, 1.0)
    if prior_w is not None and is_scaled:
        prior_w = prior_w * _scale(mean, prior_w, total > 0.0, is_day=len(days) > 1)
    mean = np.where(total > 0.0, mean, 0.0 if prior_w is None else prior_w)
    return np.asarray(np.where(known, days, mean))


def _scale(mean_w: Floats, prior_w: Floats, known: NDArray[np.bool_], *, is_day: bool) -> float:
    """How many times the prior the steps that are known have on average; 1 where that says nothing."""
    expected_w = float(prior_w[known].sum())
    return float(mean_w[known].sum()) / expected_w if is_day and expected_w > 0.0 else 1.0
