"""Fourth stage: the limits of PV inverters, for the connection (`curtailment`) and for circuits and phases behind it.

What the building uses is what the meter shows and what PV produced when the meter saw it. While an inverter follows its
limit nobody knows which of its last powers that was; so what is used is a range, as the net load is (`net_load`), and
the last estimate moves into it by the least way. Otherwise a meter that is a second late makes the limit swing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.control.batteries import BatteryDecision
from gateway.core.control.curtailment import LEAST_MARGIN_W, RELEASE, Curtailment, CurtailmentDecision, curtail
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.limited_flows import LimitedFlow, battery_powers
from gateway.core.control.trust.rules import Trust
from gateway.core.model.limits import CONNECTION, LimitPlace
from gateway.core.model.site import Inverter
from gateway.core.model.state import Mode, Reason, SetPoint

SKEW_S = 2.0  # between the report of an inverter and that of the meter, beside the meter's own delay: polls of both


@dataclass(frozen=True, slots=True, kw_only=True)
class PvMemory:
    """What is remembered of PV that takes limits."""

    produced: tuple[tuple[float, Mapping[str, float]], ...] = ()  # (monotonic s, W by device) lately, oldest first
    used_w: Mapping[LimitPlace, float] = field(default_factory=dict)  # what each place would draw without that PV
    charged_w: Mapping[LimitPlace, float] = field(default_factory=dict)  # what batteries are sure to draw there
    is_capped: bool = False  # whether a phase or a circuit limits an inverter


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """What a phase or a circuit lets one inverter produce."""

    power_w: float  # 0 or above
    flow: LimitedFlow  # whose export limit it is


def limited_pv(
    cycle: CycleInput, meter: Trust, before: Curtailment, memory: PvMemory, battery: BatteryDecision
) -> tuple[CurtailmentDecision, PvMemory]:
    """The set-points of the inverters that take a limit, inside all limits of export.

    What goes beyond the limit of the connection for whatever reason, the batteries do not take.
    """
    if not cycle.site.curtailable:
        return CurtailmentDecision(setpoints=(), memory=before), memory
    memory = _observed(memory, cycle, battery)
    taken_w = battery.charge_max_w if battery.is_forced else max(battery.charge_max_w, 0.0)
    decision = curtail(
        cycle,
        meter,
        before,
        used_w=memory.used_w.get(CONNECTION),
        battery_max_w=taken_w - cycle.flows[0].export_correction_w,
    )
    caps = _caps(memory, cycle.site.curtailable, cycle.flows[1:], is_blind=meter.mode is Mode.RELEASE)
    setpoints = tuple(_inside(one, caps.get(one.device)) for one in decision.setpoints)
    return replace(decision, setpoints=setpoints), replace(memory, is_capped=bool(caps))


def _observed(memory: PvMemory, cycle: CycleInput, battery: BatteryDecision) -> PvMemory:
    """With this cycle's production, and what is used by each place now.

    In what the connection uses no controlled battery is. At other places what batteries draw and go on to draw counts,
    and what they give against their orders, or because a limit needs it; what else they give makes way for PV.
    """
    seen, site = cycle.seen, cycle.site
    ours = () if battery.net_w is None else battery.memory.controlled
    powers = battery_powers(seen, ours, battery.net_w or 0.0)
    sent_w = {id_: battery.memory.last[id_].power_w or 0.0 for id_ in powers.reported_w}
    sure_w = {
        id_: min(w, sent_w[id_])
        if battery.is_forced
        else max(min(w, sent_w[id_]), 0.0) + min(w - min(sent_w[id_], 0.0), 0.0)
        for id_, w in powers.reported_w.items()
    }
    now_w = {one.id: max(-(seen.powers[one.id].value or 0.0), 0.0) for one in site.curtailable}
    oldest_s = seen.now_s - site.meter_delay_s[1] - SKEW_S
    produced = (*(one for one in memory.produced if one[0] >= oldest_s), (seen.now_s, now_w))
    used = dict(memory.used_w)
    for flow in cycle.flows:
        flow_w = battery.net_w if flow.place == CONNECTION and battery.net_w is not None else powers.without(flow)
        powers_w = [sum(flow.drawn.get(id_, 0.0) * w for id_, w in powers.items()) for _, powers in produced]
        if flow_w is not None:
            low_w, high_w = flow_w + min(powers_w), flow_w + max(powers_w)
            used[flow.place] = min(max(used.get(flow.place, (low_w + high_w) / 2), low_w), high_w)
    charged = {
        flow.place: sum(flow.drawn[id_] * w for id_, w in sure_w.items() if id_ in flow.drawn) for flow in cycle.flows
    }
    return replace(memory, produced=produced, used_w=used, charged_w=charged)


def _caps(
    memory: PvMemory, inverters: Sequence[Inverter], flows: Sequence[LimitedFlow], *, is_blind: bool
) -> Mapping[str, Cap]:
    """The strictest cap of each inverter by its device; those that nothing caps are not in it.

    While the meter is not believed, nobody knows what is used.
    """
    found: dict[str, Cap] = {}
    for flow in flows:
        there = {one.id: flow.drawn.get(one.id, 0.0) for one in inverters}
        rated_w = sum(there[one.id] * one.rated_w for one in inverters)
        if (flow.measured_w is None and not is_blind) or rated_w <= 0.0:
            continue
        drawn_w = 0.0 if is_blind else memory.used_w[flow.place] + memory.charged_w[flow.place]
        allowed_w = max(drawn_w + flow.export_max_w - LEAST_MARGIN_W, 0.0)
        if allowed_w >= RELEASE * rated_w:
            continue
        for one in inverters:
            cap = Cap(power_w=min(allowed_w / rated_w, 1.0) * one.rated_w, flow=flow)
            if there[one.id] > 0.0 and (one.id not in found or cap.power_w < found[one.id].power_w):
                found[one.id] = cap
    return found


def _inside(setpoint: SetPoint, cap: Cap | None) -> SetPoint:
    """A limit of production (W, 0 or below; None: none) that is no higher than the cap."""
    if cap is None or (setpoint.power_w is not None and -setpoint.power_w <= cap.power_w):
        return setpoint
    place = cap.flow.place
    numbers: dict[str, float | str] = {
        "allowed_w": cap.power_w,
        "limit_w": cap.flow.export_limit_w,
        "place": place.name,
    }
    code = "pv_curtailed_phase" if place.circuit is None else "pv_curtailed_circuit"
    return replace(setpoint, power_w=-cap.power_w, mode=Mode.CONTROL, reason=Reason(code=code, numbers=numbers))
