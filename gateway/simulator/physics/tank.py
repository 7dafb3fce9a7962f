"""A hot-water tank with a heater that takes a power, keeps its own limits, and heats by itself when it is too cold."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.simulator.physics.daily import Alarm
from gateway.simulator.physics.heat import WATER_WH_PER_LITRE_K, step_temperature
from gateway.simulator.physics.orders import Orders
from gateway.simulator.settings.flexible import TankSettings

Work = Literal["rest", "surplus", "boost"]
SECONDS = 3600.0


@dataclass(slots=True, kw_only=True)
class TankEnergyBalance:
    """Heat since the start, Wh: `heated - lost - drawn` is the change of what is stored."""

    heated_wh: float = 0.0
    lost_wh: float = 0.0
    drawn_wh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """Water that runs until then."""

    until_s: float
    litres_per_s: float


class Tank:
    """`power_w` is what the heater draws. Whatever it is sent: not above `limit_c`, and by itself below `least_c`."""

    shares = (0.0, 1.0, 0.0)  # it hangs on the second phase

    def __init__(self, settings: TankSettings) -> None:
        self.settings = settings
        self.balance = TankEnergyBalance()
        self.temp_c = settings.temp_c
        self.limit_c = settings.limit_c
        self.setpoint_timeout_s = settings.setpoint_timeout_s
        self.power_w = 0.0
        self.work: Work = "rest"
        self.writes = 0
        self.obeys = True
        self.goes_on_w: float | None = None  # while it does not obey; None: all that its heater can
        self._orders = Orders(0.0)
        self._written_s = -math.inf
        self._taps: list[Tap] = []
        self._alarms = [(Alarm(at), litres) for at, litres in settings.draws.items()]
        self._full = self._cold = False

    @property
    def capacity_wh_per_k(self) -> float:
        """Of the water in it."""
        return self.settings.litres * WATER_WH_PER_LITRE_K

    def set_power(self, power_w: float, now_s: float) -> None:
        """Take a power; it counts until it lapses."""
        self.writes += 1
        self._written_s = now_s
        self._orders.give(power_w, now_s + self.settings.dead_time_s)

    def draw(self, litres: float, seconds: float, now_s: float) -> None:
        """Somebody opens a tap."""
        self._taps.append(Tap(until_s=now_s + seconds, litres_per_s=litres / seconds))

    def advance(self, *, now_s: float, dt_s: float, local: datetime) -> float:
        """Live for `dt_s`; gives the power of that step."""
        for alarm, litres in self._alarms:
            if alarm.rings(local):
                self.draw(litres, self.settings.draw_s, now_s)
        if now_s - self._written_s >= self.setpoint_timeout_s:
            self._orders.reset(0.0)
        ordered_w = self._orders.at(now_s)
        own_w = self.settings.heater_w if self.goes_on_w is None else self.goes_on_w
        self.power_w = self._heating_w(ordered_w if self.obeys else own_w)
        self._warm(self._litres(now_s, dt_s), dt_s / SECONDS)
        return self.power_w

    def _heating_w(self, wanted_w: float) -> float:
        settings = self.settings
        self._full = self.temp_c >= self.limit_c - (settings.limit_hysteresis_k if self._full else 0.0)
        self._cold = self.temp_c < settings.least_c + (settings.least_hysteresis_k if self._cold else 0.0)
        power_w = 0.0 if self._full else settings.heater_w if self._cold else min(max(wanted_w, 0.0), settings.heater_w)
        self.work = "rest" if power_w == 0.0 else "boost" if self._cold else "surplus"
        return power_w

    def _litres(self, now_s: float, dt_s: float) -> float:
        """What is drawn in this step."""
        self._taps = [tap for tap in self._taps if tap.until_s > now_s]
        return sum(tap.litres_per_s * min(tap.until_s - now_s, dt_s) for tap in self._taps)

    def _warm(self, litres: float, hours: float) -> None:
        """What is drawn leaves at the tank's temperature and is replaced at that of the inlet."""
        settings = self.settings
        loss, flow = settings.loss_w_per_k, litres * WATER_WH_PER_LITRE_K / hours  # both in W/K
        around_c = (loss * settings.room_c + flow * settings.inlet_c) / (loss + flow) if loss + flow else self.temp_c
        step = step_temperature(
            self.temp_c,
            around_c=around_c,
            power_w=self.power_w,
            loss_w_per_k=loss + flow,
            capacity_wh_per_k=self.capacity_wh_per_k,
            hours=hours,
        )
        self.balance.heated_wh += self.power_w * hours
        self.balance.lost_wh += loss * (step.mean_c - settings.room_c) * hours
        self.balance.drawn_wh += flow * (step.mean_c - settings.inlet_c) * hours
        self.temp_c = step.end_c
