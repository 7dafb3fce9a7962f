"""Colours that the meter tells, each for its day from 06:00 to 06:00."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.model.state import Reading, SiteState
from gateway.core.pricing.called_days import learn
from gateway.core.pricing.kinds.tempo import Colour, meter_colours, meter_days

PARIS = ZoneInfo("Europe/Paris")
MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 12), date(2026, 1, 13), date(2026, 1, 14)


def look(known: Mapping[date, int], moment: str, today: float | None, tomorrow: float | None) -> Mapping[date, int]:
    local = datetime.fromisoformat(moment).replace(tzinfo=PARIS)
    points = {"tempo_today": today, "tempo_tomorrow": tomorrow}
    readings = {name: Reading(value=value, measured_s=1.0) for name, value in points.items() if value is not None}
    state = SiteState(now_s=1.0, utc_s=local.timestamp(), devices={"grid": readings})
    return learn(known, meter_days(state, "grid", local), local.date())


def test_a_day_in_the_life_of_a_meter() -> None:
    known: Mapping[date, int] = {}
    table = [
        ("2026-01-12T10:00", 1.0, 0.0, {MONDAY: Colour.BLUE}),  # tomorrow is not published yet
        ("2026-01-12T12:00", 1.0, 3.0, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED}),
        ("2026-01-13T00:30", 3.0, 0.0, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED}),  # "today" of the calendar
        ("2026-01-13T05:59", 1.0, 3.0, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED}),  # "today" of the tariff
        ("2026-01-13T06:05", 1.0, 3.0, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED}),  # the meter is late
        ("2026-01-13T11:00", 3.0, 2.0, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED, WEDNESDAY: Colour.WHITE}),
        ("2026-01-13T11:01", None, None, {MONDAY: Colour.BLUE, TUESDAY: Colour.RED, WEDNESDAY: Colour.WHITE}),
    ]
    for moment, today, tomorrow, expected in table:
        known = look(known, moment, today, tomorrow)
        assert known == expected, moment


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ({"tempo_today": 3.0, "tempo_tomorrow": 1.0, "tariff": 6.0}, (3.0, 1.0)),
        ({"tempo_today": 0.0, "tempo_tomorrow": 0.0, "tariff": 2.0}, (0.0, 0.0)),  # no Tempo contract
        ({"tariff": 5.0, "tempo_tomorrow": 0.0}, (1.0, 0.0)),  # HCJB
        ({"tariff": 8.0, "tempo_tomorrow": 3.0}, (2.0, 3.0)),  # HPJW
        ({"tariff": 10.0}, (3.0, None)),  # HPJR
        ({"tariff": 2.0}, (None, None)),  # HP..
        ({}, (None, None)),
    ],
)
def test_both_modes_of_the_telegram_tell_colours(
    points: dict[str, float], found: tuple[float | None, float | None]
) -> None:
    readings = {name: Reading(value=value, measured_s=100.0) for name, value in points.items()}
    state = SiteState(now_s=110.0, utc_s=0.0, devices={"grid": readings})
    assert meter_colours(state, "grid") == found
    late = SiteState(now_s=300.0, utc_s=0.0, devices={"grid": readings})
    assert meter_colours(late, "grid") == (None, None)


@pytest.mark.parametrize("today", [1.0, 2.0, 3.0])
def test_days_long_past_are_forgotten(today: float) -> None:
    assert look({date(2025, 12, 1): Colour.RED}, "2026-01-12T12:00", today, 0.0) == {MONDAY: Colour(int(today))}
