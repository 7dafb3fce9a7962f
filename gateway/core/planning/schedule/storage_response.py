"""How the storage responds to given loads, by its own recursion: the value of what it holds, what all of it costs."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats, Levels, LoadNeed, follow
from gateway.core.planning.problem import StepPrices
from gateway.core.planning.schedule.supply import Supply
from gateway.core.planning.storage.dynamic_program import solve

K = 1000.0  # W in a kW: prices are per kWh
POINTS = 41  # of the grid of stored energy, as in `PlanningMethod.energy_points`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StorageResponse:
    """How the storage would respond to the power of the loads."""

    stored_value: Floats  # of one more kWh stored, at each step (EUR/kWh)
    cost_eur: float  # of the grid and ageing, less what is left


def storage_response(supply: Supply, taken_w: Floats, unsupplied_w: Floats) -> StorageResponse:
    """The storage follows its levels through the expected day beside loads that draw `taken_w`.

    `unsupplied_w`: of these, what it does not supply.
    """
    storage = supply.storage
    if storage is None:
        return StorageResponse(stored_value=np.zeros(supply.steps), cost_eur=supply.cost_eur(taken_w))
    prices = StepPrices(buy=supply.buy, sell=np.minimum(supply.sell, supply.buy))
    net = supply.net_w + taken_w
    values = solve(
        net[None], prices, storage, hours=supply.hours, limits=supply.limits, points=POINTS, mixing=0.0,
        end_value=supply.end_price, loads=(LoadNeed(power_w=unsupplied_w),),
    )  # fmt: skip
    held_wh, stored_value, powers = supply.stored_wh, np.empty(supply.steps), np.empty(supply.steps)
    cells = values.marginal_values.shape[1]
    steps = zip(net.tolist(), unsupplied_w.tolist(), values.levels_wh.tolist(), strict=True)
    for k, (net_w, theirs_w, row) in enumerate(steps):
        needs = (LoadNeed(power_w=theirs_w),)
        levels = Levels(charge_wh=row[0], reserve_wh=row[1], fill_wh=row[2], export_wh=row[3])
        power_w = float(
            follow(
                levels, storage, energy_wh=held_wh, net_w=net_w, hours=supply.hours, limits=supply.limits, loads=needs
            )
        )
        into, out_of = max(power_w, 0.0) * storage.charge_efficiency, min(power_w, 0.0) / storage.discharge_efficiency
        held_wh = min(max(held_wh + (into + out_of) * supply.hours, 0.0), storage.capacity_wh)
        powers[k] = power_w
        stored_value[k] = values.marginal_values[k, min(int(held_wh / storage.capacity_wh * cells), cells - 1)]
    wear_eur = storage.wear_price * float(np.abs(powers).sum()) * supply.hours / K
    cost_eur = supply.cost_eur(taken_w + powers) + wear_eur - supply.end_price * held_wh / K
    return StorageResponse(stored_value=stored_value, cost_eur=cost_eur)
