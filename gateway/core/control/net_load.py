"""What the building would draw without its batteries, from a meter whose delay is not quite known.

The grid meter shows `net + battery` as it was some moment ago; the battery's own report is of another moment. While the
battery moves, the difference of the two is wrong by as much as it moved, and a loop that believes it hunts. So the
estimate is a range: the grid reading minus every power the batteries may have had at the moment the meter saw. When
they have been steady the range is one point. The last estimate moves into the range by the least way, hence never
because of our own action, and at once when something else changed.
"""

from collections.abc import Iterable

from gateway.core.control.motion import Motion, power_range_w
from gateway.core.model.site import Battery


def net_range_w(
    grid_w: float, at_s: float, pool: Iterable[tuple[Battery, Motion]], delay_s: tuple[float, float]
) -> tuple[float, float]:
    """Lowest and highest net load (W) that fit the meter's reading taken at `at_s` with such a delay."""
    low = high = 0.0
    for battery, motion in pool:
        least, most = power_range_w(motion, battery, at_s - delay_s[1], at_s - delay_s[0])
        low, high = low + least, high + most
    return grid_w - high, grid_w - low


def nearest(value: float, low: float, high: float) -> float:
    """The value itself when it lies in the range, else the nearer end."""
    return min(max(value, low), high)
