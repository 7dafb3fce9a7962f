"""What the building owes the grid beside the price of its energy: few steps up and down, no peaks."""

import math
from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What imported and exported energy is worth, in multiples of a mean imported kilowatt-hour; `sell` <= `buy`."""

    buy: Floats
    sell: Floats

    def at(self, step: int) -> "Worth":
        """That of one step: the last axis is dropped."""
        return Worth(buy=self.buy[..., step], sell=self.sell[..., step])


@dataclass(frozen=True, slots=True, kw_only=True)
class GridGoal:
    """Weights of the grid's wishes, in kWh of a mean imported kilowatt-hour, so that they hold for every tariff.

    `ramp_kwh_per_kw`: what a change of the grid power by 1 kW from one step to the next is worth avoiding.
    `flat_per_kw`: what an hour at 1 kW above or below the mean grid power is worth avoiding; grows with the square.
    """

    ramp_kwh_per_kw: float = 0.0
    flat_per_kw: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a weight below zero."""
        if min(self.ramp_kwh_per_kw, self.flat_per_kw) < 0.0:
            raise ValueError(f"weights of the grid are not below zero: {self}")

    @property
    def ramp_h(self) -> float:
        """Wh for each W of change from one step to the next."""
        return self.ramp_kwh_per_kw

    def cost_wh(self, grid_w: Floats, worth: Worth, mean_w: Floats, hours: float) -> Floats:
        """Energy and evenness of one step in Wh of a mean kilowatt-hour."""
        away_w = grid_w - mean_w
        energy = np.maximum(worth.buy * grid_w, worth.sell * grid_w)  # sell <= buy: the greater one has the right sign
        return np.asarray(hours * (energy + self.flat_per_kw / 1000.0 * away_w * away_w))


@dataclass(frozen=True, slots=True, kw_only=True)
class GridMethod:
    """How a plan with a grid goal is made: section `[grid_goal]` of `config/planner.toml`.

    The weights are those of GridGoal. `blur_h`: of `blurred` in the recursion, where powers are set before the load is
    known; what it takes away is noise there. `scenarios`: one for each of so many past days. `energy_points`: grid of
    stored energy. `end_value_share`: what is stored behind the horizon is worth this share of the mean price.
    """

    ramp_kwh_per_kw: float = 0.25
    flat_per_kw: float = 0.2
    blur_h: float = 8.0
    scenarios: int = 28
    horizon_h: int = 24
    energy_points: int = 15
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
