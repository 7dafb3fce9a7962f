"""A pool pump runs its hours each day at the best time, and never in quiet hours."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.adapters.solver import solve
from gateway.core.control.arbiter import switched_after
from gateway.core.control.load_facts import consumers
from gateway.core.control.loads import NO_PLAN
from gateway.core.control.surplus_sharing import Available, shared
from gateway.core.loads.kind import LoadMoment
from gateway.core.loads.plain_rule import MUST_VALUE, SURPLUS_VALUE
from gateway.core.loads.pool_pump import PoolPumpObservation, PoolPumpSettings, PoolPumpState
from gateway.core.model.state import Reading, SiteState
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.tests.core.planning.cases import NOW, STEP_S, STORAGE, day, planned, powers_w, tariff

PARIS = ZoneInfo("Europe/Paris")
PUMP = PoolPumpSettings(device="relay", power_w=900.0, daily_run_h=6.0)
EVENING_S = NOW  # 18:00 in Paris
H = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def moment(utc_s: float, *, power_w: float | None = None, switched: Switched | None = None) -> LoadMoment:
    points = {} if power_w is None else {"p_w": Reading(value=power_w, measured_s=0.0)}
    state = SiteState(now_s=0.0, utc_s=utc_s, devices={"relay": points})
    return LoadMoment(state=state, zone=PARIS, dt_s=5.0, switched=switched)


def grid(start_s: float) -> TimeGrid:
    return TimeGrid(start_s=start_s // STEP_S * STEP_S, step_s=STEP_S, steps=96)


def seen(day_s: float | None = None, ran_s: float = 0.0, settings: PoolPumpSettings = PUMP) -> PoolPumpObservation:
    return replace(settings.unseen("pool"), since_s=day_s, ran_s=ran_s)


@pytest.mark.parametrize(
    ("now", "begins", "quiet", "ran_s"),
    [
        ("2024-06-21T12:00", "2024-06-21T07:00", "2024-06-21T22:00", 3000.0),
        ("2024-06-21T21:49", "2024-06-21T07:00", "2024-06-21T22:00", 3000.0),
        ("2024-06-21T21:51", "2024-06-22T07:00", "2024-06-22T22:00", 0.0),  # too late to be started on this day
        ("2024-06-21T23:00", "2024-06-22T07:00", "2024-06-22T22:00", 0.0),
        ("2024-06-22T06:59", "2024-06-22T07:00", "2024-06-22T22:00", 0.0),
    ],
)
def test_a_day_lies_between_quiet_hours(now: str, begins: str, quiet: str, ran_s: float) -> None:
    exact = TimeGrid(start_s=at(now), step_s=900.0, steps=1)
    state = seen(at("2024-06-21T07:00"), 3000.0).flexible(moment(at(now)), exact).state
    assert (state.day_s, state.quiet_s, state.ran_s) == (at(begins), at(quiet), ran_s)


@pytest.mark.parametrize(
    ("begins", "quiet", "hours"),
    [("2024-03-31T00:00", "2024-04-01T00:00", 23.0), ("2024-10-27T00:00", "2024-10-28T00:00", 25.0)],
)
def test_without_quiet_hours_a_day_is_as_long_as_its_clock_says(begins: str, quiet: str, hours: float) -> None:
    always = replace(PUMP, quiet_from="00:00", quiet_until="00:00", daily_run_h=20.0)
    noon_s = at(begins) + 12 * H
    state = always.unseen("pool").flexible(moment(noon_s), grid(noon_s)).state
    assert (state.day_s, state.quiet_s) == (at(begins), at(quiet))
    assert state.quiet_s - state.day_s == hours * H


def test_the_time_it_runs_is_counted_and_begins_anew_each_day() -> None:
    found = PUMP.unseen("pool")
    for second in range(0, 3600, 5):  # an hour, half of it with a pump that its own protection holds
        power_w = 880.0 if second < 1800 else 12.0
        found = found.observed(moment(at("2024-06-21T12:00") + second, power_w=power_w))
    assert (found.since_s, found.ran_s) == (at("2024-06-21T07:00"), 1800.0)
    assert found.observed(moment(at("2024-06-21T23:00"), power_w=None)).ran_s == 1800.0
    assert found.observed(moment(at("2024-06-22T07:00"), power_w=0.0)).ran_s == 0.0


@pytest.mark.parametrize("solver", [solve, None], ids=["solver", "rules"])
def test_a_plan_runs_it_with_the_sun_and_not_in_quiet_hours(solver: object) -> None:
    """From 18:00 on with 2 h done: 4 h more until 21:50 do not fit, tomorrow's 6 h have the sun."""
    load = seen(EVENING_S - 11 * H, 2 * H).flexible(moment(EVENING_S), grid(EVENING_S))
    made = planned(load, solver=solver)
    power_w = powers_w(made, "pool")
    quiet = [k for k in range(96) if not 7 * 4 <= (72 + k) % 96 < 22 * 4]
    assert power_w[quiet].max() == 0.0
    assert power_w[15] == 0.0  # 21:45: it could not end in time if the loop started it late
    assert power_w[:15].sum() * STEP_S / 3600.0 == pytest.approx(900.0 * 3.75)  # all there is
    assert {made.loads["pool"][k].reason.code for k in range(15)} <= {"load_short", "load_surplus"}
    assert [note.code for note in made.notes if note.code == "note_short"] == ["note_short"]


