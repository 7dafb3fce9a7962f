"""Off-peak hours of a meter: as a bill gives them, as rows of windows, and as a scheme of two prices, HP and HC."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from gateway.core.pricing.keys import Items, Matching, Such
from gateway.core.pricing.periods import DAY_MIN, MonthDay, Window, in_season, season_of

Hours = Annotated[str, Matching(r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Day = Annotated[str, Matching(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPeak:
    """The off-peak hours of one meter, on local days from `first` to before `end`, in one season or all the year."""

    windows: tuple[Window, ...]  # by the local clock
    first: date = date.min  # local day, itself in
    end: date = date.max  # local day, itself out
    season: tuple[MonthDay, MonthDay] | None = None  # first and last day, both in; it may lie over the new year

    def is_valid(self, day: date) -> bool:
        """Whether this row says anything of a local day."""
        return self.first <= day < self.end and (self.season is None or in_season(day, self.season))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakOffPeak:
    """HP and HC by rows of hours; the first row that is valid on the day of a moment decides it.

    Each moment belongs to its own calendar day: after a change of season the hours from midnight on are the new ones.
    """

    rows: tuple[OffPeak, ...]  # none: both names are possible at any moment

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPeakHours:
    """Off-peak hours as the bill gives them, by the local clock: `hours = ["22:38-06:38"]`.

    They hold from the day `first` to before the day `end`; with `season = ["04-01", "10-31"]` only from the first of
    these days to the last, both in, of each year. The first row that holds on a day decides it.
    """

    # windows of the local clock; over midnight where the end is earlier
    hours: Annotated[tuple[Hours, ...], Items(least=1, most=12)]
    first: date | None = None  # local day from which on they hold; None: always did
    end: date | None = None  # local day before which they hold; None: no end is known
    # first and last day (month-day) of each year, both in; None: all the year
    season: Annotated[tuple[Day, ...], Items(least=2, most=2)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for hours that overlap and for an end that is not after the first day."""
        windows = self.windows()
        if sum(window.length_min for window in windows) > DAY_MIN or any(
            one.holds(other.begin_min) for one in windows for other in windows if one is not other
        ):
            raise ValueError("hours that do not overlap")
        if self.first is not None and self.end is not None and self.first >= self.end:
            raise ValueError("first before end")

    def windows(self) -> tuple[Window, ...]:
        """The hours as minutes of the day."""
        return tuple(Window.read(each) for each in self.hours)

    def row(self) -> OffPeak:
        """The same as a row of a scheme."""
        first, end = self.first or date.min, self.end or date.max
        return OffPeak(windows=self.windows(), first=first, end=end, season=self._season())

    def _season(self) -> tuple[MonthDay, MonthDay] | None:
        return None if self.season is None else season_of(*self.season)


OffPeakRows = Annotated[
    tuple[OffPeakHours, ...], Such('the hours of this meter, such as hours = ["22:00-06:00"]')
]  # the key `off_peak` of all kinds that have it
