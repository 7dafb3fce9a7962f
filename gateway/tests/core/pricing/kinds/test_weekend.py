"""Off-peak at weekends and on a chosen day: by the price list of the supplier and by the calendar of a year."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import tariffs
from gateway.core.pricing.kind import PriceSources
from gateway.core.pricing.kinds.weekend import Weekday, WeekendSettings
from gateway.core.pricing.off_peak import OffPeakHours
from gateway.core.pricing.tariff import ListTariff, PriceList
from gateway.paths import config_folder
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFileError
from gateway.tests.core.pricing.changes import changes

PARIS = ZoneInfo("Europe/Paris")
NIGHT = (OffPeakHours(hours=("22:00-06:00",)),)
LISTS = (PriceList(first=date(2020, 1, 1), prices={"HP": 0.2314, "HC": 0.1731}),)
DEMO = (config_folder() / "demo" / "site.toml").read_text().partition("\n[tariff]")[0] + "\n"


def tariff_of(settings: WeekendSettings) -> ListTariff:
    return settings.tariff(PriceSources(zone=PARIS, sell=0.04, lists=LISTS))


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp()


def hours_of(tariff: ListTariff, first: date, end: date) -> dict[str, float]:
    """Hours of each name from one local midnight to another, by quarter hours of UTC."""
    found: dict[str, float] = {}
    for quarter in range(round((midnight(end) - midnight(first)) / 900)):
        name = tariff.rate(midnight(first) + 900 * quarter).name
        found[name] = found.get(name, 0.0) + 0.25
    return found


# 2026 begins on a Thursday: 52 Saturdays, 52 Sundays, 52 Wednesdays and 261 days from Monday to Friday; 8760 h, and
# both changes of the clock are on a Sunday, off-peak anyhow. 22:00 to 06:00 are 8 hours of each other day.
@pytest.mark.parametrize(
    ("settings", "off_peak_h"),
    [
        (WeekendSettings(off_peak=NIGHT), 104 * 24 + 261 * 8),
        (WeekendSettings(off_peak=NIGHT, chosen_day="wednesday"), 104 * 24 + 52 * 24 + 209 * 8),
        (WeekendSettings(off_peak=NIGHT, chosen_day="thursday"), 104 * 24 + 53 * 24 + 208 * 8),
        (WeekendSettings(), 104 * 24),
        (WeekendSettings(chosen_day="monday"), 104 * 24 + 52 * 24),
    ],
)
def test_hours_of_a_year(settings: WeekendSettings, off_peak_h: int) -> None:
    found = hours_of(tariff_of(settings), date(2026, 1, 1), date(2027, 1, 1))
    assert found == {"HC": off_peak_h, "HP": 8760 - off_peak_h}


# The supplier's list of 15 September 2026, ct/kWh: HP Semaine, HC Semaine, HP Week-End, HC Week-End, HP jour, HC jour.
@pytest.mark.parametrize(
    ("name", "chosen", "prices"),
    [
        ("edf_zen_weekend_plus", "wednesday", (23.14, 17.31, 17.31, 17.31, 17.31, 17.31)),
        ("edf_zen_weekend", None, (23.59, 17.62, 17.62, 17.62, 23.59, 17.62)),
    ],
)
def test_prices_are_those_of_the_supplier_in_each_of_its_columns(
    name: str, chosen: Weekday | None, prices: tuple[float, ...], tmp_path: Path
) -> None:
    lists = tariffs.find(name, tmp_path).lists({})
    settings = WeekendSettings(off_peak=NIGHT, chosen_day=chosen)
    tariff = settings.tariff(PriceSources(zone=PARIS, sell=0.0, lists=lists))
    moments = ("2026-10-06T12:00", "2026-10-06T03:00", "2026-10-10T12:00", "2026-10-11T03:00", "2026-10-07T12:00",
               "2026-10-07T03:00")  # fmt: skip
    found = [tariff.rate(datetime.fromisoformat(moment).replace(tzinfo=PARIS).timestamp()) for moment in moments]
    assert [round(100 * rate.buy, 2) for rate in found] == list(prices)
    assert not any(rate.assumed for rate in found)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_short_and_a_long_sunday_are_off_peak_from_midnight_to_midnight(day: date, hours: int) -> None:
    tariff = tariff_of(WeekendSettings(off_peak=NIGHT))
    assert hours_of(tariff, day, day + timedelta(days=1)) == {"HC": hours}
    # the night before belongs to the weekend, and the night after goes on until 06:00 of Monday's clock
    turns = changes(tariff, midnight(day - timedelta(days=2)), midnight(day + timedelta(days=2)))
    assert [f"{datetime.fromtimestamp(turn, PARIS):%a %H:%M}" for turn in turns] == [
        "Fri 06:00", "Fri 22:00", "Mon 06:00", "Mon 22:00",
    ]  # fmt: skip


def test_without_nightly_hours_prices_turn_at_midnight() -> None:
    tariff = tariff_of(WeekendSettings(chosen_day="wednesday"))
    turns = changes(tariff, midnight(date(2026, 6, 1)), midnight(date(2026, 6, 8)))  # Monday to Sunday
    assert [f"{datetime.fromtimestamp(turn, PARIS):%a %H:%M}" for turn in turns] == [
        "Wed 00:00", "Thu 00:00", "Sat 00:00",
    ]  # fmt: skip


def test_a_public_holiday_counts_as_any_other_day_of_its_week() -> None:
    tariff = tariff_of(WeekendSettings(off_peak=NIGHT))
    assert tariff.rate(datetime(2026, 12, 25, 12, tzinfo=PARIS).timestamp()).name == "HP"  # Christmas, a Friday


def test_a_day_of_the_week_of_which_no_row_says_anything_is_dear_and_says_so() -> None:
    tariff = tariff_of(WeekendSettings(off_peak=(OffPeakHours(hours=("22:00-06:00",), end=date(2026, 6, 1)),)))
    assert [
        (rate.name, rate.assumed)
        for day in (1, 6)  # Monday and Saturday
        for rate in (tariff.rate(datetime(2026, 6, day, 3, tzinfo=PARIS).timestamp()),)
    ] == [("HP", True), ("HC", False)]


@given(utc_s=st.integers(1_700_000_000, 1_900_000_000), chosen=st.sampled_from(get_args(Weekday)))
def test_a_chosen_day_only_makes_that_day_cheaper(utc_s: int, chosen: Weekday) -> None:
    plain, with_day = (tariff_of(WeekendSettings(off_peak=NIGHT, chosen_day=day)).rate(utc_s) for day in (None, chosen))
    local = datetime.fromtimestamp(utc_s, PARIS)
    assert with_day.name == ("HC" if f"{local:%A}".lower() == chosen else plain.name)


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        ('"wednesday"', '"saturday"', "tariff.chosen_day", "'monday', 'tuesday', 'wednesday'"),
        ("chosen_day", "choosen_day", "tariff.choosen_day", "did you mean chosen_day?"),
        ("edf_zen_weekend_plus", "edf_base", "tariff.chosen_day", "nothing"),
    ],
)
def test_mistakes_are_reported_with_their_place(old: str, new: str, path: str, allowed: str, tmp_path: Path) -> None:
    text = '\n[tariff]\nfile = "edf_zen_weekend_plus"\nchosen_day = "wednesday"\n'
    site = tmp_path / "site.toml"
    site.write_text(DEMO + text.replace(old, new))
    with pytest.raises(SiteFileError) as caught:
        site_file.read(site)
    assert allowed in {mistake.path: mistake.allowed for mistake in caught.value.mistakes}[path]
