"""The gateway's own plans along a record: forecast and recursion of the core, at the moments when it would plan.

Levels do not depend on what is stored, so the plans of a year are made many at once, and one forecast serves all
sizes of storage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History, Scenarios
from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.method import Method, PlanningMethod
from gateway.core.planning.problem import PlanProblem, plan_problem
from gateway.core.planning.storage.dynamic_program import levels_wh, solved_for, thresholds
from gateway.core.pricing.prices import Prices
from gateway.study.whatif.recursion import Task, marginal_values, rising

DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedPrices:
    """What plans take for a price that is not announced yet."""

    # Assumed price of each slot (EUR/kWh), on the slots of `PlanSeries.buy`.
    buy: Floats
    # For each counted slot: the first slot of the record whose price is not announced when it begins.
    known_until: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSeries:
    """What plans along a record are made from, all on the slots of plans."""

    # Load and PV of the record; NaN in its gaps.
    known: History
    # Prices as the goals weigh them (EUR/kWh); they reach a horizon beyond the record.
    buy: Floats
    # The same for export.
    sell: Floats
    # The first slot that is counted.
    first: int
    # How many slots are counted.
    slots: int
    # Slots between two plans.
    every: int
    # The storages, each planned alone.
    storages: tuple[Storage, ...]
    # The local clock, which loads follow.
    zone: tzinfo
    # Parameters of forecast and planning.
    method: Method
    # Prices that are announced late; None where all are known.
    assumed: AssumedPrices | None = None

    @property
    def moments(self) -> list[int]:
        """Slots of the record at whose beginnings plans are made."""
        return list(range(self.first, self.first + self.slots, self.every))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """What one plan is made from."""

    # Futures of the building from the moment of the plan on.
    scenarios: Scenarios
    # Prices of their steps, as far as they are known.
    prices: Prices
    # How many of the steps are followed before the next plan.
    followed: int

    def problem(self, storage: Storage, method: PlanningMethod) -> PlanProblem:
        """The same for one storage. Levels do not depend on what it holds."""
        return plan_problem(storage, 0.0, self.scenarios, self.prices, made_s=self.scenarios.start_s, method=method)


def planned_levels(series: PlanSeries, moments: Sequence[int]) -> Floats:
    """Levels (storages x slots x 4, Wh) from the plans of some moments, each until the next one."""
    plans = [_ahead(series, moment) for moment in moments]
    method = series.method.planning
    return np.stack([np.concatenate(_levels(storage, plans, method)) for storage in series.storages])


def _ahead(series: PlanSeries, moment: int) -> _Ahead:
    """Only what was before the moment is known."""
    method, known = series.method, _known_at(series, moment)
    steps = round(method.planning.horizon_h * 3600.0 / known.step_s)
    scenarios = draw(known, steps=steps, zone=series.zone, method=method.forecast)
    span = slice(moment, moment + steps)
    prices = Prices(
        start_s=known.end_s,
        step_s=known.step_s,
        buy=_buy_at(series, moment, span),
        sell=series.sell[span],
        names=("",) * steps,
    )
    followed = min(series.every, series.first + series.slots - moment, steps)
    return _Ahead(scenarios=scenarios, prices=prices, followed=followed)


def _buy_at(series: PlanSeries, moment: int, span: slice) -> Floats:
    """Prices as they are known at a moment."""
    buy, assumed = series.buy[span], series.assumed
    if assumed is None:
        return buy
    is_known = np.arange(span.start, span.stop) < assumed.known_until[moment - series.first]
    return np.where(is_known, buy, assumed.buy[span])


def _levels(storage: Storage, plans: Sequence[_Ahead], method: PlanningMethod) -> list[Floats]:
    """The followed levels of each plan: made together where prices allow it, else one by one."""
    problems = [(plan.problem(storage, method), plan.followed) for plan in plans]
    priced = [(problem, followed, rising(problem.prices, storage)) for problem, followed in problems]
    together = iter(_together([(problem, followed, row) for problem, followed, row in priced if row is not None]))
    return [
        solved_for(problem, None).levels_wh[:followed] if row is None else next(together)
        for problem, followed, row in priced
    ]


def _together(priced: Sequence[tuple[PlanProblem, int, Floats]]) -> list[Floats]:
    """Plans of one storage with how many of their steps are followed, and their rising prices."""
    if not priced:
        return []
    problems = [problem for problem, _, _ in priced]
    first, storage = problems[0], problems[0].storage
    task = Task(
        net_w=np.stack([problem.scenarios.net_w for problem in problems]),
        prices=np.stack([prices for _, _, prices in priced]),
        end_values=np.array([problem.end_value for problem in problems]),
        hours=first.hours,
        points=first.energy_points,
        mixing=first.mixing,
    )
    found = marginal_values(storage, task, wanted=max(followed for _, followed, _ in priced))
    return [
        levels_wh(marginal[:followed], thresholds(problem.prices, storage)[:followed], storage)
        for marginal, (problem, followed, _) in zip(found, priced, strict=True)
    ]


def _known_at(series: PlanSeries, moment: int) -> History:
    """The record before a moment, as far back as the forecast looks."""
    known = series.known
    begin = max(0, moment - round(series.method.forecast.days * DAY_S / known.step_s))
    return History(
        start_s=known.start_s + begin * known.step_s,
        step_s=known.step_s,
        load_w=known.load_w[begin:moment],
        pv_w=known.pv_w[begin:moment],
    )


def on_slots(values: Floats, each: int) -> Floats:
    """Means over `each` steps; NaN where fewer than half of them are known."""
    blocks = values.reshape(-1, each)
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    total = np.where(known, blocks, 0.0).sum(axis=1)
    return np.where(2 * count >= each, total / np.maximum(count, 1), np.nan)
