"""What the highest import of a month costs, brought into the levels of a plan.

A new peak is paid for once, however long it lasts, so it is no price of a kWh. The plan therefore looks for the import
that it should not exceed: for each target tried the dynamic program keeps energy for what would lie above, the
scenarios are run through with the levels that follow, and what they would pay decides: energy, wear and the new peak.
No target at all is among those tried. The loop then keeps the import of each second below the target, as long as there
is energy.

A quarter hour is as high as its mean: to keep each second below is more than is asked for. Behind the plan no peak is
foreseen: early in a month one is spared that a later day may bring all the same.
"""

from collections.abc import Sequence

import numpy as np

from gateway.core.model.levels import Floats, change, power_w, reach_of
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.storage.dynamic_program import PeakTarget, StorageValues, solved_for
from gateway.core.pricing.prices import PeakPrice, Period

# Targets tried between what is due and what would be reached without one, then halvings around the best: on 150 small
# cases 0.013 EUR better than the best power profile in steps of 500 W (docs/planning.md, "Peaks that cost").
FIRST = 9
FINER = 4  # halvings; each one costs two more runs of the dynamic program


def solved(problem: PlanProblem) -> tuple[StorageValues, PeakTarget]:
    """The levels, and the peak target that costs least, one period after the other; none where a peak costs nothing."""
    none = np.full(problem.steps, np.inf)
    if problem.peak is None:
        return solved_for(problem, None), PeakTarget(import_w=none, over_price=0.0)
    target = PeakTarget(import_w=none, over_price=problem.peak.eur_per_kw / problem.hours)
    for period in problem.peak.periods:
        target = _best_of(problem, problem.peak, period, target)
    return solved_for(problem, target), target


def _best_of(problem: PlanProblem, price: PeakPrice, period: Period, before: PeakTarget) -> PeakTarget:
    """The target of one period, those of the others as they were `before`."""

    def tried(import_w: float) -> tuple[float, float]:
        target = _with(before, period, import_w)
        return _cost_eur(problem, price, solved_for(problem, target).levels_wh, target.import_w), import_w

    grid_w, _ = _followed(problem, solved_for(problem, before).levels_wh, before.import_w)
    reached_w = float(grid_w[:, period.first : period.end].max())
    if reached_w <= period.due_w:
        return _with(before, period, period.due_w)
    found = sorted([tried(import_w) for import_w in np.linspace(period.due_w, reached_w, FIRST)], key=_import_w)
    for _ in range(FINER):
        best = found.index(min(found))
        found += [tried(middle_w) for middle_w in _between(found, best)]
        found.sort(key=_import_w)
    return _with(before, period, min(found)[1])


def _cost_eur(problem: PlanProblem, price: PeakPrice, levels_wh: Floats, target_w: Floats) -> float:
    """What energy, wear and new peaks cost on the mean of the scenarios, less what is stored at the end."""
    grid_w, stored_wh = _followed(problem, levels_wh, target_w)
    prices, net_w = problem.prices, problem.scenarios.net_w
    energy = np.maximum(prices.buy * grid_w, prices.sell * grid_w)
    wear = problem.storage.wear_price * np.abs(grid_w - net_w)
    paid = (energy + wear).sum(axis=1) * problem.hours - problem.end_value * stored_wh
    return float((paid / 1000.0 + price.cost_eur(grid_w)).mean())


def _followed(problem: PlanProblem, levels_wh: Floats, target_w: Floats) -> tuple[Floats, Floats]:
    """Grid power of each scenario and step (W, import positive), and the energy of each scenario at the end (Wh).

    `levels_wh` (steps x 4): charge, reserve, fill, export. `target_w`: the import that each step should not exceed.
    """
    storage, net_w = problem.storage, problem.scenarios.net_w
    reach = reach_of(
        storage, net_w=net_w, hours=problem.hours, limits=problem.limits, peak_target_w=target_w, loads=problem.loads
    )
    stored = np.full(len(net_w), min(max(problem.energy_wh, 0.0), storage.capacity_wh))
    grid_w = net_w.copy()
    for k, levels in enumerate(levels_wh):
        moved = change(reach.at(np.s_[:, k]), stored, *levels)
        stored = np.clip(stored + moved, 0.0, storage.capacity_wh)
        grid_w[:, k] += power_w(storage, moved, problem.hours)
    return grid_w, stored


def _import_w(tried: tuple[float, float]) -> float:
    return tried[1]


def _between(found: Sequence[tuple[float, float]], best: int) -> list[float]:
    """The middles between the best target and its neighbours."""
    neighbours = [found[index][1] for index in (best - 1, best + 1) if 0 <= index < len(found)]
    return [(found[best][1] + neighbour) / 2 for neighbour in neighbours]


def _with(target: PeakTarget, period: Period, import_w: float) -> PeakTarget:
    changed = target.import_w.copy()
    changed[period.first : period.end] = import_w
    return PeakTarget(import_w=changed, over_price=target.over_price)
