"""A building with loads in virtual time, written apart from what controls it: chargers and tanks obey late, or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.dispatch import Memory, decide
from gateway.core.loads.car import Car, phase_bands
from gateway.core.loads.heat_pump import HeatPump
from gateway.core.loads.switchable import Switchable
from gateway.core.loads.tank import Tank
from gateway.core.model.load import Band
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Mode, Reading, SetPoint, SiteState
from gateway.tests.core.plant import BATTERY

UTC_S = 1_718_985_600.0
CAR = Car(id="car", bands=phase_bands(least_a=6, most_a=32, phases=(1,)), capacity_wh=60_000.0)
QUICK = replace(BATTERY, dead_time_s=0.0, ramp_w_per_s=1e6)
TANK = Tank(id="tank", litres=200.0, band=Band(low_w=0.0, high_w=3000.0))
ROOMS = HeatPump(
    id="rooms",
    bands=(Band(low_w=600.0, high_w=600.0), Band(low_w=2500.0, high_w=2500.0)),
    wh_per_k=8_000.0,
    loss_w_per_k=180.0,
    minimum_up_s=60.0,
    minimum_down_s=60.0,
)
POOL = Switchable(id="pool", band=Band(low_w=900.0, high_w=900.0), minimum_up_s=600.0, minimum_down_s=300.0)


def site(*loads: object, battery: bool = False, **changes: object) -> Site:
    found = {
        "grid": "grid",
        "pv": (),
        "batteries": (QUICK,) if battery else (),
        "grid_setpoint_w": 0.0,
        "import_limit_w": 9_000.0,
        "export_limit_w": 12_000.0,
        "loads": tuple(LoadDevice(load=load, device=f"{load.id}-meter", takes_orders=True) for load in loads),
    }
    return Site(**(found | changes))


@dataclass
class Device:
    """A load that does what it is told after `dead_s`; in its own mode it draws `own_w`, never more than `most_w`."""

    own_w: float = 0.0
    most_w: float = 1e9
    dead_s: float = 2.0
    points: dict[str, float] = field(default_factory=dict)
    requested_w: float | None = None
    orders: list[tuple[float, float | None]] = field(default_factory=list)

    def order(self, power_w: float | None, now_s: float) -> None:
        if not self.orders or self.orders[-1][1] != power_w:
            self.orders.append((now_s, power_w))

    def power_w(self, now_s: float) -> float:
        done = [power_w for at_s, power_w in self.orders if at_s + self.dead_s <= now_s]
        requested_w = done[-1] if done else None
        return min(self.own_w if requested_w is None else requested_w, self.most_w)


@dataclass
class Building:
    """`base_w(t)`: all but loads and battery. A cycle each second; loads tell their power every 2 s."""

    site: Site
    base_w: Callable[[float], float]
    devices: dict[str, Device]
    sun_w: Callable[[float], float] = lambda _t: 0.0  # of a roof that takes a limit
    requests: Mapping[str, LoadSlot] = field(default_factory=dict)
    slot: Slot | None = None
    memory: Memory = field(default_factory=Memory)
    t: float = 0.0
    utc_offset_s: float = UTC_S
    soc: float = 0.5
    battery_w: float = 0.0
    is_blind: bool = False
    meter_late_s: int = 0
    sent: list[dict[str, SetPoint]] = field(default_factory=list)
    grid_w: list[float] = field(default_factory=list)
    pv_w: list[float] = field(default_factory=list)
    _limit_w: float | None = None
    _reports: dict[str, dict[str, Reading]] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.t += 1.0
            powers = {id_: device.power_w(self.t) for id_, device in self.devices.items()}
            self.pv_w.append(-min(self.sun_w(self.t), self._limit_w if self._limit_w is not None else 1e9))
            self.grid_w.append(self.base_w(self.t) + self.pv_w[-1] + sum(powers.values()) + self.battery_w)
            for roof in self.site.pv:
                self._reports[roof] = {"p_w": Reading(value=self.pv_w[-1], measured_s=self.t)}
            if round(self.t) % 2 == 0:
                for id_, device in self.devices.items():
                    points = {"p_w": powers[id_], **device.points}
                    self._reports[id_] = {
                        name: Reading(value=value, measured_s=self.t) for name, value in points.items()
                    }
            if not self.is_blind:
                self._reports["grid"] = {"p_w": Reading(value=self._shown_w(), measured_s=self.t)}
            if self.site.batteries:
                sent = {"p_w": self.battery_w, "soc": self.soc}
                self._reports["battery"] = {
                    name: Reading(value=value, measured_s=self.t) for name, value in sent.items()
                }
            self._decide()

    def _shown_w(self) -> float:
        return self.grid_w[max(len(self.grid_w) - 1 - self.meter_late_s, 0)]

    def _decide(self) -> None:
        state = SiteState(now_s=self.t, utc_s=self.t + self.utc_offset_s, devices=dict(self._reports))
        setpoints, self.memory = decide(state, self.site, self.slot, self.memory, self.requests)
        for setpoint in setpoints:
            if setpoint.device == "battery":
                self.battery_w = setpoint.power_w or 0.0
            elif setpoint.device in self.site.pv:
                self._limit_w = None if setpoint.power_w is None else -setpoint.power_w
            elif setpoint.mode is not Mode.WATCH:
                self.devices[setpoint.device].order(setpoint.power_w, self.t)
        self.sent.append({setpoint.device: setpoint for setpoint in setpoints})

    def powers(self, device: str) -> list[float | None]:
        return [sent[device].power_w for sent in self.sent if device in sent]

    def switches(self, device: str) -> list[float]:
        """Moments at which it was told to begin or to end."""
        powers = self.powers(device)
        pairs = [(i + 1.0, powers[i - 1], powers[i]) for i in range(1, len(powers))]
        return [t for t, before, now in pairs if None not in (before, now) and bool(before) != bool(now)]
