"""Outdoor temperature, as far as a load may depend on it: days of the past that were as cold as the coming one."""

from dataclasses import dataclass

import numpy as np

from gateway.core.forecast.past_days import PastSeries
from gateway.core.model.levels import Floats

FEWEST_DAYS = 7  # fewer days draw no line between cold and load
EXPLAINED = 0.3  # share of the variance of a day's load that the cold of that day must explain (docs/planning.md)
HEATING_BELOW_C = 18.0  # the base of French degree days (degrés-jours unifiés); above it no day differs from another


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutdoorTemperatures:
    """Outdoor temperatures of the past and of the coming steps, on the steps of the history."""

    # Each step of the history (°C); NaN where unknown.
    past_c: Floats
    # Each coming step (°C); NaN where unknown.
    ahead_c: Floats


def day_degrees(outdoor: OutdoorTemperatures, step_s: float, days: int) -> Floats:
    """Mean heating degrees (K) of the days that began 0, 1, 2 … `days` days ago (days + 1 x 1); NaN where unknown."""
    both_c = np.concatenate([outdoor.past_c, outdoor.ahead_c])
    series = PastSeries.of(np.maximum(HEATING_BELOW_C - both_c, 0.0), step_s)
    ends = len(outdoor.past_c) + series.day - np.arange(days + 1, dtype=np.intp) * series.day
    return series.means(ends, 24.0)[:, None]


def follows_cold(load_w: Floats, degrees: Floats) -> bool:
    """Whether the load of past days has gone with their heating degrees: without electric heating that is chance.

    Both one value a day, NaN where unknown.
    """
    known = np.isfinite(load_w) & np.isfinite(degrees)
    if known.sum() < FEWEST_DAYS or np.ptp(degrees[known]) == 0.0 or np.ptp(load_w[known]) == 0.0:
        return False
    correlation = float(np.corrcoef(load_w[known], degrees[known])[0, 1])
    return correlation > 0.0 and correlation**2 > EXPLAINED
