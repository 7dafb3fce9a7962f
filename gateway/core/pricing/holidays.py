"""Public holidays of France: eight fixed days and three that move with Easter.

Source: Code du travail, article L3133-1. Good Friday and 26 December, which Alsace and Moselle have too, count as
working days: for a price that is not known that is the dear side.
"""

from datetime import date, timedelta

FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))  # (month, day)
AFTER_EASTER = (1, 39, 50)  # days: Easter Monday, Ascension, Whit Monday


def is_holiday(day: date) -> bool:
    """Whether this is a public holiday in all of France."""
    return (day.month, day.day) in FIXED or (day - easter(day.year)) in [timedelta(days=n) for n in AFTER_EASTER]


def easter(year: int) -> date:
    """Easter Sunday by the Gregorian calendar, 1583 to 9999.

    Source: the anonymous algorithm of Nature, 20 April 1876, as in Meeus, Astronomical Algorithms, chapter 8.
    """
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, odd = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon + 15) % 30
    years, left = divmod(rest, 4)
    weekday = (32 + 2 * odd + 2 * years - epact - left) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
