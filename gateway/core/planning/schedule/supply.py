"""What supplies the loads of a building: its net load without them, prices, the connection, the storage."""

from dataclasses import dataclass, field

import numpy as np

from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage

OVER_PRICE = 20.0  # EUR/kWh above the connection: dearer than anything that a load is willing to pay


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supply:
    """The net load, prices, limits and storage that all loads share; every series has one entry for each step."""

    hours: float  # length of a step
    net_w: Floats  # mean net load without the loads
    buy: Floats  # EUR/kWh
    sell: Floats  # EUR/kWh, at most `buy`
    limits: GridLimits = NO_LIMITS  # of the connection; none where nobody set any
    storage: Storage | None = None  # all controlled batteries as one; None: none
    stored_wh: float = 0.0  # in the storage at the start
    end_price: float = 0.0  # value of a kWh that it holds at the end (EUR/kWh)
    curtail_w: Floats = field(default_factory=lambda: np.zeros(0))  # PV that may be thrown away; empty where none may
    supplied: frozenset[str] = frozenset()  # ids of the loads that the storage supplies like the rest of the building

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
