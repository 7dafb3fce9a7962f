"""Quarter hours from cycles: counters first, powers where they are missing, and nothing invented."""

import json
import math
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from gateway.core.accounts.ledger import AccountLedger
from gateway.core.accounts.ledger_note import from_note, to_note
from gateway.core.accounts.period import local_days, period
from gateway.core.accounts.quarter_account import EnergySource
from gateway.tests.core.accounts.days import BEGIN_S, METERING, Day, steady, total

Q = 900


def test_a_quarter_hour_has_what_its_counters_counted() -> None:
    day = Day(lambda _: steady(pv=2000.0, battery=1000.0, tank=400.0, base=300.0))
    day.live(2 * Q + 5)
    account = day.last()[1]  # the first one began with its first second, which no counter was read before
    assert {device: (one.drawn_wh, one.given_wh) for device, one in account.devices.items()} == {
        "grid": (pytest.approx(75.0), 0.0),  # 300 + 400 + 1000 - 2000 W: 300 W out
        "pv": (0.0, pytest.approx(500.0)),
        "battery": (pytest.approx(250.0), 0.0),
        "tank": (pytest.approx(100.0), 0.0),
    }
    assert {one.source for one in account.devices.values()} == {EnergySource.COUNTER}
    assert account.used_wh == pytest.approx(175.0)
    assert account.loads["water"].of_sun_wh == pytest.approx(100.0)
    assert (account.seen, account.curtailed_wh, account.epochs, account.notes) == (pytest.approx(1.0), 0.0, (), {})


def test_without_counters_powers_are_added_up_and_part_of_a_quarter_hour_is_scaled_and_said() -> None:
    day = Day(lambda _: steady(tank=1000.0))
    day.live(Q, uncounted=("tank",))
    day.live(800, uncounted=("tank",))
    day.live(100, silent=("tank",))
    day.live(600, uncounted=("tank",))
    day.live(300 + 130, silent=("tank",))
    assert [(day.last()[at].devices["tank"].drawn_wh, day.last()[at].devices["tank"].source) for at in (0, 1, 2)] == [
        (pytest.approx(250.0), EnergySource.POWER),
        (pytest.approx(250.0), EnergySource.PART),  # 800 of 900 s
        (None, EnergySource.UNKNOWN),  # 600 of 900 s: never 0
    ]
    assert day.last()[2].loads["water"].used_wh is None
    assert day.last()[2].flows is not None  # the building is known without it


def test_a_silent_grid_leaves_flows_and_use_unknown() -> None:
    day = Day(lambda _: steady(pv=100.0))
    day.live(2 * Q + 130, silent=("grid",))
    account = day.last()[1]
    assert (account.flows, account.used_wh) == (None, None)
    assert account.devices["pv"].given_wh == pytest.approx(25.0)


def test_a_gateway_that_was_away_shares_what_was_counted_over_the_gap() -> None:
    day = Day(lambda _: steady(base=1200.0))
    day.live(Q + 300)
    day.live(2 * Q, away=True)
    day.live(Q)
    accounts = day.last()
    assert [accounts[at].devices["grid"].source for at in (1, 2, 3)] == [EnergySource.SPREAD] * 3
    assert [accounts[at].devices["grid"].given_wh for at in (1, 2, 3)] == pytest.approx([300.0] * 3)
    assert accounts[2].seen == 0.0
    assert accounts[1].seen == pytest.approx(300 / 900, abs=0.01)


def test_a_restart_in_a_quarter_hour_goes_on_with_what_was_counted() -> None:
    day = Day(lambda now_s: steady(base=1000.0 + (now_s % 700)))
    day.live(Q + 60)
    kept = json.dumps(to_note(day.ledger))  # kept when the quarter hour began
    day.live(300)
    day.ledger = from_note(json.loads(kept))
    whole = Day(lambda now_s: steady(base=1000.0 + (now_s % 700)))
    whole.live(3 * Q)
    day.live(3 * Q - Q - 360)
    ours, theirs = day.last()[1].devices["grid"], whole.last()[1].devices["grid"]
    assert (ours.source, ours.given_wh) == (theirs.source, pytest.approx(theirs.given_wh, abs=1e-6))


@pytest.mark.parametrize("note", [None, [], {"tracks": 3}, {"open_s": "x"}, {"waiting": [math.inf]}])
def test_a_note_that_is_not_understood_is_forgotten(note: object) -> None:
    assert from_note(note) == AccountLedger()


