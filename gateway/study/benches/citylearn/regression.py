"""Forecasts by regression on a building's own past: for each lead a recursive least squares of its own.

Load: two hour-of-day profiles (slow and quick), the deviation of the last 1, 3 and 24 hours, of the day and the week
before, and the profile of the weekday. PV: the same profiles scaled by the clearness of the last 1, 3 and 24 hours.
A forecast becomes scenarios with its own past errors: the whole error path of s days ago.
"""

from collections.abc import Callable

import numpy as np

from gateway.core.model.levels import Floats
from gateway.study.benches.citylearn.least_squares import LeastSquares
from gateway.study.benches.citylearn.profiles import HOUR_S, Profiles

FORGETTING_1H = 0.999  # of the regressions, per hour
UNSURE = 0.03  # variance of the first coefficients: some weeks of observations move them freely
Regressors = Callable[[Profiles, int], Floats]


def added(profiles: Profiles, leads: int) -> Floats:
    """Regressors of a load: deviations are added to the profile. Shape (series, leads, 9)."""
    ahead = profiles.ahead(leads)
    last = np.repeat(profiles.differences()[:, None, :], leads, axis=1)
    named = [ahead[name] for name in ("quick", "slow", "week", "day_before", "week_before")]
    return np.concatenate([np.stack(named, axis=-1), last], axis=-1)


def scaled(profiles: Profiles, leads: int) -> Floats:
    """Regressors of PV: deviations scale the profile, so that the night stays dark. Shape (series, leads, 6)."""
    ahead = profiles.ahead(leads)
    clear = ahead["quick"][:, :, None] * profiles.ratios()[:, None, :]
    return np.concatenate([np.stack([ahead["quick"], ahead["slow"], ahead["day_before"]], axis=-1), clear], axis=-1)


class Regression:
    """Forecasts of several series, none of them ever negative, on one grid of steps; learnt step after step."""

    def __init__(self, series: int, *, step_s: float, leads: int, days: int, regressors: Regressors) -> None:
        """`leads`: steps ahead; `days`: how many past days of error paths are kept."""
        self._leads, self._regressors = leads, regressors
        self._profiles = Profiles(series, step_s=step_s, days=max(8, -(-leads // round(86400.0 / step_s)) + 1))
        self._asked = regressors(self._profiles, leads)[None].repeat(leads, axis=0)
        start = np.zeros(self._asked.shape[1:])
        start[..., :2] = 0.5  # the mean of both profiles
        self._fit = LeastSquares(start, variance=UNSURE, forgetting=FORGETTING_1H ** (step_s / HOUR_S))
        kept = days * self._profiles.day + leads
        self._forecasts = np.full((kept, series, leads), np.nan)  # by their first step
        self._values = np.full((kept, series), np.nan)
        self._foresee()

    @property
    def count(self) -> int:
        """Steps learnt so far."""
        return self._profiles.count

    def learn(self, values: Floats) -> None:
        """Take the values of one step, shape (series,), NaN where missing."""
        leads = np.arange(self._leads)
        asked = self._asked[(self.count - leads) % self._leads, :, leads].swapaxes(0, 1)
        self._fit.learn(asked, np.repeat(values[:, None], self._leads, axis=1))
        self._values[self.count % len(self._values)] = values
        self._profiles.learn(values)
        self._foresee()

    def forecast(self) -> Floats:
        """The expected values of the coming steps, shape (series, leads)."""
        return np.array(self._forecasts[self.count % len(self._forecasts)])

    def paths(self, count: int) -> Floats:
        """Forecast + the whole error path of 1, 2 … `count` days ago, shape (series, paths, leads).

        Fewer in the first days, then the forecast alone. Errors that were not seen (missing values) count as none.
        """
        whole = -(-self._leads // self._profiles.day)  # a path must have ended
        ages = np.arange(whole, whole + count)
        ages = ages[self.count - ages * self._profiles.day >= 0]
        if not len(ages):
            return self.forecast()[:, None, :]
        first = self.count - ages * self._profiles.day
        seen = self._values[(first[:, None] + np.arange(self._leads)) % len(self._values)]  # paths, leads, series
        errors = seen.transpose(2, 0, 1) - self._forecasts[first % len(self._forecasts)].swapaxes(0, 1)
        return np.asarray(np.maximum(self.forecast()[:, None, :] + np.nan_to_num(errors), 0.0))

    def _foresee(self) -> None:
        asked = self._regressors(self._profiles, self._leads)
        self._asked[self.count % self._leads] = asked
        self._forecasts[self.count % len(self._forecasts)] = np.maximum(self._fit.predict(asked), 0.0)
