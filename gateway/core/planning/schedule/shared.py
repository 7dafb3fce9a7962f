"""What all loads of a building share: its net load without them, prices, the connection, the storage."""

from dataclasses import dataclass, field

import numpy as np

from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage

OVER_PRICE = 20.0  # EUR/kWh above the connection: dearer than anything that can be wanted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """Per step: mean net load (W), prices (EUR/kWh, sell at most buy). `curtail_w`: PV that may be thrown away.

    `stored_wh` is what the storage holds at the start; `end_price` (EUR/kWh) what it is worth to hold at the end.
    """

    hours: float
    net_w: Floats
    buy: Floats
    sell: Floats
    limits: GridLimits = NO_LIMITS
    storage: Storage | None = None
    stored_wh: float = 0.0
    end_price: float = 0.0
    curtail_w: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def steps(self) -> int:
        """Length of the series."""
        return len(self.net_w)

    def cost_eur(self, loads_w: Floats) -> float:
        """What the building pays with these loads and without its storage, limits broken counted dearly."""
        grid_w = self.net_w + loads_w
        kwh = grid_w * (self.hours / 1000.0)
        over = np.maximum(grid_w - self.limits.import_max_w, 0.0).sum() * self.hours / 1000.0
        return float(np.maximum(self.buy * kwh, self.sell * kwh).sum() + OVER_PRICE * over)
