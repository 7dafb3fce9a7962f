"""An AC-coupled battery with its converter: what it draws, what it loses, what it is sent and what it does itself."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from gateway.simulator.settings.config import BatterySettings

Mode = Literal["own", "remote"]


@dataclass(slots=True, kw_only=True)
class BatteryEnergyBalance:
    """Energy since the start, Wh: `in - out - loss - standby` is the change of what is stored, exactly."""

    in_wh: float = 0.0
    out_wh: float = 0.0
    loss_wh: float = 0.0
    standby_wh: float = 0.0


class Battery:
    """The battery in one piece. Power is positive when it charges; all moments are seconds since the start.

    A command reaches the converter after the dead time and is then approached at the ramp. A set-point that is not
    refreshed within `setpoint_timeout_s` lapses, and the battery is at once in its own mode: it follows what its own
    small meter sees of the rest of the building, filtered and with a dead time of its own, so that the grid is near 0.
    """

    def __init__(self, settings: BatterySettings) -> None:
        self.settings = settings
        self.balance = BatteryEnergyBalance()
        self.power_w = settings.standby_w
        self.stored_wh = settings.soc * settings.capacity_wh
        self.setpoint_w: float | None = None
        self.enabled = False
        self.setpoint_writes = 0
        self.takes_w = (math.inf, math.inf)  # the most that the cells let out and in, beyond their own taper
        self.obeys = True
        self.goes_on_w: float | None = None  # what it does while it does not obey; None: its own mode
        self._written_s = -math.inf
        self._orders: deque[tuple[float, float | None]] = deque()
        self._obeyed_w: float | None = None
        self._own_filtered_w: float | None = None
        self._own_orders: deque[tuple[float, float]] = deque()
        self._own_w = 0.0
        self._ramped_w = 0.0
        self._running = False

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1 of the whole capacity."""
        return self.stored_wh / self.settings.capacity_wh

    @property
    def mode(self) -> Mode:
        """Who commands: its own mode or somebody over the link."""
        return "remote" if self.enabled and self.setpoint_w is not None else "own"

    def set_power(self, power_w: float, now_s: float) -> None:
        """Take a set-point; it counts once remote control is enabled."""
        self.setpoint_w = power_w
        self.setpoint_writes += 1
        self._refresh(now_s)

    def enable(self, now_s: float) -> None:
        """Remote control on; keeps on only while it or the set-point is written again."""
        self.enabled = True
        self._refresh(now_s)

    def release(self) -> None:
        """Back to the own mode at once."""
        self.enabled = False
        self.setpoint_w = None
        self._orders.clear()
        self._obeyed_w = None

    def limits_w(self) -> tuple[float, float]:
        """Lowest and highest power now (discharge is negative); fading towards empty and full."""
        s = self.settings
        discharge = min(max((self.soc - s.soc_min) / s.taper_discharge, 0.0), 1.0)
        charge = min(max((s.soc_max - self.soc) / s.taper_charge, 0.0), 1.0)
        out_w, in_w = self.takes_w
        return -min(s.discharge_max_w * discharge, out_w), min(s.charge_max_w * charge, in_w)

    def loss_w(self, power_w: float) -> float:
        """Loss of the running converter at a power."""
        s = self.settings
        return s.loss_constant_w + s.loss_linear * abs(power_w) + s.loss_quadratic_per_w * power_w**2

    def advance(self, *, now_s: float, dt_s: float, rest_w: float) -> float:
        """Live from `now_s` for `dt_s` beside a building that draws `rest_w`; gives the power of that step."""
        if self.enabled and now_s - self._written_s >= self.settings.setpoint_timeout_s:
            self.release()
        self._observe(now_s, dt_s, rest_w)
        while self._orders and self._orders[0][0] <= now_s:
            self._obeyed_w = self._orders.popleft()[1]
        followed_w = self._obeyed_w if self.obeys else self.goes_on_w
        self._ramp(self._own_w if followed_w is None else followed_w, dt_s)
        self._running = self._can_take(self._ramped_w, dt_s)
        self.power_w = self._ramped_w if self._running else self.settings.standby_w
        self._keep_books(dt_s)
        return self.power_w

    def _refresh(self, now_s: float) -> None:
        self._written_s = now_s
        if self.enabled:
            self._orders.append((now_s + self.settings.dead_time_s, self.setpoint_w))

    def _observe(self, now_s: float, dt_s: float, rest_w: float) -> None:
        """The own meter and its filter run in every mode, so that a release does not begin with old values."""
        before_w = rest_w if self._own_filtered_w is None else self._own_filtered_w
        share = -math.expm1(-dt_s / self.settings.own_filter_s) if self.settings.own_filter_s > 0.0 else 1.0
        self._own_filtered_w = before_w + (rest_w - before_w) * share
        self._own_orders.append((now_s + self.settings.own_dead_time_s, -self._own_filtered_w))
        while self._own_orders and self._own_orders[0][0] <= now_s:
            self._own_w = self._own_orders.popleft()[1]

    def _ramp(self, wanted_w: float, dt_s: float) -> None:
        """Change the power that the converter goes to; a power too small for it counts as 0."""
        low_w, high_w = self.limits_w()
        goal_w = 0.0 if abs(wanted_w) < self.settings.min_power_w else wanted_w
        step_w = self.settings.ramp_w_per_s * dt_s
        ramped_w = min(max(goal_w, self._ramped_w - step_w), self._ramped_w + step_w)
        self._ramped_w = min(max(ramped_w, low_w), high_w)  # the cells' limit is harder than the ramp

    def _can_take(self, power_w: float, dt_s: float) -> bool:
        """Whether a step at this power is worth running the converter and stays between empty and full.

        A converter that does not run draws the standby power from the building.
        """
        if abs(power_w) < self.settings.min_power_w:
            return False
        after_wh = self.stored_wh + self._into_cells_w(power_w) * dt_s / 3600.0
        s = self.settings
        outward = after_wh > self.stored_wh if power_w > 0.0 else after_wh < self.stored_wh
        inside = s.soc_min * s.capacity_wh <= after_wh <= s.soc_max * s.capacity_wh
        return inside and outward

    def _into_cells_w(self, power_w: float) -> float:
        return power_w - self.settings.standby_w - self.loss_w(power_w)

    def _keep_books(self, dt_s: float) -> None:
        hours = dt_s / 3600.0
        if self._running:
            self.stored_wh += self._into_cells_w(self.power_w) * hours
            self.balance.loss_wh += self.loss_w(self.power_w) * hours
        self.balance.standby_wh += self.settings.standby_w * hours
        self.balance.in_wh += max(self.power_w, 0.0) * hours
        self.balance.out_wh += max(-self.power_w, 0.0) * hours
