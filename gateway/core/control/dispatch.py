"""The decision of each second: the batteries hold the grid at its set-point, within the levels of the plan.

Feed-forward, not feedback: set-point = target - net load, where the net load is estimated in `net_load` with the
batteries' dead time and ramp and the meter's delay in mind. There is no gain to tune and nothing to wind up.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from gateway.core.control import follow, limits, loads, motion, pool
from gateway.core.control.curtailment import curtailed, held_w
from gateway.core.control.estimate import ahead_w, estimated
from gateway.core.control.least_power import is_worth
from gateway.core.control.load_headroom import Scene
from gateway.core.control.memory import Lasting, Memory
from gateway.core.control.motion import Motion, Sample
from gateway.core.control.pool import Member
from gateway.core.control.trust import FRESH_S, GONE_S, Trust, judge, judge_meter
from gateway.core.control.trust import follow as follow_readings
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import SHOWN_S, Mode, Reason, SetPoint, SiteState

__all__ = ["Memory", "decide"]

SMALL_STEP_W = 15.0  # below this a new set-point is not worth a write: meters and batteries are no better
IDLE_W = 25.0  # below this people are told that nothing is to do
NOTHING_WANTED: Mapping[str, LoadSlot] = {}
PATH_S = 15.0  # how long a battery's past may matter beside the meter's delay


def decide(
    state: SiteState, site: Site, slot: Slot | None, memory: Memory, wants: Mapping[str, LoadSlot] = NOTHING_WANTED
) -> tuple[tuple[SetPoint, ...], Memory]:
    """The set-points of this cycle and the memory for the next: one for each battery, then inverters and loads.

    No slot is the plain rule. `wants`: what plan or plain rule say of each load now.
    """
    memory = replace(memory, watch=follow_readings(memory.watch, state, site))
    memory = _observe(memory, state, site)
    trusts = {
        battery.id: judge(state, site, battery.id, memory.watch, started=battery.id in memory.last)
        for battery in site.batteries
    }
    ours = tuple(battery for battery in site.batteries if trusts[battery.id].mode is Mode.CONTROL)
    held = {
        id_: _without_control(id_, trust, memory) for id_, trust in trusts.items() if trust.mode is not Mode.CONTROL
    }
    memory = _forget(memory, held)
    found: Mapping[str, SetPoint] = {}
    slot = follow.usable(slot)
    if ours:
        found, memory = _control(state, site, ours, slot, memory)
        memory = _remember(memory, found, ours, state.now_s, site.meter_delay_s[1])
    limits, memory = _curtailed(state, site, ours, slot, memory)
    taking, memory = _loads(state, site, ours, trusts, slot, wants, memory)
    return (*({**held, **found}[battery.id] for battery in site.batteries), *limits, *taking), memory


def _control(
    state: SiteState, site: Site, ours: tuple[Battery, ...], slot: Slot | None, memory: Memory
) -> tuple[Mapping[str, SetPoint], Memory]:
    grid = state.reading(site.grid, "p_w")
    ids = tuple(battery.id for battery in ours)
    memory = memory if ids == memory.ours else _anew(memory, ids)
    memory = estimated(memory, site, ours, grid)
    net_w = memory.net_w
    assert net_w is not None  # noqa: S101 - `estimated` leaves one
    aim_w = math.inf if slot is None else slot.peak_target_w
    members, allowed, lasting = _allowed(state, site, ours, net_w, memory, aim_w)
    soc, reserve = _mean(members)
    storage, stored_wh = pool.storage(ours), pool.stored_wh(members)
    latches = follow.latched(stored_wh, slot, storage, lasting.latches)
    plain_w = site.grid_setpoint_w - (net_w + ahead_w(memory, site, ours))
    wanted_w, rule = follow.wanted_w(plain_w, latches, storage)
    power_w, clipped = limits.clip(wanted_w, allowed, site=site, soc=soc, reserve=reserve, net_w=net_w, aim_w=aim_w)
    power_w = _steady(power_w, _last_w(memory, ours), allowed, ours)
    reason = clipped or _plain_reason(net_w, site.grid_setpoint_w, power_w)
    is_forced = clipped is not None and wanted_w >= 0.0 > power_w
    if rule is not None and slot is not None and not is_forced:
        reason = follow.reason(rule, slot, stored_wh, plain_w=plain_w, power_w=power_w)
    shares = pool.shares_w(power_w, members, lasting.working)
    shares, idle = _worthwhile(shares, ours, slot, lasting.working)
    reason = idle or reason
    found = {
        battery.id: SetPoint(
            device=battery.id,
            power_w=shares[battery.id],
            mode=Mode.CONTROL,
            reason=reason,
            measured_s=grid.measured_s,
        )
        for battery in ours
    }
    working = tuple(id_ for id_, share_w in shares.items() if share_w != 0.0)
    return found, replace(memory, lasting=replace(lasting, latches=latches, working=working))


def _allowed(
    state: SiteState,
    site: Site,
    ours: tuple[Battery, ...],
    net_w: float,
    memory: Memory,
    aim_w: float = math.inf,
) -> tuple[tuple[Member, ...], limits.Bounds, Lasting]:
    """What each battery and all together may do now, and who rests at its reserve."""
    members, each, resting = [], [], []
    phases = [state.value(site.grid, f"p_l{i}_w", max_age_s=SHOWN_S) for i in (1, 2, 3)]
    for battery in ours:
        soc = memory.watch.soc[battery.id]
        rests = limits.is_resting(soc, battery, was_resting=battery.id in memory.lasting.resting)
        pv_w = state.value(battery.inverter, "p_w", max_age_s=SHOWN_S) if battery.inverter else None
        bounds = limits.battery_bounds(battery, soc=soc, resting=rests, pv_w=pv_w)
        power_w = state.value(battery.id, "p_w", max_age_s=SHOWN_S)
        known = [phase for phase in phases if phase is not None]
        if power_w is not None:
            bounds = limits.phase_bounds(bounds, battery, known, power_w=power_w, limit_w=site.imbalance_limit_w)
        members.append(Member(battery=battery, soc=soc, low_w=bounds.low_w, high_w=bounds.high_w))
        each.append(bounds)
        resting += [battery.id] if rests else []
    if not each:
        return (), limits.NOTHING, replace(memory.lasting, resting=tuple(resting))
    coming_w = loads.coming_net_w(memory, state, site)  # makes way for a load before it draws
    allowed = limits.grid_bounds(limits.pool_bounds(each), site, net_w=net_w, coming_w=coming_w, aim_w=aim_w)
    return tuple(members), allowed, replace(memory.lasting, resting=tuple(resting))


def _loads(
    state: SiteState,
    site: Site,
    ours: tuple[Battery, ...],
    trusts: Mapping[str, Trust],
    slot: Slot | None,
    wants: Mapping[str, LoadSlot],
    memory: Memory,
) -> tuple[tuple[SetPoint, ...], Memory]:
    """Set-points of the loads. While a battery is late they stay as they are: its power is in nobody's books."""
    if not site.loads:
        return (), memory
    trust = judge_meter(state, site, memory.watch)
    if trust.mode is Mode.CONTROL:
        trust = next((each for each in trusts.values() if each.mode is Mode.HOLD), trust)
    if site.grid not in memory.watch.seen_s:
        trust = Trust(mode=Mode.WATCH, reason=Reason(code="starting"))
    most_w = 0.0
    if ours and memory.net_w is not None and not memory.lasting.latches.filled:
        members, _, _ = _allowed(state, site, ours, memory.net_w, memory)
        most_w = sum(max(member.high_w, 0.0) for member in members)
    scene = Scene(
        state=state,
        site=site,
        slot=slot,
        wants={id_: want for id_, want in wants.items() if math.isfinite(want.power_w + want.value)},
        net_w=memory.net_w if ours and memory.net_w is not None else state.reading(site.grid, "p_w").value or 0.0,
        storage=pool.storage(ours) if ours else None,
        battery_most_w=most_w,
        held_w=held_w(site, memory.curtailment, _pv_w(state, site)),
    )
    return loads.step(scene, trust, memory)


