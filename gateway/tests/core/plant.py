"""A building in virtual time for the tests of the core: dead time, ramp, late meter, reports at their own moments.

Written apart from `gateway/simulator` and from the controller, so that a mistake in one of them shows.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.plan import Slot
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading, SetPoint, SiteState

STEP_S = 0.05

BATTERY = Battery(
    id="battery",
    capacity_wh=10_000,
    charge_max_w=5_000,
    discharge_max_w=5_000,
    reserve=0.1,
    soc_max=1.0,
    dead_time_s=0.8,
    ramp_w_per_s=2_500,
)
SITE = Site(
    grid="grid", pv=("pv",), batteries=(BATTERY,), grid_setpoint_w=0, import_limit_w=12_000, export_limit_w=12_000
)


@dataclass
class Plant:
    """One building; `load_w(t)` is all but the battery (W). `meter_delay_s` draws the lag of each meter sample."""

    load_w: Callable[[float], float]
    meter_delay_s: Callable[[], float] = lambda: 0.0
    shown: Callable[[float], float] = lambda w: w  # what the meter makes of the true power (W)
    battery_does: Callable[[float], float] = lambda w: w  # what the battery makes of a set-point (W)
    soc: float = 0.5
    site: Site = SITE
    slot: Slot | None = None
    battery_report_s: float = 0.37  # phase of the battery's own report within the second
    noise_w: float = 0.0
    t: float = 0.0
    battery_w: float = 0.0
    memory: Memory = field(default_factory=Memory)
    grid_w: list[tuple[float, float]] = field(default_factory=list)
    setpoints: list[tuple[float, SetPoint]] = field(default_factory=list)
    _queue: list[tuple[float, float]] = field(default_factory=list)
    _target_w: float = 0.0
    _report: Reading | None = None
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def run(self, seconds: float) -> None:
        """Advance; a cycle each second, at the arrival of the meter's sample."""
        for _ in range(round(seconds / STEP_S)):
            self._physics()
            phase = round(self.t % 1.0, 3)
            if abs(phase - self.battery_report_s) < STEP_S / 2:
                self._report = Reading(value=self.battery_w, measured_s=self.t)
            if phase < STEP_S / 2 or phase > 1 - STEP_S / 2:
                self._cycle()

    def _physics(self) -> None:
        self.t += STEP_S
        while self._queue and self._queue[0][0] <= self.t:
            self._target_w = self._queue.pop(0)[1]
        most = 2_500 * STEP_S
        target_w = self.battery_does(self._target_w)
        self.battery_w += min(max(target_w - self.battery_w, -most), most)
        self.soc += self.battery_w * STEP_S / 3600 / 10_000
        self.grid_w.append((self.t, self.load_w(self.t) + self.battery_w))

    def _shown_w(self) -> float:
        late = self.t - self.meter_delay_s()
        past = [w for t, w in self.grid_w[-200:] if t <= late + 1e-9]
        true_w = past[-1] if past else self.grid_w[0][1]
        return self.shown(true_w) + self._random.uniform(-1, 1) * self.noise_w

    def _cycle(self) -> None:
        devices = {
            "grid": {"p_w": Reading(value=self._shown_w(), measured_s=self.t)},
            "pv": {"p_w": Reading(value=min(self.load_w(self.t), 0.0), measured_s=self.t)},  # what it gives is sun
            "battery": {"soc": Reading(value=self.soc, measured_s=self.t)},
        }
        if self._report:
            devices["battery"]["p_w"] = self._report
        state = SiteState(now_s=self.t, utc_s=self.t, devices=devices)
        (setpoint,), self.memory = decide(state, self.site, self.slot, self.memory)
        self.setpoints.append((self.t, setpoint))
        if setpoint.power_w is not None:
            self._queue.append((self.t + 0.8, setpoint.power_w))

    def between(self, start_s: float, end_s: float) -> list[float]:
        """Grid power (W) of that time."""
        return [w for t, w in self.grid_w if start_s <= t <= end_s]
