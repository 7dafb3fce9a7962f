"""Public holidays against lists as they were published, and against Easter as others compute it."""

from datetime import date, timedelta

import pytest

from gateway.core.pricing.holidays import easter, is_holiday

# Jours feries of the site service-public.fr, written down by hand.
PUBLISHED = {
    2024: ["01-01", "04-01", "05-01", "05-08", "05-09", "05-20", "07-14", "08-15", "11-01", "11-11", "12-25"],
    2025: ["01-01", "04-21", "05-01", "05-08", "05-29", "06-09", "07-14", "08-15", "11-01", "11-11", "12-25"],
    2026: ["01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25"],
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_holidays_of_a_year_are_those_that_were_published(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    found = [f"{day:%m-%d}" for day in days if day.year == year and is_holiday(day)]
    assert found == PUBLISHED[year]


def test_two_holidays_on_one_day_are_one() -> None:
    """Ascension of 2008 was on 1 May."""
    assert sum(is_holiday(date(2008, 1, 1) + timedelta(days=n)) for n in range(366)) == 10


def knuth(year: int) -> date:
    """Easter by way of golden number, epact and full moon: The Art of Computer Programming, 1.3.2, exercise 14."""
    golden, century = year % 19 + 1, year // 100 + 1
    no_leap, moon = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - no_leap - 10
    epact = (11 * golden + 20 + moon - no_leap) % 30
    epact += epact == 24 or (epact == 25 and golden > 11)
    full = 44 - epact if epact <= 23 else 74 - epact
    return date(year, 3, 1) + timedelta(days=full + 7 - (sunday + full) % 7 - 1)


def test_easter_is_that_of_another_algorithm_for_a_thousand_years() -> None:
    assert [easter(year) for year in range(1583, 2600)] == [knuth(year) for year in range(1583, 2600)]


@pytest.mark.parametrize("day", ["1818-03-22", "1943-04-25", "2008-03-23", "2038-04-25"])  # the earliest and the latest
def test_easter_on_its_outermost_days(day: str) -> None:
    assert easter(date.fromisoformat(day).year) == date.fromisoformat(day)
