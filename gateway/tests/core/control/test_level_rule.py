"""Levels are followed each second: the closed form of the planner, without chatter; without a plan, the plain rule."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.control import level_rule, pool
from gateway.core.control.dispatch import Memory, decide
from gateway.core.model import levels
from gateway.core.model.levels import Levels, plain
from gateway.core.model.plan import Slot
from gateway.core.model.state import Reading, Reason, SiteState
from gateway.tests.core.plant import BATTERY, SITE, Plant

STORAGE = pool.storage((BATTERY,))  # 9 kWh above the reserve of a tenth


def slot(charge=0.0, reserve=0.0, fill=9000.0, export=9000.0, **changes):
    made = Slot(
        start_s=0.0,
        buy=0.2,
        sell=0.05,
        levels=Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export),
        value=0.15,
        reason=Reason(code="plan"),
    )
    return replace(made, **changes)


def once(net_w: float, soc: float, plan: Slot | None):
    devices = {
        "grid": {"p_w": Reading(value=net_w, measured_s=1.0)},
        "pv": {"p_w": Reading(value=min(net_w, 0.0), measured_s=1.0)},
        "battery": {"p_w": Reading(value=0.0, measured_s=1.0), "soc": Reading(value=soc, measured_s=1.0)},
    }
    (setpoint,), _ = decide(SiteState(now_s=1.0, utc_s=1.0, devices=devices), SITE, plan, Memory())
    return setpoint


@pytest.mark.parametrize(
    ("net_w", "stored_wh", "plan", "power_w", "code"),
    [
        (500, 3000, slot(charge=4000, reserve=4000), 5000, "plan_charges"),
        (500, 3000, slot(reserve=4000), 0, "plan_keeps"),
        (-500, 3000, slot(reserve=4000), 500, "hold_grid_charge"),  # surplus is taken below the reserve too
        (500, 5000, slot(reserve=4000), -500, "hold_grid_discharge"),
        (-500, 5000, slot(fill=4000), 0, "plan_leaves"),
        (500, 5000, slot(fill=4000), -500, "hold_grid_discharge"),
        (500, 8000, slot(export=7000, fill=7000), -5000, "plan_sells"),
        (-500, 3000, slot(), 500, "hold_grid_charge"),
    ],
)
def test_each_level_has_its_rule_and_its_reason(net_w, stored_wh, plan, power_w, code) -> None:
    setpoint = once(net_w, 0.1 + stored_wh / 10_000, plan)
    assert setpoint.power_w == pytest.approx(power_w)
    assert setpoint.reason.code == code


def test_a_reason_reports_both_sides_of_the_comparison_and_the_prices() -> None:
    numbers = once(500, 0.4, slot(reserve=4000)).reason.numbers
    assert numbers["stored_wh"] == pytest.approx(3000)
    assert (numbers["level_wh"], numbers["now_price"], numbers["worth_price"]) == (4000, 0.2, 0.15)
    assert numbers["plan"] == "plan"


def test_grid_charging_leaves_headroom_for_the_building_below_the_import_limit() -> None:
    setpoint = once(9000, 0.4, slot(charge=4000, reserve=4000))
    assert setpoint.power_w == pytest.approx(12_000 - 9000)


def test_import_is_held_below_the_peak_target_of_the_plan_also_where_energy_is_kept() -> None:
    kept = once(3000, 0.4, slot(reserve=4000, peak_target_w=2500.0))
    assert kept.power_w == pytest.approx(-500)
    assert kept.reason.code == "peak_aim"
    assert kept.reason.numbers == pytest.approx({"net_w": 3000, "limit_w": 2500, "power_w": -500})
    bought = once(500, 0.4, slot(charge=4000, reserve=4000, peak_target_w=2500.0))
    assert (bought.power_w, bought.reason.code) == (pytest.approx(2000), "plan_charges")
    assert once(3000, 0.1, slot(reserve=4000, peak_target_w=2500.0)).power_w == 0.0  # the reserve goes before
    assert once(500, 0.4, slot(reserve=4000, peak_target_w=math.nan)).reason.code == "hold_grid_discharge"


def test_a_plan_with_numbers_that_are_none_is_not_followed() -> None:
    assert once(500, 0.4, slot(reserve=4000, value=math.nan)).reason.code == "hold_grid_discharge"


@settings(max_examples=40)
@given(
    steps=st.lists(st.tuples(st.floats(1, 38), st.floats(-6_000, 6_000)), max_size=6),
    soc=st.floats(0.0, 1.0),
    delay=st.floats(0.0, 3.0),
)
def test_no_plan_and_the_levels_of_the_plain_rule_are_the_same_bit_by_bit(steps, soc, delay) -> None:
    plants = [
        Plant(
            load_w=lambda t: 300 + sum(w for at, w in steps if t >= at),
            soc=soc,
            meter_delay_s=lambda: delay,
            noise_w=20,
            slot=plan,
        )
        for plan in (None, slot(levels=plain(STORAGE)))
    ]
    for plant in plants:
        plant.run(40)
    without, with_levels = ([s.power_w for _, s in plant.setpoints] for plant in plants)
    assert without == with_levels


@settings(max_examples=300)
@given(
    cuts=st.lists(st.floats(0, 9000), min_size=4, max_size=4).map(sorted),
    swap=st.booleans(),
    stored_wh=st.floats(300, 8700),
    net_w=st.floats(-9_000, 9_000),
    aim_w=st.floats(0, 9_000) | st.just(math.inf),
)
def test_away_from_the_levels_the_loop_does_what_the_planner_assumed(cuts, swap, stored_wh, net_w, aim_w) -> None:
    """The planner's closed form for a step of one second is the oracle."""
    charge, a, b, export = cuts
    reserve, fill = (b, a) if swap else (a, b)
    if any(abs(stored_wh - level) < 2 * level_rule.GAP * 9000 for level in cuts):
        return
    plan = slot(charge, reserve, fill, export)
    plan = replace(plan, peak_target_w=aim_w)
    limits = levels.GridLimits(import_max_w=min(SITE.import_limit_w, aim_w), export_max_w=SITE.export_limit_w)
    assumed_w = levels.follow(plan.levels, STORAGE, energy_wh=stored_wh, net_w=net_w, hours=1 / 3600, limits=limits)
    assert once(net_w, 0.1 + stored_wh / 10_000, plan).power_w == pytest.approx(float(assumed_w), abs=1e-6)


@pytest.mark.parametrize("name", ["charge_wh", "reserve_wh", "fill_wh", "export_wh"])
def test_a_state_of_charge_in_steps_of_a_percent_makes_no_chatter_at_a_level(name) -> None:
    """The store hovers half a step around the level: no rule may change sides more than once."""
    at = {
        "charge_wh": slot(4500, 4500, 9000, 9000),
        "reserve_wh": slot(0, 4500, 9000, 9000),
        "fill_wh": slot(0, 0, 4500, 9000),
        "export_wh": slot(0, 0, 4500, 4500),
    }[name]
    active, found = frozenset(), []
    for i in range(100):
        active = level_rule.after(4500 + (90 if i % 2 else -90), at.levels, STORAGE, active)
        found.append(active)
    assert len(set(found[1:])) == 1


def test_without_losses_the_pool_stores_what_lies_between_reserve_and_full() -> None:
    assert STORAGE.capacity_wh == pytest.approx(9000)
    assert (STORAGE.charge_max_w, STORAGE.discharge_max_w) == (5000, 5000)
