"""What power costs in each step: from the surplus, from the storage at the value of its energy, or from the grid."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.planning.schedule.supply import OVER_PRICE, Supply

K = 1000.0  # W in a kW: prices are per kWh
LITTLE_W = 10.0  # of which the price is asked: above rounding, below any step a load can do


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarginalCost:
    """The marginal cost of power for a load beside the other loads (EUR/kWh).

    The storage buys and sells at the value of stored energy, within its powers; loads that it does not supply are drawn
    from surplus and grid. The import limit is held without its help: whether it will have energy then is not certain.
    """

    supply: Supply  # net load, prices, connection and storage
    taken_w: Floats  # what the other loads draw in each step
    stored_value: Floats  # marginal value of stored energy at each step (EUR/kWh)
    unsupplied_w: Floats  # of `taken_w`, what the storage does not supply
    is_supplied: bool = False  # whether it supplies the load that is asked for

    def beside(self, taken_w: Floats, unsupplied_w: Floats, *, is_supplied: bool) -> "MarginalCost":
        """The same for another load, with other loads beside it."""
        return replace(self, taken_w=taken_w, unsupplied_w=unsupplied_w, is_supplied=is_supplied)

    @property
    def net_w(self) -> Floats:
        """Net load with the other loads."""
        return np.asarray(self.supply.net_w + self.taken_w)

    def headroom_w(self) -> Floats:
        """What may still be drawn under the import limit."""
        return np.maximum(self.supply.limits.import_max_w - self.net_w, 0.0)

    def cost_eur(self, steps: Any, power_w: Any) -> Floats:
        """What drawing these powers costs in these steps (arrays that fit each other)."""
        net, without = self.net_w[steps], self.unsupplied_w[steps]
        with_it = without if self.is_supplied else np.maximum(without + power_w, 0.0)
        return np.asarray(self._paid_eur(steps, net + power_w, with_it) - self._paid_eur(steps, net, without))

    def paid_eur(self) -> Floats:
        """What each step costs with the loads that are there."""
        return self._paid_eur(np.arange(self.supply.steps), self.net_w, self.unsupplied_w)

    def marginal_price(self) -> Floats:
        """EUR/kWh of the last of the power in each step: what a little less would spare."""
        every = np.arange(self.supply.steps)
        little_w = -LITTLE_W
        return self.cost_eur(every, np.full(len(every), little_w)) / (little_w / K * self.supply.hours)

    def _paid_eur(self, steps: Any, net_w: Floats, unsupplied_w: Floats) -> Floats:
        """Least over the powers of the storage at which the cost bends; `unsupplied_w` of `net_w` is not for it."""
        supply, storage = self.supply, self.supply.storage
        over = np.maximum(net_w - supply.limits.import_max_w, 0.0) * OVER_PRICE
        if storage is None:
            return np.asarray((self._grid(steps, net_w) + over) * (supply.hours / K))
        best = self._grid(steps, net_w)
        stored_value = self.stored_value[steps]
        own_w = np.maximum(net_w - unsupplied_w, 0.0)
        low = -np.where(unsupplied_w > 0.0, np.minimum(own_w, storage.discharge_max_w), storage.discharge_max_w)
        high = storage.charge_max_w
        for power_w in (np.clip(-net_w, low, high), low, high):
            up, down = np.maximum(power_w, 0.0), np.maximum(-np.asarray(power_w), 0.0)
            kept = stored_value * (up * storage.charge_efficiency - down / storage.discharge_efficiency)
            paid = self._grid(steps, net_w + power_w) - kept + storage.wear_price * (up + down)
            best = np.minimum(best, paid)
        return np.asarray((best + over) * (supply.hours / K))

    def _grid(self, steps: Any, grid_w: Floats) -> Floats:
        """EUR/kWh times W; PV may be thrown away where that is allowed and pays."""
        supply = self.supply
        buy, sell = supply.buy[steps], np.minimum(supply.sell, supply.buy)[steps]
        if len(supply.curtail_w):
            spilled = np.minimum(np.maximum(-grid_w, 0.0), supply.curtail_w[steps])
            grid_w = np.where(sell < 0.0, grid_w + spilled, grid_w)
        return np.asarray(np.maximum(buy * grid_w, sell * grid_w))
