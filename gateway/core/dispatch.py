"""The decision of each second: the battery holds the grid at its set-point.

Feed-forward, not feedback: set-point = target - net load, where the net load is estimated in `net_load` with the
battery's dead time and ramp and the meter's delay in mind. There is no gain to tune and nothing to wind up.
"""

from dataclasses import dataclass, field, replace

from gateway.core import safety
from gateway.core.model import Mode, Reason, SetPoint, SiteState
from gateway.core.net_load import SETTLE_S, Sample, nearest, net_range_w
from gateway.core.site import Battery, Site
from gateway.core.trust import GONE_S, Trust, Watch, follow, judge

SMALL_STEP_W = 15.0  # below this a new set-point is not worth a write: meters and batteries are no better
IDLE_W = 25.0  # below this people are told that nothing is to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one decision leaves to the next. A fresh one is a fresh start."""

    reported: tuple[Sample, ...] = ()  # battery power as measured, oldest first
    commanded: tuple[Sample, ...] = ()  # set-points sent, oldest first
    net_w: float | None = None
    last: SetPoint | None = None
    resting: bool = False
    watch: Watch = field(default_factory=Watch)


def decide(state: SiteState, site: Site, memory: Memory) -> tuple[SetPoint | None, Memory]:
    """The set-point of this cycle and the memory for the next; None where there is no battery."""
    memory = replace(memory, watch=follow(memory.watch, state, site))
    trust = judge(state, site, memory.watch, started=memory.last is not None)
    if site.battery is None:
        return None, memory
    memory = _observe(memory, state, site.battery, site.meter_delay_s[1])
    if trust.mode is not Mode.CONTROL:
        return _without_control(trust, site.battery, memory)
    setpoint, memory = _control(state, site, site.battery, memory)
    return setpoint, _remember(memory, setpoint, state.now_s)


def _control(state: SiteState, site: Site, battery: Battery, memory: Memory) -> tuple[SetPoint, Memory]:
    grid = state.reading(site.grid, "p_w")
    soc = memory.watch.soc
    assert grid.value is not None  # noqa: S101 - `judge` let only states with both through
    assert soc is not None  # noqa: S101
    low, high = net_range_w(
        grid.value, grid.measured_s, memory.reported, memory.commanded, battery=battery, delay_s=site.meter_delay_s
    )
    net_w = nearest(memory.net_w if memory.net_w is not None else (low + high) / 2, low, high)
    resting = safety.is_resting(soc, battery, was_resting=memory.resting)
    allowed = safety.bounds(site, battery, soc=soc, net_w=net_w, resting=resting)
    wanted_w = site.grid_setpoint_w - net_w
    power_w, clipped = safety.clip(wanted_w, allowed, site=site, battery=battery, soc=soc)
    power_w = _steady(power_w, memory.last, allowed)
    setpoint = SetPoint(
        device=battery.id,
        power_w=power_w,
        mode=Mode.CONTROL,
        reason=clipped or _plain_reason(net_w, site.grid_setpoint_w, power_w),
        measured_s=grid.measured_s,
    )
    return setpoint, replace(memory, net_w=net_w, resting=resting)


def _steady(power_w: float, last: SetPoint | None, allowed: safety.Bounds) -> float:
    """The last power again when the new one differs by less than is worth a write and it is still allowed."""
    if last is None or last.power_w is None or abs(power_w - last.power_w) >= SMALL_STEP_W:
        return power_w
    return last.power_w if allowed.low_w <= last.power_w <= allowed.high_w else power_w


def _plain_reason(net_w: float, target_w: float, power_w: float) -> Reason:
    kind = "idle" if abs(power_w) < IDLE_W else "charge" if power_w > 0 else "discharge"
    numbers = {"net_w": net_w, "target_w": target_w, "power_w": power_w}
    return Reason(code=f"hold_grid_{kind}", numbers=numbers)


def _without_control(trust: Trust, battery: Battery, memory: Memory) -> tuple[SetPoint, Memory]:
    """Hold lends the last power again (or nothing if nothing was lent); release and watch lend nothing."""
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    held_w = memory.last.power_w if trust.mode is Mode.HOLD and memory.last else None
    setpoint = SetPoint(device=battery.id, power_w=held_w, mode=trust.mode, reason=trust.reason)
    if trust.mode is Mode.HOLD:
        return setpoint, memory
    last = setpoint if memory.last is not None else None
    return setpoint, replace(memory, commanded=(), net_w=None, last=last)


def _observe(memory: Memory, state: SiteState, battery: Battery, delay_s: float) -> Memory:
    """Add the battery's report if it is a new one; forget what no meter can be late enough to show."""
    reading = state.reading(battery.id, "p_w")
    reported = memory.reported
    if reading.value is not None and (not reported or reading.measured_s > reported[-1].at_s):
        reported = (*reported, Sample(at_s=reading.measured_s, power_w=reading.value))
    oldest = state.now_s - delay_s - GONE_S
    return replace(memory, reported=tuple(sample for sample in reported if sample.at_s >= oldest))


def _remember(memory: Memory, setpoint: SetPoint, now_s: float) -> Memory:
    """Keep the last set-point and those whose effect may still be seen."""
    assert setpoint.power_w is not None  # noqa: S101 - control always has a number
    commanded = memory.commanded
    if not commanded or commanded[-1].power_w != setpoint.power_w:
        commanded = (*commanded, Sample(at_s=now_s, power_w=setpoint.power_w))
    keep_s = 4 * (GONE_S + SETTLE_S)
    recent = tuple(c for c in commanded[:-1] if c.at_s >= now_s - keep_s)
    return replace(memory, commanded=(*recent, commanded[-1]), last=setpoint)
