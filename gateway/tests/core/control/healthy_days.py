"""Healthy days in virtual time: clouds, kettles, an oven, a car, noise, a late meter, an inverter that sleeps at night.

One second a step, written apart from the simulator and from what decides. Everything here tells the truth.
"""

import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.core.control.dispatch import Memory, decide
from gateway.core.loads.car import Car, phase_bands
from gateway.core.model.site import Battery, LoadDevice, Site
from gateway.core.model.state import Reading, SetPoint, SiteState

DAY_S = 86_400
PEAK_W = 5_000.0
BATTERY = Battery(
    id="battery",
    capacity_wh=10_000.0,
    charge_max_w=5_000.0,
    discharge_max_w=5_000.0,
    reserve=0.1,
    soc_max=1.0,
    dead_time_s=1.0,
    ramp_w_per_s=2_500.0,
    loss_constant_w=30.0,
)
CAR = Car(id="car", bands=phase_bands(least_a=6, most_a=16, phases=(1,)), capacity_wh=50_000.0)


@dataclass
class Day:
    """The same number is the same day. Odd ones have a late meter, each third an inverter that is silent at night."""

    number: int
    draw: random.Random = field(init=False)
    battery_w: float = 0.0
    soc: float = 0.3
    sun: float = 1.0
    sun_to: float = 1.0
    orders: deque[tuple[int, float]] = field(default_factory=deque)
    ordered_w: float = 0.0
    kettle_until: int = 0
    grids: deque[float] = field(default_factory=lambda: deque(maxlen=4))

    def __post_init__(self) -> None:
        self.draw = random.Random(self.number)
        self.late_s = (0, 2)[self.number % 2]
        self.is_silent = self.number % 3 == 0
        self.season = self.draw.uniform(0.25, 1.0)
        self.site = Site(
            grid="grid",
            pv=("pv",),
            batteries=(BATTERY,),
            grid_setpoint_w=0.0,
            import_limit_w=9_000.0,
            export_limit_w=6_000.0,
            meter_delay_s=(0.0, 3.0),
            peak_w={"pv": PEAK_W},
            loads=(LoadDevice(load=CAR, device="car", takes_orders=False),),
        )

    def run(self) -> Iterator[SetPoint]:
        """The set-points of each second."""
        memory = Memory()
        for t in range(DAY_S):
            pv_w, car_w = self._pv_w(t), self._car_w(t)
            self._battery(t)
            self.grids.append(self._load_w(t) + car_w + pv_w + self.battery_w)
            setpoints, memory = decide(self._state(t, pv_w, car_w), self.site, None, memory)
            for setpoint in setpoints:
                if setpoint.power_w is not None and (not self.orders or self.orders[-1][1] != setpoint.power_w):
                    self.orders.append((t + 1, setpoint.power_w))
                yield setpoint

    def _pv_w(self, t: int) -> float:
        """Less than 0; the edge of a cloud takes some seconds."""
        if self.draw.random() < 0.012:
            self.sun_to = self.draw.choice([1.0, 0.95, 0.5, 0.3, 0.2])
        self.sun += min(max(self.sun_to - self.sun, -0.25), 0.25)
        height = math.sin(math.pi * (t / 3600.0 - 6.0) / 12.0)
        return -PEAK_W * self.season * self.sun * max(height, 0.0)

    def _car_w(self, t: int) -> float:
        return 3_680.0 if 66_000 <= t < 72_000 else 0.0

    def _load_w(self, t: int) -> float:
        hour = t / 3600.0
        if t > self.kettle_until and 6.0 < hour < 23.0 and self.draw.random() < 0.0015:
            self.kettle_until = t + self.draw.randint(40, 180)
        oven = 2_000.0 if (11.5 < hour < 12.5 or 18.5 < hour < 19.5) and t % 60 < 25 else 0.0
        kettle = 2_200.0 if t < self.kettle_until else 0.0
        return 280.0 + 60.0 * math.sin(t / 700.0) + self.draw.gauss(0.0, 15.0) + oven + kettle

    def _battery(self, t: int) -> None:
        while self.orders and self.orders[0][0] <= t:
            self.ordered_w = self.orders.popleft()[1]
        taper_w = 5_000.0 if self.soc < 0.95 else max(5_000.0 * (1.0 - self.soc) / 0.05, 0.0)
        wanted_w = min(self.ordered_w, taper_w) if self.soc > 0.05 else max(self.ordered_w, 0.0)
        self.battery_w += min(max(wanted_w - self.battery_w, -2_500.0), 2_500.0)
        self.soc = min(max(self.soc + self.battery_w / 3600.0 / BATTERY.capacity_wh, 0.0), 1.0)

    def _state(self, t: int, pv_w: float, car_w: float) -> SiteState:
        now_s = float(t + 1)
        shown_w = round(self.grids[max(len(self.grids) - 1 - self.late_s, 0)] + self.draw.gauss(0.0, 4.0))
        pv = Reading(value=float(round(pv_w)), measured_s=now_s)
        if self.is_silent and pv_w == 0.0:
            pv = Reading.absent("timeout", now_s)
        devices = {
            "grid": {"p_w": Reading(value=float(shown_w), measured_s=now_s)},
            "pv": {"p_w": pv},
            "battery": {
                "p_w": Reading(value=float(round(self.battery_w)), measured_s=now_s),
                "soc": Reading(value=round(self.soc, 2), measured_s=now_s),
            },
            "car": {
                "p_w": Reading(value=car_w, measured_s=now_s - t % 2),
                "plugged": Reading(value=1.0, measured_s=now_s),
            },
        }
        return SiteState(now_s=now_s, utc_s=1_718_900_000.0 + now_s, devices=devices)
