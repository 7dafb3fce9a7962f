"""What is seen of loads: a car comes and goes, water is hot, hours begin; clocks jump, a restart forgets nothing."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.control.memory import StoredMemory
from gateway.core.loads.appliance import ApplianceSettings
from gateway.core.loads.car import CarSettings
from gateway.core.loads.clock import last_clock
from gateway.core.loads.kind import LoadMoment, LoadObservation, LoadSettings
from gateway.core.loads.switchable import SwitchableSettings
from gateway.core.loads.tank import TankSettings
from gateway.core.model.state import Reading, SiteState
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.observers.load_observer import LoadObserver, recalled
from gateway.ports import Cycle

PARIS = ZoneInfo("Europe/Paris")
NOON_S = 1_718_964_000.0  # 2024-06-21 12:00 in Paris
CAR = CarSettings(device="wallbox", capacity_kwh=52.0, wanted_kwh=20.0)
TANK = TankSettings(device="water", litres=200.0, power_w=2400.0)
POOL = SwitchableSettings(device="pump", power_w=900.0, wanted_kwh=3.6, earliest="08:00", latest="22:00")
WASHER = ApplianceSettings(device="plug", quarters_w=(2000.0, 500.0), latest="19:00")


def state(device: str, now_s: float, *, utc_s: float | None = None, **points: float) -> SiteState:
    readings = {name: Reading(value=value, measured_s=now_s) for name, value in points.items()}
    return SiteState(now_s=now_s, utc_s=NOON_S + now_s if utc_s is None else utc_s, devices={device: readings})


def follow(settings: LoadSettings, *states: SiteState, before: LoadObservation | None = None) -> list[LoadObservation]:
    found, last_s = [before or settings.unseen("load")], None
    for one in states:
        dt_s = 0.0 if last_s is None else one.now_s - last_s
        found.append(found[-1].observed(LoadMoment(state=one, zone=PARIS, dt_s=dt_s)))
        last_s = one.now_s
    return found[1:]


def test_a_car_is_followed_from_its_arrival_to_its_departure() -> None:
    rows = [  # plugged, energy of the session; the first number is still that of the car before
        (0.0, 9000.0), (1.0, 9000.0), (1.0, 0.0), (1.0, 1000.0), (0.0, 1000.0),
    ]  # fmt: skip
    states = [state("wallbox", 10.0 * i, plugged=p, e_session_wh=e) for i, (p, e) in enumerate(rows)]
    seen = follow(CAR, *states)
    assert [one.since_s for one in seen] == [None, NOON_S + 10, NOON_S + 10, NOON_S + 10, None]
    assert [one.held_wh for one in seen] == [0.0, 0.0, 0.0, 900.0, 0.0]


def test_another_car_that_nobody_saw_come_begins_anew() -> None:
    states = [state("wallbox", t, plugged=1.0, e_session_wh=e) for t, e in ((0.0, 0.0), (10.0, 5000.0), (20.0, 100.0))]
    found = follow(CAR, *states)[-1]
    assert (found.since_s, found.held_wh) == (NOON_S + 20, 90.0)


def test_a_charger_that_does_not_answer_keeps_its_car() -> None:
    states = [state("wallbox", 0.0, plugged=1.0, e_session_wh=0.0), state("wallbox", 500.0)]
    assert follow(CAR, *states)[-1].since_s == NOON_S


@pytest.mark.parametrize(("jump_s", "since_s"), [(-3600.0, NOON_S - 3600.0 + 10), (3600.0, NOON_S)])
def test_a_clock_that_is_set_leaves_no_arrival_in_the_future(jump_s: float, since_s: float) -> None:
    first = state("wallbox", 0.0, plugged=1.0, e_session_wh=0.0)
    second = state("wallbox", 10.0, utc_s=NOON_S + 10 + jump_s, plugged=1.0, e_session_wh=0.0)
    assert follow(CAR, first, second)[-1].since_s == since_s


def test_water_that_was_hot_enough_counts_against_legionella() -> None:
    found = follow(TANK, *(state("water", 10.0 * i, temp_c=c) for i, c in enumerate((50.0, 59.6, 55.0))))
    assert [one.hygiene_s for one in found] == [NOON_S, NOON_S + 10, NOON_S + 10]  # at first sight: from now on


def test_a_pump_s_energy_is_counted_inside_its_hours() -> None:
    begin_s = NOON_S - 4 * 3600.0
    states = [state("pump", 2.0 * i, p_w=900.0) for i in range(1801)]
    found = follow(POOL, *states)[-1]
    assert found.since_s == begin_s
    assert found.held_wh == pytest.approx(900.0)
    [next_day] = follow(POOL, state("pump", 86_400.0, p_w=0.0), before=found)
    assert (next_day.since_s, next_day.held_wh) == (begin_s + 86_400, 0.0)


@pytest.mark.parametrize(
    ("clock", "utc", "expected"),
    [
        ("08:00", "2024-06-21T12:00:00+02:00", "2024-06-21T08:00:00+02:00"),
        ("08:00", "2024-06-21T08:00:00+02:00", "2024-06-21T08:00:00+02:00"),
        ("08:00", "2024-06-21T07:59:00+02:00", "2024-06-20T08:00:00+02:00"),
        ("08:00", "2024-10-27T07:30:00+01:00", "2024-10-26T08:00:00+02:00"),  # a day of 25 hours
        ("08:00", "2024-03-31T07:30:00+02:00", "2024-03-30T08:00:00+01:00"),  # and one of 23
    ],
)
def test_hours_began_at_the_last_such_clock(clock: str, utc: str, expected: str) -> None:
    moment_s = datetime.fromisoformat(utc).timestamp()
    assert last_clock(moment_s, clock, PARIS) == datetime.fromisoformat(expected).timestamp()


def test_a_washer_is_asked_for_runs_and_is_forgotten() -> None:
    rows = [(0.0, 0.0), (1.0, 2.0), (1.0, 1900.0), (1.0, 3.0), (0.0, 3.0), (0.0, 3.0)]
    times = [0.0, 10.0, 20.0, 900.0, 1000.0, 1900.0]  # its run takes half an hour from second 20 on
    found = follow(WASHER, *(state("plug", t, asked=a, p_w=w) for t, (a, w) in zip(times, rows, strict=True)))
    assert [one.since_s and one.since_s - NOON_S for one in found] == [None, 10.0, 10.0, 10.0, 10.0, None]
    assert [one.started_s and one.started_s - NOON_S for one in found] == [None, None, 20.0, 20.0, 20.0, None]


def cycle(seen: SiteState, **consumers: Switched) -> Cycle:
    lasting = StoredMemory(switched=consumers)
    return Cycle(number=1, state=seen, setpoints=(), load_w=None, late_ms=0.0, lasting=lasting)


async def test_a_restart_goes_on_with_what_was_seen(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=50)
    past = HistoryStore(outbox)
    loads = {"car": CAR, "water": TANK}
    before = LoadObserver(loads=loads, zone=PARIS, past=past)
    both = state("wallbox", 5.0, plugged=1.0, e_session_wh=0.0)
    later = state("wallbox", 10.0, plugged=1.0, e_session_wh=2000.0)
    for one in (both, later):
        before.show(cycle(one, car=Switched(runs=True, since_s=NOON_S)))
    events = before.events()
    await before.keep()
    after = LoadObserver(loads=loads, zone=PARIS, past=past)
    car = states_of(after, state("wallbox", 20.0))["car"]
    assert car.arrival_s == NOON_S + 5
    assert car.stored_wh == pytest.approx(1800.0, abs=100.0)
    assert after.events() == events  # the same car: no new plan is needed for it
    outbox.close()


@pytest.mark.parametrize("text", [None, "", "null", "[]", '{"car": 5}', '{"car": {"since_s": "x"}}', "{"])
def test_a_note_that_is_not_understood_is_forgotten(text: str | None) -> None:
    assert recalled(text, {"car": CAR}) == {}


def test_a_note_of_0_1_0_is_understood() -> None:
    """It had the same four keys for each kind of load, and loads that are no longer in the site file."""
    empty = {"since_s": None, "started_s": None, "held_wh": 0.0, "hygiene_s": None}
    rows = {
        "car": {**empty, "since_s": NOON_S, "held_wh": 900.0},
        "water": {**empty, "hygiene_s": NOON_S - 3600.0},
        "pool": {**empty, "since_s": NOON_S - 60.0, "held_wh": 300.0},
        "washer": {**empty, "since_s": NOON_S - 60.0, "started_s": NOON_S},
        "sold": empty,
    }
    found = recalled(json.dumps(rows), {"car": CAR, "water": TANK, "pool": POOL, "washer": WASHER})
    assert found["car"] == replace(CAR.unseen("car"), since_s=NOON_S, held_wh=900.0)
    assert found["water"] == replace(TANK.unseen("water"), hygiene_s=NOON_S - 3600.0)
    assert found["pool"] == replace(POOL.unseen("pool"), since_s=NOON_S - 60.0, held_wh=300.0)
    assert found["washer"] == replace(WASHER.unseen("washer"), since_s=NOON_S - 60.0, started_s=NOON_S)
    assert set(found) == {"car", "water", "pool", "washer"}


def states_of(observer: LoadObserver, now: SiteState) -> dict[str, object]:
    grid = TimeGrid(start_s=now.utc_s // 900.0 * 900.0, step_s=900.0, steps=96)
    return {load.id: load.state for load in observer.flexible(now, grid)}


def test_what_is_seen_now_has_the_temperature_and_what_runs() -> None:
    class Nothing:
        def note(self, _name: str) -> None:
            return None

    observer = LoadObserver(loads={"water": TANK, "pool": POOL}, zone=PARIS, past=Nothing())
    now = state("water", 5.0, temp_c=51.0)
    pumping = replace(now, devices={**now.devices, "pump": {"p_w": Reading(value=900.0, measured_s=5.0)}})
    observer.show(cycle(pumping))
    later = replace(pumping, now_s=9.0, utc_s=NOON_S + 9.0)
    observer.show(cycle(later, water=Switched(runs=True, since_s=NOON_S)))
    found = states_of(observer, now)
    assert (found["water"].temp_c, found["water"].switched) == (51.0, Switched(runs=True, since_s=NOON_S))
    assert found["pool"].served_wh == pytest.approx(1.0)
    late = replace(now, utc_s=NOON_S + 11 * 3600.0)  # its hours are over: nothing of them counts for the next
    assert states_of(observer, late)["pool"].served_wh == 0.0
