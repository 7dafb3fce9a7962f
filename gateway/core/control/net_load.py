"""What the building would draw without its batteries, from a meter whose delay is not quite known.

The grid meter shows `net + battery` as it was some moment ago; the battery's own report is of another moment. While the
battery moves, the difference of the two is wrong by as much as it moved, and a loop that relies on it hunts. So the
estimate is a range: the grid reading minus every power the batteries may have had at the moment the meter saw. When
they have been steady the range is one point. The last estimate moves into the range by the least way, hence never
because of our own action, and at once when something else changed (docs/adr/0003-net-load-is-a-range.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.core.control import meter_delay
from gateway.core.control.battery_response import BatteryResponse, power_range_w
from gateway.core.control.meter_delay import DelayEstimate
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading

# The three numbers of the prediction are held by `zen bench closed-loop`: without it avoidable energy is 5 % more.
SLOPES = 3  # steps of the net load in one direction: a cloud, not a switch
LONGEST_LEAD_S = 3.0  # further ahead a cloud's edge is no straight line
MOST_AHEAD = 0.1  # of the batteries' charging power: what a wrong guess may cost for a second


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLoadMemory:
    """The estimate of the last cycle and what it was made from. Net load: import positive, PV and loads in it."""

    net_w: float | None = None  # None before the first estimate, and when other batteries are controlled than before
    cautious_w: float | None = None  # the same estimate for the whole configured range of delays; None with `net_w`
    shown_s: float | None = None  # monotonic moment of the newest sample of the grid meter that was taken in
    period_s: float = 1.0  # between the last two samples
    slopes_w: tuple[float, ...] = ()  # the last steps of the net load, W per second, oldest first
    delay: DelayEstimate | None = None  # what is known of the meter's delay; None before the first sample
    proven_delay_s: tuple[float, float] | None = None  # range of the delay that is proven; None while nothing is


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLoad:
    """What the building draws without its controlled batteries in this cycle (W, import positive)."""

    net_w: float  # import positive
    ahead_w: float  # so much further it will be when the set-point of now works
    memory: NetLoadMemory  # for the next cycle


def started_anew(memory: NetLoadMemory) -> NetLoadMemory:
    """For another set of controlled batteries: the net load is another one, the meter is the same."""
    return replace(memory, net_w=None, cautious_w=None, slopes_w=())


def estimated(
    memory: NetLoadMemory, site: Site, batteries: Sequence[Battery], responses: Sequence[BatteryResponse], grid: Reading
) -> NetLoad:
    """The net load by this sample of the grid meter; `responses` in the order of `batteries`."""
    assert grid.value is not None  # noqa: S101 - without one there is no control
    pool = tuple(zip(batteries, responses, strict=True))
    is_new = memory.shown_s is None or grid.measured_s > memory.shown_s
    cautious_w = _moved_into(_net_range_w(grid, pool, site.meter_delay_s), memory.cautious_w)
    delay = memory.delay or DelayEstimate()
    if is_new and all(response.is_predictable for response in responses):
        delay = meter_delay.updated(
            delay,
            grid.value,
            grid.measured_s,
            [response.expected for response in responses],
            bounds_s=site.meter_delay_s,
            cautious_w=cautious_w,
            span_w=_span_w(batteries),
        )
    delay_s = meter_delay.proven_s(delay, site.meter_delay_s, _span_w(batteries), before_s=memory.proven_delay_s)
    net_w = _moved_into(_net_range_w(grid, pool, delay_s), memory.net_w)
    memory = replace(
        _with_slope(memory, net_w, grid.measured_s) if is_new else memory,
        net_w=net_w,
        cautious_w=cautious_w,
        delay=delay,
        shown_s=grid.measured_s,
        proven_delay_s=None if delay_s == site.meter_delay_s else delay_s,
    )
    return NetLoad(net_w=net_w, ahead_w=_ahead_w(memory, site, batteries), memory=memory)


def _ahead_w(memory: NetLoadMemory, site: Site, batteries: Sequence[Battery]) -> float:
    """How much further the net load (W) will be when the set-point of now works, if it moves steadily.

    It moves steadily when the last steps all went in one direction; the smallest of them counts, so that neither a jump
    nor noise is carried on.
    """
    slope = _steady_slope(memory.slopes_w)
    if slope == 0.0:
        return 0.0
    delay_s = memory.proven_delay_s or site.meter_delay_s
    lead_s = delay_s[0] + max(battery.dead_time_s for battery in batteries) + memory.period_s / 2
    most_w = MOST_AHEAD * sum(battery.charge_max_w for battery in batteries)
    return min(max(slope * min(lead_s, LONGEST_LEAD_S), -most_w), most_w)


def _net_range_w(
    grid: Reading, pool: Sequence[tuple[Battery, BatteryResponse]], delay_s: tuple[float, float]
) -> tuple[float, float]:
    """Lowest and highest net load (W) that fit the meter's reading with such a delay."""
    assert grid.value is not None  # noqa: S101 - without one there is no control
    low = high = 0.0
    for battery, response in pool:
        least, most = power_range_w(response, battery, grid.measured_s - delay_s[1], grid.measured_s - delay_s[0])
        low, high = low + least, high + most
    return grid.value - high, grid.value - low


def _moved_into(range_w: tuple[float, float], before_w: float | None) -> float:
    """The estimate before when it lies in the range, else the nearer end; without one before, the middle."""
    low, high = range_w
    value = (low + high) / 2 if before_w is None else before_w
    return min(max(value, low), high)


def _with_slope(memory: NetLoadMemory, net_w: float, measured_s: float) -> NetLoadMemory:
    if memory.net_w is None or memory.shown_s is None:
        return memory
    period_s = measured_s - memory.shown_s
    slopes_w = (*memory.slopes_w, (net_w - memory.net_w) / period_s)[-SLOPES:]
    return replace(memory, period_s=period_s, slopes_w=slopes_w)


def _steady_slope(slopes_w: tuple[float, ...]) -> float:
    """W per second while it moves steadily, else 0."""
    steady = len(slopes_w) == SLOPES and (all(s > 0 for s in slopes_w) or all(s < 0 for s in slopes_w))
    return min(slopes_w, key=abs) if steady else 0.0


def _span_w(batteries: Sequence[Battery]) -> float:
    """From their most discharge to their most charge."""
    return sum(battery.charge_max_w + battery.discharge_max_w for battery in batteries)
