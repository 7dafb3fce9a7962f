"""A case in the words of peers: the plant once, then per plan the forecasts, prices and state of charge.

Two forecasts: `simple`, the one of the published comparison (load: mean of the same step over seven past days, PV: over
three), and `ours`, the mean of our scenarios. In both the first step is known.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.core.planning.method import Method
from gateway.study.record.errors import InputError
from gateway.study.replay.case import Case
from gateway.study.replay.zen import now_of, seen

LOAD_DAYS, PV_DAYS = 7, 3
DAY_H = 24.0

Forecast = Callable[[int], tuple[Floats, Floats]]  # step of the record -> load and PV (W, sign rule) from it on


def plant(case: Case) -> dict[str, Any]:
    """The first line of a conversation."""
    storage = case.storage
    return {
        "step_minutes": round(case.hours * 60.0),
        "capacity_wh": storage.capacity_wh,
        "charge_max_w": storage.charge_max_w,
        "discharge_max_w": storage.discharge_max_w,
        "charge_efficiency": storage.charge_efficiency,
        "discharge_efficiency": storage.discharge_efficiency,
    }


def question(case: Case, step: int, forecast: Forecast, *, soc: float, soc_final: float, call: str) -> dict[str, Any]:
    """One plan asked for at the beginning of a step of the record."""
    load_w, pv_w = forecast(step)
    span = slice(step, step + len(load_w))
    return {
        "start_s": case.record.start_s + step * case.record.step_s,
        "load_w": load_w.tolist(),
        "pv_w": (-pv_w).tolist(),
        "buy": case.buy[span].tolist(),
        "sell": case.sell[span].tolist(),
        "soc": soc,
        "soc_final": soc_final,
        "call": call,
    }


def simple(case: Case) -> Forecast:
    """From the gap-free record; the window must begin seven days after it, at least."""
    steps = round(DAY_H / case.hours)

    def expected(step: int) -> tuple[Floats, Floats]:
        record = case.record
        load_w = _mean_of_days(record.load_w, step, steps, LOAD_DAYS)
        pv_w = _mean_of_days(record.pv_w, step, steps, PV_DAYS)
        load_w[0], pv_w[0] = record.load_w[step], record.pv_w[step]
        return load_w, pv_w

    return expected


def ours(case: Case, method: Method) -> Forecast:
    """The mean of our scenarios."""
    steps = round(method.planning.horizon_h / case.hours)

    def expected(step: int) -> tuple[Floats, Floats]:
        known: History = seen(case, step, days=method.forecast.days)
        scenarios = draw(known, steps=steps, zone=case.zone, method=method.forecast, now=now_of(case, step))
        return np.asarray(scenarios.load_w.mean(axis=0)), np.asarray(scenarios.pv_w.mean(axis=0))

    return expected


def _mean_of_days(values: Floats, step: int, steps: int, days: int) -> Floats:
    """Mean of each step of the day over the days before `step`; InputError where the record does not reach back."""
    if step < days * steps:
        raise InputError(Path(), "days_before", days=str(days))
    return np.asarray(values[step - days * steps : step].reshape(days, steps).mean(axis=0))
