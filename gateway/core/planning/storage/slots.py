"""The slots of a plan from the levels of its storage, each with its prices, its marginal value and its reason."""

import numpy as np

from gateway.core.model.levels import Floats, Levels, Storage
from gateway.core.model.plan import Slot
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.storage.reasons import Expected, dearer_times, explain
from gateway.core.planning.storage.storage_plan import StoragePlan


def storage_slots(problem: PlanProblem, stored: StoragePlan) -> tuple[Slot, ...]:
    """One slot for each step."""
    prices, target, net_w, energies_wh = problem.prices, stored.target, stored.net_w, stored.energies_wh
    marginal = _marginal_at(stored.values.marginal_values, energies_wh[1:], problem.storage)
    starts_s = problem.starts_s
    dear = prices.buy + np.where(net_w > target.import_w, target.over_price, 0.0)
    hours = dearer_times(dear, starts_s, problem.scenarios.step_s, problem.zone)
    columns = (starts_s, energies_wh[:-1], energies_wh[1:], net_w, prices.buy, prices.sell, marginal, target.import_w)
    slots = []
    for row, later, numbers in zip(stored.values.levels_wh, hours, np.stack(columns, axis=1).tolist(), strict=True):
        start_s, before_wh, after_wh, net, buy, sell, value, target_w = numbers
        charge, reserve, fill, export = row.tolist()
        levels = Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export)
        expected = Expected(energy_wh=before_wh, net_w=net, buy=buy, sell=sell, marginal_value=value)
        slots.append(
            Slot(
                start_s=start_s,
                buy=buy,
                sell=sell,
                levels=levels,
                value=value,
                reason=explain(levels, expected, later),
                net_w=net,
                energy_wh=after_wh,
                peak_target_w=target_w,
            )
        )
    return tuple(slots)


def _marginal_at(marginal: Floats, energies_wh: Floats, storage: Storage) -> Floats:
    """The value (EUR/kWh) of the last of the energy expected at each step's end: of what is kept, not of more."""
    cells = marginal.shape[1]
    above = np.ceil(energies_wh / storage.capacity_wh * cells - 1e-6).astype(np.intp)
    return np.asarray(marginal[np.arange(len(marginal)), np.clip(above - 1, 0, cells - 1)])
