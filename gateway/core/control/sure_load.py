"""The least that the building has drawn of late: a meter that may be late can hide that everything above it is off.

Kept as the least of each minute, so that a quarter of an hour is a few numbers.
"""

from dataclasses import dataclass, field

MINUTE_S = 60.0  # of which only the least is kept
MINUTES = 15  # the base load of a building shows in a quarter of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class SureLoad:
    """The least load (W) of each of the last minutes, the newest last."""

    minutes: tuple[tuple[float, float], ...] = field(default=())  # (monotonic moment of its begin, least load in it)

    @property
    def load_w(self) -> float:
        """The least of them, 0 or above; 0 before anything is known."""
        return max(min((least_w for _, least_w in self.minutes), default=0.0), 0.0)


def sampled(before: SureLoad, load_w: float, now_s: float) -> SureLoad:
    """With one more moment."""
    if before.minutes and now_s - before.minutes[-1][0] < MINUTE_S:
        begin_s, least_w = before.minutes[-1]
        return SureLoad(minutes=(*before.minutes[:-1], (begin_s, min(least_w, load_w))))
    return SureLoad(minutes=(*before.minutes[1 - MINUTES :], (now_s, load_w)))
