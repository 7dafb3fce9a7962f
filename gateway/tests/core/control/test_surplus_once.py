"""Surplus is given once: what must run on comes off first, nothing is given twice, the battery does not feed a car."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.control.arbiter import Consumer, must_run
from gateway.core.control.surplus_sharing import BATTERY, Available, shared
from gateway.core.model.levels import Levels, Storage
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import LoadDevice
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched
from gateway.tests.core.building import CAR, POOL, TANK, Building, Device, site

NOW_S = 1_718_985_600.0
WHY = Reason(code="load_surplus")
LEVELS = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=9_000.0, export_wh=9_000.0)
SLOT = Slot(start_s=0.0, buy=0.2, sell=0.04, levels=LEVELS, value=0.15, reason=Reason(code="all_surplus"))
STORAGE = Storage(capacity_wh=9_000.0, charge_max_w=5_000.0, discharge_max_w=5_000.0)
PUMP = Consumer(id="pump", min_w=1380.0, max_w=1380.0, value=0.0, dwell_on_s=600.0, dwell_off_s=600.0)
WATER = Consumer(id="water", min_w=0.0, max_w=3000.0, value=0.12)


def test_what_must_run_on_comes_off_the_surplus_before_what_is_planned_on_it() -> None:
    """1,460 W of surplus, a pump of 1,380 W that was switched on a minute ago, water planned with all of it."""
    requests = {"water": LoadSlot(power_w=1460.0, value=0.12, reason=WHY)}
    available = Available(surplus_w=1460.0, import_headroom_w=9000.0, most_w={})
    switched = {"pump": Switched(runs=True, since_s=NOW_S - 60.0)}
    found = shared((PUMP, WATER), requests, STORAGE, SLOT, available, switched, NOW_S)
    assert found["pump"] == 1380.0
    assert found["water"] == pytest.approx(0.0)  # 80 W are below what it takes to start
    running = {**switched, "water": Switched(runs=True, since_s=NOW_S - 60.0)}
    found = shared((PUMP, WATER), requests, STORAGE, SLOT, available, running, NOW_S)
    assert (found["pump"], found["water"], found[BATTERY]) == pytest.approx((1380.0, 80.0, 0.0))


consumers = st.lists(
    st.builds(
        lambda low, more, value, dwell_s: (low, low + more, value, dwell_s),
        st.sampled_from([0.0, 900.0, 1380.0, 3000.0]),
        st.sampled_from([0.0, 1000.0, 6000.0]),
        st.floats(0.0, 0.4),
        st.sampled_from([0.0, 600.0]),
    ).filter(lambda one: one[1] > 0.0),
    min_size=1,
    max_size=5,
)


@settings(max_examples=400)
@given(
    owned=consumers,
    planned=st.lists(st.sampled_from([0.0, 900.0, 2400.0, 7000.0]), min_size=5, max_size=5),
    runs_s=st.lists(st.none() | st.sampled_from([-30.0, 30.0, 900.0]), min_size=5, max_size=5),
    surplus_w=st.floats(-5000.0, 12_000.0),
    limit_w=st.floats(0.0, 12_000.0),
    supplied=st.booleans(),
    storage=st.none() | st.just(STORAGE),
    value=st.floats(0.0, 0.3),
)
def test_all_that_is_given_of_the_surplus_is_no_more_than_there_is(
    owned, planned, runs_s, surplus_w, limit_w, supplied, storage, value
) -> None:
    """But for what must run on; what is worth its price from the grid stays under the import limit."""
    loads = tuple(
        Consumer(id=f"load{i}", min_w=low, max_w=high, value=worth, dwell_on_s=dwell_s)
        for i, (low, high, worth, dwell_s) in enumerate(owned)
    )
    slot = replace(SLOT, value=value)
    requests = {one.id: LoadSlot(power_w=planned[i], value=one.value, reason=WHY) for i, one in enumerate(loads)}
    switched = {
        one.id: Switched(runs=ago_s > 0.0, since_s=NOW_S - abs(ago_s))
        for one, ago_s in zip(loads, runs_s, strict=False)
        if ago_s is not None
    }
    headroom_w = max(limit_w + surplus_w, 0.0)
    ids = [one.id for one in loads] if supplied else []
    available = Available(surplus_w=surplus_w, import_headroom_w=headroom_w, most_w={}, supplied=ids)
    found = shared(loads, requests, storage, slot, available, switched, NOW_S)
    kept_w = sum(one.min_w for one in loads if must_run(one, switched.get(one.id), NOW_S))
    dear = [one for one in loads if requests[one.id].power_w > 0.0 and one.value >= min(slot.buy, value) - 1e-6]
    most_w = max(surplus_w, headroom_w if dear else 0.0, kept_w, 0.0)
    assert sum(found.values()) <= most_w + 1e-6
    if not dear:
        assert sum(found.values()) <= max(surplus_w, kept_w, 0.0) + 1e-6
    assert found.get(BATTERY, 0.0) <= max(surplus_w - kept_w, 0.0) + 1e-6


EVENING = {"car": LoadSlot(power_w=7000.0, value=2.0, reason=Reason(code="load_must"))}


def evening(supplied_from_soc: float, *, soc: float = 0.6, requests=EVENING) -> Building:
    """No sun, a house of 600 W and a car that wants 7 kW from anywhere; a battery of 5 kW."""
    car = LoadDevice(load=CAR, device="car-meter", takes_orders=True, supplied_from_soc=supplied_from_soc)
    devices = {"car-meter": Device(points={"plugged": 1.0, "e_session_wh": 0.0})}
    return Building(
        site=site(battery=True, loads=(car,)), base_w=lambda _t: 600.0, devices=devices, requests=requests, soc=soc
    )


def test_the_battery_supplies_the_house_and_not_the_car() -> None:
    building = evening(math.inf)
    building.run(120)
    assert building.powers("car-meter")[-1] == 7000.0
    assert building.battery_w == pytest.approx(-600.0, abs=20)
    assert building.grid_w[-1] == pytest.approx(7000.0, abs=20)
    assert max(-(sent["battery"].power_w or 0.0) for sent in building.sent) <= 600.0 + 20.0  # at no moment more
    reason = building.sent[-1]["battery"].reason
    assert (reason.code, reason.numbers["loads_w"]) == ("loads_unsupplied", 7000.0)


def test_a_house_that_draws_more_beside_the_car_is_supplied() -> None:
    building = evening(math.inf)
    building.base_w = lambda t: 600.0 if t < 60 else 2600.0
    building.site = replace(building.site, import_limit_w=12_000.0)
    building.run(120)
    assert building.battery_w == pytest.approx(-2600.0, abs=20)
    assert building.grid_w[-1] == pytest.approx(7000.0, abs=20)


@pytest.mark.parametrize(("soc", "battery_w"), [(0.81, -5000.0), (0.79, -600.0)])
def test_above_the_floor_that_is_set_the_battery_feeds_the_car(soc: float, battery_w: float) -> None:
    building = evening(0.8, soc=soc)
    building.run(120)
    assert building.battery_w == pytest.approx(battery_w, abs=20)


def test_the_import_limit_goes_before_the_setting() -> None:
    """Until the car has followed, the battery holds the connection within its limit."""
    building = evening(math.inf)
    building.site = replace(building.site, import_limit_w=6_500.0)
    building.base_w = lambda t: -1000.0 if t < 60 else 600.0
    building.run(60)
    assert building.battery_w <= -1100.0  # 0.6 + 7 - 6.5 kW; the house needs 0.6, and a gap of the sun is bridged
    building.run(60)
    assert building.powers("car-meter")[-1] == pytest.approx(5900.0, abs=20)
    assert building.battery_w == pytest.approx(-600.0, abs=20)
    assert max(building.grid_w[61:]) <= 6_500.0 + 1.0


def test_a_plan_does_not_sell_from_the_battery_into_the_car() -> None:
    selling = replace(SLOT, levels=replace(LEVELS, fill_wh=0.0, export_wh=0.0))
    building = evening(math.inf)
    building.slot = selling
    building.run(60)
    assert building.battery_w == pytest.approx(-600.0, abs=20)


def test_a_gap_in_the_surplus_is_the_battery_s_and_what_must_run_on_after_it_is_not() -> None:
    pump = LoadDevice(load=POOL, device="pool-meter", takes_orders=True)
    building = Building(
        site=site(battery=True, loads=(pump,)),
        base_w=lambda t: -1500.0 if t < 60 or 70 <= t < 73 else -1500.0 if t < 120 else 300.0,
        devices={"pool-meter": Device()},
        requests={"pool": LoadSlot(power_w=0.0, value=0.3, reason=WHY)},
        slot=SLOT,
    )
    building.run(119)
    assert building.powers("pool-meter")[-1] == 900.0
    building.run(60)  # its minimum up time is ten minutes
    assert building.powers("pool-meter")[-1] == 900.0
    assert building.battery_w == pytest.approx(-300.0, abs=20)


def test_each_load_gets_what_a_battery_leaves_that_takes_little() -> None:
    """4 kW of surplus, a battery at its top: what it cannot take is the tank's, though it is worth less there."""
    tank = LoadDevice(load=TANK, device="tank-meter", takes_orders=True)
    building = Building(
        site=site(battery=True, loads=(tank,)),
        base_w=lambda _t: -4000.0,
        devices={"tank-meter": Device(points={"temp_c": 50.0})},
        requests={"tank": LoadSlot(power_w=0.0, value=0.1, reason=WHY)},
        slot=SLOT,
        soc=1.0,
    )
    building.run(60)
    assert building.powers("tank-meter")[-1] == 3000.0