def test_a_counter_that_comes_late_corrects_what_was_given() -> None:
    day = Day(lambda _: steady(tank=1000.0))
    day.live(Q + 10)
    day.live(2 * Q, silent=("tank",))
    first = day.last()[1].devices["tank"]
    day.live(Q)
    assert (first.drawn_wh, first.source) == (None, EnergySource.UNKNOWN)
    assert [day.last()[at].devices["tank"].drawn_wh for at in (1, 2)] == pytest.approx([250.0, 250.0])
    assert day.last()[1].devices["tank"].source is EnergySource.SPREAD


@pytest.mark.parametrize("after_wh", [0.0, 5_000_000.0])
def test_a_new_meter_is_an_epoch_and_its_quarter_hour_is_that_of_the_power(after_wh: float) -> None:
    day = Day(lambda _: steady(base=800.0))
    day.live(Q + 400)
    day.counters["grid", "e_import_wh"] = after_wh
    day.live(2 * Q)
    account = day.last()[1]
    assert account.epochs == ("grid",)
    assert account.devices["grid"].source is EnergySource.POWER
    assert account.devices["grid"].given_wh == pytest.approx(200.0, rel=0.005)
    assert day.last()[2].devices["grid"].source is EnergySource.COUNTER
    assert day.last()[2].epochs == ()


def test_a_counter_that_contradicts_the_power_is_said() -> None:
    day = Day(lambda _: steady(base=4000.0))
    day.live(Q)
    day.counters["grid", "e_import_wh"] += 0.0
    for _ in range(Q):
        day.counters["grid", "e_import_wh"] -= 3000.0 / 3600.0  # it counts a quarter of it
        day.live(1)
    day.live(5)
    assert day.last()[1].notes == {"grid": "counter_differs"}


def test_held_back_pv_is_what_it_gave_before() -> None:
    limited = [False]
    day = Day(lambda _: steady(pv=1000.0 if limited[0] else 3000.0))
    day.live(Q)
    limited[0] = True
    day.live(Q + 5, curtailed=True)
    assert day.last()[1].curtailed_wh == pytest.approx(500.0, rel=0.01)
    day.live(3 * Q, curtailed=True)  # nobody can say after half an hour what the sun would give
    assert day.last()[4].curtailed_wh is None


def test_a_curtailed_start_is_unknown_and_not_0() -> None:
    day = Day(lambda _: steady(pv=1000.0))
    day.live(2 * Q + 5, curtailed=True)
    assert day.last()[1].curtailed_wh is None


def test_a_clock_that_is_set_back_loses_no_more_than_its_quarter_hour() -> None:
    day = Day(lambda _: steady(base=800.0))
    day.live(2 * Q + 5)
    day.now_s -= 2000.0
    day.live(3 * Q)
    assert all(one.devices["grid"].given_wh in (None, pytest.approx(200.0, rel=0.3)) for one in day.last().values())


@pytest.mark.parametrize(
    ("first", "quarters"), [(date(2026, 3, 28), 96), (date(2026, 3, 29), 92), (date(2026, 10, 25), 100)]
)
def test_days_have_92_96_or_100_quarter_hours(first: date, quarters: int) -> None:
    ((day, start_s, end_s),) = local_days(first, date.fromordinal(first.toordinal() + 1), ZoneInfo("Europe/Paris"))
    assert (day, (end_s - start_s) // Q) == (first, quarters)


def test_a_period_adds_up_and_knows_its_quarter_hours() -> None:
    day = Day(lambda now_s: steady(pv=3000.0 * max(math.sin((now_s - BEGIN_S) / 9000.0), 0.0), battery=0.0))
    day.live(9 * Q - 30, step_s=3)
    found = period(day.accounts, BEGIN_S, BEGIN_S + 10 * Q, METERING)
    trail = found.imported_wh.trail
    assert (trail.counted, trail.missing) == (8, (BEGIN_S + 8 * Q, BEGIN_S + 9 * Q))
    assert sum(trail.sources.values()) == 8
    assert found.imported_wh.value == pytest.approx(total(iter(day.accounts), "grid", given=True))
    assert found.flows is not None
    assert found.flows.pv_to_grid_wh == pytest.approx(found.exported_wh.value)
    assert found.cost_eur.value is None  # no price is known: never 0
    assert found.co2_g.value is None
    assert len(found.cost_eur.trail.missing) == 10
