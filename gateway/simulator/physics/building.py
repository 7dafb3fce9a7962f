"""The physics: what is drawn, produced and stored adds up to what the grid delivers. No clock, no socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.simulator.physics.battery import Battery, Mode
from gateway.simulator.physics.inverter import Inverter
from gateway.simulator.physics.loads import Loads


class PowerSource(Protocol):
    """A power over time, from a file or a generator."""

    def power_w(self, utc_s: float) -> float:
        """Watts, positive, at a moment that never goes back."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """Energy since the start, Wh; none ever falls."""

    pv: float = 0.0
    load: float = 0.0
    imported: float = 0.0
    exported: float = 0.0
    charge: float = 0.0
    discharge: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The building at the end of a step; powers are the means of the step, under the sign rule.

    `base_load_w` is all that nobody commands, appliances added at run time included; `loads_w` are the flexible loads
    by name, and `loads_phases_w` the same on the three phases.
    """

    elapsed_s: float
    utc_s: float
    base_load_w: float
    pv_w: float
    battery_w: float
    grid_w: float
    soc: float
    stored_wh: float
    battery_mode: Mode
    setpoint_w: float | None
    pv_throttled: bool
    pv_wh: float
    load_wh: float
    import_wh: float
    export_wh: float
    charge_wh: float
    discharge_wh: float
    loads_w: Mapping[str, float] = field(default_factory=dict)
    loads_wh: Mapping[str, float] = field(default_factory=dict)
    loads_phases_w: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(slots=True, kw_only=True)
class Building:
    """Base load, flexible loads, PV and battery behind one grid connection, stepped with `advance`."""

    load: PowerSource
    pv: PowerSource
    inverter: Inverter
    battery: Battery
    start_utc_s: float
    loads: Loads = field(default_factory=Loads)
    elapsed_s: float = 0.0
    counters: Counters = field(default_factory=Counters)
    grid_abs_wh: float = 0.0
    _steps: list[tuple[float, float]] = field(default_factory=list)

    def add_step(self, power_w: float, seconds: float | None) -> None:
        """Switch on an appliance of so many watts, for a while or until `clear_steps`."""
        self._steps.append((float("inf") if seconds is None else self.elapsed_s + seconds, power_w))

    def clear_steps(self) -> None:
        """Switch off what `add_step` switched on."""
        self._steps.clear()

    @property
    def grid_abs_mean_w(self) -> float:
        """Mean of the grid power's magnitude since the start; 0 before the first step."""
        return self.grid_abs_wh * 3600.0 / self.elapsed_s if self.elapsed_s > 0.0 else 0.0

    def advance(self, dt_s: float) -> State:
        """Let `dt_s` pass in one step; dead times and ramps are as fine as the step (0.1 s live, 1 s at most)."""
        utc_s = self.start_utc_s + self.elapsed_s
        load_w = self.load.power_w(utc_s) + self._steps_w()
        flexible_w = self.loads.advance(now_s=self.elapsed_s, dt_s=dt_s, utc_s=utc_s)
        sunny_w = max(self.pv.power_w(utc_s), 0.0)
        limit_w = self.inverter.limit_w(self.elapsed_s)
        pv_w = -min(sunny_w, limit_w)
        rest_w = load_w + pv_w + flexible_w
        battery_w = self.battery.advance(now_s=self.elapsed_s, dt_s=dt_s, rest_w=rest_w)
        self._count(dt_s, load_w=load_w, pv_w=pv_w, grid_w=rest_w + battery_w)
        self.elapsed_s += dt_s
        return self._state(load_w=load_w, pv_w=pv_w, grid_w=rest_w + battery_w, throttled=sunny_w > limit_w)

    def _steps_w(self) -> float:
        if not self._steps:
            return 0.0
        self._steps = [step for step in self._steps if step[0] > self.elapsed_s]
        return sum(power_w for _, power_w in self._steps)

    def _count(self, dt_s: float, *, load_w: float, pv_w: float, grid_w: float) -> None:
        hours = dt_s / 3600.0
        self.counters.pv -= pv_w * hours
        self.counters.load += max(load_w, 0.0) * hours
        self.counters.imported += max(grid_w, 0.0) * hours
        self.counters.exported += max(-grid_w, 0.0) * hours
        self.counters.charge = self.battery.balance.in_wh
        self.counters.discharge = self.battery.balance.out_wh
        self.grid_abs_wh += abs(grid_w) * hours

    def _state(self, *, load_w: float, pv_w: float, grid_w: float, throttled: bool) -> State:
        battery = self.battery
        return State(
            elapsed_s=self.elapsed_s,
            utc_s=self.start_utc_s + self.elapsed_s,
            base_load_w=load_w,
            pv_w=pv_w,
            battery_w=battery.power_w,
            grid_w=grid_w,
            soc=battery.soc,
            stored_wh=battery.stored_wh,
            battery_mode=battery.mode,
            setpoint_w=battery.setpoint_w if battery.mode == "remote" else None,
            pv_throttled=throttled,
            pv_wh=self.counters.pv,
            load_wh=self.counters.load,
            import_wh=self.counters.imported,
            export_wh=self.counters.exported,
            charge_wh=self.counters.charge,
            discharge_wh=self.counters.discharge,
            loads_w=dict(self.loads.powers_w),
            loads_wh=dict(self.loads.used_wh),
            loads_phases_w=self.loads.phases_w,
        )
