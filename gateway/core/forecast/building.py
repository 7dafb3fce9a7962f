"""Scenarios of one building by regression: the same past days give the errors of its load and of its PV."""

import numpy as np

from gateway.core.forecast.regression import Regression, added, scaled
from gateway.core.model.history import History, Scenarios


class BuildingForecast:
    """Learns a building step after step; `learn` may go on for years, what it keeps does not grow."""

    def __init__(self, *, start_s: float, step_s: float, leads: int, days: int) -> None:
        """`start_s`: UTC of the first step to be learnt; `leads`: steps ahead; `days`: most scenarios there can be."""
        self._start_s, self._step_s = start_s, step_s
        self._load = Regression(1, step_s=step_s, leads=leads, days=days, regressors=added)
        self._pv = Regression(1, step_s=step_s, leads=leads, days=days, regressors=scaled)

    @classmethod
    def of(cls, history: History, *, leads: int, days: int) -> "BuildingForecast":
        """What is learnt from all of a history."""
        forecast = cls(start_s=history.start_s, step_s=history.step_s, leads=leads, days=days)
        for load_w, pv_w in zip(history.load_w.tolist(), history.pv_w.tolist(), strict=True):
            forecast.learn(load_w, pv_w)
        return forecast

    def learn(self, load_w: float, pv_w: float) -> None:
        """Take the next step: load >= 0, PV <= 0 (W); NaN where there is none that can be used."""
        self._load.learn(np.array([load_w]))
        self._pv.learn(np.array([-pv_w]))

    def scenarios(self, count: int) -> Scenarios:
        """At most `count` equally likely futures from the end of what was learnt; fewer in the first days."""
        load, pv = self._load.paths(count)[0], self._pv.paths(count)[0]
        return Scenarios(
            start_s=self._start_s + self._load.count * self._step_s,
            step_s=self._step_s,
            load_w=load,
            pv_w=np.asarray(0.0 - pv),
        )
