"""From cycles to quarter hours: the history of a building as forecasts need it.

Quarters are those of UTC, so a day of 23 or 25 hours has 92 or 100 of them and none twice.
"""

from dataclasses import dataclass

QUARTER_S = 900  # the step of meters, tariffs and plans
ENOUGH = 0.8  # share of its seconds that must have been seen: the mean of half a quarter is not that of the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """The mean powers of a quarter hour that is over."""

    # When it began (UTC).
    start_s: int
    # Mean base load (W, >= 0); None where it cannot be used.
    load_w: float | None
    # Mean PV (W, <= 0); None where it cannot be used, or was curtailed.
    pv_w: float | None
    # Mean power of the grid (W, import positive); None where it cannot be used.
    grid_w: float | None = None
    # Between what the mean base load lies (W) where a device was silent; None where it is known, or nothing of it is.
    load_range_w: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A power added up over the time in which it was known (J, s)."""

    # Power times time (J, sign as the power's).
    joules: float = 0.0
    # The time (s).
    seconds: float = 0.0

    def plus(self, power_w: float | None, seconds: float) -> "Sum":
        """With this power held for so long; an absent one adds nothing."""
        if power_w is None:
            return self
        return Sum(joules=self.joules + power_w * seconds, seconds=self.seconds + seconds)

    def mean_w(self) -> float | None:
        """The mean, if enough of the quarter was seen."""
        return self.joules / self.seconds if self.seconds >= ENOUGH * QUARTER_S else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """The quarter hour that is being filled; a new one is empty."""

    # When it began (UTC); 0 in a fresh one.
    start_s: int = 0
    # The last cycle that was taken in (UTC).
    last_s: float = 0.0
    # Base load so far.
    load: Sum = Sum()
    # PV so far.
    pv: Sum = Sum()
    # Grid so far.
    grid: Sum = Sum()
    # The least that the base load may have been so far.
    load_low: Sum = Sum()
    # The most that the base load may have been so far.
    load_high: Sum = Sum()
    # Whether PV was curtailed in any cycle.
    curtailed: bool = False


LONGEST_S = 5.0  # between two cycles that still belong together


def fill(
    filling: Filling,
    utc_s: float,
    *,
    load_w: float | None,
    pv_w: float | None,
    grid_w: float | None = None,
    curtailed: bool = False,
    load_range_w: tuple[float | None, float | None] = (None, None),
) -> tuple[Filling, Quarter | None]:
    """Take a cycle in; the quarter that this ends, if it does. A clock that jumps loses the open quarter, no more.

    `load_range_w`: the least and the most that the load may be where it is not known.
    """
    low_w, high_w = (load_w, load_w) if load_w is not None else load_range_w
    start_s = int(utc_s // QUARTER_S) * QUARTER_S
    since_s = utc_s - filling.last_s
    done = None
    if start_s != filling.start_s:
        done = _closed(filling) if 0.0 <= since_s <= LONGEST_S else None
        filling = Filling(start_s=start_s, last_s=max(float(start_s), utc_s - LONGEST_S))
        since_s = min(since_s, utc_s - start_s)
    held_s = since_s if 0.0 <= since_s <= LONGEST_S else 0.0
    filled = Filling(
        start_s=start_s,
        last_s=utc_s,
        load=filling.load.plus(load_w, held_s),
        pv=filling.pv.plus(pv_w, held_s),
        grid=filling.grid.plus(grid_w, held_s),
        load_low=filling.load_low.plus(low_w, held_s),
        load_high=filling.load_high.plus(high_w, held_s),
        curtailed=curtailed or filling.curtailed,
    )
    return filled, done


def _closed(filling: Filling) -> Quarter:
    """The mean powers; PV that was curtailed says nothing of what the roof could have given."""
    pv_w = None if filling.curtailed else filling.pv.mean_w()
    load_w, grid_w = filling.load.mean_w(), filling.grid.mean_w()
    low_w, high_w = filling.load_low.mean_w(), filling.load_high.mean_w()
    range_w = None if load_w is not None or low_w is None or high_w is None else (low_w, high_w)
    return Quarter(start_s=filling.start_s, load_w=load_w, pv_w=pv_w, grid_w=grid_w, load_range_w=range_w)
