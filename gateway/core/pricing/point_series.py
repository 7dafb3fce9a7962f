"""Values published for points in time, such as market prices or CO2 per kWh, and what stands in where they end."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

LONGEST_STEP_S = 3600.0  # markets publish by the hour or finer: a longer gap is a hole, not a price
DAYS_BACK = 7  # a week has each day of the week once; older shapes say little of prices


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSeries:
    """Values from their moments on, each until the next one and at most for `step_s`."""

    times_s: tuple[float, ...]  # UTC, rising
    values: tuple[float, ...]  # one for each moment, in the unit of the series
    step_s: float = LONGEST_STEP_S  # what is missing longer than this is seen as missing

    def __post_init__(self) -> None:
        if len(self.times_s) != len(self.values):
            raise ValueError("a series has one value for each moment")
        if any(later <= earlier for earlier, later in pairwise(self.times_s)):
            raise ValueError("the moments of a series rise")

    def at(self, utc_s: float) -> float | None:
        """The value that holds at a moment; None where the series has none."""
        index = bisect_right(self.times_s, utc_s) - 1
        if index < 0 or utc_s >= self.times_s[index] + self.step_s:
            return None
        return self.values[index]

    def of_a_day_before(self, utc_s: float, zone: tzinfo) -> tuple[float, float] | None:
        """The value at the same time of the local clock on the last day that has one, and that day's highest value.

        Looks back at most a week; None when there is nothing.
        """
        local = datetime.fromtimestamp(utc_s, zone)
        for days in range(1, DAYS_BACK + 1):
            before_s = (local - timedelta(days=days)).timestamp()
            value = self.at(before_s)
            if value is not None:
                return value, self._highest(before_s, zone)
        return None

    def edges(self, start_s: float, end_s: float) -> list[float]:
        """The moments between two others at which the value may change."""
        inside = [t for t in self.times_s if start_s < t < end_s]
        ends = [t + self.step_s for t in self.times_s if start_s < t + self.step_s < end_s]
        return inside + ends

    def _highest(self, utc_s: float, zone: tzinfo) -> float:
        day = datetime.fromtimestamp(utc_s, zone).date()
        near = range(bisect_right(self.times_s, utc_s - 2 * 86400), bisect_right(self.times_s, utc_s + 2 * 86400))
        values = [self.values[i] for i in near if datetime.fromtimestamp(self.times_s[i], zone).date() == day]
        return max(values, default=self.values[bisect_right(self.times_s, utc_s) - 1])
