"""Scenarios from similar days: what the building did on past days, moved to where the coming day is expected.

A past day is a candidate by its age and by how alike the hours before it were. Loads follow the local clock, PV follows
UTC. The day's energy is then moved by what a regression on the last hours expects of the coming day instead of what it
expected of that day, so that a scenario is the forecast plus one whole error that was really made.
"""

from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.forecast.load_days import load_days
from gateway.core.forecast.method import ForecastMethod
from gateway.core.forecast.outdoor import OutdoorTemperatures
from gateway.core.forecast.past_days import DAY_S
from gateway.core.forecast.prior import Prior
from gateway.core.forecast.pv_days import pv_days
from gateway.core.forecast.pv_feed import PvForecast, with_feed
from gateway.core.forecast.similar_days import CandidateDays
from gateway.core.model.history import History, Scenarios
from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is known about the step that has begun."""

    # Mean load of the step (W, >= 0); None where unknown.
    load_w: float | None = None
    # Mean PV of the step (W, <= 0); None where unknown.
    pv_w: float | None = None


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
    pv_forecast: PvForecast | None = None,
    outdoor: OutdoorTemperatures | None = None,
) -> Scenarios:
    """Equally likely futures of `steps` steps from the end of the history on; never with NaN, always the same.

    Without history and without prior: a building that does nothing. A weather feed stands in for as many of the PV
    scenarios as it has deserved; with temperatures, loads of days as cold as the coming one count more.
    """
    days = _candidate_count(history, method)
    load = load_days(
        history,
        days=days,
        steps=steps,
        zone=zone,
        method=method,
        prior_w=None if prior is None else prior.load_w,
        outdoor=outdoor,
    )
    pv = pv_days(history, days=days, steps=steps, method=method, prior_w=None if prior is None else -prior.pv_w)
    pv = with_feed(pv, history, pv_forecast, method)
    load_day, pv_day = drawn_pairs(load, pv, method.scenarios)
    load_w, pv_w = load.paths_w[load_day], pv.paths_w[pv_day]
    load_w = np.maximum(_corrected(load_w, history.step_s, now.load_w, method), method.load_floor_w)
    if now.load_w is not None:
        load_w[:, 0] = now.load_w
    if now.pv_w is not None:
        pv_w[:, 0] = -now.pv_w
    return Scenarios(start_s=history.end_s, step_s=history.step_s, load_w=load_w, pv_w=-pv_w)


def _candidate_count(history: History, method: ForecastMethod) -> int:
    """How many days back anything is known, one at least."""
    days = -(-len(history.load_w) * history.step_s // DAY_S)
    return int(min(max(days, 1), method.similar_days))


def drawn_pairs(loads: CandidateDays, pvs: CandidateDays, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """`count` pairs of a load and a PV day: the systematic sample of all pairs along the energy of their net load.

    A storage is charged for the net load, so few scenarios must hit the quantiles of its energy before all else.
    """
    net = loads.paths_w.sum(axis=1)[:, None] - pvs.paths_w.sum(axis=1)[None, :]
    order = np.argsort(net, axis=None, kind="stable")
    weights = (loads.weights[:, None] * pvs.weights[None, :]).ravel()[order]
    load_day, pv_day = np.divmod(order[systematic(weights, count)], len(pvs.weights))
    return np.asarray(load_day), np.asarray(pv_day)


def systematic(weights: Floats, count: int) -> NDArray[np.intp]:
    """`count` places drawn without chance: the systematic sample of the weights."""
    marks = (np.arange(count) + 0.5) / count
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), marks), len(weights) - 1))


def _corrected(paths_w: Floats, step_s: float, now_w: float | None, method: ForecastMethod) -> Floats:
    """Loads that begin where the load is now; the difference halves with every half-life."""
    if now_w is None:
        return paths_w
    fading = 0.5 ** (np.arange(paths_w.shape[1]) * step_s / 3600.0 / method.correction_half_life_h)
    return np.asarray(paths_w + (now_w - paths_w[:, :1]) * fading)
