"""A car at its charger: what it draws of what it is offered, and what reaches its cells."""

from dataclasses import dataclass
from datetime import datetime

from gateway.simulator.physics.charger import LEAST_A, Charger
from gateway.simulator.physics.daily import Alarm, between
from gateway.simulator.physics.orders import Orders
from gateway.simulator.settings.flexible import CarSettings

FAINT = 0.05  # share of its current that a nearly full car still draws


@dataclass(slots=True, kw_only=True)
class CarEnergyBalance:
    """Energy since the start, Wh: `drawn - lost - driven` is the change of what is stored, exactly."""

    drawn_wh: float = 0.0
    lost_wh: float = 0.0
    driven_wh: float = 0.0


class Car:
    """Car and charger in one piece. `power_w` is what the charger draws from the building, 0 or positive."""

    def __init__(self, settings: CarSettings) -> None:
        self.settings = settings
        self.charger = Charger(settings.charger_a)
        self.balance = CarEnergyBalance()
        self.stored_wh = settings.soc * settings.capacity_wh
        self.plugged = settings.plugged
        self.session_wh = 0.0
        self.power_w = 0.0
        self.asleep = False  # it draws nothing, whatever it is offered
        self.obeys = True
        self.goes_on_w: float | None = None  # while its charger does not obey; None: all that both can
        self.on_one_phase = False  # it uses one of the phases that it is offered
        self._orders = Orders(0.0)
        self._alarms = [Alarm(at) for at in (settings.arrives, settings.leaves) if at is not None]
        self._begun = False

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1 of the whole capacity."""
        return self.stored_wh / self.settings.capacity_wh

    @property
    def drawn_a(self) -> float:
        """Current of each of the phases that it uses."""
        return self.power_w / (self.phases * self.settings.voltage_v)

    @property
    def phases(self) -> int:
        """So many it uses."""
        return 1 if self.on_one_phase else self.settings.phases

    @property
    def shares(self) -> tuple[float, float, float]:
        """How its power hangs on the three phases."""
        return (1 / 3, 1 / 3, 1 / 3) if self.phases == 3 else (1.0, 0.0, 0.0)

    def plug(self, *, soc: float | None = None) -> None:
        """It arrives; with a state of charge where one is given. What it used or gained elsewhere counts as driven."""
        if soc is not None:
            stored_wh = soc * self.settings.capacity_wh
            self.balance.driven_wh += self.stored_wh - stored_wh
            self.stored_wh = stored_wh
        if not self.plugged:
            self.plugged, self.session_wh = True, 0.0

    def unplug(self) -> None:
        """It leaves, and draws nothing from now on."""
        self.plugged = False
        self._orders.reset(0.0)

    def advance(self, *, now_s: float, dt_s: float, local: datetime) -> float:
        """Live for `dt_s`; gives the power of that step."""
        self._come_and_go(local)
        offered_a = self._offered_a(now_s) if self.plugged and not self.asleep else 0.0
        self._follow(min(offered_a, self.settings.most_a) if offered_a >= LEAST_A else 0.0, now_s)
        current_a = min(self._orders.at(now_s), self._most_a())
        self._charge(current_a * self.phases * self.settings.voltage_v, dt_s / 3600.0)
        return self.power_w

    def _offered_a(self, now_s: float) -> float:
        """What the charger lets it draw, whatever that was told."""
        if self.obeys:
            return self.charger.offered_a(now_s)
        if self.goes_on_w is None:
            return self.charger.most_a
        return min(self.goes_on_w / (self.phases * self.settings.voltage_v), self.charger.most_a)

    def _follow(self, current_a: float, now_s: float) -> None:
        """A changed offer is obeyed after the car's own time."""
        before_a = self._orders.last
        if current_a != before_a:
            settings = self.settings
            self._orders.give(current_a, now_s + (settings.dead_time_s if before_a else settings.wake_s))

    def _most_a(self) -> float:
        """What the cells let in: less and less when they are nearly full."""
        settings = self.settings
        if self.soc >= settings.soc_max or not self.plugged:
            return 0.0
        share = (settings.soc_max - self.soc) / settings.taper if settings.taper > 0.0 else 1.0
        return settings.most_a * min(max(share, FAINT), 1.0)

    def _charge(self, power_w: float, hours: float) -> None:
        """Never more than the cells hold."""
        room_wh = max(self.settings.soc_max * self.settings.capacity_wh - self.stored_wh, 0.0)
        drawn_wh = min(power_w * hours, room_wh / self.settings.efficiency)
        stored_wh = drawn_wh * self.settings.efficiency
        self.power_w = drawn_wh / hours
        self.stored_wh += stored_wh
        self.session_wh += drawn_wh
        self.balance.drawn_wh += drawn_wh
        self.balance.lost_wh += drawn_wh - stored_wh

    def _come_and_go(self, local: datetime) -> None:
        arrives, leaves = self.settings.arrives, self.settings.leaves
        if arrives is None or leaves is None:
            return
        if not self._begun:
            self._begun, self.plugged = True, between(local, arrives, leaves)
        arrival, departure = (alarm.rings(local) for alarm in self._alarms)
        if arrival and not self.plugged:
            self.plug(soc=max(self.stored_wh - self.settings.drive_wh, 0.0) / self.settings.capacity_wh)
        if departure:
            self.unplug()
