"""What the storage does beside given loads, by its own recursion: what it holds is worth, and what all of it costs."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats, Levels, follow
from gateway.core.planning.problem import StepPrices
from gateway.core.planning.schedule.shared import Shared
from gateway.core.planning.storage.dynamic_program import solve

K = 1000.0
POINTS = 41


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lived:
    """`worth`: of one more kWh stored (EUR/kWh, steps); `cost_eur`: of the grid and ageing, less what is left."""

    worth: Floats
    cost_eur: float


def lived(shared: Shared, taken_w: Floats) -> Lived:
    """The storage lives through the expected course beside loads that draw `taken_w`."""
    storage = shared.storage
    if storage is None:
        return Lived(worth=np.zeros(shared.steps), cost_eur=shared.cost_eur(taken_w))
    prices = StepPrices(buy=shared.buy, sell=np.minimum(shared.sell, shared.buy))
    net = shared.net_w + taken_w
    values = solve(
        net[None], prices, storage, hours=shared.hours, limits=shared.limits, points=POINTS, mixing=0.0,
        end_value=shared.end_price,
    )  # fmt: skip
    held_wh, worth, powers = shared.stored_wh, np.empty(shared.steps), np.empty(shared.steps)
    cells = values.marginal_values.shape[1]
    for k, (net_w, row) in enumerate(zip(net.tolist(), values.levels_wh.tolist(), strict=True)):
        levels = Levels(charge_wh=row[0], reserve_wh=row[1], fill_wh=row[2], export_wh=row[3])
        power_w = float(
            follow(levels, storage, energy_wh=held_wh, net_w=net_w, hours=shared.hours, limits=shared.limits)
        )
        into, out_of = max(power_w, 0.0) * storage.charge_efficiency, min(power_w, 0.0) / storage.discharge_efficiency
        held_wh = min(max(held_wh + (into + out_of) * shared.hours, 0.0), storage.capacity_wh)
        powers[k] = power_w
        worth[k] = values.marginal_values[k, min(int(held_wh / storage.capacity_wh * cells), cells - 1)]
    wear_eur = storage.wear_price * float(np.abs(powers).sum()) * shared.hours / K
    return Lived(worth=worth, cost_eur=shared.cost_eur(taken_w + powers) + wear_eur - shared.end_price * held_wh / K)
