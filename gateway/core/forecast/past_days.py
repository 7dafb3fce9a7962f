"""A series as days gone by: for each step ahead what stood there 1, 2 … days ago, and the means around now."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats

DAY_S = 86400.0
ENOUGH = 0.5  # share of a span that must be known for its mean to count


@dataclass(frozen=True, slots=True)
class Series:
    """A series up to now with its running sums: NaN where unknown; `values[-1]` is the step that has just ended."""

    values: Floats
    step_s: float
    sums: Floats
    counts: Floats

    @classmethod
    def of(cls, values: Floats, step_s: float) -> "Series":
        """Prepare a series."""
        known = np.isfinite(values)
        sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
        return cls(values, step_s, sums, np.concatenate([[0.0], np.cumsum(known, dtype=np.float64)]))

    @property
    def day(self) -> int:
        """Steps of a day."""
        return round(DAY_S / self.step_s)

    def means(self, ends: NDArray[np.intp], hours: float) -> Floats:
        """Means over the `hours` before each place; NaN where less than half of them is known."""
        span = max(1, round(hours * 3600.0 / self.step_s))
        last = len(self.values)
        end, begin = np.clip(ends, 0, last), np.clip(ends - span, 0, last)
        count = self.counts[end] - self.counts[begin]
        total = self.sums[end] - self.sums[begin]
        return np.where(count >= ENOUGH * span, total / np.maximum(count, 1.0), np.nan)

    def at(self, places: NDArray[np.intp]) -> Floats:
        """Values at these places, NaN outside."""
        inside = (places >= 0) & (places < len(self.values))
        return np.asarray(np.append(self.values, np.nan)[np.where(inside, places, len(self.values))])


def places_before(
    length: int, *, day: int, days: int, steps: int, shift: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """Places (days x steps) of the coming steps 1, 2 … `days` days before; row 0 is one day before."""
    ahead = length + np.arange(steps)
    back = np.arange(1, days + 1)[:, None] * day
    return ahead[None, :] - back + (0 if shift is None else shift)


def clock_shift(now_s: float, step_s: float, *, days: int, steps: int, zone: tzinfo) -> NDArray[np.intp] | None:
    """Steps by which the same local time lies later in UTC than a whole number of days before; None where never.

    A load follows the clock of people: after the change of hour yesterday's 19 h is 23 or 25 hours ago.
    """
    first, last = (_offset_s(moment_s, zone) for moment_s in (now_s - days * DAY_S, now_s + steps * step_s))
    if first == last:
        return None
    ahead = now_s + np.arange(steps) * step_s
    offsets = np.array([_offset_s(moment_s, zone) for moment_s in ahead.tolist()])
    back = ahead[None, :] - np.arange(1, days + 1)[:, None] * DAY_S
    past = np.array([_offset_s(moment_s, zone) for moment_s in back.ravel().tolist()]).reshape(back.shape)
    shift: NDArray[np.intp] = np.rint((offsets[None, :] - past) / step_s).astype(np.intp)
    return shift


def _offset_s(moment_s: float, zone: tzinfo) -> float:
    return (datetime.fromtimestamp(moment_s, zone).utcoffset() or timedelta()).total_seconds()
