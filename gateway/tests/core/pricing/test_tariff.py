"""What a kWh costs when: days on which clocks change, seasons, colours, and what is not known yet."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.kinds.base import Base, placeholder
from gateway.core.pricing.kinds.dynamic import DynamicTariff
from gateway.core.pricing.kinds.tempo import Colour, Tempo, possible_colours
from gateway.core.pricing.off_peak import OffPeak, PeakOffPeak
from gateway.core.pricing.periods import Window
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import (
    ListTariff,
    Power,
    PriceList,
    month_start_s,
    on_grid,
)
from gateway.tests.core.pricing.changes import changes

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3600.0
HP_HC = {"HP": 0.2081, "HC": 0.1635}
NIGHT = Window(begin_min=22 * 60, end_min=6 * 60)
TEMPO_PRICES = {
    "TEMPO_BLUE_HC": 0.12, "TEMPO_BLUE_HP": 0.15, "TEMPO_WHITE_HC": 0.14,
    "TEMPO_WHITE_HP": 0.18, "TEMPO_RED_HC": 0.16, "TEMPO_RED_HP": 0.65,
}  # fmt: skip


def at(text: str, zone: ZoneInfo = PARIS, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def hp_hc(*rows: OffPeak, sell: float = 0.04) -> ListTariff:
    lists = (PriceList(first=date(2020, 1, 1), prices=HP_HC),)
    return ListTariff(zone=PARIS, scheme=PeakOffPeak(rows=rows), lists=lists, sell=sell)


def tempo(colours: dict[date, Colour]) -> ListTariff:
    lists = (PriceList(first=date(2020, 1, 1), prices=TEMPO_PRICES),)
    return ListTariff(zone=PARIS, scheme=Tempo(colours=colours), lists=lists, sell=0.04)


def hours_of(tariff: ListTariff, day: date) -> dict[str, float]:
    """Hours of each name between two local midnights, minute by minute."""
    start_s = datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp()
    next_day = day + timedelta(days=1)
    end_s = datetime(next_day.year, next_day.month, next_day.day, tzinfo=PARIS).timestamp()
    found: dict[str, float] = {}
    for minute in range(round((end_s - start_s) / 60)):
        name = tariff.rate(start_s + 60 * minute).name
        found[name] = found.get(name, 0) + 1 / 60
    return {name: round(hours, 6) for name, hours in found.items()}


@pytest.mark.parametrize(
    ("day", "windows", "off_peak_h", "peak_h"),
    [
        (date(2024, 3, 30), [NIGHT], 8, 16),
        (date(2024, 3, 31), [NIGHT], 7, 16),  # 23 h: the hour from 2 to 3 does not exist
        (date(2024, 10, 27), [NIGHT], 9, 16),  # 25 h: it comes twice
        (date(2024, 3, 31), [Window(begin_min=150, end_min=300)], 2, 21),  # 02:30–05:00: only 03:00–05:00 exist
        (date(2024, 10, 27), [Window(begin_min=150, end_min=300)], 3, 22),  # 02:30–03:00 twice, and 03:00–05:00
        (date(2024, 10, 27), [Window(begin_min=120, end_min=180)], 2, 23),
        (date(2024, 3, 31), [Window(begin_min=120, end_min=180)], 0, 23),
        (date(2024, 6, 1), [Window(begin_min=0, end_min=1440)], 24, 0),
        (date(2024, 6, 1), [Window(begin_min=83, end_min=383), Window(begin_min=743, end_min=923)], 8, 16),
    ],
)
def test_off_peak_hours_follow_the_clock_on_short_and_long_days(
    day: date, windows: list[Window], off_peak_h: float, peak_h: float
) -> None:
    expected = {name: hours for name, hours in (("HC", off_peak_h), ("HP", peak_h)) if hours}
    assert hours_of(hp_hc(OffPeak(windows=tuple(windows))), day) == expected


@pytest.mark.parametrize(
    ("day", "turns"),
    [
        ("2024-03-31", ["2024-03-31T04:00+00:00", "2024-03-31T20:00+00:00"]),  # 06:00 and 22:00 of summer time
        ("2024-10-27", ["2024-10-27T05:00+00:00", "2024-10-27T21:00+00:00"]),  # of winter time
    ],
)
def test_prices_turn_at_the_moments_of_the_new_clock(day: str, turns: list[str]) -> None:
    start_s = at(day)
    found = changes(hp_hc(OffPeak(windows=(NIGHT,))), start_s, start_s + 23.5 * HOUR)
    assert found == tuple(datetime.fromisoformat(turn).timestamp() for turn in turns)


def test_a_window_that_the_clock_jumps_into_begins_at_the_jump() -> None:
    half_past_two = hp_hc(OffPeak(windows=(Window(begin_min=150, end_min=300),)))
    found = changes(half_past_two, at("2024-03-31"), at("2024-03-31T12:00"))
    assert [datetime.fromtimestamp(t, UTC).hour for t in found] == [1, 3]  # 01:00 UTC is 03:00 in Paris


def test_a_window_that_begins_in_the_hour_that_comes_twice_begins_twice() -> None:
    odd = hp_hc(OffPeak(windows=(Window(begin_min=2 * 60 + 38, end_min=300),)))
    found = changes(odd, at("2024-10-27"), at("2024-10-27T12:00"))
    assert [f"{datetime.fromtimestamp(t, UTC):%H:%M}" for t in found] == ["00:38", "01:00", "01:38", "04:00"]


WINTER = OffPeak(windows=(NIGHT,), season=((11, 1), (3, 31)))
SUMMER = OffPeak(
    windows=(Window(begin_min=120, end_min=420), Window(begin_min=840, end_min=1020)), season=((4, 1), (10, 31))
)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-03-31T23:30", "HC"),  # the winter's night
        ("2026-04-01T00:30", "HP"),  # from midnight on the summer's hours
        ("2026-04-01T02:00", "HC"),
        ("2026-04-01T15:00", "HC"),
        ("2026-03-31T15:00", "HP"),
        ("2026-10-31T16:59", "HC"),
        ("2026-10-31T22:30", "HP"),
        ("2026-11-01T00:30", "HC"),
        ("2026-11-01T15:00", "HP"),
    ],
)
def test_the_hours_of_a_season_begin_and_end_with_its_days(moment: str, name: str) -> None:
    rate = hp_hc(SUMMER, WINTER).rate(at(moment))
    assert (rate.name, rate.assumed) == (name, False)
    assert rate.buy == HP_HC[name]


def test_the_hours_of_a_meter_change_by_date() -> None:
    before = OffPeak(windows=(NIGHT,), end=date(2026, 4, 15))
    after = OffPeak(windows=(Window(begin_min=720, end_min=900),), first=date(2026, 4, 15))
    tariff = hp_hc(before, after)
    assert [tariff.rate(at(t)).name for t in ("2026-04-14T23:00", "2026-04-15T00:00", "2026-04-15T13:00")] == [
        "HC", "HP", "HC",
    ]  # fmt: skip


def test_a_day_without_hours_is_dear_and_says_so() -> None:
    rate = hp_hc(OffPeak(windows=(NIGHT,), end=date(2026, 4, 15))).rate(at("2026-04-20T03:00"))
    assert (rate.name, rate.buy, rate.assumed) == ("HP", 0.2081, True)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2024-12-03T05:59", "TEMPO_BLUE_HC"),  # still the day before
        ("2024-12-03T06:00", "TEMPO_RED_HP"),  # 3 December 2024 was red from 6 h on
        ("2024-12-03T21:59", "TEMPO_RED_HP"),
        ("2024-12-03T22:00", "TEMPO_RED_HC"),
        ("2024-12-04T05:59", "TEMPO_RED_HC"),
        ("2024-12-04T06:00", "TEMPO_WHITE_HP"),
    ],
)
def test_a_tempo_day_runs_from_6_to_6(moment: str, name: str) -> None:
    colours = {date(2024, 12, 2): Colour.BLUE, date(2024, 12, 3): Colour.RED, date(2024, 12, 4): Colour.WHITE}
    rate = tempo(colours).rate(at(moment))
    assert (rate.name, rate.buy, rate.assumed) == (name, TEMPO_PRICES[name], False)


@pytest.mark.parametrize(
    ("moment", "name", "assumed"),
    [
        ("2024-12-05T12:00", "TEMPO_RED_HP", True),  # a Thursday in winter may be red
        ("2024-12-06T05:00", "TEMPO_RED_HC", True),  # the night still belongs to it
        ("2024-12-07T12:00", "TEMPO_WHITE_HP", True),  # Saturdays are never red
        ("2024-12-08T12:00", "TEMPO_BLUE_HP", False),  # Sundays are blue
        ("2024-12-09T05:00", "TEMPO_BLUE_HC", False),  # until Monday at 6
        ("2024-07-03T12:00", "TEMPO_WHITE_HP", True),  # nor are days in summer
        ("2024-12-25T12:00", "TEMPO_WHITE_HP", True),  # nor Christmas, a Wednesday
        ("2024-12-26T05:00", "TEMPO_WHITE_HC", True),  # whose colour lasts until 6
        ("2024-12-26T06:00", "TEMPO_RED_HP", True),  # the day after is a working day
        ("2024-11-11T12:00", "TEMPO_WHITE_HP", True),  # Armistice Day, a Monday
    ],
)
def test_a_colour_that_is_not_known_counts_as_the_dearest_that_is_possible(
    moment: str, name: str, *, assumed: bool
) -> None:
    rate = tempo({}).rate(at(moment))
    assert (rate.name, rate.buy, rate.assumed) == (name, TEMPO_PRICES[name], assumed)


@pytest.mark.parametrize(
    ("day", "red"),
    [(date(2023, 10, 31), False), (date(2023, 11, 2), True), (date(2025, 3, 31), True), (date(2025, 4, 1), False)],
)
def test_red_days_are_from_november_to_march(day: date, *, red: bool) -> None:
    assert (Colour.RED in possible_colours(day)) == red


def test_a_peak_is_paid_for_by_the_calendar_month_of_the_local_clock() -> None:
    """A plan of 24 h from 20:00 on the last of March, after the change of clocks: midnight is 22:00 UTC."""
    quarters = TimeGrid(start_s=at("2026-03-31T20:00"), step_s=900.0, steps=96)
    power = Power(peak_eur_per_kw_month=4.0, peak_free_w=2500.0)
    price = power.peak_price(quarters, PARIS, 3200.0)
    assert price is not None
    assert price.eur_per_kw == 4.0
    assert [(p.first, p.end, p.due_w) for p in price.periods] == [(0, 16, 3200.0), (16, 96, 2500.0)]
    grid_w = np.full((2, 96), 2500.0)
    grid_w[1, [3, 50]] = 3700.0, 3000.0  # 0.5 kW above what was reached in March, and above what is free in April
    assert price.cost_eur(grid_w).tolist() == pytest.approx([0.0, 4.0])
    low = power.peak_price(replace(quarters, start_s=at("2026-04-01T00:00")), PARIS, 900.0)
    assert low is not None
    assert [(p.first, p.end, p.due_w) for p in low.periods] == [(0, 96, 2500.0)]
    assert Power().peak_price(quarters, PARIS, 0.0) is None
    assert month_start_s(at("2026-10-31T23:59"), PARIS) == at("2026-10-01")


def test_prices_change_on_their_day_and_before_the_first_list_they_are_assumed() -> None:
    lists = (
        PriceList(first=date(2025, 2, 1), prices={"BASE": 0.2016}),
        PriceList(first=date(2025, 8, 1), prices={"BASE": 0.1952}),
    )
    tariff = ListTariff(zone=PARIS, scheme=Base(), lists=lists, sell=0.04)
    table = [
        ("2025-07-31T23:59", 0.2016, False),
        ("2025-08-01T00:00", 0.1952, False),
        ("2024-12-31T12:00", 0.2016, True),
    ]
    for moment, buy, assumed in table:
        rate = tariff.rate(at(moment))
        assert (rate.buy, rate.assumed) == (buy, assumed), moment


def test_a_list_must_have_all_prices_of_its_scheme() -> None:
    with pytest.raises(ValueError, match="no price for HC from 2025-08-01"):
        ListTariff(
            zone=PARIS,
            scheme=PeakOffPeak(rows=()),
            lists=(PriceList(first=date(2025, 8, 1), prices={"HP": 0.2}),),
            sell=0.0,
        )


def test_a_step_across_a_change_has_the_mean_over_its_time() -> None:
    odd = hp_hc(OffPeak(windows=(Window(begin_min=22 * 60 + 38, end_min=6 * 60 + 38),)))
    prices = on_grid(odd, TimeGrid(start_s=at("2024-06-01T22:30"), step_s=1800, steps=2))
    assert prices.buy[0] == pytest.approx((8 * 0.2081 + 22 * 0.1635) / 30)  # 8 min of HP, 22 of HC
    assert prices.buy[1] == 0.1635
    assert prices.names == ("HC", "HC")


def test_without_a_tariff_one_price_stands_in_and_is_called_assumed() -> None:
    prices = on_grid(placeholder(PARIS), TimeGrid(start_s=0.0, step_s=900, steps=96))
    assert set(prices.buy) == {0.25}
    assert set(prices.sell) == {0.04}
    assert all(prices.assumed)
    assert set(prices.names) == {"BASE"}


@given(
    start=st.integers(1_700_000_000 // 900, 1_760_000_000 // 900),
    step_s=st.sampled_from([60, 300, 900, 1800, 3600]),
    at_share=st.floats(0, 1, exclude_max=True),
    begin=st.integers(0, 1439),
    length=st.integers(1, 1439),
)
def test_the_price_of_a_moment_is_that_of_its_step_where_no_change_falls_inside(
    start: int, step_s: int, at_share: float, begin: int, length: int
) -> None:
    tariff = hp_hc(OffPeak(windows=(Window(begin_min=begin, end_min=(begin + length) % 1440),)))
    grid = TimeGrid(start_s=start * 900.0, step_s=step_s, steps=8)
    prices = on_grid(tariff, grid)
    moment = grid.start_s + at_share * (grid.end_s - grid.start_s)
    step = min(int((moment - grid.start_s) // step_s), 7)
    begin_s = grid.start_s + step * step_s
    seen = {tariff.rate(begin_s + 60 * minute).buy for minute in range(step_s // 60)}
    if len(seen) == 1:
        assert prices.buy[step] == tariff.rate(moment).buy
    else:  # between the two, and the mean of its minutes
        minutes = [tariff.rate(begin_s + 60 * minute).buy for minute in range(step_s // 60)]
        assert prices.buy[step] == pytest.approx(sum(minutes) / len(minutes), abs=1e-12)


@given(
    st.integers(1_700_000_000, 1_760_000_000), st.sampled_from(["Europe/Paris", "Europe/London", "Australia/Lord_Howe"])
)
def test_between_two_changes_the_rate_never_changes(moment: int, zone: str) -> None:
    lists = (PriceList(first=date(2020, 1, 1), prices=TEMPO_PRICES),)
    colours = {date(2023, 11, 1) + timedelta(days=n): Colour(1 + n % 3) for n in range(800)}
    tariff = ListTariff(zone=ZoneInfo(zone), scheme=Tempo(colours=colours), lists=lists, sell=0.0)
    ends = [moment, *changes(tariff, moment, moment + 86400), moment + 86400]
    for begin_s, end_s in pairwise(ends):
        seen = {tariff.rate(t) for t in np.arange(begin_s, end_s, 60)}
        assert len(seen) == 1


def published(day: str, values: list[float], step_s: float = HOUR) -> PointSeries:
    start_s = at(day)
    return PointSeries(
        times_s=tuple(start_s + i * step_s for i in range(len(values))), values=tuple(values), step_s=step_s
    )


def test_a_dynamic_price_follows_its_points() -> None:
    points = published("2024-06-01", [0.10 + 0.01 * hour for hour in range(24)])
    tariff = DynamicTariff(zone=PARIS, points=points, sell=0.04, fallback=0.3, factor=1.2, add=0.05)
    rate = tariff.rate(at("2024-06-01T15:59"))
    assert (rate.buy, rate.assumed) == (pytest.approx(1.2 * 0.25 + 0.05), False)
    prices = on_grid(tariff, TimeGrid(start_s=at("2024-06-01T15:30"), step_s=HOUR, steps=1))
    assert prices.buy[0] == pytest.approx(1.2 * 0.255 + 0.05)


def test_a_missing_dynamic_price_is_that_of_the_last_day_made_dearer_and_called_assumed() -> None:
    points = published("2024-06-01", [0.10 + 0.01 * hour for hour in range(24)])
    tariff = DynamicTariff(zone=PARIS, points=points, sell=0.04, fallback=0.3)
    for day in ("2024-06-02", "2024-06-05"):
        rate = tariff.rate(at(f"{day}T07:20"))
        assert (rate.buy, rate.assumed) == (pytest.approx(0.17 + 0.1 * 0.33), True)  # the day's highest is 0.33
    assert (tariff.rate(at("2024-06-20")).buy, tariff.rate(at("2024-05-01")).buy) == (0.3, 0.3)


def test_the_shape_of_the_last_day_keeps_its_clock_when_clocks_change() -> None:
    points = published("2024-10-26", [float(hour) for hour in range(24)])
    tariff = DynamicTariff(zone=PARIS, points=points, sell=0.0, fallback=99.0)
    assert tariff.rate(at("2024-10-27T18:00")).buy == pytest.approx(18 + 2.3)
    assert tariff.rate(at("2024-10-27T02:30", fold=1)).buy == pytest.approx(2 + 2.3)


def test_a_hole_in_published_prices_is_not_bridged() -> None:
    points = PointSeries(times_s=(0.0, 3600.0, 10800.0), values=(1.0, 2.0, 3.0))
    assert [points.at(t) for t in (-1, 0, 3599, 3600, 7199, 7200, 10800, 14399, 14400)] == [
        None, 1.0, 1.0, 2.0, 2.0, None, 3.0, 3.0, None,
    ]  # fmt: skip


@pytest.mark.parametrize("times_s", [(0.0, 0.0), (1.0, 0.0)])
def test_the_moments_of_a_series_rise(times_s: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        PointSeries(times_s=times_s, values=(1.0, 2.0))