def _curtailed(
    state: SiteState, site: Site, ours: tuple[Battery, ...], slot: Slot | None, memory: Memory
) -> tuple[tuple[SetPoint, ...], Memory]:
    """Limits of the PV inverters that take one. Without sight of the grid the last ones stay."""
    grid_w = state.value(site.grid, "p_w", max_age_s=FRESH_S)
    net_w = memory.net_w if ours else grid_w
    if not site.curtailable or grid_w is None or net_w is None:
        return (), memory
    _, allowed, _ = _allowed(state, replace(site, export_limit_w=math.inf), ours, net_w, memory)
    found, curtailment = curtailed(
        site,
        memory.curtailment,
        net_w=net_w,
        pv_w=_pv_w(state, site),
        battery_high_w=allowed.high_w,
        grid_w=grid_w,
        export_w=0.0 if slot is not None and slot.sell < 0.0 else site.export_limit_w,
    )
    return found, replace(memory, curtailment=curtailment)


def _pv_w(state: SiteState, site: Site) -> float:
    """What all roofs give now (W, 0 or below)."""
    return sum(state.value(device, "p_w", max_age_s=SHOWN_S) or 0.0 for device in site.pv)


def _mean(members: tuple[Member, ...]) -> tuple[float, float]:
    """State of charge and reserve of all as one."""
    if len(members) == 1:
        return members[0].soc, members[0].battery.reserve
    capacity_wh = sum(m.battery.capacity_wh for m in members)
    soc = sum(m.soc * m.battery.capacity_wh for m in members) / capacity_wh
    return soc, sum(m.battery.reserve * m.battery.capacity_wh for m in members) / capacity_wh


