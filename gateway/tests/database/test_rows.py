"""Rows of accounts, plans, decisions and alarms, beside what a person works out of the same quarter hour or minute."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.core.accounts.quarter_account import Flows, PriceInForce
from gateway.core.model.history import Scenarios
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Plan, Slot
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.core.planning.slot_forecasts import with_forecasts
from gateway.database.account_rows import account_rows, battery_eur
from gateway.database.decision_rows import (
    Alarm,
    AlarmMemory,
    DecisionMemory,
    alarm_rows,
    decision_rows,
)
from gateway.database.plan_rows import plan_rows
from gateway.database.tags import RowOrigin
from gateway.observers.database_observer import DatabaseObserver
from gateway.ports import Cycle, Row
from gateway.tests.core.plant import SITE
from gateway.tests.database.quarter_hours import account

ORIGIN = RowOrigin(site="lens", building="school", roles={"grid": "grid", "pv": "pv", "battery": "battery"})
KEPT = Reason(code="kept")
NOON = datetime(2026, 10, 24, 10, 0, tzinfo=UTC)  # 12:00 in Paris
EVENING = datetime(2026, 10, 24, 17, 0, tzinfo=UTC)
NIGHT = datetime(2026, 10, 24, 1, 0, tzinfo=UTC)


def say(kind: str, reason: Reason) -> str:
    return f"{kind}: {reason.code}"


def one(rows: list[Row], measurement: str, device: str | None = None) -> Row:
    [found] = [row for row in rows if row.measurement == measurement and row.tags.get("device") == device]
    return found


# 3 kW of sun at noon: 1.5 kW are used, 1 kW is stored, 0.5 kW are sold, for a quarter of an hour.
# The evening's 1.5 kW come out of the battery; at night 1.5 kW come from the grid, 1 kW of it into the car.
CASES = [
    (
        NOON,
        {"import_wh": 0, "export_wh": 125, "pv_wh": 750, "charge_wh": 250, "cost_eur": 0, "revenue_eur": 0.125 * 0.04},
    ),
    (NOON, {"battery_eur": -0.250 * 0.04, "curtailed_wh": 50, "co2_g": 0}),  # what was stored could have been sold
    (EVENING, {"import_wh": 0, "discharge_wh": 375, "battery_eur": 0.375 * 0.2081, "cost_eur": 0}),
    (NIGHT, {"import_wh": 375, "used_wh": 375, "cost_eur": 0.375 * 0.1635, "co2_g": 0.375 * 40, "battery_eur": 0}),
]


@pytest.mark.parametrize(("moment", "expected"), CASES)
def test_a_quarter_hour_is_what_a_person_works_out(moment: datetime, expected: dict[str, float]) -> None:
    row = one(list(account_rows(account(moment), ORIGIN)), "account")
    assert row.time_ms == moment.timestamp() * 1000
    assert {name: row.fields[name] for name in expected} == pytest.approx(expected)


def test_what_a_load_cost_is_what_it_had_of_the_grid() -> None:
    row = one(list(account_rows(account(NIGHT), ORIGIN)), "account_load", "car")
    assert row.fields["cost_eur"] == pytest.approx(0.250 * 0.1635)
    assert row.tags == {"site": "lens", "building": "school", "device": "car", "role": "load"}


def test_what_is_not_known_is_no_number() -> None:
    known = account(NOON)
    lame = replace(known, devices={**known.devices, "pv": replace(known.devices["pv"], given_wh=None)}, price=None)
    fields = one(list(account_rows(replace(lame, flows=None, co2_g_per_kwh=None), ORIGIN)), "account").fields
    assert {"pv_wh", "cost_eur", "revenue_eur", "battery_eur", "co2_g", "pv_to_load_wh"} & fields.keys() == set()
    assert fields["export_wh"] == 125


def test_a_battery_that_trades_earns_the_difference() -> None:
    """1 kWh is bought at 0.10 and 0.8 kWh of it spare 0.30 each; a sale brings what it brings."""
    price = PriceInForce(period="", buy=0.10, sell=0.05)
    bought = battery_eur(Flows(grid_to_battery_wh=1000.0), price)
    spared = battery_eur(Flows(battery_to_load_wh=800.0), replace(price, buy=0.30))
    assert bought + spared == pytest.approx(0.8 * 0.30 - 1.0 * 0.10)
    assert battery_eur(Flows(battery_to_grid_wh=1000.0), price) == pytest.approx(0.05)


def setpoint(code: str, device: str = "battery") -> SetPoint:
    return SetPoint(device=device, power_w=100.0, mode=Mode.CONTROL, reason=Reason(code=code))


def decided(*cycles: tuple[float, str]) -> list[tuple[int, object]]:
    memory: DecisionMemory = {}
    found = []
    for utc_s, code in cycles:
        memory, rows = decision_rows(memory, (setpoint(code),), utc_s, ORIGIN, say)
        found += [(row.time_ms // 1000, row.fields["sentence"]) for row in rows]
    return found


def test_a_decision_is_written_when_its_reason_changes_and_once_a_quarter_hour() -> None:
    same = ((962.0, "reserve"), (963.0, "reserve"), (1799.0, "reserve"), (1800.0, "reserve"))
    found = decided((900.0, "full"), (961.0, "full"), *same)
    assert found == [(900, "reason: full"), (962, "reason: reserve"), (1800, "reason: reserve")]


def test_a_reason_that_changes_each_second_is_written_once_a_minute() -> None:
    found = decided(*((900.0 + i, ("full", "reserve")[i % 2]) for i in range(300)))
    assert [at_s for at_s, _ in found] == [900, 961, 1022, 1083, 1144]


def test_a_device_that_is_given_back_is_written_at_once() -> None:
    memory, _ = decision_rows({}, (setpoint("full"),), 900.0, ORIGIN, say)
    given_back = replace(setpoint("lost_meter"), mode=Mode.RELEASE, power_w=None)
    _, [row] = decision_rows(memory, (given_back,), 901.0, ORIGIN, say)
    assert (row.fields["mode"], "p_set_w" in row.fields) == ("release", False)


def test_an_alarm_is_written_when_it_begins_and_ends_and_once_a_quarter_hour_meanwhile() -> None:
    silent = Alarm(device="pv", role="pv", reason=Reason(code="device_silent"))
    memory, found = AlarmMemory(), []
    for utc_s, on in ((890, 1), (899, 1), (900, 1), (901, 1), (902, 0), (903, 0), (904, 1)):
        memory, rows = alarm_rows(memory, iter([silent] if on else []), float(utc_s), ORIGIN, say)
        found += [(row.time_ms // 1000, row.fields["is_on"]) for row in rows]
    assert found == [(890, 1.0), (900, 1.0), (902, 0.0), (904, 1.0)]


def test_a_plan_is_shown_in_percent_of_the_battery_with_its_reserve() -> None:
    """SITE: the levels count from the reserve on, the share of a person from empty."""
    [battery] = SITE.batteries
    half = 0.5 * battery.capacity_wh - battery.reserve * battery.capacity_wh
    levels = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=half, export_wh=half)
    slot = Slot(
        start_s=900.0,
        buy=0.2,
        sell=0.04,
        levels=levels,
        value=0.1,
        reason=Reason(code="kept"),
        energy_wh=half,
        name="HP",
    )
    load = LoadSlot(power_w=7.0, value=0.0, reason=Reason(code="load_plain"))
    rows = list(plan_rows(Plan(made_s=5.0, step_s=900.0, slots=(slot,), loads={"car": (load,)}), SITE, ORIGIN, say))
    plan = one(rows, "plan").fields
    assert plan["soc_pct"] == plan["fill_pct"] == pytest.approx(50.0)
    assert (plan["charge_pct"], plan["reserve_pct"]) == (0.0, pytest.approx(100 * battery.reserve))
    assert one(rows, "price").fields == {"buy_eur_per_kwh": 0.2, "sell_eur_per_kwh": 0.04, "period": "HP"}
    assert one(rows, "load_plan", "car").fields["p_w"] == 7.0


def test_a_forecast_is_the_spread_of_the_scenarios() -> None:
    """Eleven futures, 0 to 1000 W: one of ten lies below 100 W, half below 500 W, nine of ten below 900 W."""
    futures = np.linspace(0.0, 1000.0, 11)[:, None]
    scenarios = Scenarios(start_s=0.0, step_s=900.0, load_w=futures, pv_w=-futures)
    levels = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=0.0, export_wh=0.0)
    slot = Slot(start_s=0.0, buy=0.2, sell=0.0, levels=levels, value=0.0, reason=Reason(code="kept"))
    [found] = with_forecasts((slot,), scenarios)
    assert found.forecast is not None
    assert found.forecast.load_w == pytest.approx((100.0, 500.0, 900.0))
    assert found.forecast.pv_w == pytest.approx((-100.0, -500.0, -900.0))


@pytest.mark.parametrize("is_dated", [True, False])
def test_a_cycle_without_a_date_has_no_place_in_the_database(*, is_dated: bool) -> None:
    found: list[Row] = []
    plan = Plan(made_s=1.0, step_s=900.0, slots=())
    observer = DatabaseObserver(site=SITE, origin=ORIGIN, say=say, add=found.extend, plan=lambda _: plan)
    grid = {"grid": {"p_w": Reading(value=1.0, measured_s=5.0)}}
    state = SiteState(now_s=5.0, utc_s=1e9, devices=grid, is_dated=is_dated)
    observer.show(Cycle(number=1, state=state, setpoints=(setpoint("full"),), load_w=1.0, late_ms=0.0))
    assert [row.measurement for row in found] == (["decision"] if is_dated else [])
