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
from gateway.core.planning.planner import levels_of, tariff_of
from gateway.core.planning.storage.recursion import StepPrices, levels_wh, thresholds
from gateway.core.pricing.prices import Prices
from gateway.study.whatif.recursion import Task, rising, worths

DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is paid where prices are not told yet: `buy` like that of the ground.

    `told`: for each counted slot the first slot of the record whose price is not known when it begins.
    """

    buy: Floats
    told: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What plans stand on, all on the slots of plans; prices as the goals weigh them.

    `known` has NaN in its gaps. `buy` and `sell` (EUR/kWh) reach a horizon beyond it. Counted are `slots` from `first`
    on; every `every` slots there is a new plan.
    """

    known: History
    buy: Floats
    sell: Floats
    first: int
    slots: int
    every: int
    storages: tuple[Storage, ...]
    zone: tzinfo
    method: Method
    doubt: Doubt | None = None

    @property
    def moments(self) -> list[int]:
        """Slots of the record at whose beginnings plans are made."""
        return list(range(self.first, self.first + self.slots, self.every))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """What one plan is made of: futures of the building, their prices, and how many of the steps are followed."""

    scenarios: Scenarios
    prices: Prices
    tariff: StepPrices
    followed: int


def planned_levels(ground: Ground, moments: Sequence[int]) -> Floats:
    """Levels (storages x slots x 4, Wh) from the plans of some moments, each until the next one."""
    outlooks = [_outlook(ground, moment) for moment in moments]
    method = ground.method.planning
    return np.stack([np.concatenate(_levels(storage, outlooks, method)) for storage in ground.storages])


def _outlook(ground: Ground, moment: int) -> _Outlook:
    """Only what was before the moment is known."""
    method, known = ground.method, _seen(ground, moment)
    steps = round(method.planning.horizon_h * 3600.0 / known.step_s)
    scenarios = draw(known, steps=steps, zone=ground.zone, method=method.forecast)
    span = slice(moment, moment + steps)
    prices = Prices(
        start_s=known.end_s,
        step_s=known.step_s,
        buy=_told(ground, moment, span),
        sell=ground.sell[span],
        names=("",) * steps,
    )
    followed = min(ground.every, ground.first + ground.slots - moment, steps)
    return _Outlook(scenarios=scenarios, prices=prices, tariff=tariff_of(scenarios, prices), followed=followed)


def _told(ground: Ground, moment: int, span: slice) -> Floats:
    """Prices as they are known at a moment."""
    buy, doubt = ground.buy[span], ground.doubt
    if doubt is None:
        return buy
    is_told = np.arange(span.start, span.stop) < doubt.told[moment - ground.first]
    return np.where(is_told, buy, doubt.buy[span])


def _levels(storage: Storage, outlooks: Sequence[_Outlook], method: PlanningMethod) -> list[Floats]:
    """The followed levels of each plan: made together where prices allow it, else one by one."""
    prices = [(outlook, rising(outlook.tariff, storage)) for outlook in outlooks]
    together = iter(_together(storage, [(each, row) for each, row in prices if row is not None], method))
    return [_alone(storage, each, method) if row is None else next(together) for each, row in prices]


def _alone(storage: Storage, outlook: _Outlook, method: PlanningMethod) -> Floats:
    return levels_of(storage, outlook.scenarios, outlook.prices, method=method).levels[: outlook.followed]


def _together(storage: Storage, priced: Sequence[tuple[_Outlook, Floats]], method: PlanningMethod) -> list[Floats]:
    """Plans with their rising prices."""
    if not priced:
        return []
    outlooks = [outlook for outlook, _ in priced]
    hours = outlooks[0].scenarios.step_s / 3600.0
    task = Task(
        net_w=np.stack([outlook.scenarios.net_w for outlook in outlooks]),
        prices=np.stack([prices for _, prices in priced]),
        end_worth=np.array([method.end_worth(outlook.tariff.buy) for outlook in outlooks]),
        hours=hours,
        points=method.energy_points,
        mixing=method.mixing(hours),
    )
    found = worths(storage, task, wanted=max(outlook.followed for outlook in outlooks))
    return [
        levels_wh(worth[: one.followed], thresholds(one.tariff, storage)[: one.followed], storage)
        for worth, one in zip(found, outlooks, strict=True)
    ]


def _seen(ground: Ground, moment: int) -> History:
    """The record before a moment, as far back as the forecast looks."""
    known = ground.known
    begin = max(0, moment - round(ground.method.forecast.days * DAY_S / known.step_s))
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
