"""What the building owes the grid beside the price of its energy: few steps up and down, no peaks."""

import math
from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPrices:
    """Prices of energy in multiples of a mean imported kilowatt-hour; the last axis is that of the steps."""

    # Imported energy.
    buy: Floats
    # Exported energy; never above `buy`.
    sell: Floats

    def at(self, step: int) -> "EnergyPrices":
        """That of one step: the last axis is dropped."""
        return EnergyPrices(buy=self.buy[..., step], sell=self.sell[..., step])


@dataclass(frozen=True, slots=True, kw_only=True)
class GridGoal:
    """Weights of what the grid wishes, in kWh of a mean imported kilowatt-hour, so that they hold for every tariff."""

    # What it costs that the grid power changes by 1 kW from one step to the next (>= 0).
    ramp_kwh_per_kw: float = 0.0
    # What an hour at 1 kW above or below the mean grid power costs (>= 0); it grows with the square.
    flat_per_kw: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a weight below zero."""
        if min(self.ramp_kwh_per_kw, self.flat_per_kw) < 0.0:
            raise ValueError(f"weights of the grid are not below zero: {self}")

    @property
    def ramp_h(self) -> float:
        """Wh for each W of change from one step to the next."""
        return self.ramp_kwh_per_kw

    def cost_wh(self, grid_w: Floats, prices: EnergyPrices, mean_w: Floats, hours: float) -> Floats:
        """Energy and evenness of one step in Wh of a mean kilowatt-hour."""
        away_w = grid_w - mean_w
        energy = np.maximum(
            prices.buy * grid_w, prices.sell * grid_w
        )  # sell <= buy: the greater one has the right sign
        return np.asarray(hours * (energy + self.flat_per_kw / 1000.0 * away_w * away_w))


@dataclass(frozen=True, slots=True, kw_only=True)
class GridMethod:
    """How a plan with a grid goal is made: `[grid_goal]` of `config/planner.toml` (docs/bench-citylearn.md)."""

    # See GridGoal.
    ramp_kwh_per_kw: float = 0.25
    # See GridGoal.
    flat_per_kw: float = 0.2
    # Ups and downs of one scenario shorter than this (h) are noise where powers are set before the load is known.
    blur_h: float = 8.0
    # Possible futures, one for each of so many past days.
    scenarios: int = 28
    # How far a plan reaches (h).
    horizon_h: int = 24
    # Points of the grid of stored energy.
    energy_points: int = 15
    # Energy stored behind the horizon is valued at this share (0…1) of the mean price.
    end_value_share: float = 0.6

    def __post_init__(self) -> None:
        """Raises ValueError for what no plan can be made with."""
        if self.scenarios < 1 or self.horizon_h < 2 or self.energy_points < 3:
            raise ValueError("at least 1 scenario, a horizon of 2 h and 3 energy points")
        if not 0.0 <= self.blur_h < math.inf:
            raise ValueError("the blur is a time in hours")
        if not 0.0 <= self.end_value_share <= 1.0:
            raise ValueError("the end value is a share 0 to 1")
        GridGoal(ramp_kwh_per_kw=self.ramp_kwh_per_kw, flat_per_kw=self.flat_per_kw)

    @property
    def goal(self) -> GridGoal:
        """The weights."""
        return GridGoal(ramp_kwh_per_kw=self.ramp_kwh_per_kw, flat_per_kw=self.flat_per_kw)
