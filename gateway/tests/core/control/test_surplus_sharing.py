"""Loads and the battery share surplus and grid by what a kWh is worth to each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.solver import solve
from gateway.core.control.load_facts import consumers
from gateway.core.control.surplus_sharing import BATTERY, TIE, Available, drawn_price, shared
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.state import Reason
from gateway.core.model.switched import Switched
from gateway.tests.core.planning.cases import CAR, FLEXIBLE, NOW, POOL, STORAGE, TANK, planned

WHY = Reason(code="load_surplus")
LOADS = (CAR, TANK, POOL)


def slot(value: float = 0.15, buy: float = 0.2, sell: float = 0.04) -> Slot:
    levels = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=8000.0, export_wh=8000.0)
    return Slot(start_s=NOW, buy=buy, sell=sell, levels=levels, value=value, reason=WHY)


def load_slot(power_w: float, value: float) -> LoadSlot:
    return LoadSlot(power_w=power_w, value=value, reason=WHY)


def live(surplus_w: float, headroom_w: float = 20_000.0, **most_w: float) -> Available:
    return Available(surplus_w=surplus_w, import_headroom_w=headroom_w, most_w=most_w)


def powers(
    values: dict[str, tuple[float, float]], now: Available, battery: float = 0.15, **switched: Switched
) -> object:
    slots = {id_: load_slot(*one) for id_, one in values.items()}
    return shared(consumers(LOADS, slots), slots, STORAGE, slot(battery), now, switched, NOW)


# (power planned, worth) of car, tank and pool; surplus -> powers of car, tank, pool, battery
ROWS = [
    # nothing planned, the battery is worth most: it takes what it can, the car the rest above its least power
    ((0, 0.10), (0, 0.09), (0, 0.0), 6000, (2000, 0, 0, 4000)),
    # the car is worth more than the battery (0.15 x 0.95)
    ((0, 0.16), (0, 0.09), (0, 0.0), 6000, (6000, 0, 0, 0)),
    # too little for the car's least power of 1380 W: the battery has it
    ((0, 0.16), (0, 0.09), (0, 0.0), 1200, (0, 0, 0, 1200)),
    # the car must charge from the grid (worth its price): it has all surplus, and no other takes any
    ((7000, 0.21), (0, 0.15), (0, 0.0), 2000, (7000, 0, 0, 0)),
    # worth less than what is paid for surplus: not for them
    ((0, 0.03), (0, 0.03), (0, 0.02), 3500, (0, 0, 0, 3500)),
    # the tank before the pool, both before the battery
    ((0, 0.0), (2400, 0.18), (0, 0.17), 4000, (0, 2400, 900, 700)),
]


@pytest.mark.parametrize(("car", "tank", "pool", "surplus_w", "expected"), ROWS)
def test_the_dearest_need_is_served_first(
    car: tuple[float, float], tank: tuple[float, float], pool: tuple[float, float], surplus_w: float, expected: object
) -> None:
    found = powers({"car": car, "tank": tank, "pool": pool}, live(surplus_w))
    assert tuple(found.get(id_, 0.0) for id_ in ("car", "tank", "pool", BATTERY)) == expected  # type: ignore[attr-defined]


def test_the_import_limit_is_shared_by_value() -> None:
    found = powers({"car": (7000, 0.30), "tank": (2400, 0.40)}, live(-500.0, headroom_w=6000.0))
    assert found == {"car": 3600.0, "tank": 2400.0, "pool": 0.0, BATTERY: 0.0}


def test_a_load_that_takes_nothing_gets_nothing() -> None:
    found = powers({"car": (7000, 0.30)}, live(3000.0, car=0.0))
    assert found[BATTERY] == 3000.0  # type: ignore[index]
    assert "car" not in found  # type: ignore[operator]


def test_minimum_up_times_are_kept_though_nothing_is_planned() -> None:
    found = powers({"pool": (0, 0.0)}, live(0.0), pool=Switched(runs=True, since_s=NOW - 60))
    assert found["pool"] == 900.0  # type: ignore[index]
    done = powers({"pool": (0, 0.0)}, live(0.0), pool=Switched(runs=True, since_s=NOW - 3601))
    assert done["pool"] == 0.0  # type: ignore[index]


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 900.0, 2400.0, 7000.0]), st.floats(0.0, 0.4)), min_size=3, max_size=3),
    st.floats(-5000, 12_000),
    st.floats(0.0, 12_000),
)
def test_nothing_takes_what_another_gives(values: list[tuple[float, float]], surplus_w: float, limit_w: float) -> None:
    """All together take at most the surplus and what the plan allows from the grid, under the import limit."""
    headroom_w = max(limit_w + surplus_w, 0.0)
    found = powers(dict(zip(("car", "tank", "pool"), values, strict=True)), live(surplus_w, headroom_w))
    total = sum(found.values())  # type: ignore[attr-defined]
    assert total <= max(headroom_w, surplus_w, 0.0) + 1e-6
    granted = [power for power, value in values if power > 0.0 and value >= drawn_price(STORAGE, slot()) - TIE]
    if not granted:
        assert total <= max(surplus_w, 0.0) + 1e-6
        assert found[BATTERY] <= max(surplus_w, 0.0) + 1e-6  # type: ignore[index]


def test_the_values_of_a_plan_carry_its_schedule_into_the_loop() -> None:
    """At each slot, with the net load that was expected, loads run as they were planned to."""
    made = planned(FLEXIBLE["car"], FLEXIBLE["tank"], FLEXIBLE["pool"], solver=solve)
    agree = 0
    for k, one in enumerate(made.slots):
        loads = {id_: slots[k] for id_, slots in made.loads.items()}
        net_w = (one.net_w or 0.0) - sum(each.power_w for each in loads.values())
        now = Available(surplus_w=-net_w, import_headroom_w=9000.0 - net_w, most_w={})
        found = shared(consumers(LOADS, loads), loads, STORAGE, one, now, {}, one.start_s)
        agree += all((found[id_] > 1.0) or each.power_w <= 1.0 for id_, each in loads.items())
    assert agree >= 92


def test_the_plan_s_part_of_the_surplus_goes_before_a_dearer_storage() -> None:
    """Its levels were planned beside that load. Nothing from storage or grid: it is not worth that."""
    values = {"car": (3000.0, 0.12)}
    found = powers(values, live(5000.0))
    assert (found["car"], found[BATTERY]) == (3000.0, 2000.0)  # type: ignore[index]
    found = powers(values, live(2000.0), car=Switched(runs=True, since_s=NOW - 60))
    assert (found["car"], found[BATTERY]) == (2000.0, 0.0)  # type: ignore[index]
    assert powers(values, live(1400.0))["car"] == 0.0  # type: ignore[index]  # too little to begin with
