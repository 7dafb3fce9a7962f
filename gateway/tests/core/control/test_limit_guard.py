"""A correction of a limit is made for what lasts, never for what another limit forces, and none stays for ever."""

from dataclasses import replace

import pytest

from gateway.core.control.limit_guard import Able, GuardMemory, guarded
from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.model.limits import CONNECTION, Circuit, Limits
from gateway.core.model.site import Battery, Site

from .wired_building import Trunk, Wired, WiredBuilding, on

BATTERY = Battery(
    id="battery", capacity_wh=10_000.0, charge_max_w=5000.0, discharge_max_w=5000.0, reserve=0.1, soc_max=1.0,
    dead_time_s=1.0, ramp_w_per_s=5000.0, phase=1,
)  # fmt: skip
SHED = Circuit(id="shed", parent=None, limits=Limits(export_w=0.0), devices=frozenset({"battery"}), meter="sub")
SITE = Site(
    grid="grid", pv=(), batteries=(BATTERY,), grid_setpoint_w=0.0, import_limit_w=4000.0, export_limit_w=4000.0,
    meter_delay_s=(0.0, 1.0), phase_import_limit_w=3000.0, circuits=(SHED,),
)  # fmt: skip
ABLE = Able(less_drawn_w={}, less_given_w={"pv": 3000.0})


def flow(measured_w: float, export_limit_w: float = 0.0) -> LimitedFlow:
    return LimitedFlow(
        place=CONNECTION, import_limit_w=9000.0, export_limit_w=export_limit_w, measured_w=measured_w, silent_s=0.0,
        ordered={"pv": 1.0}, drawn={"pv": 1.0},
    )  # fmt: skip


def after(memory: GuardMemory, measured_w: float, seconds: int, able: Able = ABLE) -> GuardMemory:
    """What is remembered after so long with this flow."""
    start_s = max((watch.since_s or 0.0 for watch in memory.exports.values()), default=0.0)
    for t in range(seconds):
        _, memory = guarded(memory, (flow(measured_w),), able, replace(SITE, batteries=()), start_s + t)
    return memory


def correction_w(memory: GuardMemory) -> float:
    watch = memory.exports.get(CONNECTION)
    return 0.0 if watch is None else watch.correction_w


def test_what_lasts_beyond_a_limit_is_held_tighter_by_just_that() -> None:
    assert correction_w(after(GuardMemory(), -700.0, 5)) == pytest.approx(700.0)


def test_nothing_is_corrected_where_nothing_could_act() -> None:
    nothing = Able(less_drawn_w={}, less_given_w={})
    assert correction_w(after(GuardMemory(), -700.0, 600, nothing)) == 0.0


@pytest.mark.parametrize(("room_w", "seconds"), [(600.0, 60), (60.0, 600)])
def test_a_correction_fades_also_where_the_house_draws_little(room_w: float, seconds: int) -> None:
    """With 60 W of room it takes longer; a limit of 0 W would otherwise keep the roof off for ever."""
    memory = after(GuardMemory(), -700.0, 5)
    assert correction_w(after(memory, room_w, seconds)) == 0.0


def test_a_battery_that_one_limit_forces_against_another_is_free_again_at_once() -> None:
    """Phase 1 needs 2.5 kW of it for ten minutes, which the circuit forbids; then the connection needs the battery."""
    battery = Wired(phases=on(1), low_w=-5000.0, high_w=5000.0, ramp_w=5000.0, points={"soc": 0.6})
    shed = Trunk(devices=SHED.devices, meter="sub", base_w=lambda t: (0.0, 0.0, 0.0 if t < 600 else 2000.0))
    building = WiredBuilding(site=SITE, devices={"battery": battery}, trunks={"shed": shed})
    building.base_w = lambda t: (5500.0, -200.0, -1400.0) if t < 600 else (1600.0, 1200.0, 1200.0)
    building.run(640)
    assert building.phase_w(1)[590] <= 3025.0  # that of the phase is held
    assert max(building.grid_w(612)) <= 4025.0
    assert building.last("battery").power_w == pytest.approx(-2000.0, abs=30.0)
