"""From a sample of the grid meter to the net load that the next set-point has to meet."""

from dataclasses import replace

from gateway.core import delay
from gateway.core.memory import Memory
from gateway.core.model import Reading
from gateway.core.net_load import nearest, net_range_w
from gateway.core.site import Battery, Site


def estimated(memory: Memory, site: Site, ours: tuple[Battery, ...], grid: Reading) -> Memory:
    """The memory with the net load (W) that the reading tells."""
    assert grid.value is not None  # noqa: S101 - without one there is no control
    pool = [(battery, memory.motions[battery.id]) for battery in ours]
    is_new = memory.shown_s is None or grid.measured_s > memory.shown_s
    low, high = net_range_w(grid.value, grid.measured_s, pool, site.meter_delay_s)
    cautious_w = nearest(_or_middle(memory.cautious_w, low, high), low, high)
    belief = memory.delay or delay.fresh(site.meter_delay_s)
    paths = [motion.path for _, motion in pool if motion.is_believed]
    if is_new and len(paths) == len(pool):
        belief = delay.watch(
            belief, grid.value, grid.measured_s, paths, bounds_s=site.meter_delay_s, cautious_w=cautious_w
        )
    believed = delay.believed_s(belief, site.meter_delay_s)
    low, high = net_range_w(grid.value, grid.measured_s, pool, believed)
    net_w = nearest(_or_middle(memory.net_w, low, high), low, high)
    return replace(memory, net_w=net_w, cautious_w=cautious_w, delay=belief, shown_s=grid.measured_s)


def _or_middle(value: float | None, low: float, high: float) -> float:
    return (low + high) / 2 if value is None else value
