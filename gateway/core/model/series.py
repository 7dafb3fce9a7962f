"""The last seconds of a power, by the moments at which it was measured."""

from bisect import bisect_right
from dataclasses import dataclass

KEPT_S = 12.0  # longer than any meter lags, and than a power is shown as the present one


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Samples in the order of their moments; at least one."""

    moments_s: tuple[float, ...]  # monotonic, rising
    powers_w: tuple[float, ...]  # W, drawn positive; as many

    @property
    def last_s(self) -> float:
        """Moment of the newest sample."""
        return self.moments_s[-1]

    def at(self, moment_s: float) -> float:
        """The power (W) at a moment, straight between two samples; outside of them the nearest one."""
        index = bisect_right(self.moments_s, moment_s)
        if index in (0, len(self.moments_s)):
            return self.powers_w[min(index, len(self.powers_w) - 1)]
        (a_s, b_s), (a_w, b_w) = self.moments_s[index - 1 : index + 1], self.powers_w[index - 1 : index + 1]
        return a_w + (b_w - a_w) * (moment_s - a_s) / (b_s - a_s)

    def between(self, start_s: float, end_s: float) -> tuple[float, float]:
        """The least and the most power (W) that it may have had from one moment to another.

        Between two samples it may have been either of them; outside of all it is the nearest one.
        """
        first = max(bisect_right(self.moments_s, start_s) - 1, 0)
        end = min(bisect_right(self.moments_s, end_s) + 1, len(self.moments_s))
        seen = self.powers_w[first:end]
        return min(seen), max(seen)


def with_sample(series: Series | None, moment_s: float, power_w: float) -> Series:
    """The series with a sample more, if it is a newer one, and without those that are older than KEPT_S before it."""
    if series is None:
        return Series(moments_s=(moment_s,), powers_w=(power_w,))
    if moment_s <= series.last_s:
        return series
    first = max(bisect_right(series.moments_s, moment_s - KEPT_S) - 1, 0)
    return Series(
        moments_s=(*series.moments_s[first:], moment_s),
        powers_w=(*series.powers_w[first:], power_w),
    )
