"""What power costs in each step: from the surplus, from the storage at the value of its energy, or from the grid."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.planning.schedule.shared import OVER_PRICE, Shared

K = 1000.0
LITTLE_W = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The building as one load meets it.

    `taken_w` is what the other loads draw, `worth` (EUR/kWh) the value of stored energy at each step: the storage buys
    and sells at this value, within its powers.
    The import limit is held without the storage's help: whether it will have energy then is not certain.
    """

    shared: Shared
    taken_w: Floats
    worth: Floats

    def with_taken(self, taken_w: Floats) -> "Market":
        """The same, with other loads."""
        return replace(self, taken_w=taken_w)

    @property
    def net_w(self) -> Floats:
        """Net load with the other loads."""
        return np.asarray(self.shared.net_w + self.taken_w)

    def room_w(self) -> Floats:
        """What may still be drawn under the import limit."""
        return np.maximum(self.shared.limits.import_max_w - self.net_w, 0.0)

    def cost_eur(self, steps: Any, power_w: Any) -> Floats:
        """What drawing these powers costs in these steps (arrays that fit each other)."""
        net = self.net_w[steps]
        return np.asarray(self._paid_eur(steps, net + power_w) - self._paid_eur(steps, net))

    def price(self) -> Floats:
        """EUR/kWh of the last of the power in each step: what a little less would spare."""
        every = np.arange(self.shared.steps)
        little_w = -LITTLE_W
        return self.cost_eur(every, np.full(len(every), little_w)) / (little_w / K * self.shared.hours)

    def _paid_eur(self, steps: Any, net_w: Floats) -> Floats:
        """Least over the powers of the storage at which the cost bends."""
        shared, storage = self.shared, self.shared.storage
        over = np.maximum(net_w - shared.limits.import_max_w, 0.0) * OVER_PRICE
        if storage is None:
            return np.asarray((self._grid(steps, net_w) + over) * (shared.hours / K))
        best = self._grid(steps, net_w)
        worth = self.worth[steps]
        low, high = -storage.discharge_max_w, storage.charge_max_w
        for power_w in (np.clip(-net_w, low, high), low, high):
            up, down = np.maximum(power_w, 0.0), np.maximum(-np.asarray(power_w), 0.0)
            kept = worth * (up * storage.charge_efficiency - down / storage.discharge_efficiency)
            paid = self._grid(steps, net_w + power_w) - kept + storage.wear_price * (up + down)
            best = np.minimum(best, paid)
        return np.asarray((best + over) * (shared.hours / K))

    def _grid(self, steps: Any, grid_w: Floats) -> Floats:
        """EUR/kWh times W; PV may be thrown away where that is allowed and pays."""
        shared = self.shared
        buy, sell = shared.buy[steps], np.minimum(shared.sell, shared.buy)[steps]
        if len(shared.curtail_w):
            spilled = np.minimum(np.maximum(-grid_w, 0.0), shared.curtail_w[steps])
            grid_w = np.where(sell < 0.0, grid_w + spilled, grid_w)
        return np.asarray(np.maximum(buy * grid_w, sell * grid_w))
