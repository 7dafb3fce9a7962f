"""A heat pump and the rooms that it heats: its own thermostat, what it is forced to or offered, and its compressor."""

import math
from dataclasses import dataclass
from datetime import datetime

from gateway.simulator.physics.heat import step_temperature
from gateway.simulator.settings.flexible import HeatPumpSettings

COLDEST_DAY, COLDEST_HOUR = 20, 5.0  # of the year, of the day: some weeks after the solstice, about sunrise
YEAR_DAYS, DAY_HOURS = 365.25, 24.0


@dataclass(slots=True, kw_only=True)
class HeatPumpEnergyBalance:
    """Energy since the start, Wh: `heat + gains - lost` is the change of what the rooms store."""

    used_wh: float = 0.0
    heat_wh: float = 0.0
    gains_wh: float = 0.0
    lost_wh: float = 0.0


class HeatPump:
    """`power_w` is what it draws. Its thermostat goes on whatever it is offered; `blocked` stops it."""

    shares = (0.0, 0.0, 1.0)  # it hangs on the third phase

    def __init__(self, settings: HeatPumpSettings) -> None:
        self.settings = settings
        self.balance = HeatPumpEnergyBalance()
        self.temp_c = settings.temp_c
        self.outdoor_c = settings.outdoor_mean_c
        self.power_w = settings.standby_w
        self.compressor_w = 0.0
        self.forced = False
        self.blocked = False
        self.writes = 0
        self.obeys = True
        self.goes_on_w: float | None = None  # while it does not obey; None: as its own thermostat wants
        self._offer_w = 0.0
        self._offered_s = -math.inf
        self._calls = self._sated = False
        self._switched_s = -math.inf

    @property
    def running(self) -> bool:
        """Whether the compressor turns."""
        return self.compressor_w > 0.0

    @property
    def heat_w(self) -> float:
        """What it gives to the rooms."""
        return self.compressor_w * self.cop

    @property
    def cop(self) -> float:
        """Heat per electricity of the compressor, falling with the cold; never below 1."""
        return max(self.settings.cop + self.settings.cop_per_k * (self.outdoor_c - 7.0), 1.0)

    @property
    def return_c(self) -> float:
        """The water that comes back from the floor."""
        return self.temp_c + 3.0

    @property
    def flow_c(self) -> float:
        """The water to the floor: the warmer, the more heat there is to hand over."""
        return self.return_c + 0.0015 * self.heat_w

    def offer(self, power_w: float, now_s: float) -> None:
        """Offer it a power to use up; lapses."""
        self.writes += 1
        self._offer_w, self._offered_s = power_w, now_s

    def offered_w(self, now_s: float) -> float:
        """What is still offered."""
        return self._offer_w if now_s - self._offered_s < self.settings.offer_timeout_s else 0.0

    def advance(self, *, now_s: float, dt_s: float, local: datetime) -> float:
        """Live for `dt_s`; gives the power of that step."""
        self.outdoor_c = outdoor_c(self.settings, local)
        goal_w = self._spared_w(self._wanted_w(now_s), now_s)
        self._turn(goal_w, now_s, self.settings.ramp_w_per_s * dt_s)
        self.power_w = self.settings.standby_w + self.compressor_w
        self._warm(dt_s / 3600.0)
        return self.power_w

    def _wanted_w(self, now_s: float) -> float:
        """What thermostat, force and offer want of the compressor."""
        settings = self.settings
        if not self.obeys and self.goes_on_w is not None:
            return self.goes_on_w
        raised_c = settings.target_c + settings.raise_k
        target_c = raised_c if self.forced and self.obeys else settings.target_c
        self._calls = self.temp_c < target_c + settings.hysteresis_k * (0.5 if self._calls else -0.5)
        offer_w = self.offered_w(now_s) if self.obeys else 0.0
        self._sated = self.temp_c >= raised_c - (settings.hysteresis_k if self._sated else 0.0)
        taken_w = min(offer_w, settings.most_w) if offer_w >= settings.least_w and not self._sated else 0.0
        return max(settings.power_w if self._calls else 0.0, taken_w)

    def _spared_w(self, wanted_w: float, now_s: float) -> float:
        """Runs and rests last long enough; only blocking ends a run at once."""
        since_s = now_s - self._switched_s
        if self.blocked and self.obeys:
            return 0.0
        if self.running and since_s < self.settings.run_s:
            return max(wanted_w, self.settings.least_w)
        if not self.running and since_s < self.settings.rest_s:
            return 0.0
        return wanted_w

    def _turn(self, goal_w: float, now_s: float, step_w: float) -> None:
        """The compressor starts at its least power, ramps, and stops at once."""
        was_running, least_w = self.running, self.settings.least_w
        if goal_w == 0.0:
            self.compressor_w = 0.0
        else:
            before_w = max(self.compressor_w, least_w)
            self.compressor_w = min(max(goal_w, before_w - step_w, least_w), before_w + step_w)
        if was_running != self.running:
            self._switched_s = now_s

    def _warm(self, hours: float) -> None:
        settings = self.settings
        step = step_temperature(
            self.temp_c,
            around_c=self.outdoor_c,
            power_w=self.heat_w + settings.gains_w,
            loss_w_per_k=settings.loss_w_per_k,
            capacity_wh_per_k=settings.capacity_wh_per_k,
            hours=hours,
        )
        self.balance.used_wh += self.power_w * hours
        self.balance.heat_wh += self.heat_w * hours
        self.balance.gains_wh += settings.gains_w * hours
        self.balance.lost_wh += settings.loss_w_per_k * (step.mean_c - self.outdoor_c) * hours
        self.temp_c = step.end_c


def outdoor_c(settings: HeatPumpSettings, local: datetime) -> float:
    """The temperature outdoors: two cosines, of the year and of the day."""
    hour = local.hour + local.minute / 60.0 + local.second / 3600.0
    day = local.timetuple().tm_yday + hour / DAY_HOURS
    year = math.cos(math.tau * (day - COLDEST_DAY) / YEAR_DAYS)
    daily = math.cos(math.tau * (hour - COLDEST_HOUR) / DAY_HOURS)
    return settings.outdoor_mean_c - settings.outdoor_season_k * year - settings.outdoor_day_k * daily
