"""The simulated house under the real controller, in virtual time: two independent physics must agree."""

import tomllib
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading, SetPoint, SiteState
from gateway.paths import config_folder
from gateway.simulator.faults import MeterLate
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import STEP_S, Simulation

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
SITE = Site(grid="grid", pv=("pv",), batteries=(BATTERY,), grid_setpoint_w=0, import_limit_w=9e3, export_limit_w=6e3)
SETTLED_S = 0.8 + 3_000 / 2_500 + 2.0  # dead time + ramp + 2 s


def house(**changes: dict[str, object]) -> Simulation:
    table = tomllib.loads((config_folder() / "demo" / "house.toml").read_text())
    for name, change in changes.items():
        table[name] |= change
    return Simulation(HouseConfig.model_validate(table))


@dataclass
class Run:
    """One controlled house; a cycle each second on what its meter shows."""

    sim: Simulation
    site: Site = SITE
    memory: Memory = field(default_factory=Memory)
    grid_w: list[float] = field(default_factory=list)
    setpoints: list[SetPoint] = field(default_factory=list)
    battery_report: Reading | None = None
    tick: int = 0

    def seconds(self, count: float) -> list[float]:
        before = len(self.grid_w)
        for _ in range(round(count / STEP_S)):
            state = self.sim.advance(STEP_S)
            self.grid_w.append(state.grid_w)
            self.tick += 1
            if self.tick % 10 == 4:  # the battery reports at its own moment
                self.battery_report = Reading(value=round(state.battery_w), measured_s=state.elapsed_s)
            if self.tick % 10 == 0 and self.battery_report:
                self._cycle(state.elapsed_s)
        return self.grid_w[before:]

    def _cycle(self, now_s: float) -> None:
        state = SiteState(
            now_s=now_s,
            utc_s=now_s,
            devices={
                "grid": {"p_w": Reading(value=self.sim.meter.shown.total_w, measured_s=now_s)},
                "pv": {"p_w": Reading(value=round(self.sim.state.pv_w), measured_s=now_s)},
                "battery": {
                    "p_w": self.battery_report,
                    "soc": Reading(value=round(self.sim.battery.soc, 2), measured_s=now_s),
                },
            },
        )
        (setpoint,), self.memory = decide(state, self.site, None, self.memory)
        self.setpoints.append(setpoint)
        if setpoint.power_w is None:
            self.sim.battery.release()
        else:
            self.sim.battery.set_power(setpoint.power_w, now_s)
            self.sim.battery.enable(now_s)


QUIET = {"pv": {"clouds": False}, "load": {"kettle_every_s": 0}}


@pytest.mark.parametrize("phase", [0, 3, 7])
def test_a_step_of_3_kw_is_covered_in_time_without_overshoot(phase: int) -> None:
    run = Run(house(**QUIET))
    run.seconds(30 + phase * STEP_S)
    run.sim.building.add_step(3_000, None)
    after = run.seconds(30)
    assert max(abs(w) for w in after[round(SETTLED_S / STEP_S) :]) <= 100
    assert min(after) >= -300  # at most a tenth of the step beyond


@pytest.mark.parametrize(("low_s", "high_s"), [(1, 1.5), (1, 3), (2.5, 3)])
def test_ten_minutes_with_a_late_meter_show_no_limit_cycle(low_s: float, high_s: float) -> None:
    run = Run(house(**QUIET))
    run.sim.begin(MeterLate(min_s=low_s, max_s=high_s))
    run.seconds(30)
    run.sim.building.add_step(3_000, None)
    after = run.seconds(600)
    assert min(after) >= -300
    settled = after[round(12 / STEP_S) :]
    assert max(abs(w) for w in settled) <= 100
    powers = [s.power_w for s in run.setpoints[-300:]]
    crossings = sum((a > 20) != (b > 20) or (a < -20) != (b < -20) for a, b in pairwise(settled))
    assert max(powers) - min(powers) < 250  # follows the sun and the fridge, does not swing by itself
    assert crossings < 120


def test_clouds_and_kettle_are_followed_at_a_tenth_of_the_rate_of_the_battery_s_own_mode() -> None:
    """Half an hour of the demo's weather: mean |grid| against a battery that sees its own meter every 0.1 s."""
    own, ours = house(), Run(house())  # 0 to 3 s are configured; that this meter is never late is learned
    free_w = [abs(own.advance(STEP_S).grid_w) for _ in range(round(1800 / STEP_S))]
    held_w = [abs(w) for w in ours.seconds(1800)]
    assert sum(held_w) / len(held_w) < 2.5 * sum(free_w) / len(free_w)
