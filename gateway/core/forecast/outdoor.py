"""How cold it is outside, as far as a load may depend on it: days of the past that were as cold as the coming one."""

from dataclasses import dataclass

import numpy as np

from gateway.core.forecast.past_days import Series
from gateway.core.model.levels import Floats

FEWEST_DAYS = 7
TELLING = 0.3  # share of the variance of a day's load that the cold of that day must tell
HEATING_BELOW_C = 18.0  # the base of French degree days (degrés-jours unifiés); above it nothing is told apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outdoor:
    """Temperatures (°C) of each step of the history and of the coming ones; NaN where unknown."""

    past_c: Floats
    ahead_c: Floats


def heating_degrees(outdoor: Outdoor, step_s: float, days: int) -> Floats:
    """Mean heating degrees (K) of the days that began 0, 1, 2 … `days` days ago (days + 1 x 1); NaN where unknown."""
    both_c = np.concatenate([outdoor.past_c, outdoor.ahead_c])
    series = Series.of(np.maximum(HEATING_BELOW_C - both_c, 0.0), step_s)
    ends = len(outdoor.past_c) + series.day - np.arange(days + 1, dtype=np.intp) * series.day
    return series.means(ends, 24.0)[:, None]


def tells(degrees: Floats, series: Series) -> bool:
    """Whether this building's load has gone with the cold: where it is not heated by electricity that is chance."""
    ages = np.arange(1, len(degrees), dtype=np.intp)
    load = series.means(len(series.values) - (ages - 1) * series.day, 24.0)
    cold = degrees[1:, 0]
    known = np.isfinite(load) & np.isfinite(cold)
    if known.sum() < FEWEST_DAYS or np.ptp(cold[known]) == 0.0 or np.ptp(load[known]) == 0.0:
        return False
    correlation = float(np.corrcoef(load[known], cold[known])[0, 1])
    return correlation > 0.0 and correlation**2 > TELLING
