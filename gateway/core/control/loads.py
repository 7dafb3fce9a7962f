"""Last stage: what each load is sent this second: what the plan lets it draw and its part of the surplus, limits last.

The surplus is that of the building without batteries and controlled loads; `compete` divides it. More is given out
only when it lasts, and only when meter and reports have caught up with the last change; less than the import limit asks
for is taken back at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control import compete, load_facts, load_headroom, load_memory, load_reasons
from gateway.core.control.arbiter import Consumer, switched_after
from gateway.core.control.batteries import BatteryDecision
from gateway.core.control.compete import BATTERY, Available
from gateway.core.control.load_headroom import Headroom, LoadScene
from gateway.core.control.load_memory import Answer, LoadMemory, SentPower
from gateway.core.control.load_reasons import LoadCase
from gateway.core.control.observe import Observation
from gateway.core.control.trust import SILENT_S, Trust
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Mode, Reason, SetPoint
from gateway.core.model.switched import switch

CYCLE_S = 1.0  # so much older a sample of the meter may be when it is decided on
STEADY_S = 6.0  # beyond settling, before a load that goes on running is sent another power
SMALL_W, SMALL_SHARE = 100.0, 0.03  # a change that is not worth a write: half an ampere at 230 V, noise of a sun
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
    """What the loads get."""

    setpoints: tuple[SetPoint, ...]  # one for each load that takes set-points; none where the site has none
    memory: LoadMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is divided among the controlled loads in this cycle."""

    scene: LoadScene
    slot: Slot  # of the plan, or NO_PLAN
    batteries: BatteryDecision
    headroom: Headroom
    blocked: Mapping[str, Reason]  # loads that take nothing now, whatever they are offered, and why
    consumers: Mapping[str, Consumer]  # the controlled loads by their id
    utc_s: float


def control_loads(
    observation: Observation,
    site: Site,
    slot: Slot | None,
    requests: Mapping[str, LoadSlot],
    trusts: Mapping[str, Trust],
    batteries: BatteryDecision,
    curtailed_w: float,
    memory: LoadMemory,
) -> LoadDecision:
    """Set-points of all loads that take them: those that may be controlled, then those that are held or given back."""
    ours = [load for load in site.loads if load.id in trusts and trusts[load.id].mode is Mode.CONTROL]
    others = [load for load in site.loads if load.id in trusts and load not in ours]
    kept = tuple(_uncontrolled(load, trusts[load.id], memory) for load in others)
    memory = _forgotten(memory, [load for load in others if trusts[load.id].mode is not Mode.HOLD], observation)
    if not ours:
        return LoadDecision(setpoints=kept, memory=memory)
    grid = observation.power(site.grid)
    scene = LoadScene(
        site=site,
        requests=requests,
        drawn_w={load.id: observation.drawn_w(load.device) for load in ours},
        now_s=observation.now_s,
        settle_s=load_memory.settle_s(site),
        net_w=batteries.net_w if batteries.net_w is not None else grid.value or 0.0,
        curtailed_w=curtailed_w,
    )
    away = frozenset(load.id for load in ours if not observation.loads[load.id].is_present)
    memory = _observed(memory, scene, batteries, away, observation.utc_s)
    offer = Offer(
        scene=scene,
        slot=slot or NO_PLAN,
        batteries=batteries,
        headroom=load_headroom.headroom_of(memory, scene),
        blocked=_blocked(ours, observation, requests, away, memory),
        consumers={one.id: one for one in load_facts.consumers([load.load for load in ours], requests)},
        utc_s=observation.utc_s,
    )
    wanted_w = _wanted_w(offer, memory)
    powers_w = limited_w(wanted_w, offer.headroom.most_w, offer.consumers)
    found = tuple(
        SetPoint(
            device=load.device,
            power_w=powers_w[load.id],
            mode=Mode.CONTROL,
            reason=_reason(load.id, wanted_w[load.id], powers_w[load.id], offer, memory),
            measured_s=grid.measured_s,
        )
        for load in ours
    )
    return LoadDecision(setpoints=(*found, *kept), memory=_sent(memory, powers_w, scene, observation.utc_s))


def limited_w(wanted_w: Mapping[str, float], allowed_w: float, consumers: Mapping[str, Consumer]) -> dict[str, float]:
    """The powers (W) cut to what is allowed in all: by their value, the lowest first, to their least power, then off."""
    found = dict(wanted_w)
    in_order = sorted(consumers.values(), key=lambda consumer: (consumer.value, consumer.id))
    for to_least in (True, False):
        for consumer in in_order:
            over_w = sum(found.values()) - allowed_w
            if over_w <= 0.0:
                return found
            floor_w = min(consumer.min_w, found[consumer.id]) if to_least else 0.0
            left_w = max(found[consumer.id] - over_w, floor_w)
            found[consumer.id] = left_w if to_least or left_w >= consumer.min_w else 0.0
    return found


