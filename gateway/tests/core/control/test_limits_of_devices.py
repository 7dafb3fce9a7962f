"""Limits that devices share: one AC side, phases, the grid connection, and PV that has to be less."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control import limits
from gateway.core.control.curtailment import LASTING_CYCLES, Curtailment, PvFlows, limited
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model.site import Inverter
from gateway.core.model.state import Mode, Reading, SiteState
from gateway.study.benches.closed_loop.virtual_building import MeterModel, VirtualBuilding
from gateway.study.benches.closed_loop.virtual_building import battery as house_battery
from gateway.tests.core.plant import BATTERY, SITE

from .test_level_rule import slot

HYBRID = replace(BATTERY, inverter="pv", ac_limit_w=5000.0)


@pytest.mark.parametrize(
    ("pv_w", "low_w", "high_w"),
    [
        (0.0, -5000, 5000),
        (-4000.0, -1000, 5000),  # the sun already gives 4 of the 5 kW
        (-6000.0, 0, 5000),  # what the sun has too much goes into the battery, never out of it
    ],
)
def test_sun_and_battery_share_one_ac_side(pv_w, low_w, high_w) -> None:
    allowed = limits.battery_bounds(HYBRID, soc=0.5, resting=False, pv_w=pv_w)
    assert (allowed.low_w, allowed.high_w) == (low_w, high_w)


def test_a_hybrid_says_when_its_inverter_is_the_limit() -> None:
    devices = {
        "grid": {"p_w": Reading(value=3000.0, measured_s=1.0)},
        "pv": {"p_w": Reading(value=-4000.0, measured_s=1.0)},
        "battery": {"p_w": Reading(value=0.0, measured_s=1.0), "soc": Reading(value=0.5, measured_s=1.0)},
    }
    site = replace(SITE, batteries=(HYBRID,))
    (setpoint,), _ = decide(SiteState(now_s=1.0, utc_s=1.0, devices=devices), site, None, Memory())
    assert (setpoint.power_w, setpoint.reason.code) == (-1000.0, "inverter_limit")


@given(
    phases=st.tuples(*[st.floats(-8000, 8000)] * 3),
    power_w=st.floats(-5000, 5000),
    requested_w=st.floats(-5000, 5000),
)
def test_a_single_phase_battery_never_makes_the_imbalance_worse_than_allowed(phases, power_w, requested_w) -> None:
    single = replace(BATTERY, phase=2)
    bounds = limits.battery_bounds(single, soc=0.5, resting=False)
    bounds = limits.phase_bounds(bounds, single, phases, power_w=power_w, limit_w=4600.0)
    given_w = min(max(requested_w, bounds.low_w), bounds.high_w)
    after = [w + (given_w - power_w if i == 1 else 0.0) for i, w in enumerate(phases)]
    least = min(spread(phases, power_w, -5000 + 50 * k) for k in range(201))
    assert max(after[1] - min(after), max(after) - after[1]) <= max(4600.0, least) + 51.0


def spread(phases, power_w, given_w) -> float:
    after = [w + (given_w - power_w if i == 1 else 0.0) for i, w in enumerate(phases)]
    return max(after[1] - min(after), max(after) - after[1])


@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_charging_from_the_grid_gives_way_to_a_load_within_2_s_of_its_sample(late_s) -> None:
    """4.5 kW of charging, then an oven of 4 kW, on a connection of 6 kW; dead time 0.8 s, ramp 2.5 kW/s."""
    building = VirtualBuilding(
        load_w=lambda t: 500.0 + (4000.0 if t >= 30.0 else 0.0),
        pv_w=lambda _: 0.0,
        batteries={"battery": house_battery()},
        meter=MeterModel(delay_s=(late_s, late_s)),
    )
    moments = building.run(60, Charging())
    before = [m.grid_w for m in moments if 20 < m.at_s < 30]
    assert min(before) > 5000
    reaction_s = late_s + 1.0 + 0.8 + 3000 / 2500  # the next sample comes within a second
    assert max(m.grid_w for m in moments if m.at_s > 30 + reaction_s + 0.4) <= 6000 + 50


class Charging:
    """The product's law under a plan that fills the battery from the grid."""

    site = replace(SITE, import_limit_w=6_000)
    memory = Memory()

    def step(self, state):
        (setpoint,), self.memory = decide(state, self.site, slot(charge=9000, reserve=9000), self.memory)
        return {} if setpoint.power_w is None else {"battery": setpoint.power_w}