def test_a_plan_in_the_night_takes_the_sun_of_the_day() -> None:
    midnight_s = EVENING_S + 6 * H
    load = seen().flexible(moment(midnight_s), grid(midnight_s))
    made = planned(load, solver=solve, scenarios=day(start_s=midnight_s), prices=tariff(start_s=midnight_s))
    power_w = powers_w(made, "pool")
    hours = np.flatnonzero(power_w > 1.0) / 4.0
    assert power_w.sum() * STEP_S / 3600.0 == pytest.approx(5400.0)
    assert hours.min() >= 7.0
    assert hours.max() < 18.0
    assert made.loads["pool"][0].reason.code == "load_away"


@pytest.mark.parametrize(
    ("now", "ran_h", "power_w", "value", "code"),
    [
        ("2024-06-21T06:59", 0.0, 0.0, 0.0, "load_quiet"),
        ("2024-06-21T07:00", 0.0, 0.0, SURPLUS_VALUE, "load_plain"),
        ("2024-06-21T14:58", 0.0, 0.0, SURPLUS_VALUE, "load_plain"),
        ("2024-06-21T14:59", 0.0, 900.0, MUST_VALUE, "load_must"),  # 1.1 times 6 h and a quarter of one before 21:50
        ("2024-06-21T15:01", 1.0, 0.0, SURPLUS_VALUE, "load_plain"),
        ("2024-06-21T15:01", 6.0, 0.0, 0.0, "load_done"),
        ("2024-06-21T21:51", 0.0, 0.0, 0.0, "load_quiet"),
        ("2024-06-22T03:00", 0.0, 0.0, 0.0, "load_quiet"),
    ],
)
def test_without_a_plan_it_waits_for_surplus_as_long_as_it_can(
    now: str, ran_h: float, power_w: float, value: float, code: str
) -> None:
    exact = TimeGrid(start_s=at(now), step_s=900.0, steps=1)
    load = seen(at("2024-06-21T07:00"), ran_h * H).flexible(moment(at(now)), exact)
    found = load.plain_slot(at(now))
    assert (found.power_w, found.value, found.reason.code) == (power_w, value, code)


def test_what_more_run_has_a_value_for_is_taken_from_surplus_when_the_hours_are_done() -> None:
    more = replace(PUMP, surplus_eur_per_kwh=0.05)
    exact = TimeGrid(start_s=at("2024-06-21T15:00"), step_s=900.0, steps=1)
    load = seen(at("2024-06-21T07:00"), 6.5 * H, more).flexible(moment(exact.start_s), exact)
    assert load.plain_slot(exact.start_s).reason.code == "load_plain"
    full = replace(STORAGE, capacity_wh=2000.0)  # else the battery would take it for more
    prices = tariff(start_s=exact.start_s, sell=0.01)
    made = planned(load, scenarios=day(start_s=exact.start_s), prices=prices, storage=full)
    assert powers_w(made, "pool")[:12].max() == 900.0


def test_a_run_that_is_begun_last_ends_before_the_quiet_hours() -> None:
    """Surplus all day: each second the loop divides it as the plain rule says, with the pump's minimum times."""
    load, switched = PUMP.load("pool"), {}
    ran = []
    for second in range(0, 4 * 3600, 5):
        now_s = at("2024-06-21T19:00") + second
        exact = TimeGrid(start_s=now_s, step_s=900.0, steps=1)
        now = moment(now_s, switched=switched.get("pool"))
        slot = seen(at("2024-06-21T07:00")).flexible(now, exact).plain_slot(now_s)
        sunny = second < 3600 or second >= 10_195  # a cloud from 20:00 to 21:49:55
        requests = {"pool": slot}
        available = Available(surplus_w=2000.0 if sunny else -300.0, import_headroom_w=0.0, most_w={})
        powers = shared(consumers([load], requests), requests, None, NO_PLAN, available, switched, now_s)
        switched = switched_after(powers, switched, now_s)
        ran.append((now_s, powers["pool"]))
    on_s = [now_s for now_s, power_w in ran if power_w > 0.0]
    assert on_s[0] == at("2024-06-21T19:00")
    assert at("2024-06-21T21:50") <= on_s[-1] < at("2024-06-21T22:00")


def test_a_mean_power_counts_as_a_part_of_the_time() -> None:
    state = PoolPumpState(day_s=NOW, quiet_s=NOW + 10 * H)
    load = PUMP.load("pool")
    half = load.carried(state, 450.0, begin_s=NOW, end_s=NOW + 900.0)
    assert (half.ran_s, half.switched) == (450.0, Switched(runs=True, since_s=NOW))
    rests = load.carried(half, 0.0, begin_s=NOW + 900.0, end_s=NOW + 1800.0)
    assert (rests.ran_s, rests.switched) == (450.0, Switched(runs=False, since_s=NOW + 900.0))


def test_more_hours_than_a_day_has_are_refused() -> None:
    with pytest.raises(ValueError, match=r"daily_run_h at most 14\.8333"):
        replace(PUMP, daily_run_h=15.0)
    replace(PUMP, daily_run_h=14.5)