def _observed(
    memory: LoadMemory, scene: LoadScene, batteries: BatteryDecision, away: frozenset[str], utc_s: float
) -> LoadMemory:
    """With what meter and loads tell in this cycle. A load that is met for the first time and draws power runs."""
    met = {id_: switch(None, utc_s, runs=w > RUNS_W) for id_, w in scene.drawn_w.items() if id_ not in memory.switched}
    memory = replace(memory, switched={**memory.switched, **met})
    memory = load_memory.reported(memory, scene.drawn_w, scene.now_s, scene.site.meter_delay_s[1] + CYCLE_S)
    memory = load_headroom.observed(memory, scene, (*batteries.memory.controlled, *scene.drawn_w))
    return load_memory.answered(memory, scene.drawn_w, away, scene.now_s)


def _blocked(
    ours: Sequence[LoadDevice],
    observation: Observation,
    requests: Mapping[str, LoadSlot],
    away: frozenset[str],
    memory: LoadMemory,
) -> dict[str, Reason]:
    """The loads that take nothing now, whatever they are offered, and why."""
    found = {}
    for load in ours:
        warm = load_facts.warmth(load, observation.loads[load.id], requests.get(load.id))
        if load.id in away:
            found[load.id] = Reason(code="load_absent")
        elif (answer := memory.answers.get(load.id)) is not None and answer.answer is Answer.IDLE:
            found[load.id] = Reason(code="load_idle", numbers={"left_s": answer.moment_s - observation.now_s})
        elif warm is not None and warm.temp_c >= warm.high_c - (0.0 if memory.runs(load.id) else warm.again_k):
            found[load.id] = Reason(code="load_warm", numbers={"temp_c": warm.temp_c, "high_c": warm.high_c})
    return found


def _wanted_w(offer: Offer, memory: LoadMemory) -> dict[str, float]:
    """Power (W) of each load by the plan and the surplus, by its id, before the import limit."""
    available = Available(
        surplus_w=offer.headroom.surplus_w,
        import_headroom_w=offer.headroom.import_w,
        most_w={BATTERY: offer.batteries.surplus_max_w, **dict.fromkeys(offer.blocked, 0.0)},
    )
    powers_w = compete.divided(
        tuple(offer.consumers.values()),
        offer.scene.requests,
        offer.batteries.storage,
        offer.slot,
        available,
        memory.switched,
        offer.utc_s,
    )
    return {id_: _steady(powers_w.get(id_, 0.0), id_, memory, offer.scene) for id_ in offer.consumers}


def _steady(power_w: float, id_: str, memory: LoadMemory, scene: LoadScene) -> float:
    """The last power (W) again where the load goes on running and the change is small, or the last one is too young."""
    last_w = memory.sent_w(id_)
    if (last_w > 0.0) != (power_w > 0.0):
        return power_w
    is_small = abs(power_w - last_w) < max(SMALL_W, SMALL_SHARE * last_w)
    return last_w if is_small or not load_memory.is_settled(memory, scene.now_s, scene.settle_s + STEADY_S) else power_w


def _reason(id_: str, wanted_w: float, power_w: float, offer: Offer, memory: LoadMemory) -> Reason:
    if id_ in offer.blocked:
        return offer.blocked[id_]
    consumer, request = offer.consumers[id_], offer.scene.requests.get(id_)
    planned_w = min(request.power_w, consumer.max_w) if request is not None else 0.0
    due_w = max(wanted_w, planned_w if offer.headroom.import_w < planned_w else 0.0)
    if power_w < due_w:
        return load_reasons.limit_reason(due_w, offer.scene.site.import_limit_w)
    case = LoadCase(
        consumer=consumer,
        request=request,
        switched=memory.switched.get(id_),
        surplus_w=offer.headroom.surplus_w,
        sell=offer.slot.sell,
        utc_s=offer.utc_s,
    )
    return load_reasons.reason_of(case, power_w)


def _sent(memory: LoadMemory, powers_w: Mapping[str, float], scene: LoadScene, utc_s: float) -> LoadMemory:
    sent: dict[str, SentPower] = {
        id_: load_memory.sent_after(memory.sent.get(id_), power_w, scene.drawn_w[id_], scene.now_s, scene.settle_s)
        for id_, power_w in powers_w.items()
    }
    return replace(
        memory,
        sent={**memory.sent, **sent},
        ever_sent=memory.ever_sent | sent.keys(),
        switched={**memory.switched, **switched_after(powers_w, memory.switched, utc_s)},
    )


def _uncontrolled(load: LoadDevice, trust: Trust, memory: LoadMemory) -> SetPoint:
    """Hold renews the last power; release and watch send nothing."""
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    power_w = memory.sent_w(load.id) if trust.mode is Mode.HOLD and load.id in memory.sent else None
    return SetPoint(device=load.device, power_w=power_w, mode=trust.mode, reason=trust.reason)


def _forgotten(memory: LoadMemory, loads: Sequence[LoadDevice], observation: Observation) -> LoadMemory:
    """What is given back starts anew when it is taken back; whether it runs by itself counts for its minimum times."""
    gone = [load for load in loads if load.id in memory.sent]
    switched = dict(memory.switched)
    for load in gone:
        power_w = observation.power_w(load.device, max_age_s=SILENT_S)
        if power_w is not None:
            switched[load.id] = switch(switched.get(load.id), observation.utc_s, runs=power_w > RUNS_W)
    gone_ids = {load.id for load in gone}
    sent = {id_: one for id_, one in memory.sent.items() if id_ not in gone_ids}
    return replace(memory, sent=sent, switched=switched)
