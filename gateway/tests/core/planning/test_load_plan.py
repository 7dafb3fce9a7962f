"""The plan of a house with flexible loads: everything served, nothing above the limit, never an exception."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.solver import solve
from gateway.core.loads.appliance import ApplianceState
from gateway.core.loads.car import CarState
from gateway.core.loads.curtailable import Curtailable
from gateway.core.loads.heat_pump import HeatPumpState
from gateway.core.loads.kind import FlexibleLoad
from gateway.core.loads.switchable import SwitchableState
from gateway.core.model.levels import GridLimits
from gateway.core.model.plan import LoadPurpose
from gateway.core.planning.planner import plan
from gateway.core.planning.refusal import refusal
from gateway.tests.core.planning.cases import (
    CAR,
    FLEXIBLE,
    LIMITS,
    NOW,
    POOL,
    PUMP,
    STEP_S,
    STORAGE,
    TANK,
    WASHER,
    at,
    car_state,
    day,
    never,
    planned,
    powers_w,
    room_temps_c,
    tank_state,
    tank_temps_c,
    tariff,
)

WAYS = pytest.mark.parametrize("solver", [solve, None], ids=["solver", "rules"])


def charged_wh(power_w: np.ndarray, state: CarState) -> float:
    """Energy in the car at its departure, by spans of 5 s."""
    moments = NOW + 5.0 * np.arange(96 * 180)
    there = (moments >= state.arrival_s) & (moments < state.departure_s)
    return float((np.repeat(power_w, 180) * there).sum() / 720.0 * CAR.efficiency + state.stored_wh)


def test_without_loads_the_plan_is_that_of_the_storage_to_the_byte() -> None:
    alone = plan(STORAGE, 2000.0, day(), tariff(), made_s=NOW, limits=LIMITS)
    assert pickle.dumps(planned(solver=solve)) == pickle.dumps(alone)


@WAYS
def test_every_load_of_a_usual_day_is_served(solver: object) -> None:
    made = planned(*(FLEXIBLE[name] for name in ("car", "tank", "washer", "pool")), solver=solver)
    assert [note.code for note in made.notes] == ([] if solver else ["solver_missing"])
    assert charged_wh(powers_w(made, "car"), car_state()) == pytest.approx(20_000.0, abs=10.0)
    assert tank_temps_c(TANK, 55.0, powers_w(made, "tank"), tank_state().draw_wh).min() > TANK.low_c - 0.3
    assert (powers_w(made, "washer") > 0.0).sum() == len(WASHER.profile_w)
    assert powers_w(made, "pool").sum() / 4 == pytest.approx(3600.0)


@WAYS
def test_the_sum_of_all_loads_keeps_the_import_limit(solver: object) -> None:
    made = planned(*(FLEXIBLE[name] for name in ("car", "tank", "washer", "pool")), solver=solver)
    total = day().net_w.mean(axis=0) + sum(powers_w(made, id_) for id_ in made.loads)
    assert total.max() <= LIMITS.import_max_w + 1e-6
    assert [slot.net_w for slot in made.slots] == pytest.approx(total.tolist())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    share=st.floats(0.0, 1.4),
    arrival_h=st.floats(-2.0, 6.0),
    stay_h=st.floats(0.5, 17.0),
    sun=st.floats(0.0, 1.5),
    ruled=st.booleans(),
)
def test_a_car_has_what_it_requests_or_says_how_much_is_missing(
    seed: int, share: float, arrival_h: float, stay_h: float, sun: float, ruled: object
) -> None:
    present_h = max(arrival_h + stay_h, 0.0) - max(arrival_h, 0.0)
    most_wh = present_h * CAR.bands[0].high_w * CAR.efficiency
    requested_wh = min(share * most_wh, 60_000.0)
    state = car_state(requested_wh, arrival_h=arrival_h, departure_h=arrival_h + stay_h)
    wide = GridLimits(import_max_w=12_000.0)
    made = planned(
        at(CAR, state),
        solver=None if ruled else solve,
        scenarios=day(sun=sun, seed=seed),
        limits=wide,
    )
    power_w = powers_w(made, "car")
    charged = charged_wh(power_w, state)
    missing = {note.code: note.numbers.get("missing_wh") for note in made.notes}.get("note_short", 0.0)
    assert charged + missing == pytest.approx(requested_wh, abs=max(0.002 * requested_wh, 25.0))
    if share < 0.97:
        assert missing == pytest.approx(0.0, abs=max(0.001 * requested_wh, 10.0))
    else:
        assert charged == pytest.approx(min(most_wh, requested_wh), rel=0.01, abs=25.0)
    assert power_w.min() >= 0.0
    assert power_w.max() <= CAR.bands[0].high_w + 1e-6


@WAYS
def test_a_heat_pump_keeps_the_comfort_band_and_its_times(solver: object) -> None:
    made = planned(FLEXIBLE["pump"], solver=solver, outdoor_c=np.full(96, 4.0))
    power_w = powers_w(made, "pump")
    temps = room_temps_c(PUMP, 20.5, power_w, 4.0)
    assert temps.min() > PUMP.low_c - 0.3
    assert temps.max() < PUMP.high_c + 0.1
    on = power_w > 1.0
    starts = np.flatnonzero(on & ~np.concatenate(([False], on[:-1])))
    ends = np.flatnonzero(on & ~np.concatenate((on[1:], [False])))
    lengths = (ends - starts + 1)[ends < 95]
    assert len(lengths) > 0
    assert (lengths * STEP_S >= PUMP.minimum_up_s).all()


@WAYS
def test_hygiene_is_reached_before_it_is_due(solver: object) -> None:
    hot = replace(TANK, high_c=55.0)
    for due_h in (3.0, 10.0, 23.0):
        state = tank_state(50.0, due_h)
        made = planned(at(hot, state), solver=solver)
        temps = tank_temps_c(hot, 50.0, powers_w(made, "tank"), state.draw_wh)
        assert temps[: int(due_h * 4)].max() > hot.hygiene_c - 0.5
        codes = {slot.reason.code for slot in made.loads["tank"] if slot.power_w > 0.0}
        assert codes & {"load_hygiene", "load_surplus"}
        for slot in made.loads["tank"]:
            assert (slot.purpose is LoadPurpose.HYGIENE) == (slot.reason.code == "load_hygiene")


CONTRADICTIONS = {
    "car gone": (at(CAR, car_state(departure_h=-1.0)), "note_window"),
    "car leaves before it comes": (at(CAR, car_state(arrival_h=9.0, departure_h=3.0)), "note_window"),
    "too much wanted": (at(CAR, car_state(60_000.0, departure_h=3.0)), "note_short"),
    "more than the car holds": (at(CAR, car_state(90_000.0)), None),
    "window too short": (at(WASHER, ApplianceState(earliest_s=NOW, latest_s=NOW + 900)), "note_window"),
    "window turned around": (
        at(WASHER, ApplianceState(earliest_s=NOW + 9000, latest_s=NOW)), "note_window",
    ),
    "window far away": (at(WASHER, ApplianceState(earliest_s=NOW + 2e5, latest_s=NOW + 3e5)), None),
    "pool in the past": (
        at(POOL, SwitchableState(earliest_s=NOW - 9000, latest_s=NOW - 1, requested_wh=900.0)), "note_window",
    ),
    "pool beyond reason": (
        at(POOL, SwitchableState(earliest_s=NOW, latest_s=NOW + 7200, requested_wh=9e5)), "note_short",
    ),
    "ice in the tank": (at(TANK, tank_state(2.0)), "note_short"),
    "a boiling tank": (at(TANK, tank_state(99.0)), None),
    "hygiene overdue": (at(TANK, tank_state(50.0, -5.0)), None),
    "a frozen house": (at(PUMP, HeatPumpState(indoor_c=-10.0)), "note_short"),
    "a hot house": (at(PUMP, HeatPumpState(indoor_c=35.0)), None),
}  # fmt: skip


@WAYS
@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_cannot_be_gets_a_plan_with_reasons(name: str, solver: object) -> None:
    job, note = CONTRADICTIONS[name]
    for limits in (LIMITS, GridLimits(import_max_w=300.0, export_max_w=0.0)):
        made = planned(job, solver=solver, limits=limits)
        slots = made.loads[job.load.id]
        assert len(slots) == 96
        assert all(slot.reason.code and math.isfinite(slot.value) and math.isfinite(slot.power_w) for slot in slots)
        if note is not None:
            assert note in [one.code for one in made.notes]
        assert refusal(made, STORAGE, now_s=NOW, max_age_s=900.0) is None


def test_a_solver_out_of_time_leaves_the_rules_and_says_so() -> None:
    jobs = [FLEXIBLE[name] for name in ("car", "tank")]
    ruled, late = planned(*jobs), planned(*jobs, solver=never)
    assert [note.code for note in late.notes] == ["solver_failed"]
    assert late.loads == ruled.loads


@WAYS
def test_the_same_question_has_the_same_answer_to_the_byte(solver: object) -> None:
    jobs = [FLEXIBLE[name] for name in ("car", "tank", "pump", "washer", "pool")]
    assert pickle.dumps(planned(*jobs, solver=solver)) == pickle.dumps(planned(*jobs, solver=solver))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    names=st.sets(st.sampled_from(sorted(FLEXIBLE)), min_size=1),
    limit_w=st.floats(0.0, 12_000.0),
    sun=st.floats(0.0, 1.5),
    ruled=st.booleans(),
)
def test_loads_never_break_the_import_limit_whatever_they_request(
    seed: int, names: set[str], limit_w: float, sun: float, ruled: object
) -> None:
    """Where the building alone is above it, loads draw nothing; what is missing then is told."""
    rng = np.random.default_rng(seed)
    made = planned(
        *(random_job(name, rng) for name in sorted(names)),
        solver=None if ruled else solve,
        scenarios=day(sun=sun, seed=seed),
        limits=GridLimits(import_max_w=limit_w),
    )
    alone = day(sun=sun, seed=seed).net_w.mean(axis=0)
    total = alone + sum(powers_w(made, id_) for id_ in made.loads)
    assert (total <= np.maximum(alone, limit_w) + 1.0).all()
    assert {len(slots) for slots in made.loads.values()} == {96}


def random_job(name: str, rng: np.random.Generator) -> FlexibleLoad:
    begin_h, long_h = rng.uniform(-3.0, 20.0), rng.uniform(-1.0, 20.0)
    states = {
        "car": car_state(rng.uniform(0.0, 60_000.0), arrival_h=begin_h, departure_h=begin_h + long_h),
        "tank": tank_state(rng.uniform(20.0, 70.0), rng.choice([None, rng.uniform(-3.0, 30.0)])),
        "pump": HeatPumpState(indoor_c=rng.uniform(12.0, 26.0)),
        "washer": ApplianceState(earliest_s=NOW + 3600 * begin_h, latest_s=NOW + 3600 * (begin_h + long_h)),
        "pool": SwitchableState(
            earliest_s=NOW + 3600 * begin_h,
            latest_s=NOW + 3600 * (begin_h + long_h),
            requested_wh=rng.uniform(0.0, 9000.0),
        ),
    }
    return at(FLEXIBLE[name].load, states[name])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda slots: slots[:-1],
        lambda slots: (*slots[:-1], replace(slots[-1], power_w=math.nan)),
        lambda slots: (replace(slots[0], value=math.inf), *slots[1:]),
    ],
)
def test_a_plan_with_broken_slots_of_a_load_is_refused(spoil: object) -> None:
    made = planned(FLEXIBLE["pool"])
    assert refusal(made, STORAGE, now_s=NOW, max_age_s=900.0) is None
    broken = replace(made, loads={"pool": spoil(made.loads["pool"])})  # type: ignore[operator]
    why = refusal(broken, STORAGE, now_s=NOW, max_age_s=900.0)
    assert why is not None
    assert why.code == "plan_broken"


def test_the_slots_of_loads_are_found_by_the_moment() -> None:
    made = planned(FLEXIBLE["pool"])
    assert made.loads_at(NOW + 950.0) == {"pool": made.loads["pool"][1]}
    assert made.loads_at(NOW - 1.0) == {}


def test_a_car_that_gives_back_does_so_only_where_it_pays_for_its_ageing() -> None:
    prices = replace(tariff(), buy=np.where(tariff().buy > 0.2, 0.40, 0.10))
    full = CarState(arrival_s=NOW - 900, departure_s=NOW + 3600 * 20, stored_wh=40_000.0, requested_wh=40_000.0)
    v2g = replace(CAR, give_w=7000.0, wear_price=0.03)
    small = replace(STORAGE, capacity_wh=10.0, charge_max_w=10.0, discharge_max_w=10.0)
    gives = planned(at(v2g, full), solver=solve, prices=prices, storage=small)
    assert powers_w(gives, "car")[:16].min() < -500.0  # the dear evening
    assert charged_wh_both(powers_w(gives, "car"), v2g.give_efficiency) >= -60.0
    assert "load_gives" in {slot.reason.code for slot in gives.loads["car"]}
    dear = planned(at(replace(v2g, wear_price=0.2), full), solver=solve, prices=prices, storage=small)
    assert powers_w(dear, "car").min() > -1.0


def charged_wh_both(power_w: np.ndarray, give: float) -> float:
    return float(np.where(power_w > 0, power_w * CAR.efficiency, power_w / give).sum() / 4)


def test_surplus_that_costs_money_is_thrown_away_and_reported() -> None:
    made = planned(solver=solve, prices=tariff(sell=-0.05), curtailable=(Curtailable(id="pv", rated_w=4000.0),))
    codes = {slot.reason.code for slot in made.loads["pv"]}
    assert codes == {"load_curtail", "load_free"}
    assert all(-4000.0 <= slot.power_w <= 1e-6 for slot in made.loads["pv"])


def test_reasons_tell_the_price_and_the_hour() -> None:
    made = planned(FLEXIBLE["car"], solver=solve)
    slots = made.loads["car"]
    first = next(slot for slot in slots if slot.power_w > 0.0)
    assert first.reason.code == "load_due"
    assert first.reason.numbers["buy_price"] == pytest.approx(0.1635)
    assert first.reason.numbers["due_clock"] == 300.0  # 07:00 in Paris is 05:00 UTC, the zone of this plan
    assert first.value >= 0.1635
    assert slots[0].reason.code == "load_away"
    assert slots[6].reason.code == "load_wait"
    assert slots[6].reason.numbers["now_price"] > slots[6].reason.numbers["later_price"]
