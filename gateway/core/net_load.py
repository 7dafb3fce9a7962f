"""What the building would draw without its battery, from a meter whose delay is not known.

The grid meter shows `net + battery` as it was some moment ago; the battery's own report is of another moment. While the
battery moves, the difference of the two is wrong by as much as it moved, and a loop that believes it hunts. So the
estimate is a range: the grid reading minus every power the battery may have had at the moment the meter saw. When the
battery has been steady the range is one point. The last estimate moves into the range by the least way, hence never
because of our own action, and at once when something else changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.site import Battery

SETTLE_S = 1.5  # beyond dead time and ramp: the report's own period and the node's write


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Battery power (W, charging positive) at a monotonic moment: reported, or commanded."""

    at_s: float
    power_w: float


def net_range_w(
    grid_w: float,
    at_s: float,
    reported: Sequence[Sample],
    commanded: Sequence[Sample],
    *,
    battery: Battery,
    delay_s: tuple[float, float],
) -> tuple[float, float]:
    """Lowest and highest net load (W) that fit the meter's reading taken at `at_s`; both lists oldest first.

    Without any report of the battery the command under way stands alone; without both the battery counts as idle.
    """
    first, last = at_s - delay_s[1], at_s - delay_s[0]
    powers = [sample.power_w for sample in _around(reported, first, last)]
    powers += [sample.power_w for sample in _under_way(commanded, first, last, battery)]
    powers = powers or [0.0]
    return grid_w - max(powers), grid_w - min(powers)


def nearest(value: float, low: float, high: float) -> float:
    """The value itself when it lies in the range, else the nearer end."""
    return min(max(value, low), high)


def _around(samples: Sequence[Sample], first: float, last: float) -> list[Sample]:
    """Samples inside the window and the neighbour on each side: between two reports everything may have happened."""
    inside = [i for i, sample in enumerate(samples) if first <= sample.at_s <= last]
    start = inside[0] if inside else sum(sample.at_s < first for sample in samples)
    stop = inside[-1] + 1 if inside else start
    return list(samples[max(0, start - 1) : stop + 1])


def _under_way(commands: Sequence[Sample], first: float, last: float, battery: Battery) -> list[Sample]:
    """Commands whose effect may have been on its way during the window; where the first one came from is not known."""
    found = []
    travel_w = battery.charge_max_w + battery.discharge_max_w
    for i, command in enumerate(commands):
        travel_w = abs(command.power_w - commands[i - 1].power_w) if i else travel_w
        travel_s = travel_w / battery.ramp_w_per_s
        done = command.at_s + battery.dead_time_s + travel_s + SETTLE_S
        if command.at_s <= last and done >= first:
            found.append(command)
    return found
