"""Local days in a row, cut where a price or a tax changes."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Local days between two changes."""

    first: date  # itself in
    last: date  # itself in

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last - self.first).days + 1


def spans(first: date, end: date, turns: Iterable[date]) -> list[Span]:
    """The days from `first` to before `end`, cut before each turn. ValueError where there is no day."""
    if first >= end:
        raise ValueError(f"no day from {first} to before {end}")
    cuts = [first, *sorted(day for day in set(turns) if first < day < end), end]
    return [Span(first=a, last=b - timedelta(days=1)) for a, b in pairwise(cuts)]


def months(first: date, last: date) -> Fraction:
    """How many months these days are, both in: a whole one counts 1, of others the share of their days."""
    total = Fraction(0)
    day = first
    while day <= last:
        length = calendar.monthrange(day.year, day.month)[1]
        until = min(last, date(day.year, day.month, length))
        total += Fraction((until - day).days + 1, length)
        day = until + timedelta(days=1)
    return total
