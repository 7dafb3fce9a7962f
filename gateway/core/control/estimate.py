"""From a sample of the grid meter to the net load that the next set-point has to meet."""

from dataclasses import replace

from gateway.core.control import meter_delay
from gateway.core.control.memory import Memory
from gateway.core.control.net_load import nearest, net_range_w
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading

SLOPES = 3  # steps of the net load in one direction: a cloud, not a switch
LONGEST_LEAD_S = 3.0
MOST_AHEAD = 0.1  # of the batteries' power: what a wrong guess may cost for a second


def estimated(memory: Memory, site: Site, ours: tuple[Battery, ...], grid: Reading) -> Memory:
    """The memory with the net load (W) that the reading tells."""
    assert grid.value is not None  # noqa: S101 - without one there is no control
    pool = [(battery, memory.motions[battery.id]) for battery in ours]
    is_new = memory.shown_s is None or grid.measured_s > memory.shown_s
    low, high = net_range_w(grid.value, grid.measured_s, pool, site.meter_delay_s)
    cautious_w = nearest(_or_middle(memory.cautious_w, low, high), low, high)
    belief = memory.delay or meter_delay.Belief()
    paths = [motion.path for _, motion in pool if motion.is_believed]
    if is_new and len(paths) == len(pool):
        belief = meter_delay.watch(
            belief,
            grid.value,
            grid.measured_s,
            paths,
            bounds_s=site.meter_delay_s,
            whole_w=cautious_w,
            span_w=_span_w(ours),
        )
    before_s = memory.lasting.delay_s
    believed = meter_delay.believed_s(belief, site.meter_delay_s, _span_w(ours), before_s=before_s)
    low, high = net_range_w(grid.value, grid.measured_s, pool, believed)
    net_w = nearest(_or_middle(memory.net_w, low, high), low, high)
    slopes, period_s = memory.slopes_w, memory.period_s
    if is_new and memory.net_w is not None and memory.shown_s is not None:
        period_s = grid.measured_s - memory.shown_s
        slopes = (*slopes, (net_w - memory.net_w) / period_s)[-SLOPES:]
    return replace(
        memory,
        net_w=net_w,
        slopes_w=slopes,
        period_s=period_s,
        cautious_w=cautious_w,
        delay=belief,
        shown_s=grid.measured_s,
        lasting=replace(memory.lasting, delay_s=None if believed == site.meter_delay_s else believed),
    )


def ahead_w(memory: Memory, site: Site, ours: tuple[Battery, ...]) -> float:
    """How much further the net load (W) will be when the set-point of now works, if it is on a steady way.

    A way is steady when the last steps all went in one direction; the smallest of them counts, so that neither a jump
    nor noise is carried on.
    """
    slope = _slope(memory)
    if slope == 0.0:
        return 0.0
    believed = site.meter_delay_s
    if memory.delay is not None:
        before_s = memory.lasting.delay_s
        believed = meter_delay.believed_s(memory.delay, site.meter_delay_s, _span_w(ours), before_s=before_s)
    lead_s = believed[0] + max(battery.dead_time_s for battery in ours) + memory.period_s / 2
    most_w = MOST_AHEAD * sum(battery.charge_max_w for battery in ours)
    return min(max(slope * min(lead_s, LONGEST_LEAD_S), -most_w), most_w)


def _span_w(ours: tuple[Battery, ...]) -> float:
    return sum(battery.charge_max_w + battery.discharge_max_w for battery in ours)


def _slope(memory: Memory) -> float:
    """W per second on a steady way; 0 off it."""
    slopes = memory.slopes_w
    steady = len(slopes) == SLOPES and (all(s > 0 for s in slopes) or all(s < 0 for s in slopes))
    return min(slopes, key=abs) if steady else 0.0


def _or_middle(value: float | None, low: float, high: float) -> float:
    return (low + high) / 2 if value is None else value