def _last_w(memory: Memory, ours: tuple[Battery, ...]) -> float | None:
    """What all were told last; None when one was told nothing."""
    powers = [memory.last[b.id].power_w if b.id in memory.last else None for b in ours]
    known = [power_w for power_w in powers if power_w is not None]
    return sum(known) if len(known) == len(powers) else None


def _steady(power_w: float, last_w: float | None, allowed: limits.Bounds, ours: tuple[Battery, ...]) -> float:
    """The last power again when the new one differs by less than is worth a write and it is still allowed."""
    small_w = max(SMALL_STEP_W, *(battery.dead_band_w for battery in ours))
    if last_w is None or abs(power_w - last_w) >= small_w:
        return power_w
    return last_w if allowed.low_w <= last_w <= allowed.high_w else power_w


def _worthwhile(
    shares: Mapping[str, float], ours: tuple[Battery, ...], slot: Slot | None, before: tuple[str, ...]
) -> tuple[dict[str, float], Reason | None]:
    """The shares without those that lose more than they bring, and why none is left."""
    found, reason = dict(shares), None
    for battery in ours:
        power_w = shares[battery.id]
        if power_w != 0.0 and not is_worth(power_w, battery, slot, was_running=battery.id in before):
            found[battery.id] = 0.0
            reason = Reason(code="too_little", numbers={"wanted_w": power_w, "loss_w": battery.loss_w(power_w)})
    return found, None if any(found.values()) else reason


def _plain_reason(net_w: float, target_w: float, power_w: float) -> Reason:
    kind = "idle" if abs(power_w) < IDLE_W else "charge" if power_w > 0 else "discharge"
    numbers = {"net_w": net_w, "target_w": target_w, "power_w": power_w}
    return Reason(code=f"hold_grid_{kind}", numbers=numbers)


def _without_control(id_: str, trust: Trust, memory: Memory) -> SetPoint:
    """Hold renews the last power (or sends nothing if there was none); release and watch send nothing.

    What was bought or sold on purpose is not held: nobody sees any more whether the grid bears it.
    """
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    last = memory.last.get(id_)
    held_w = last.power_w if trust.mode is Mode.HOLD and last else None
    if last is not None and held_w is not None and last.reason.code in ("plan_charges", "plan_sells"):
        held_w = 0.0
    return SetPoint(device=id_, power_w=held_w, mode=trust.mode, reason=trust.reason)


def _forget(memory: Memory, held: Mapping[str, SetPoint]) -> Memory:
    """What is released starts anew when it is taken back."""
    gone = {id_ for id_, setpoint in held.items() if setpoint.mode is not Mode.HOLD}
    if not gone:
        return memory
    motions = {
        id_: replace(m, commanded=(), path=(), fitting=0) if id_ in gone else m for id_, m in memory.motions.items()
    }
    last = {id_: held.get(id_, setpoint) if id_ in gone else setpoint for id_, setpoint in memory.last.items()}
    memory = replace(memory, motions=motions, last=last)
    return _anew(memory, ()) if gone & set(memory.ours) else memory


def _anew(memory: Memory, ours: tuple[str, ...]) -> Memory:
    """The net load is another one with other batteries beside it."""
    return replace(memory, ours=ours, net_w=None, cautious_w=None, slopes_w=())


def _observe(memory: Memory, state: SiteState, site: Site) -> Memory:
    """Add each battery's report if it is a new one; forget what no meter can be late enough to show."""
    oldest_s = state.now_s - site.meter_delay_s[1] - GONE_S
    motions = dict(memory.motions)
    for battery in site.batteries:
        reading = state.reading(battery.id, "p_w")
        before = motions.get(battery.id, Motion())
        if reading.value is None:
            motions[battery.id] = motion.forget(before, oldest_s)
        else:
            sample = Sample(at_s=reading.measured_s, power_w=reading.value)
            motions[battery.id] = motion.reported(before, sample, oldest_s)
    return replace(memory, motions=motions)


def _remember(
    memory: Memory, found: Mapping[str, SetPoint], ours: tuple[Battery, ...], now_s: float, delay_s: float
) -> Memory:
    """Keep the last set-points and those whose effect may still be seen."""
    motions = dict(memory.motions)
    oldest_s = now_s - 2 * (delay_s + PATH_S)
    for battery in ours:
        power_w = found[battery.id].power_w
        assert power_w is not None  # noqa: S101 - control always has a number
        sample = Sample(at_s=now_s, power_w=power_w)
        motions[battery.id] = motion.commanded(motions[battery.id], sample, battery, oldest_s)
    return replace(memory, motions=motions, last={**memory.last, **found})
