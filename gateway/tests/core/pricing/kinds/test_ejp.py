"""EJP: the days and hours of the order that set it up, and what a meter tells of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import tariffs
from gateway.core.model.state import Reading, SiteState
from gateway.core.pricing.called_days import Days, learn
from gateway.core.pricing.kind import PriceSources
from gateway.core.pricing.kinds.ejp import KIND, EjpDay, EjpSettings, meter_days
from gateway.core.pricing.tariff import ListTariff, PriceList
from gateway.study.record.called_days import announced_until
from gateway.tests.core.pricing.changes import changes

PARIS = ZoneInfo("Europe/Paris")
LISTS = (PriceList(first=date(2020, 1, 1), prices={"EJP_HN": 0.1781, "EJP_PM": 0.3440}),)
CALLED = KIND.called
assert CALLED is not None
# The 22 days of the winter 2025/26 (those of Tempo's red days, by which they are called since 2025).
WINTER = [
    *(date(2025, 12, day) for day in (29, 31)),
    *(date(2026, 1, day) for day in (5, 6, 7, 26, 28, 29)),
    date(2026, 2, 17),
    *(date(2026, 3, day) for day in (13, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27, 30, 31)),
]


def tariff_of(days: Days) -> ListTariff:
    return EjpSettings().tariff(PriceSources(zone=PARIS, sell=0.04, lists=LISTS, days=days))


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=PARIS).timestamp()


def hours_of(tariff: ListTariff, start_s: float, end_s: float) -> dict[tuple[str, bool], float]:
    """Hours of each name, known and assumed, by quarter hours of UTC."""
    found: dict[tuple[str, bool], float] = {}
    for quarter in range(round((end_s - start_s) / 900)):
        rate = tariff.rate(start_s + 900 * quarter)
        found[rate.name, rate.assumed] = found.get((rate.name, rate.assumed), 0.0) + 0.25
    return found


def test_a_year_has_22_days_of_18_hours() -> None:
    """From 1 September to 31 August 8760 hours, 396 of them peak; the last one ends on 1 April at 01:00."""
    season = [date(2025, 11, 1) + timedelta(days=n) for n in range(151)]
    assert season[-1] == date(2026, 3, 31)
    days = {day: EjpDay.PEAK if day in WINTER else EjpDay.NORMAL for day in season}
    assert len(WINTER) == 22
    found = hours_of(tariff_of(days), at("2025-09-01T00:00"), at("2026-09-01T00:00"))
    assert found == {("EJP_HN", False): 8760 - 396, ("EJP_PM", False): 396}


def test_of_a_year_of_which_nothing_is_announced_each_day_of_the_season_is_assumed_dear() -> None:
    """151 days of 18 hours: no change of the clock falls into them, for both are between 02:00 and 03:00."""
    found = hours_of(tariff_of({}), at("2025-09-01T00:00"), at("2026-09-01T00:00"))
    assert found == {("EJP_PM", True): 151 * 18, ("EJP_HN", False): 8760 - 151 * 18}


@pytest.mark.parametrize(
    ("moment", "name", "assumed"),
    [
        ("2026-01-05T06:59", "EJP_HN", False),
        ("2026-01-05T07:00", "EJP_PM", False),
        ("2026-01-05T23:59", "EJP_PM", False),
        ("2026-01-06T00:59", "EJP_PM", False),  # the peak of the day before lasts until 01:00
        ("2026-01-06T01:00", "EJP_HN", False),
        ("2026-01-06T07:00", "EJP_PM", True),  # not called yet
        ("2026-01-07T00:30", "EJP_PM", True),
        ("2026-01-07T03:00", "EJP_HN", False),  # never a peak
        ("2026-01-08T12:00", "EJP_HN", False),  # known as a normal day
        ("2026-01-09T00:30", "EJP_HN", False),
        ("2025-11-01T00:30", "EJP_HN", False),  # still 31 October
        ("2025-11-01T07:00", "EJP_PM", True),  # a holiday and a Saturday: no rule excludes them
        ("2026-03-31T12:00", "EJP_PM", True),
        ("2026-04-01T00:59", "EJP_PM", True),
        ("2026-04-01T01:00", "EJP_HN", False),
        ("2026-04-01T12:00", "EJP_HN", False),
    ],
)
def test_peaks_are_from_7_to_1_in_the_season(moment: str, name: str, *, assumed: bool) -> None:
    days = {date(2026, 1, 5): EjpDay.PEAK, date(2026, 1, 8): EjpDay.NORMAL}
    rate = tariff_of(days).rate(at(moment))
    assert (rate.name, rate.assumed) == (name, assumed)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2025-10-26", 25)])
def test_days_of_23_and_25_hours_keep_the_clock_of_the_peak(day: str, hours: int) -> None:
    """The night from 01:00 to 07:00 has 5 or 7 hours (a day called in October stands in for one: none ever is)."""
    first = date.fromisoformat(day)
    days = dict.fromkeys((first - timedelta(days=1), first), EjpDay.PEAK)
    end = (first + timedelta(days=1)).isoformat()
    found = hours_of(tariff_of(days), at(f"{day}T00:00"), at(f"{end}T00:00"))
    assert sum(found.values()) == hours
    assert found == {("EJP_PM", False): 18.0, ("EJP_HN", False): hours - 18.0}
    turns = changes(tariff_of(days), at(f"{day}T00:00"), at(f"{end}T02:00"))
    assert [f"{datetime.fromtimestamp(turn, PARIS):%d %H:%M}" for turn in turns] == [
        f"{day[-2:]} 01:00", f"{day[-2:]} 07:00", f"{end[-2:]} 01:00",
    ]  # fmt: skip


def meter_shows(moment: str, **points: float) -> Days:
    local = datetime.fromisoformat(moment).replace(tzinfo=PARIS)
    readings = {name: Reading(value=value, measured_s=100.0) for name, value in points.items()}
    state = SiteState(now_s=110.0, utc_s=local.timestamp(), devices={"grid": readings})
    return meter_days(state, "grid", local)


MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.mark.parametrize(
    ("moment", "points", "found"),
    [
        ("2026-01-05T06:30", {"peak_notice": 30.0, "tariff": 3.0}, {MONDAY: EjpDay.PEAK}),  # PEJP 30
        ("2026-01-05T06:45", {"peak_notice": 1.0, "tariff": 1.0}, {MONDAY: EjpDay.PEAK}),  # STGE, bits 28 and 29
        ("2026-01-05T06:45", {"peak_notice": 0.0, "tariff": 1.0}, {}),  # it may still come
        ("2026-01-05T06:45", {"tariff": 3.0}, {}),
        ("2026-01-05T07:09", {"tariff": 3.0}, {}),  # the meter may be late
        ("2026-01-05T07:10", {"tariff": 3.0}, {MONDAY: EjpDay.NORMAL}),  # HN..
        ("2026-01-05T12:00", {"tariff": 4.0}, {MONDAY: EjpDay.PEAK}),  # PM..
        ("2026-01-05T12:00", {"tariff": 1.0, "peak_running": 0.0}, {MONDAY: EjpDay.NORMAL}),  # NTARF 1
        ("2026-01-05T12:00", {"tariff": 2.0, "peak_running": 0.0}, {MONDAY: EjpDay.PEAK}),  # NTARF 2
        ("2026-01-05T12:00", {"tariff": 1.0, "peak_running": 1.0}, {MONDAY: EjpDay.PEAK}),  # the dear one of two
        ("2026-01-05T12:00", {"peak_running": 0.0}, {}),  # proves nothing
        ("2026-01-05T12:00", {}, {}),
        ("2026-01-06T00:30", {"tariff": 4.0}, {MONDAY: EjpDay.PEAK}),  # still Monday's
        ("2026-01-06T00:50", {"tariff": 3.0}, {}),  # the meter may be early
        ("2026-01-06T03:00", {"tariff": 3.0}, {}),  # says nothing of any day
    ],
)
def test_both_modes_of_the_telegram_tell_the_day(moment: str, points: dict[str, float], found: Days) -> None:
    assert meter_shows(moment, **points) == found


def test_what_the_meter_said_too_long_ago_is_not_taken() -> None:
    local = datetime(2026, 1, 5, 12, tzinfo=PARIS)
    state = SiteState(
        now_s=300.0, utc_s=local.timestamp(), devices={"grid": {"tariff": Reading(value=3.0, measured_s=100.0)}}
    )
    assert meter_days(state, "grid", local) == {}


def test_a_morning_with_a_notice() -> None:
    """At midnight the day is assumed dear, from 06:30 on it is known; the day after is not."""
    known: Days = {}
    assert tariff_of(known).rate(at("2026-01-05T12:00")).assumed
    known = learn(known, meter_shows("2026-01-05T06:31", peak_notice=30.0, tariff=3.0), MONDAY)
    rates = [tariff_of(known).rate(at(moment)) for moment in ("2026-01-05T12:00", "2026-01-06T12:00")]
    assert [(rate.name, rate.assumed) for rate in rates] == [("EJP_PM", False), ("EJP_PM", True)]


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-01-05T06:29", "2026-01-05T07:00"),
        ("2026-01-05T06:30", "2026-01-06T07:00"),
        ("2026-01-05T23:00", "2026-01-06T07:00"),
        ("2026-03-28T12:00", "2026-03-29T07:00"),  # over the change of the clock
    ],
)
def test_a_study_knows_a_day_from_its_notice_on(moment: str, until: str) -> None:
    assert announced_until(CALLED, at(moment), PARIS) == at(until)


@pytest.mark.parametrize("word", ["peak", "pointe", "ejp", "2"])
def test_peaks_are_written_in_both_languages(word: str) -> None:
    assert CALLED.words[word] == EjpDay.PEAK


# EDF's lists, ct/kWh
@pytest.mark.parametrize(
    ("day", "normal", "peak"),
    [("2024-11-04", 17.58, 151.97), ("2025-12-29", 14.18, 108.67), ("2026-03-13", 17.81, 34.40)],
)
def test_prices_are_those_of_the_published_lists(day: str, normal: float, peak: float, tmp_path: Path) -> None:
    sources = PriceSources(
        zone=PARIS,
        sell=0.0,
        lists=tariffs.find("edf_ejp", tmp_path).lists({}),
        days={date.fromisoformat(day): EjpDay.PEAK},
    )
    tariff = EjpSettings().tariff(sources)
    found = [tariff.rate(at(f"{day}T{clock}")).buy for clock in ("06:00", "07:00")]
    assert found == pytest.approx([normal / 100, peak / 100])


@given(st.integers(1_700_000_000, 1_900_000_000))
def test_out_of_the_season_nothing_is_assumed(utc_s: int) -> None:
    local = datetime.fromtimestamp(utc_s, UTC).astimezone(PARIS)
    rate = tariff_of({}).rate(utc_s)
    assert rate.assumed == (rate.name == "EJP_PM")
    if local.month in range(5, 11):
        assert (rate.name, rate.assumed) == ("EJP_HN", False)
    if 1 <= local.hour < 7:
        assert rate.name == "EJP_HN"
