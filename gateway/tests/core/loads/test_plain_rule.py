"""Without a plan loads like surplus, and what must be ready is begun in time and not before."""

from dataclasses import replace

import pytest

from gateway.core.loads.plain_rule import MUST_VALUE, SURPLUS_VALUE, requests
from gateway.core.model.switched import Switched
from gateway.tests.core.planning.cases import (
    CAR,
    FLEXIBLE,
    NOW,
    POOL,
    TANK,
    WASHER,
    at,
    car_state,
    pool_state,
    tank_state,
    washer_state,
)

MOST_W = 7360.0  # 32 A of one phase
RESTS, RUNS = Switched(runs=False, since_s=NOW), Switched(runs=True, since_s=NOW)
NEEDED_H = 20_000.0 / 0.9 / MOST_W  # 3.02 h


@pytest.mark.parametrize(
    ("departure_h", "power_w", "value", "code"),
    [
        (10.0, 0.0, SURPLUS_VALUE, "load_plain"),
        (1.1 * NEEDED_H + 0.26, 0.0, SURPLUS_VALUE, "load_plain"),
        (1.1 * NEEDED_H + 0.24, MOST_W, MUST_VALUE, "load_must"),
        (1.0, MOST_W, MUST_VALUE, "load_must"),
    ],
)
def test_a_car_is_charged_as_late_as_it_can_be(departure_h: float, power_w: float, value: float, code: str) -> None:
    found = requests([at(CAR, car_state(arrival_h=-1.0, departure_h=departure_h))], NOW)["car"]
    assert (found.power_w, found.value, found.reason.code) == (power_w, value, code)


def test_a_car_that_had_to_begin_goes_on() -> None:
    """At full power the spare of 1.1 times the time it needs grows by 0.1 s each second: that is no reason to stop."""
    state, codes = car_state(arrival_h=-1.0, departure_h=1.1 * NEEDED_H + 0.24), []
    for minute in range(180):
        held = replace(state, stored_wh=state.stored_wh + minute / 60.0 * MOST_W * 0.9)
        runs = Switched(runs=minute > 0, since_s=NOW)
        codes.append(requests([at(CAR, replace(held, switched=runs))], NOW + 60.0 * minute)["car"].reason.code)
    assert set(codes) == {"load_must"}


def test_a_car_that_has_what_it_requests_is_left_alone() -> None:
    found = requests([at(CAR, car_state(requested_wh=0.0, arrival_h=-1.0))], NOW)["car"]
    assert (found.power_w, found.value, found.reason.code) == (0.0, 0.0, "load_done")


def test_water_and_rooms_take_surplus_and_nothing_else() -> None:
    found = requests([FLEXIBLE["tank"], FLEXIBLE["pump"]], NOW)
    assert [(one.power_w, one.value) for one in found.values()] == [(0.0, SURPLUS_VALUE), (0.0, SURPLUS_VALUE)]


@pytest.mark.parametrize(
    ("temp_c", "now", "power_w", "code"),
    [
        (44.0, RESTS, 0.0, "load_plain"),  # low_c is 45
        (42.9, RESTS, 2400.0, "load_heats"),
        (44.9, RUNS, 2400.0, "load_heats"),
        (45.0, RUNS, 0.0, "load_plain"),
    ],
)
def test_cold_water_is_heated_until_it_is_useful(temp_c: float, now: Switched, power_w: float, code: str) -> None:
    state = replace(tank_state(temp_c), switched=now)
    found = requests([at(TANK, state)], NOW)["tank"]
    assert (found.power_w, found.value, found.reason.code) == (power_w, MUST_VALUE if power_w else SURPLUS_VALUE, code)


@pytest.mark.parametrize(
    ("now_h", "code"), [(0.5, "load_away"), (2.0, "load_plain"), (18.5, "load_must"), (23.5, "load_away")]
)
def test_a_pump_keeps_its_hours(now_h: float, code: str) -> None:
    """3.6 kWh with 900 W take 4 h; its hours end after 23 h."""
    assert requests([at(POOL, pool_state())], NOW + 3600.0 * now_h)["pool"].reason.code == code


@pytest.mark.parametrize(
    ("now_h", "started_h", "code"),
    [
        (0.5, None, "load_away"),
        (5.0, None, "load_plain"),
        (14.3, None, "load_must"),  # its run takes 1.5 h and must end after 16 h
        (5.0, 4.0, "load_must"),  # it runs: nothing interrupts it
        (6.0, 4.0, "load_done"),
    ],
)
def test_a_run_is_begun_in_time_and_never_interrupted(now_h: float, started_h: float | None, code: str) -> None:
    state = washer_state()
    if started_h is not None:
        state = type(state)(earliest_s=state.earliest_s, latest_s=state.latest_s, started_s=NOW + 3600.0 * started_h)
    assert requests([at(WASHER, state)], NOW + 3600.0 * now_h)["washer"].reason.code == code
