"""May we act on what we see? Late is bridged, gone or frozen gives the battery back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reason, SiteState

FRESH_S = 3.0  # three polls of a meter read each second
GONE_S = 8.0  # after that the last set-point is no better than the battery's own mode
FROZEN_S = 5.0  # a meter that stands still this long while other things move shows an old picture
FROZEN_GONE_S = 10.0
SOC_S = 30.0  # the state of charge moves slowly and is read every few seconds
LAG_S = 4.0  # a device may report a move so much before or after the meter shows it
MOVED_W = 150.0  # what must have moved elsewhere: far above the noise of meters and of a base load


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """The grid meter's number since it last changed, and what each device drew once that change had come through."""

    grid_w: float
    since_s: float
    devices_w: Mapping[str, float]
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the readings allow; `reason` is None when they allow control."""

    mode: Mode
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered of the readings: when each device last told its power, the charge, the meter's standstill."""

    seen_s: Mapping[str, float] = field(default_factory=dict)
    soc: Mapping[str, float] = field(default_factory=dict)
    soc_seen_s: Mapping[str, float] = field(default_factory=dict)
    standstill: Standstill | None = None

    def age_s(self, device: str, now_s: float) -> float:
        """Seconds since the device last told its power; infinite when it never did."""
        return now_s - self.seen_s.get(device, -math.inf)


def follow(watch: Watch, state: SiteState, site: Site) -> Watch:
    """What is remembered after this state."""
    readings = {device: state.reading(device, "p_w") for device in (site.grid, *site.metered)}
    told = {device: reading.measured_s for device, reading in readings.items() if reading.value is not None}
    charges = {battery.id: state.reading(battery.id, "soc") for battery in site.batteries}
    soc = {device: reading.value for device, reading in charges.items() if reading.value is not None}
    soc_seen_s = {device: reading.measured_s for device, reading in charges.items() if reading.value is not None}
    watch = replace(watch, soc={**watch.soc, **soc}, soc_seen_s={**watch.soc_seen_s, **soc_seen_s})
    watch = replace(watch, seen_s={**watch.seen_s, **told})
    grid_w = readings[site.grid].value
    if grid_w is None:
        return watch
    told_w = {device: readings[device].value for device in site.metered}
    devices_w = {device: power_w for device, power_w in told_w.items() if power_w is not None}
    standstill = _stand(watch.standstill, grid_w, devices_w, state.now_s)
    return replace(watch, standstill=standstill)


def judge_meter(state: SiteState, site: Site, watch: Watch) -> Trust:
    """Meter late or gone, or frozen: what that leaves to do."""
    age_s = watch.age_s(site.grid, state.now_s)
    standstill = watch.standstill
    still_s = state.now_s - standstill.since_s if standstill and standstill.moved else 0.0
    if age_s > GONE_S:
        return Trust(mode=Mode.RELEASE, reason=_aged("lost_meter", age_s))
    if still_s > FROZEN_GONE_S:
        return Trust(mode=Mode.RELEASE, reason=_aged("frozen_meter", still_s))
    if age_s > FRESH_S or state.reading(site.grid, "p_w").value is None:
        return Trust(mode=Mode.HOLD, reason=_aged("wait", age_s))
    if still_s > FROZEN_S:
        return Trust(mode=Mode.HOLD, reason=_aged("frozen_wait", still_s))
    return Trust(mode=Mode.CONTROL)


def judge_battery(state: SiteState, battery: str, watch: Watch) -> Trust:
    """A silent battery, or one that does not say how full it is: what that leaves to do."""
    age_s = watch.age_s(battery, state.now_s)
    if age_s > GONE_S:
        return Trust(mode=Mode.RELEASE, reason=Reason(code="lost_battery"))
    if age_s > FRESH_S or state.reading(battery, "p_w").value is None:
        return Trust(mode=Mode.HOLD, reason=_aged("wait_battery", age_s))
    if state.now_s - watch.soc_seen_s.get(battery, -math.inf) > SOC_S:
        return Trust(mode=Mode.RELEASE, reason=Reason(code="lost_soc"))
    return Trust(mode=Mode.CONTROL)


def judge(state: SiteState, site: Site, battery: str, watch: Watch, *, started: bool) -> Trust:
    """The worst of meter and battery. `started`: control of this battery has run before.

    Before the first decision there is nothing to hold or to give back: we only watch, and say what is missing.
    """
    trust = judge_meter(state, site, watch)
    if trust.mode is Mode.CONTROL:
        trust = judge_battery(state, battery, watch)
    if started or trust.mode is Mode.CONTROL:
        return trust
    never = site.grid not in watch.seen_s
    return Trust(mode=Mode.WATCH, reason=Reason(code="starting") if never else trust.reason)


def _stand(before: Standstill | None, grid_w: float, devices_w: Mapping[str, float], now_s: float) -> Standstill:
    """The standstill after this number: begins anew with each change of it. Who falls silent has not moved."""
    if before is None or before.grid_w != grid_w:
        return Standstill(grid_w=grid_w, since_s=now_s, devices_w=devices_w)
    if now_s - before.since_s < LAG_S:
        return replace(before, devices_w={**before.devices_w, **devices_w})
    moved_w = sum(devices_w[device] - w for device, w in before.devices_w.items() if device in devices_w)
    known_w = {**devices_w, **before.devices_w}
    return replace(before, devices_w=known_w, moved=before.moved or abs(moved_w) > MOVED_W)


def _aged(code: str, age_s: float) -> Reason:
    """The age beside the reason; where nothing ever came, a day stands for it."""
    return Reason(code=code, numbers={"age_s": min(age_s, 86400.0)})
