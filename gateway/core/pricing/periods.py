"""What a tariff calls a moment: its periods by the local clock, where days of 23 and 25 hours are as the clock shows.

A scheme names a local moment. Where it cannot know which of several names holds (the colour of tomorrow, hours that no
row gives), it gives them all, and the dearest of them counts: a price that is not known is never taken as cheap.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

DAY_MIN = 1440  # minutes of a day of 24 hours: the local clock shows no others
SATURDAY, SUNDAY = 5, 6  # as `date.weekday` counts: Monday is 0

MonthDay = tuple[int, int]  # (month, day)


class Scheme(Protocol):
    """How a tariff divides time into hours with names."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that may come."""
        ...

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """The name of this local moment, or all that are possible when it is not known which."""
        ...

    def turns_min(self) -> tuple[int, ...]:
        """Minutes of the local day, 0…1439, at which the name may change; midnight (0) may be left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of the local clock in minutes of the day, `begin_min` in, `end_min` out; over midnight when it is less."""

    begin_min: int  # 0 to 1439, itself in
    end_min: int  # 0 to 1440, itself out

    def __post_init__(self) -> None:
        if not (0 <= self.begin_min < DAY_MIN and 0 <= self.end_min <= DAY_MIN and self.begin_min != self.end_min):
            raise ValueError(f"not a window of a day: {self.begin_min} to {self.end_min} min")

    @classmethod
    def read(cls, hours: str) -> "Window":
        """Of hours as people write them, such as "22:38-06:38"."""
        begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
        return cls(begin_min=begin, end_min=end)

    def holds(self, minute: int) -> bool:
        """Whether this minute of the day is inside."""
        if self.begin_min < self.end_min:
            return self.begin_min <= minute < self.end_min
        return minute >= self.begin_min or minute < self.end_min

    @property
    def length_min(self) -> int:
        """Minutes on a day of 24 hours."""
        return (self.end_min - self.begin_min) % DAY_MIN or DAY_MIN


def season_of(first: str, last: str) -> tuple[MonthDay, MonthDay]:
    """A season by its first and last day as people write them, such as "04-01"."""
    return (int(first[:2]), int(first[3:])), (int(last[:2]), int(last[3:]))


def in_season(day: date, season: tuple[MonthDay, MonthDay]) -> bool:
    """Whether a day lies between the two days of the year, both in."""
    first, last = season
    here = (day.month, day.day)
    return first <= here <= last if first <= last else here >= first or here <= last
