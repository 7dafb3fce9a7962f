"""A late meter is bridged, a lost or frozen one gives the battery back; the reason is always told."""

from dataclasses import dataclass, field

import pytest

from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.state import Mode, Reading, SiteState
from gateway.tests.core.plant import SITE


@dataclass
class Script:
    """Feeds readings second by second; what is not given is repeated with its old time."""

    memory: Memory = field(default_factory=Memory)
    devices: dict[str, dict[str, Reading]] = field(default_factory=dict)
    now_s: float = 0.0
    sent_w: float = 0.0  # the battery's last set-point

    def second(self, **values: float | None):
        self.now_s += 1.0
        for name, value in values.items():
            device, _, point = name.partition("_")
            if value is not None:
                reading = Reading(value=value, measured_s=self.now_s)
                self.devices.setdefault(device, {})[point] = reading
        state = SiteState(now_s=self.now_s, utc_s=self.now_s, devices={k: dict(v) for k, v in self.devices.items()})
        (setpoint,), self.memory = decide(state, SITE, None, self.memory)
        self.sent_w = setpoint.power_w or 0.0
        return setpoint

    def steady(self, seconds: int, grid: float = 500.0):
        return [
            self.second(grid_p_w=grid + i % 2, pv_p_w=0.0, battery_p_w=0.0, battery_soc=0.5) for i in range(seconds)
        ]


def test_nothing_is_commanded_before_the_first_readings() -> None:
    setpoint = Script().second()
    assert (setpoint.mode, setpoint.power_w, setpoint.reason.code) == (Mode.WATCH, None, "starting")


def test_a_missing_state_of_charge_is_waited_for_not_released() -> None:
    setpoint = Script().second(grid_p_w=100.0, pv_p_w=0.0, battery_p_w=0.0)
    assert (setpoint.mode, setpoint.reason.code) == (Mode.WATCH, "lost_soc")


def test_a_meter_that_goes_silent_is_held_then_released_and_taken_back() -> None:
    script = Script()
    before = script.steady(5)[-1]
    modes = [script.second(pv_p_w=0.0, battery_p_w=0.0, battery_soc=0.5) for _ in range(12)]
    # fresh up to 3 s old, held up to 8 s, then given back
    assert [s.mode for s in modes] == [Mode.CONTROL] * 3 + [Mode.HOLD] * 5 + [Mode.RELEASE] * 4
    assert {s.power_w for s in modes if s.mode is Mode.HOLD} == {before.power_w}
    assert modes[-1].power_w is None
    assert modes[-1].reason.code == "lost_meter"
    assert modes[-1].reason.numbers["age_s"] == pytest.approx(12)
    assert script.steady(1)[0].mode is Mode.CONTROL


def test_a_meter_whose_reads_fail_is_held_at_once_and_released_after_8_s() -> None:
    script = Script()
    script.steady(5)
    found = []
    for _ in range(10):
        script.devices["grid"]["p_w"] = Reading.absent("timeout", script.now_s + 1)
        found.append(script.second(pv_p_w=0.0, battery_p_w=0.0, battery_soc=0.5))
    assert [s.mode for s in found] == [Mode.HOLD] * 8 + [Mode.RELEASE] * 2
    assert found[0].reason.code == "wait"


def test_a_meter_that_repeats_itself_while_the_sun_moves_is_not_believed() -> None:
    script = Script()
    script.steady(5)
    found = [script.second(grid_p_w=700.0, pv_p_w=-100.0 * i, battery_p_w=0.0, battery_soc=0.5) for i in range(1, 15)]
    assert [s.mode for s in found][:6] == [Mode.CONTROL] * 6
    assert found[7].reason.code == "frozen_wait"
    assert found[-1].mode is Mode.RELEASE
    assert found[-1].reason.code == "frozen_meter"


def test_a_quiet_night_with_a_constant_number_is_no_frozen_meter() -> None:
    script = Script()
    script.steady(5)
    found = [script.second(grid_p_w=0.0, pv_p_w=0.0, battery_p_w=-300.0, battery_soc=0.5) for _ in range(60)]
    assert {s.mode for s in found} == {Mode.CONTROL}


def test_a_device_that_falls_silent_makes_no_frozen_meter() -> None:
    """Its 2 kW are gone from what is read, not from the wires."""
    script = Script()
    steady = {"grid_p_w": 0.0, "battery_p_w": 0.0, "battery_soc": 0.5}
    for _ in range(8):
        script.second(pv_p_w=-2000.0, **steady)
    script.devices["pv"]["p_w"] = Reading.absent("timeout", script.now_s)
    modes = {script.second(**steady).mode for _ in range(20)}
    modes |= {script.second(pv_p_w=-2010.0, **steady).mode for _ in range(20)}
    assert modes == {Mode.CONTROL}


def test_one_failed_read_of_the_charge_changes_nothing() -> None:
    script = Script()
    script.steady(5)
    script.devices["battery"]["soc"] = Reading.absent("timeout", script.now_s)
    found = [script.second(grid_p_w=50.0 + i, pv_p_w=0.0, battery_p_w=script.sent_w) for i in range(35)]
    assert [s.mode for s in found] == [Mode.CONTROL] * 30 + [Mode.RELEASE] * 5
    assert found[-1].reason.code == "lost_soc"


def test_a_silent_battery_is_held_then_released() -> None:
    script = Script()
    script.steady(5)
    found = [script.second(grid_p_w=500.0 + i, pv_p_w=0.0) for i in range(12)]
    assert [s.mode for s in found] == [Mode.CONTROL] * 3 + [Mode.HOLD] * 5 + [Mode.RELEASE] * 4
    assert found[-1].reason.code == "lost_battery"
