"""What each load is told this second: what the plan lets it draw and its part of the surplus, the limits last.

The surplus is that of the building without batteries and commanded loads; `flexible.compete` divides it. More is given
out only when it lasts, and only when meter and reports have caught up with the last change; less than the import limit
asks for is taken back at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.core.control.arbiter import Consumer
from gateway.core.control.compete import BATTERY, Live, consumers, divided
from gateway.core.control.load_headroom import Room, Scene, allowed_w, observed, opened, room_w, settle_s, surplus_w
from gateway.core.control.load_memory import Taking, is_settled, listened, most_drawn_w, reported, tell
from gateway.core.control.load_reasons import held_back, limit_reason, reason_of
from gateway.core.control.load_trust import SILENT_S, is_there, judge_load, takes_none
from gateway.core.control.memory import Memory
from gateway.core.control.trust import Trust
from gateway.core.model.levels import Levels
from gateway.core.model.plan import Slot
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Mode, Reason, SetPoint, SiteState
from gateway.core.model.switched import Switched, switch

CYCLE_S = 1.0  # so much older a sample of the meter may be when it is decided on
STEADY_S = 6.0  # beyond that, before a load that goes on running is told another power
SMALL_W, SMALL_SHARE = 100.0, 0.03  # a change that is not worth a write
RUNS_W = 100.0  # a load in its own mode that draws more is running
NO_PLAN = Slot(
    start_s=0.0,
    buy=1.0,
    sell=0.0,
    levels=Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=0.0, export_wh=0.0),
    value=0.5,
    reason=Reason(code="plain_rule"),
)
"""Without a plan: the battery before what merely likes surplus, what must be before all (`flexible.plain`)."""


def step(scene: Scene, trust: Trust, memory: Memory) -> tuple[tuple[SetPoint, ...], Memory]:
    """Set-points of all loads that take orders; `trust` is that of the grid meter."""
    loads = tuple(load for load in scene.site.loads if load.takes_orders)
    trusts = {
        load.id: judge_load(load, scene.state, trust, memory.watch, taking=memory.taking, want=scene.wants.get(load.id))
        for load in loads
    }
    ours = tuple(load for load in loads if trusts[load.id].mode is Mode.CONTROL)
    kept = [_without_control(load, trusts[load.id], memory.taking) for load in loads if load not in ours]
    memory = _forget(memory, [load for load in loads if trusts[load.id].mode in (Mode.RELEASE, Mode.WATCH)], scene)
    if not ours:
        return tuple(kept), memory
    found, memory = _control(ours, scene, memory)
    return (*found, *kept), memory


def coming_net_w(memory: Memory, state: SiteState, site: Site) -> float:
    """What the building may draw (W) when its loads do what they were told; -inf while all of them do it already."""
    taking, within_s = memory.taking, settle_s(site)
    if taking.base_w is None or is_settled(taking, state.now_s, within_s):
        return -math.inf
    told = {load.device: taking.told[load.id] for load in site.loads if load.id in taking.told}
    drawn = {device: state.reading(device, "p_w").value or 0.0 for device in told}
    return taking.base_w + sum(most_drawn_w(told[id_], drawn[id_], state.now_s, within_s) for id_ in told)


def _control(ours: Sequence[LoadDevice], scene: Scene, memory: Memory) -> tuple[tuple[SetPoint, ...], Memory]:
    state = scene.state
    drawn_w = {load.id: state.reading(load.device, "p_w").value or 0.0 for load in ours}
    before = _met(memory.lasting.consumers, drawn_w, state.utc_s)
    away = frozenset(load.id for load in ours if not is_there(load, state))
    taking = opened(memory.taking, (*memory.ours, *drawn_w))
    taking = reported(taking, drawn_w, state.now_s, scene.site.meter_delay_s[1] + CYCLE_S)
    taking = listened(observed(taking, scene, drawn_w), drawn_w, away, state.now_s)
    blocked = {
        load.id: why
        for load in ours
        if (why := takes_none(load, scene.state, scene.wants.get(load.id), taking, runs=_runs(before.get(load.id))))
        is not None
    }
    offered = {one.id: one for one in consumers([load.load for load in ours], scene.wants)}
    most_w = allowed_w(drawn_w, taking, scene)
    room = Room(surplus_w=surplus_w(taking, drawn_w), import_w=room_w(taking, most_w))
    wanted = _divided(ours, scene, room, frozenset(blocked), before)
    wanted = {id_: _steady(power_w, id_, taking, scene) for id_, power_w in wanted.items()}
    powers = held_back(wanted, most_w, _first_to_go(offered))
    setpoints = []
    for load in ours:
        reason = blocked.get(load.id) or _why(offered[load.id], wanted, powers, scene, room, before)
        setpoints.append(_setpoint(load, powers[load.id], reason, scene))
    return tuple(setpoints), _remember(memory, taking, powers, drawn_w, scene)


def _met(consumers_: Mapping[str, Switched], drawn_w: Mapping[str, float], utc_s: float) -> dict[str, Switched]:
    """With those that are met for the first time: one that draws power already runs since now."""
    met = {id_: switch(None, utc_s, runs=w > RUNS_W) for id_, w in drawn_w.items() if id_ not in consumers_}
    return {**consumers_, **met}


def _setpoint(load: LoadDevice, power_w: float, reason: Reason, scene: Scene) -> SetPoint:
    measured_s = scene.state.reading(scene.site.grid, "p_w").measured_s
    return SetPoint(device=load.device, power_w=power_w, mode=Mode.CONTROL, reason=reason, measured_s=measured_s)


def _remember(
    memory: Memory, taking: Taking, powers: Mapping[str, float], drawn_w: Mapping[str, float], scene: Scene
) -> Memory:
    now_s, utc_s = scene.state.now_s, scene.state.utc_s
    before = _met(memory.lasting.consumers, drawn_w, utc_s)
    told = {
        id_: tell(taking.told.get(id_), power_w, drawn_w[id_], now_s, scene.settle_s) for id_, power_w in powers.items()
    }
    switched = {id_: switch(before.get(id_), utc_s, runs=power_w > 0.0) for id_, power_w in powers.items()}
    lasting = replace(memory.lasting, consumers={**before, **switched})
    return replace(
        memory, taking=replace(taking, told={**taking.told, **told}, known=taking.known | told.keys()), lasting=lasting
    )


def _divided(
    ours: Sequence[LoadDevice],
    scene: Scene,
    room: Room,
    blocked: frozenset[str],
    before: Mapping[str, Switched],
) -> dict[str, float]:
    """Power (W) of each load by the plan and the surplus."""
    live = Live(
        surplus_w=room.surplus_w,
        import_room_w=room.import_w,
        most_w={BATTERY: scene.battery_most_w, **dict.fromkeys(blocked, 0.0)},
    )
    slot, utc_s = scene.slot or NO_PLAN, scene.state.utc_s
    powers, _ = divided([load.load for load in ours], scene.wants, scene.storage, slot, live, before, utc_s)
    return {load.id: powers.get(load.id, 0.0) for load in ours}


def _steady(power_w: float, id_: str, taking: Taking, scene: Scene) -> float:
    """The last power (W) again where the load goes on running and the change is small, or the last one is too young."""
    last_w = taking.told_w(id_)
    if (last_w > 0.0) != (power_w > 0.0):
        return power_w
    is_small = abs(power_w - last_w) < max(SMALL_W, SMALL_SHARE * last_w)
    return last_w if is_small or not is_settled(taking, scene.state.now_s, scene.settle_s + STEADY_S) else power_w


def _first_to_go(offered: Mapping[str, Consumer]) -> dict[str, Consumer]:
    """By what a kWh is worth in them, the least first."""
    return dict(sorted(offered.items(), key=lambda item: (item[1].value, item[0])))


def _why(
    consumer: Consumer,
    wanted: Mapping[str, float],
    powers: Mapping[str, float],
    scene: Scene,
    room: Room,
    before: Mapping[str, Switched],
) -> Reason:
    id_, want = consumer.id, scene.wants.get(consumer.id)
    planned_w = min(want.power_w, consumer.max_w) if want is not None else 0.0
    held_w = max(wanted[id_], planned_w if room.import_w < planned_w else 0.0)
    if powers[id_] < held_w:
        return limit_reason(held_w, scene.site.import_limit_w)
    return reason_of(
        want,
        powers[id_],
        consumer,
        before.get(id_),
        surplus_w=room.surplus_w,
        sell=(scene.slot or NO_PLAN).sell,
        utc_s=scene.state.utc_s,
    )


def _runs(switched: Switched | None) -> bool:
    return switched is not None and switched.runs


def _without_control(load: LoadDevice, trust: Trust, taking: Taking) -> SetPoint:
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    power_w = taking.told_w(load.id) if trust.mode is Mode.HOLD and load.id in taking.told else None
    return SetPoint(device=load.device, power_w=power_w, mode=trust.mode, reason=trust.reason)


def _forget(memory: Memory, loads: Sequence[LoadDevice], scene: Scene) -> Memory:
    """What is given back starts anew when it is taken back; whether it runs by itself counts for its least times."""
    gone = {load.id for load in loads if load.id in memory.taking.told}
    consumers_ = dict(memory.lasting.consumers)
    for load in loads:
        power_w = scene.state.value(load.device, "p_w", max_age_s=SILENT_S)
        if load.id in gone and power_w is not None:
            consumers_[load.id] = switch(consumers_.get(load.id), scene.state.utc_s, runs=power_w > RUNS_W)
    told = {id_: one for id_, one in memory.taking.told.items() if id_ not in gone}
    lasting = replace(memory.lasting, consumers=consumers_)
    return replace(memory, taking=replace(memory.taking, told=told), lasting=lasting)
