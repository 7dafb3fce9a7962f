"""A record of one quantity as days gone by: what stood there 1, 2 … days ago, and the means around the same time."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats

DAY_S = 86400.0  # of UTC, by which PV goes; the local clock's days of 23 and 25 h are handled where it counts
ENOUGH = 0.5  # share of a span that must be known for its mean to count
FADING_DAYS = 0.1  # of usual sunshine, after which earlier sunshine weighs 1/e (docs/planning.md, "Scenarios")
PROFILE_DAYS = 28  # days behind the usual day: a month is short beside the seasons
LIT = 0.01  # share of the usual day's highest power above which it is day: a panel in the dusk gives less
EVERY_STEP = slice(None)  # all of a day


@dataclass(frozen=True, slots=True)
class PastSeries:
    """A record up to now with its running sums, so that a mean costs two look-ups."""

    # One value a step, in the unit and sign of the record; NaN where unknown; the last one has just ended.
    values: Floats
    # Length of a step (s).
    step_s: float
    # Sum of the known values before each step (one entry more than `values`).
    sums: Floats
    # How many values were known before each step (likewise).
    counts: Floats

    @classmethod
    def of(cls, values: Floats, step_s: float) -> "PastSeries":
        """Prepare a record."""
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

    def day_means(self, days: int, span: slice = EVERY_STEP) -> Floats:
        """Means of the days that began 0, 1 … `days` days ago; NaN for the one that begins now.

        `span`: which steps of each day are meant, counted from the moment at which it begins.
        """
        begin, end, _ = span.indices(self.day)
        ages = np.arange(days + 1, dtype=np.intp)
        found = self.means(len(self.values) - ages * self.day + end, (end - begin) * self.step_s / 3600.0)
        found[0] = np.nan
        return found

    def last_hours(self, hours: tuple[float, ...], days: int) -> Floats:
        """Means of the last `hours` before now and before the same time on `days` days (days + 1 x spans)."""
        places = len(self.values) - np.arange(days + 1, dtype=np.intp) * self.day
        return np.stack([self.means(places, span) for span in hours], axis=1)

    def days_before(self, days: int, steps: int, shift: NDArray[np.intp] | None = None) -> Floats:
        """What stood at the coming steps 1, 2 … `days` days before (days x steps); NaN where unknown.

        `shift`: see `clock_shift`.
        """
        ahead = len(self.values) + np.arange(steps)
        back = np.arange(1, days + 1)[:, None] * self.day
        return self._at(ahead[None, :] - back + (0 if shift is None else shift))

    def last_sunshine(self, days: int) -> Floats:
        """The latest sunshine before now and before the same time on `days` days (days + 1 x 1).

        The nearest counts most: weights fall with the sunshine that usually lies between, not with time, so that at
        night the afternoon still counts.
        """
        back = np.arange(1, 2 * self.day + 1, dtype=np.intp)
        usual = self._usual_day()
        usual_back = usual[-back % self.day]
        between = (np.cumsum(usual_back) - usual_back / 2.0) / max(float(usual.sum()), 1e-9)
        weights = np.exp(-between / FADING_DAYS)
        beginnings = len(self.values) - np.arange(days + 1, dtype=np.intp)[:, None] * self.day
        seen = self._at(beginnings - back[None, :])
        known = np.isfinite(seen)
        of_all = (known * weights * usual_back).sum(axis=1) / max(float(weights @ usual_back), 1e-9)
        weighted = np.where(known, seen, 0.0) @ weights
        found = np.divide(weighted, of_all, out=np.full(days + 1, np.nan), where=of_all > ENOUGH)
        return np.asarray(found[:, None])

    def steps_to_sunset(self) -> int:
        """Steps from now to today's sunset, or to tomorrow's where today's is over; at most a day."""
        usual = self._usual_day()
        lit = usual > LIT * float(usual.max())
        over = np.flatnonzero(~lit & np.logical_or.accumulate(lit))
        return int(over[0]) if len(over) else self.day

    def _usual_day(self) -> Floats:
        """The mean day of the last weeks, from now on (steps of a day); 0 where nothing is known."""
        seen = self.days_before(PROFILE_DAYS, self.day)
        known = np.isfinite(seen)
        return np.asarray(np.where(known, seen, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))

    def _at(self, places: NDArray[np.intp]) -> Floats:
        """Values at these places, NaN outside of the record."""
        inside = (places >= 0) & (places < len(self.values))
        return np.asarray(np.append(self.values, np.nan)[np.where(inside, places, len(self.values))])


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
