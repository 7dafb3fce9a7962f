"""What the highest import of a month costs, brought into the levels of a plan.

A new peak is paid for once, however long it lasts, so it is no price of a kWh. The plan therefore looks for the import
that it should not exceed: for each aim tried the recursion keeps energy for what would lie above, the scenarios are run
through with the levels that follow, and what they would pay decides: energy, wear and the new peak. No aim at all is
among those tried. The loop then keeps the import of each second below the aim, as long as there is energy.

A quarter hour is as high as its mean: to keep each second below is more than is asked for. Behind the plan no peak is
foreseen: early in a month one is spared that a later day may bring all the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats, GridLimits, Reach, Storage, change, power_w, reach_of
from gateway.core.planning.storage.recursion import Aim, StepPrices, Values
from gateway.core.pricing.prices import PeakPrice, Period

FIRST = 9  # aims tried between what is due and what would be reached without one
FINER = 4  # times the best is sought between its neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a storage is run with: scenarios (rows of `net_w`), from `energy_wh` on, in steps of `hours`."""

    storage: Storage
    energy_wh: float
    net_w: Floats
    hours: float
    limits: GridLimits
    tariff: StepPrices
    end_worth: float

    def run(self, levels_wh: Floats, aim_w: Floats) -> tuple[Floats, Floats]:
        """Grid powers (scenarios x steps) with levels that are followed, and the energies at the end."""
        stored = np.full(len(self.net_w), min(max(self.energy_wh, 0.0), self.storage.capacity_wh))
        reach = reach_of(self.storage, net_w=self.net_w, hours=self.hours, limits=self.limits, aim_w=aim_w)
        grid_w = self.net_w.copy()
        for k, levels in enumerate(levels_wh):
            parts = (reach.surplus, reach.deficit, reach.forced, reach.charge, reach.discharge)
            moved = change(Reach(*(part[:, k] for part in parts)), stored, *levels)
            stored = np.clip(stored + moved, 0.0, self.storage.capacity_wh)
            grid_w[:, k] += power_w(self.storage, moved, self.hours)
        return grid_w, stored

    def cost_eur(self, levels_wh: Floats, aim_w: Floats, price: PeakPrice) -> float:
        """What all that costs on the mean of the scenarios."""
        grid_w, stored_wh = self.run(levels_wh, aim_w)
        energy = np.maximum(self.tariff.buy * grid_w, self.tariff.sell * grid_w)
        wear = self.storage.wear_price * np.abs(grid_w - self.net_w)
        paid = (energy + wear).sum(axis=1) * self.hours - self.end_worth * stored_wh
        return float((paid / 1000.0 + price.cost_eur(grid_w)).mean())


def best_aim(course: Course, price: PeakPrice, solve: Callable[[Aim], Values]) -> tuple[Values, Aim]:
    """The levels and the aim that cost least, one period after the other."""
    aim = Aim(import_w=np.full(course.net_w.shape[1], np.inf), over_price=price.eur_per_kw / course.hours)
    for period in price.periods:
        aim = _best_of(course, price, period, aim, solve)
    return solve(aim), aim


def _best_of(course: Course, price: PeakPrice, period: Period, before: Aim, solve: Callable[[Aim], Values]) -> Aim:
    def tried(import_w: float) -> tuple[float, float]:
        aim = _with(before, period, import_w)
        return course.cost_eur(solve(aim).levels, aim.import_w, price), import_w

    grid_w, _ = course.run(solve(before).levels, before.import_w)
    reached_w = float(grid_w[:, period.first : period.end].max())
    if reached_w <= period.due_w:
        return _with(before, period, period.due_w)
    found = sorted([tried(import_w) for import_w in np.linspace(period.due_w, reached_w, FIRST)], key=_aim)
    for _ in range(FINER):
        best = found.index(min(found))
        found += [tried(middle_w) for middle_w in _between(found, best)]
        found.sort(key=_aim)
    return _with(before, period, min(found)[1])


def _aim(tried: tuple[float, float]) -> float:
    return tried[1]


def _between(found: Sequence[tuple[float, float]], best: int) -> list[float]:
    """The middles between the best aim and its neighbours."""
    neighbours = [found[index][1] for index in (best - 1, best + 1) if 0 <= index < len(found)]
    return [(found[best][1] + neighbour) / 2 for neighbour in neighbours]


def _with(aim: Aim, period: Period, import_w: float) -> Aim:
    changed = aim.import_w.copy()
    changed[period.first : period.end] = import_w
    return Aim(import_w=changed, over_price=aim.over_price)
