"""A building in virtual time: what the controllers of a study command, and what its meter shows them, late.

The battery is the simulator's, with its dead time, ramp, losses and own mode; the car and the boiler live here.
Nothing of the controller's own model is used.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.model.state import Reading, SiteState
from gateway.simulator.physics.battery import Battery
from gateway.simulator.settings.config import BatterySettings

STEP_S = 0.2
EPOCH_S = 1_700_000_000.0  # UTC of the first step
LINK_S = 0.06  # from a decision to the device's register

Power = Callable[[float], float]


class Controller(Protocol):
    """What is compared: sees one state, gives powers by device (W, charging positive; None: not changed)."""

    def step(self, state: SiteState) -> Mapping[str, float]:
        """The set-points of this moment; devices that are not named keep theirs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterModel:
    """When the grid meter is read and how late its number is (drawn for each sample), W of noise."""

    period_s: float = 1.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    noise_w: float = 2.0


@dataclass(slots=True, kw_only=True)
class Load:
    """A commanded load, a car or a relay: dead time, ramp, least power; follows in whole steps."""

    id: str
    max_w: float
    min_w: float
    dead_time_s: float = 2.0
    ramp_w_per_s: float = 1500.0
    power_w: float = 0.0
    wanted_w: float = 0.0
    switches: int = 0
    _orders: deque[tuple[float, float]] = field(default_factory=deque)

    def order(self, power_w: float, now_s: float) -> None:
        """Take a set-point (W); below the least power it means off."""
        wanted = 0.0 if power_w < self.min_w else min(power_w, self.max_w)
        if not self._orders or self._orders[-1][1] != wanted:
            self._orders.append((now_s + self.dead_time_s, wanted))

    def advance(self, now_s: float, dt_s: float) -> float:
        """Live for `dt_s`; gives the power (W)."""
        while self._orders and self._orders[0][0] <= now_s:
            before, self.wanted_w = self.wanted_w, self._orders.popleft()[1]
            self.switches += (before > 0.0) != (self.wanted_w > 0.0)
        step_w = self.ramp_w_per_s * dt_s
        self.power_w += min(max(self.wanted_w - self.power_w, -step_w), step_w)
        return self.power_w


@dataclass(slots=True, kw_only=True)
class Moment:
    """What was true in one step (W)."""

    at_s: float
    net_w: float  # without batteries, as it would be
    grid_w: float
    battery_w: tuple[float, ...]
    headroom_w: tuple[float, float]  # all batteries: how far below and above their power they could be


@dataclass(slots=True, kw_only=True)
class VirtualBuilding:
    """One building. `load_w` ≥ 0 and `pv_w` ≤ 0 over time; `ac_limit_w` holds PV and first battery together."""

    load_w: Power
    pv_w: Power
    batteries: Mapping[str, Battery]
    meter: MeterModel
    loads: Sequence[Load] = ()
    ac_limit_w: float = math.inf
    soc_step: float = 0.01
    seed: int = 1
    now_s: float = 0.0
    moments: list[Moment] = field(default_factory=list)
    _reports: dict[str, dict[str, Reading]] = field(default_factory=dict)
    _orders: deque[tuple[float, str, float]] = field(default_factory=deque)
    _read_s: float = 0.0

    def run(self, seconds: float, controller: Controller) -> list[Moment]:
        """Let time pass; the controller is asked at each sample of the meter."""
        draw = random.Random(self.seed)  # noqa: S311 - play
        for _ in range(round(seconds / STEP_S)):
            self._live()
            self._report()
            if self.now_s >= self._read_s - 1e-9:
                self._read_s += self.meter.period_s
                for device, power_w in controller.step(self._state(draw)).items():
                    self._orders.append((self.now_s + LINK_S, device, power_w))
        return self.moments

    def _live(self) -> None:
        self.now_s = round(self.now_s + STEP_S, 6)
        now_s = self.now_s
        while self._orders and self._orders[0][0] <= now_s:
            self._obey(*self._orders.popleft()[1:])
        pv_w = self.pv_w(now_s)
        rest_w = self.load_w(now_s) + pv_w + sum(load.advance(now_s, STEP_S) for load in self.loads)
        before = [battery.power_w for battery in self.batteries.values()]
        powers: list[float] = []
        low = high = 0.0
        for i, battery in enumerate(self.batteries.values()):
            others_w = rest_w + sum(powers) + sum(before[i + 1 :])
            power_w = battery.advance(now_s=now_s, dt_s=STEP_S, rest_w=others_w)
            least, most = battery.limits_w()
            if i == 0 and not math.isinf(self.ac_limit_w):
                least = max(least, min(-self.ac_limit_w - pv_w, 0.0))
                power_w = max(power_w, least)  # the inverter gives no more than it can
            powers.append(power_w)
            low, high = low + max(power_w - least, 0.0), high + max(most - power_w, 0.0)
        grid_w = rest_w + sum(powers)
        self.moments.append(
            Moment(at_s=now_s, net_w=rest_w, grid_w=grid_w, battery_w=tuple(powers), headroom_w=(low, high))
        )

    def _obey(self, device: str, power_w: float) -> None:
        battery = self.batteries.get(device)
        if battery is None:
            next(load for load in self.loads if load.id == device).order(power_w, self.now_s)
            return
        battery.setpoint_w = power_w
        battery.enable(self.now_s)

    def _report(self) -> None:
        """Each device reports its own power once a second, at its own moment."""
        for i, (id_, power_w) in enumerate(self._powers().items()):
            if round(self.now_s / STEP_S) % round(1.0 / STEP_S) != (2 * i + 2) % round(1.0 / STEP_S):
                continue
            report = {"p_w": Reading(value=float(round(power_w)), measured_s=self.now_s)}
            if id_ in self.batteries:
                soc = round(self.batteries[id_].soc / self.soc_step) * self.soc_step
                report["soc"] = Reading(value=soc, measured_s=self.now_s)
            self._reports[id_] = report

    def _powers(self) -> dict[str, float]:
        found = dict(zip(self.batteries, self.moments[-1].battery_w, strict=True))
        return {**found, "pv": self.pv_w(self.now_s), **{load.id: load.power_w for load in self.loads}}

    def _state(self, draw: random.Random) -> SiteState:
        late_s = draw.uniform(*self.meter.delay_s)
        index = max(len(self.moments) - 1 - round(late_s / STEP_S), 0)
        shown_w = self.moments[index].grid_w + draw.gauss(0.0, 1.0) * self.meter.noise_w
        grid = {"p_w": Reading(value=shown_w, measured_s=self.now_s)}
        return SiteState(now_s=self.now_s, utc_s=EPOCH_S + self.now_s, devices={"grid": grid, **dict(self._reports)})


def battery(**changes: float) -> Battery:
    """A battery of the simulator with other figures."""
    return Battery(BatterySettings.model_validate(changes))
