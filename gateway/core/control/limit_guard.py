"""What stays beyond a limit although all was decided to be within it: the limit is held tighter by just that.

Every stage decides by what devices were found to do. Where one does something else for a reason that nobody knows, the
meter alone shows it. So what lasts longer than all that was sent may take to show is added to a correction, as far as
anything could still act; it fades when there is room below the limit again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.control.load_memory import REACT_S, LoadMemory
from gateway.core.control.observe import Observation
from gateway.core.model.limits import LimitPlace
from gateway.core.model.site import Site

# Held by test_limit_guard.py and test_hostile_limits.py in gateway/tests/core/control.
BEYOND_W = 40.0  # less is noise of meters, or what curtailment settles by itself
UNUSED = 0.5  # of a correction: with so much room below the limit it fades fast
FADE, FADE_W = 0.05, 10.0  # of a correction in each cycle, the greater one: a third is left after 20 s
SLOW = 0.1  # of that with less room, so that no correction stays for ever
INVERTER_S = 5.0  # a usual inverter follows within so long
SPARE_S = 2.0  # beyond the longest of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known of one side of one limit."""

    correction_w: float = 0.0  # so much tighter it is held, 0 or above
    since_s: float | None = None  # monotonic moment since when it is exceeded; None while it is not
    least_w: float = 0.0  # the least excess since then


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardMemory:
    """The corrections of all limits that have one or are exceeded, by place."""

    imports: Mapping[LimitPlace, Watch] = field(default_factory=dict)  # of what is drawn
    exports: Mapping[LimitPlace, Watch] = field(default_factory=dict)  # of what is given back


@dataclass(frozen=True, slots=True, kw_only=True)
class Able:
    """What each load and each PV could still do about an excess by itself (W, 0 or above), by device id.

    No batteries: their bounds follow the meter in each cycle, and where another limit forces one to do what this limit
    forbids, a correction could only grow.
    """

    less_drawn_w: Mapping[str, float]  # what a load draws because it was sent so much
    less_given_w: Mapping[str, float]  # what PV produces because it was allowed so much


def able_now(seen: Observation, loads: LoadMemory, site: Site) -> Able:
    """What is drawn and given because it was sent."""
    drawn = {o.device: max(min(seen.loads[o.id].drawn_w, loads.sent_w(o.id)), 0.0) for o in site.loads}
    given = {inverter.id: max(-(seen.powers[inverter.id].value or 0.0), 0.0) for inverter in site.curtailable}
    return Able(less_drawn_w=drawn, less_given_w=given)


def guarded(
    memory: GuardMemory, flows: tuple[LimitedFlow, ...], able: Able, site: Site, now_s: float
) -> tuple[tuple[LimitedFlow, ...], GuardMemory]:
    """The flows with their limits held tighter where that is needed, and what to remember."""
    wait_s = longest_answer_s(site, is_import=True), longest_answer_s(site, is_import=False)
    imports, exports, found = {}, {}, []
    for flow in flows:
        drawn, given = memory.imports.get(flow.place, Watch()), memory.exports.get(flow.place, Watch())
        if flow.measured_w is not None:
            could_w = _part_w(flow, able.less_drawn_w), _part_w(flow, able.less_given_w)
            drawn = _watched(drawn, flow.measured_w, flow.import_limit_w, could_w[0], now_s, wait_s[0])
            given = _watched(given, -flow.measured_w, flow.export_limit_w, could_w[1], now_s, wait_s[1])
        imports[flow.place], exports[flow.place] = drawn, given
        found.append(
            replace(flow, import_correction_w=drawn.correction_w, export_correction_w=given.correction_w)
            if drawn.correction_w or given.correction_w
            else flow
        )
    return tuple(found), GuardMemory(imports=_lasting(imports), exports=_lasting(exports))


def longest_answer_s(site: Site, *, is_import: bool) -> float:
    """After so long the meter shows what all devices were sent that can do something about import, or about export."""
    batteries = (b.dead_time_s + (b.charge_max_w + b.discharge_max_w) / b.ramp_w_per_s for b in site.batteries)
    loads = [REACT_S + load.pause_s for load in site.loads] if is_import else []
    inverters = [] if is_import or not site.curtailable else [INVERTER_S]
    return site.meter_delay_s[1] + SPARE_S + max((*batteries, *loads, *inverters), default=0.0)


def _watched(watch: Watch, flow_w: float, limit_w: float, able_w: float, now_s: float, wait_s: float) -> Watch:
    """After one more moment in which `flow_w` flows on this side of a limit."""
    beyond_w = flow_w - limit_w
    if beyond_w <= BEYOND_W:
        room_w = -beyond_w
        share = 1.0 if room_w > max(BEYOND_W, UNUSED * watch.correction_w) else SLOW if room_w > BEYOND_W else 0.0
        faded_w = share * max(FADE * watch.correction_w, FADE_W)
        return Watch(correction_w=max(watch.correction_w - faded_w, 0.0))
    since_s = now_s if watch.since_s is None else watch.since_s
    least_w = beyond_w if watch.since_s is None else min(watch.least_w, beyond_w)
    if now_s - since_s < wait_s:
        return replace(watch, since_s=since_s, least_w=least_w)
    return Watch(correction_w=watch.correction_w + min(least_w, able_w), since_s=now_s, least_w=beyond_w)


def _part_w(flow: LimitedFlow, able_w: Mapping[str, float]) -> float:
    return sum(flow.drawn.get(device, 0.0) * power_w for device, power_w in able_w.items())


def _lasting(watches: Mapping[LimitPlace, Watch]) -> dict[LimitPlace, Watch]:
    return {place: watch for place, watch in watches.items() if watch != Watch()}
