"""A storage as it really is: its efficiency depends on its power, the power it can give or take on its charge."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats

TABLE_POINTS = 4001  # of the inverse: finer than a thousandth of the power


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLoad:
    """The same for charging and discharging; straight lines between the points of both curves."""

    # Energy between empty and full (Wh).
    capacity_wh: float
    # Greatest power at the terminals (W).
    power_w: float
    # Points of the curve of efficiency: shares (0…1) of `power_w`.
    power_shares: tuple[float, ...] = (0.0, 1.0)
    # Efficiency one way (0…1) at these points.
    efficiencies: tuple[float, ...] = (0.95, 0.95)
    # Points of the curve of power: shares (0…1) of `capacity_wh` that are stored.
    fills: tuple[float, ...] = (0.0, 1.0)
    # Share (0…1) of `power_w` that can be had at these points.
    limits: tuple[float, ...] = (1.0, 1.0)

    def efficiency(self, power_w: Floats) -> Floats:
        """One way, at a power of either sign."""
        return np.asarray(np.interp(np.abs(power_w) / self.power_w, self.power_shares, self.efficiencies))

    def limit_w(self, energy_wh: Floats) -> Floats:
        """The greatest power, either way, when this much is stored."""
        return np.asarray(self.power_w * np.interp(energy_wh / self.capacity_wh, self.fills, self.limits))

    def change_wh(self, power_w: Floats, hours: float) -> Floats:
        """What a power at the terminals adds to the stored energy (negative: takes from it)."""
        one_way = self.efficiency(power_w)
        return np.asarray(hours * np.where(power_w >= 0.0, power_w * one_way, power_w / one_way))

    def terminal_w(self, change_wh: Floats, hours: float) -> Floats:
        """The power at the terminals behind a change of the stored energy; exactly 0 for none."""
        powers_w = np.linspace(-self.power_w, self.power_w, TABLE_POINTS)
        found = np.interp(change_wh, self.change_wh(powers_w, hours), powers_w)
        return np.where(change_wh == 0.0, 0.0, found)

    def moved(self, energy_wh: Floats, power_w: Floats, hours: float) -> tuple[Floats, Floats]:
        """What is stored after a step at this power, and the mean power that the storage let through."""
        limit_w = self.limit_w(energy_wh)
        asked_w = np.clip(power_w, -limit_w, limit_w)
        after_wh = np.clip(energy_wh + self.change_wh(asked_w, hours), 0.0, self.capacity_wh)
        one_way, inside_w = self.efficiency(asked_w), (after_wh - energy_wh) / hours
        return after_wh, np.asarray(np.where(inside_w >= 0.0, inside_w / one_way, inside_w * one_way))
