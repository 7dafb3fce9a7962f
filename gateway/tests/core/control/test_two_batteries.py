"""Two batteries in one building: one that falls silent is held and given back, the other one carries on alone."""

from dataclasses import dataclass, field, replace

import pytest

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.state import Mode, Reading, SiteState
from gateway.tests.core.plant import BATTERY, SITE

TWO = replace(SITE, batteries=(replace(BATTERY, id="left"), replace(BATTERY, id="right")))


@dataclass
class Building:
    """Steady: both batteries do at once what they are told."""

    net_w: float
    memory: Memory = field(default_factory=Memory)
    devices: dict[str, dict[str, Reading]] = field(default_factory=dict)
    powers: dict[str, float] = field(default_factory=lambda: {"left": 0.0, "right": 0.0})
    now_s: float = 0.0

    def second(self, *, silent: tuple[str, ...] = ()):
        self.now_s += 1.0
        grid_w = self.net_w + sum(self.powers.values()) + self.now_s % 2
        self.devices["grid"] = {"p_w": Reading(value=grid_w, measured_s=self.now_s)}
        for id_ in ("left", "right"):
            if id_ not in silent:
                power, soc = self.powers[id_], 0.5
                self.devices[id_] = {
                    "p_w": Reading(value=power, measured_s=self.now_s),
                    "soc": Reading(value=soc, measured_s=self.now_s),
                }
        state = SiteState(now_s=self.now_s, utc_s=self.now_s, devices=dict(self.devices))
        setpoints, self.memory = decide(state, TWO, None, self.memory)
        for setpoint in setpoints:
            if setpoint.power_w is not None:
                self.powers[setpoint.device] = setpoint.power_w
            elif setpoint.mode is Mode.RELEASE:
                self.powers[setpoint.device] = 0.0
        return {setpoint.device: setpoint for setpoint in setpoints}


def test_a_large_load_is_shared_and_the_grid_held() -> None:
    building = Building(net_w=8_000.0)
    found = [building.second() for _ in range(30)][-1]
    assert sum(s.power_w for s in found.values()) == pytest.approx(-8_000, abs=20)
    assert all(s.power_w < -3_000 for s in found.values())


def test_the_silent_one_is_held_then_released_and_the_other_one_takes_its_part() -> None:
    building = Building(net_w=4_500.0)
    for _ in range(30):
        building.second()
    modes, last = [], {}
    for _ in range(30):
        last = building.second(silent=("right",))
        modes.append(last["right"].mode)
    assert modes[:3] == [Mode.CONTROL] * 3
    assert Mode.HOLD in modes
    assert modes[-1] is Mode.RELEASE
    assert last["right"].reason.code == "lost_battery"
    assert last["left"].mode is Mode.CONTROL
    assert last["left"].power_w == pytest.approx(-4_500, abs=20)


def test_it_is_taken_back_when_it_speaks_again() -> None:
    building = Building(net_w=8_000.0)
    for _ in range(20):
        building.second()
    for _ in range(20):
        building.second(silent=("right",))
    found = [building.second() for _ in range(20)][-1]
    assert {s.mode for s in found.values()} == {Mode.CONTROL}
    assert sum(s.power_w for s in found.values()) == pytest.approx(-8_000, abs=20)
