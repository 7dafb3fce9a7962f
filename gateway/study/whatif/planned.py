"""The gateway's own plans along a record: forecast and recursion of the core, at the moments when it would plan.

Levels do not depend on what is stored, so every plan of a year can be made apart from the others, and one forecast
serves all sizes of storage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from gateway.core.forecast.scenarios import draw
from gateway.core.history import History
from gateway.core.levels import Floats, Storage
from gateway.core.method import Method
from gateway.core.planner import levels_of
from gateway.core.prices import Prices

DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What plans stand on, all on the slots of plans.

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

    @property
    def moments(self) -> list[int]:
        """Slots of the record at whose beginnings plans are made."""
        return list(range(self.first, self.first + self.slots, self.every))


def planned_levels(ground: Ground, moments: Sequence[int]) -> Floats:
    """Levels (storages x slots x 4, Wh) from the plans of some moments, each until the next one."""
    return np.concatenate([_one(ground, moment) for moment in moments], axis=1)


def _one(ground: Ground, moment: int) -> Floats:
    """The slots of one plan that are followed: only what was before the moment is known."""
    method, known = ground.method, _seen(ground, moment)
    steps = round(method.planning.horizon_h * 3600.0 / known.step_s)
    scenarios = draw(known, steps=steps, zone=ground.zone, method=method.forecast)
    span = slice(moment, moment + steps)
    prices = Prices(
        start_s=known.end_s, step_s=known.step_s, buy=ground.buy[span], sell=ground.sell[span], names=("",) * steps
    )
    followed = min(ground.every, ground.first + ground.slots - moment)
    found = [levels_of(each, scenarios, prices, method=method.planning) for each in ground.storages]
    return np.stack([values.levels[:followed] for values in found])


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
