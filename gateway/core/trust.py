"""May we act on what we see? Late is bridged, gone or frozen gives the battery back."""

import math
from dataclasses import dataclass, replace

from gateway.core.model import Mode, Reason, SiteState
from gateway.core.site import Site

FRESH_S = 3.0  # three polls of a meter read each second
GONE_S = 8.0  # after that the last set-point is no better than the battery's own mode
FROZEN_S = 5.0  # a meter that stands still this long while other things move shows an old picture
FROZEN_GONE_S = 10.0
LAG_S = 4.0  # a device may report a move so much before or after the meter shows it
MOVED_W = 150.0  # what must have moved elsewhere: far above the noise of meters and of a base load


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """The grid meter's number since it last changed, and what the devices drew once that change had come through."""

    grid_w: float
    since_s: float
    devices_w: float
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the readings allow; `reason` is None when they allow control."""

    mode: Mode
    reason: Reason | None = None


def follow(standstill: Standstill | None, state: SiteState, site: Site) -> Standstill | None:
    """The standstill after this state: begins anew with each change of the number."""
    grid_w = state.reading(site.grid, "p_w").value
    if grid_w is None:
        return standstill
    devices_w = sum(state.reading(device, "p_w").value or 0.0 for device in site.producers)
    if standstill is None or standstill.grid_w != grid_w:
        return Standstill(grid_w=grid_w, since_s=state.now_s, devices_w=devices_w)
    if state.now_s - standstill.since_s < LAG_S:
        return replace(standstill, devices_w=devices_w)
    moved = standstill.moved or abs(devices_w - standstill.devices_w) > MOVED_W
    return replace(standstill, moved=moved)


def judge(state: SiteState, site: Site, standstill: Standstill | None, *, started: bool) -> Trust:
    """The worst of: meter late or gone, meter frozen, battery silent. `started`: control has run before.

    Before the first decision there is nothing to hold or to give back: we only watch, and say what is missing.
    """
    trust = _judge_meter(state, site, standstill)
    if trust.mode is Mode.CONTROL:
        trust = _judge_battery(state, site)
    if started or trust.mode is Mode.CONTROL:
        return trust
    never = math.isinf(state.age_s(site.grid, "p_w"))
    return Trust(mode=Mode.WATCH, reason=Reason(code="starting") if never else trust.reason)


def _judge_meter(state: SiteState, site: Site, standstill: Standstill | None) -> Trust:
    age_s = state.age_s(site.grid, "p_w")
    still_s = state.now_s - standstill.since_s if standstill and standstill.moved else 0.0
    if age_s > GONE_S:
        return Trust(mode=Mode.RELEASE, reason=_aged("lost_meter", age_s))
    if still_s > FROZEN_GONE_S:
        return Trust(mode=Mode.RELEASE, reason=_aged("frozen_meter", still_s))
    if age_s > FRESH_S:
        return Trust(mode=Mode.HOLD, reason=_aged("wait", age_s))
    if still_s > FROZEN_S:
        return Trust(mode=Mode.HOLD, reason=_aged("frozen_wait", still_s))
    return Trust(mode=Mode.CONTROL)


def _judge_battery(state: SiteState, site: Site) -> Trust:
    if site.battery is None:
        return Trust(mode=Mode.WATCH, reason=Reason(code="watch_only"))
    age_s = state.age_s(site.battery.id, "p_w")
    if age_s > GONE_S:
        return Trust(mode=Mode.RELEASE, reason=Reason(code="lost_battery"))
    if age_s > FRESH_S:
        return Trust(mode=Mode.HOLD, reason=_aged("wait", age_s))
    if state.age_s(site.battery.id, "soc") > 10 * FRESH_S:
        return Trust(mode=Mode.RELEASE, reason=Reason(code="lost_soc"))
    return Trust(mode=Mode.CONTROL)


def _aged(code: str, age_s: float) -> Reason:
    """An age that is not known (no report at all) is left out of the numbers' infinity: a day stands for it."""
    return Reason(code=code, numbers={"age_s": min(age_s, 86400.0)})