CURTAILABLE = replace(SITE, curtailable=(Inverter(id="pv", rated_w=6000.0),), export_limit_w=0.0)


def limit(before=None, **changes):
    known = {"used_w": 500.0, "pv_w": -5000.0, "battery_max_w": 0.0, "grid_w": -4500.0, "export_w": 0.0} | changes
    decision = limited(CURTAILABLE, before or Curtailment(), PvFlows(**known))
    return decision.setpoints, decision.memory


def test_pv_is_limited_to_what_building_and_battery_can_take() -> None:
    (setpoint,), _ = limit()  # the building draws 500 W, the battery is full: 20 W of margin
    assert setpoint.power_w == pytest.approx(-480.0)
    (setpoint,), _ = limit(battery_max_w=3000.0)
    assert setpoint.power_w == pytest.approx(-3480.0)
    (setpoint,), _ = limit(battery_max_w=9000.0)
    assert (setpoint.power_w, setpoint.mode) == (None, Mode.RELEASE)


def test_the_margin_grows_with_export_that_lasts_and_shrinks_slowly() -> None:
    _, seen = limit()
    for _ in range(LASTING_CYCLES - 1):
        (setpoint,), seen = limit(seen, grid_w=-200.0)
        assert setpoint.power_w == pytest.approx(-480.0)
    (after,), seen = limit(seen, grid_w=-200.0)
    assert after.power_w == pytest.approx(-280.0)  # 500 - 20 - 200
    (later,), _ = limit(seen, grid_w=10.0)
    assert later.power_w == pytest.approx(-(500 - 20 - 0.99 * 200))


@pytest.mark.parametrize("too_much", [0.0, 0.03], ids=["exact", "3 % too much"])
def test_export_settles_just_below_its_limit(too_much) -> None:
    """An inverter that follows 3 s later, a meter 1 s late, 8 kW of sun, 500 W of load; 1500 W may leave."""
    site = replace(CURTAILABLE, curtailable=(Inverter(id="pv", rated_w=9000.0),))
    seen, limits, exports = Curtailment(), [9000.0] * 4, [7500.0]
    for _ in range(240):
        pv_w = -min(8000.0, limits[-4] * (1.0 + too_much))
        exports.append(-pv_w - 500.0)
        known = {"used_w": 500.0, "pv_w": pv_w, "battery_max_w": 0.0, "grid_w": -exports[-2], "export_w": 1500.0}
        decision = limited(site, seen, PvFlows(**known))
        (setpoint,), seen = decision.setpoints, decision.memory
        limits.append(9000.0 if setpoint.power_w is None else -setpoint.power_w)
    settled = exports[30:]
    assert max(settled) <= 1500.0 + 10.0
    assert min(settled) >= 1500.0 - 150.0


def test_while_export_costs_money_pv_is_curtailed() -> None:
    devices = {
        "grid": {"p_w": Reading(value=-4500.0, measured_s=1.0)},
        "pv": {"p_w": Reading(value=-5000.0, measured_s=1.0)},
        "battery": {"p_w": Reading(value=0.0, measured_s=1.0), "soc": Reading(value=1.0, measured_s=1.0)},
    }
    site = replace(CURTAILABLE, export_limit_w=12_000.0)
    state = SiteState(now_s=1.0, utc_s=1.0, devices=devices)
    setpoints, _ = decide(state, site, slot(sell=-0.05), Memory())
    assert [s.device for s in setpoints] == ["battery", "pv"]
    assert setpoints[1].power_w == pytest.approx(-480.0)
    assert setpoints[1].reason.code == "pv_curtailed"
    free, _ = decide(state, site, slot(sell=0.05), Memory())
    assert free[1].power_w is None
    assert math.isfinite(free[0].power_w)
