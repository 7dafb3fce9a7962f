"""Last stage: what each load is sent this second: what the plan lets it draw and its part of the surplus, limits last.

The surplus is that of the building without batteries and controlled loads; `surplus_sharing` divides it. More is given
out only when it lasts, and only when meter and reports have caught up with the last change; less than the import limit
asks for is taken back at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control import load_facts, load_headroom, load_memory
from gateway.core.control.arbiter import switched_after
from gateway.core.control.batteries import BatteryDecision
from gateway.core.control.battery_response import beyond_orders_w
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.limited_flows import battery_powers
from gateway.core.control.load_headroom import LoadSituation
from gateway.core.control.load_memory import AnswerState, LoadMemory, settle_s
from gateway.core.control.load_power import Offer, decided
from gateway.core.control.observe import Observation
from gateway.core.control.trust.judge import SiteTrust
from gateway.core.control.trust.load_following import LoadFollowing
from gateway.core.control.trust.rules import Trust
from gateway.core.model.levels import Levels
from gateway.core.model.plan import Slot
from gateway.core.model.site import LoadDevice
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.core.model.switched import switch

CYCLE_S = 1.0  # so much older a sample of the meter may be when it is decided on
RUNS_W = 100.0  # a load in its own mode that draws more is running: above standby, below any heater
NO_PLAN = Slot(
    start_s=0.0,
    buy=1.0,
    sell=0.0,
    levels=Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=0.0, export_wh=0.0),
    value=0.5,
    reason=Reason(code="plain_rule"),
)
"""Without a plan: the battery before what merely likes surplus, what must be before all (`core.loads.plain_rule`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDecision:
    """What the loads are sent."""

    setpoints: tuple[SetPoint, ...]  # one for each load that takes set-points; none where the site has none
    memory: LoadMemory  # for the next cycle


def control_loads(
    cycle: CycleInput,
    trust: SiteTrust,
    batteries: BatteryDecision,
    memory: LoadMemory,
    *,
    curtailed_w: float,
    supplied: frozenset[str],
) -> LoadDecision:
    """Set-points of all loads that take them: those that may be controlled, then those that are held or given back.

    `curtailed_w`: what the PV inverters may be able to give more than now. `supplied`: ids of the
    loads that the batteries supply.
    """
    seen, site, trusts = cycle.seen, cycle.site, trust.loads
    ours = tuple(load for load in site.loads if load.id in trusts and trusts[load.id].mode is Mode.CONTROL)
    others = [load for load in site.loads if load.id in trusts and load not in ours]
    kept = tuple(_uncontrolled(load, trusts[load.id], memory) for load in others)
    memory = _forgotten(memory, [load for load in others if trusts[load.id].mode is not Mode.HOLD], seen)
    if not ours:
        return LoadDecision(setpoints=kept, memory=replace(memory, surplus_given_w=0.0))
    loads = _situation(cycle, ours, batteries, curtailed_w)
    memory = load_headroom.observed(_reported(memory, loads), loads)
    offer = Offer(
        headroom=load_headroom.headroom_of(memory, loads),
        consumers={one.id: one for one in load_facts.consumers([load.load for load in ours], cycle.requests)},
        able_w=_able_w(trust.readings.loads, loads),
        blocked=_blocked(memory, loads),
        storage=batteries.storage,
        battery_max_w=batteries.surplus_max_w,
        supplied=supplied,
    )
    powers = decided(offer, memory, loads)
    measured_s = seen.grid.power.measured_s
    found = tuple(
        SetPoint(
            device=load.device,
            power_w=powers[load.id].power_w,
            mode=Mode.CONTROL,
            reason=powers[load.id].reason,
            measured_s=measured_s,
        )
        for load in ours
    )
    powers_w = {id_: power.power_w for id_, power in powers.items()}
    given_w = max(offer.headroom.surplus_w, 0.0)
    if any(power.is_waiting for power in powers.values()):  # a gap in the surplus is bridged until all have followed
        given_w = max(given_w, memory.surplus_given_w)
    given_w = min(sum(powers_w.values()), given_w)
    memory = replace(_sent(memory, powers_w, loads), surplus_given_w=given_w)
    return LoadDecision(setpoints=(*found, *kept), memory=memory)


def _situation(
    cycle: CycleInput, ours: tuple[LoadDevice, ...], batteries: BatteryDecision, curtailed_w: float
) -> LoadSituation:
    """What is known when the powers of these loads are decided."""
    seen = cycle.seen
    net_w = batteries.net_w if batteries.net_w is not None else seen.grid.power.value or 0.0
    return LoadSituation(
        site=cycle.site,
        ours=ours,
        drawn_w={load.id: seen.loads[load.id].drawn_w for load in ours},
        views=seen.loads,
        requests=cycle.requests,
        slot=cycle.slot or NO_PLAN,
        now_s=seen.now_s,
        utc_s=seen.utc_s,
        settle_s=settle_s(cycle.site),
        net_w=net_w,
        batteries=battery_powers(seen, batteries.memory.controlled, net_w),
        stubborn_w=_stubborn_w(batteries, cycle),
        flows=cycle.flows,
        curtailed_w=curtailed_w,
    )


def _stubborn_w(batteries: BatteryDecision, cycle: CycleInput) -> dict[str, float]:
    """What each controlled battery charges beyond all that it was sent (W, 0 or above), by its id."""
    found = {}
    for battery in cycle.site.batteries:
        response, power_w = batteries.memory.responses.get(battery.id), cycle.seen.batteries[battery.id].power.value
        if battery.id in batteries.memory.controlled and response is not None and power_w is not None:
            found[battery.id] = beyond_orders_w(response, battery, power_w, cycle.seen.now_s)
    return found


def _reported(memory: LoadMemory, situation: LoadSituation) -> LoadMemory:
    """With what the loads report in this cycle. A load seen for the first time that draws power counts as running."""
    drawn_w, now_s, utc_s = situation.drawn_w, situation.now_s, situation.utc_s
    away = frozenset(id_ for id_ in drawn_w if not situation.views[id_].is_present)
    met = {id_: switch(None, utc_s, runs=w > RUNS_W) for id_, w in drawn_w.items() if id_ not in memory.switched}
    memory = replace(memory, switched={**memory.switched, **met})
    memory = load_memory.reported(memory, drawn_w, now_s, situation.site.meter_delay_s[1] + CYCLE_S)
    return load_memory.answered(memory, drawn_w, away, now_s)


def _able_w(following: Mapping[str, LoadFollowing], situation: LoadSituation) -> dict[str, float]:
    """The most (W) that each load draws now, whatever it is sent, by its id; none of those that take it all."""
    found = {load.id: following[load.id].takes.proven_w for load in situation.ours}
    return {id_: proven_w for id_, proven_w in found.items() if math.isfinite(proven_w)}


def _blocked(memory: LoadMemory, situation: LoadSituation) -> dict[str, Reason]:
    """The loads that take nothing now, whatever they are offered, and why."""
    found = {}
    for load in situation.ours:
        warm = load_facts.warmth(load, situation.views[load.id], situation.requests.get(load.id))
        answer = memory.answers.get(load.id)
        if not situation.views[load.id].is_present:
            found[load.id] = Reason(code="load_absent")
        elif answer is not None and answer.answer is AnswerState.IDLE:
            found[load.id] = Reason(code="load_idle", numbers={"left_s": answer.moment_s - situation.now_s})
        elif warm is not None and warm.temp_c >= warm.high_c - (0.0 if memory.runs(load.id) else warm.again_k):
            found[load.id] = Reason(code="load_warm", numbers={"temp_c": warm.temp_c, "high_c": warm.high_c})
    return found


def _sent(memory: LoadMemory, powers_w: Mapping[str, float], situation: LoadSituation) -> LoadMemory:
    drawn_w, now_s, within_s = situation.drawn_w, situation.now_s, situation.settle_s
    sent = {
        id_: load_memory.sent_after(memory.sent.get(id_), power_w, drawn_w[id_], now_s, within_s)
        for id_, power_w in powers_w.items()
    }
    return replace(
        memory,
        sent={**memory.sent, **sent},
        ever_sent=memory.ever_sent | sent.keys(),
        orders={**memory.orders, **_orders(memory, powers_w, situation)},
        switched={**memory.switched, **switched_after(powers_w, memory.switched, situation.utc_s)},
    )


def _orders(
    memory: LoadMemory, powers_w: Mapping[str, float], situation: LoadSituation
) -> dict[str, tuple[tuple[float, float], ...]]:
    """What each load was sent lately, by its id; before the first time nobody knows what it was at."""
    found = {}
    for load in situation.ours:
        power_w, drawn_w = powers_w[load.id], situation.drawn_w[load.id]
        before = memory.orders.get(load.id) or ((situation.now_s, max(power_w, drawn_w)),)
        late_s = load_memory.REACT_S + load.pause_s
        found[load.id] = load_memory.lasted(before, power_w, situation.now_s, late_s)
    return found


def _uncontrolled(load: LoadDevice, trust: Trust, memory: LoadMemory) -> SetPoint:
    """Hold renews the last power; release and watch send nothing."""
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    power_w = memory.sent_w(load.id) if trust.mode is Mode.HOLD and load.id in memory.sent else None
    return SetPoint(device=load.device, power_w=power_w, mode=trust.mode, reason=trust.reason)


def _forgotten(memory: LoadMemory, loads: Sequence[LoadDevice], seen: Observation) -> LoadMemory:
    """What is given back starts anew when it is taken back; whether it runs by itself counts for its minimum times."""
    gone = [load for load in loads if load.id in memory.sent]
    switched = dict(memory.switched)
    for load in gone:
        power_w = seen.loads[load.id].lately_w
        if power_w is not None:
            switched[load.id] = switch(switched.get(load.id), seen.utc_s, runs=power_w > RUNS_W)
    gone_ids = {load.id for load in gone}
    sent = {id_: one for id_, one in memory.sent.items() if id_ not in gone_ids}
    orders = {id_: one for id_, one in memory.orders.items() if id_ not in gone_ids}
    return replace(memory, sent=sent, orders=orders, switched=switched)
