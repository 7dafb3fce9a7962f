"""What a tariff calls a moment: its periods by the local clock, where days of 23 and 25 hours are as the clock shows.

A scheme names a local moment. Where it cannot know which of several names holds (the colour of tomorrow, hours that no
row gives), it tells them all, and the dearest of them counts: a price that is not known is never taken as cheap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Protocol

from gateway.core.pricing.holidays import is_holiday

DAY_MIN = 1440
SATURDAY, SUNDAY = 5, 6

MonthDay = tuple[int, int]  # (month, day)


class Scheme(Protocol):
    """How a tariff divides time."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that may come."""
        ...

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """The name of this local moment, or all that are possible when it is not known which."""
        ...

    def turns_min(self) -> tuple[int, ...]:
        """Minutes of the local day, 0…1439, at which the name may change."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of the local clock in minutes of the day, `begin_min` in, `end_min` out; over midnight when it is less."""

    begin_min: int
    end_min: int

    def __post_init__(self) -> None:
        if not (0 <= self.begin_min < DAY_MIN and 0 <= self.end_min <= DAY_MIN and self.begin_min != self.end_min):
            raise ValueError(f"not a window of a day: {self.begin_min} to {self.end_min} min")

    def holds(self, minute: int) -> bool:
        """Whether this minute of the day is inside."""
        if self.begin_min < self.end_min:
            return self.begin_min <= minute < self.end_min
        return minute >= self.begin_min or minute < self.end_min

    @property
    def length_min(self) -> int:
        """Minutes on a day of 24 hours."""
        return (self.end_min - self.begin_min) % DAY_MIN or DAY_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPeak:
    """The off-peak hours of one meter, on local days from `first` to before `end`, in one season or all the year.

    `season`: its first and last day, both in; over the new year when the last is before the first.
    """

    windows: tuple[Window, ...]
    first: date = date.min
    end: date = date.max
    season: tuple[MonthDay, MonthDay] | None = None

    def is_valid(self, day: date) -> bool:
        """Whether this row says anything of a local day."""
        return self.first <= day < self.end and (self.season is None or in_season(day, self.season))


@dataclass(frozen=True, slots=True)
class Base:
    """One price at all hours."""

    @property
    def names(self) -> tuple[str, ...]:
        """Only one."""
        return ("BASE",)

    def candidates(self, local: datetime) -> tuple[str, ...]:  # noqa: ARG002 - all hours are the same
        """The only name."""
        return ("BASE",)

    def turns_min(self) -> tuple[int, ...]:
        """Never."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakOffPeak:
    """HP and HC by rows of hours; the first row that is valid on the day of a moment decides it.

    Each moment belongs to its own calendar day: after a change of season the hours from midnight on are the new ones.
    """

    rows: tuple[OffPeak, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Peak and off-peak."""
        return ("HP", "HC")

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """HP or HC; both on a day of which no row says anything."""
        row = next((row for row in self.rows if row.is_valid(local.date())), None)
        if row is None:
            return self.names
        minute = local.hour * 60 + local.minute
        return ("HC",) if any(window.holds(minute) for window in row.windows) else ("HP",)

    def turns_min(self) -> tuple[int, ...]:
        """The ends of all windows, and midnight, where rows change."""
        windows = [window for row in self.rows for window in row.windows]
        return tuple(sorted({0, *(w.begin_min for w in windows), *(w.end_min % DAY_MIN for w in windows)}))


class Colour(IntEnum):
    """A Tempo day, numbered as the meter's status word numbers it (STGE, bits 24 to 27; 0 is "not known")."""

    BLUE = 1
    WHITE = 2
    RED = 3


RED_SEASON = ((11, 1), (3, 31))
TEMPO_TURN_H = 6  # a colour lasts from 06:00 to 06:00 of the next day
TEMPO_PEAK = Window(begin_min=6 * 60, end_min=22 * 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """The colours that are known, by the day on which they begin at 06:00; of other days all that the rules allow."""

    colours: Mapping[date, Colour]

    @property
    def names(self) -> tuple[str, ...]:
        """Colour by colour, off-peak then peak."""
        return tuple(tempo_name(colour, hour) for colour in Colour for hour in ("HC", "HP"))

    def candidates(self, local: datetime) -> tuple[str, ...]:
        """The name of the moment's colour and hour; several while the colour is not known."""
        day = tempo_day(local)
        hour = "HP" if TEMPO_PEAK.holds(local.hour * 60 + local.minute) else "HC"
        known = self.colours.get(day)
        return tuple(tempo_name(colour, hour) for colour in (possible_colours(day) if known is None else (known,)))

    def turns_min(self) -> tuple[int, ...]:
        """06:00 and 22:00."""
        return (TEMPO_PEAK.begin_min, TEMPO_PEAK.end_min)


def tempo_name(colour: Colour, hour: str) -> str:
    """For example TEMPO_RED_HP."""
    return f"TEMPO_{colour.name}_{hour}"


def tempo_day(local: datetime) -> date:
    """The day whose colour holds at a local moment: until 06:00 it is still the day before."""
    return local.date() if local.hour >= TEMPO_TURN_H else local.date() - timedelta(days=1)


def possible_colours(day: date) -> tuple[Colour, ...]:
    """Colours that a day may have: Sundays are blue; red from 1 November to 31 March, on working days only.

    A public holiday is not red but may be white, as a Saturday.
    Source: numerama.com, 2 December 2024; docs.tempo-forecast.mblq.cloud, "choix des couleurs".
    """
    if day.weekday() == SUNDAY:
        return (Colour.BLUE,)
    if day.weekday() == SATURDAY or is_holiday(day) or not in_season(day, RED_SEASON):
        return (Colour.BLUE, Colour.WHITE)
    return (Colour.BLUE, Colour.WHITE, Colour.RED)


def in_season(day: date, season: tuple[MonthDay, MonthDay]) -> bool:
    """Whether a day lies between the two days of the year, both in."""
    first, last = season
    here = (day.month, day.day)
    return first <= here <= last if first <= last else here >= first or here <= last
