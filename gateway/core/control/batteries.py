"""Third stage: the batteries hold the grid at its set-point, within the levels of the plan and all limits.

Feed-forward, not feedback: set-point = target - net load, where the net load is estimated in `net_load` with the
batteries' dead time and ramp and the meter's delay in mind. There is no gain to tune and nothing to wind up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control import level_rule, limits, net_load, pool
from gateway.core.control.battery_response import BatteryResponse, PowerSample, trimmed, with_report, with_setpoint
from gateway.core.control.least_power import pays_off
from gateway.core.control.level_rule import ActiveLevels, LevelDecision, LevelRule
from gateway.core.control.limits import Bounds, GridSide
from gateway.core.control.net_load import NetLoadMemory
from gateway.core.control.observe import Observation
from gateway.core.control.pool import PoolBattery
from gateway.core.control.trust import GONE_S, SiteTrust, Trust
from gateway.core.model.levels import Storage
from gateway.core.model.plan import Slot
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import SHOWN_S, Mode, Purpose, Reason, SetPoint

SMALL_STEP_W = 15.0  # below this a new set-point is not worth a write: meters and batteries are no better
IDLE_W = 25.0  # below this people are told that nothing is to do
PATH_S = 15.0  # how long a battery's past may matter beside the meter's delay: dead time and ramp of slow ones


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMemory:
    """What is remembered of the batteries, by battery id."""

    responses: Mapping[str, BatteryResponse] = field(default_factory=dict)
    last: Mapping[str, SetPoint] = field(default_factory=dict)  # who is not in it was never controlled
    controlled: tuple[str, ...] = ()  # whose power is not in the net load
    net: NetLoadMemory = field(default_factory=NetLoadMemory)
    levels: ActiveLevels = frozenset()
    resting: tuple[str, ...] = ()  # at their reserve: not discharged until a little above it
    working: tuple[str, ...] = ()  # with a power other than 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryDecision:
    """What the batteries get, and what the stages after it must know of them."""

    setpoints: tuple[SetPoint, ...]  # one for each battery of the site
    memory: BatteryMemory
    net_w: float | None = None  # the building without the controlled batteries, import positive; None: none controlled
    storage: Storage | None = None  # the controlled ones as one; None: none controlled
    charge_max_w: float = 0.0  # the most they may charge under the import limit
    surplus_max_w: float = 0.0  # the most they can take of surplus; 0 while the plan fills them no further


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPower:
    """The power of all controlled batteries together."""

    power_w: float  # charging positive
    reason: Reason
    purpose: Purpose


def control_batteries(
    observation: Observation,
    site: Site,
    slot: Slot | None,
    trust: SiteTrust,
    memory: BatteryMemory,
    *,
    coming_net_w: float,
) -> BatteryDecision:
    """The set-points of all batteries: those that may be controlled share one power, the others are held or given back.

    `coming_net_w`: the net load when the loads do what they were sent; -inf while all of them do it already.
    """
    memory = _observed(memory, observation, site)
    kept = {
        id_: _uncontrolled(id_, one, memory) for id_, one in trust.batteries.items() if one.mode is not Mode.CONTROL
    }
    memory = _forgotten(memory, kept)
    ours = tuple(battery for battery in site.batteries if battery.id not in kept)
    if not ours:
        return BatteryDecision(setpoints=tuple(kept[battery.id] for battery in site.batteries), memory=memory)
    memory = _estimated(memory, observation, site, ours)
    members = _members(observation, site, ours, trust.readings.soc, memory.resting)
    decision = _decided(site, slot, members, coming_net_w, memory)
    found = {setpoint.device: setpoint for setpoint in decision.setpoints}
    return replace(
        decision,
        setpoints=tuple({**kept, **found}[battery.id] for battery in site.batteries),
        memory=_sent(decision.memory, found, ours, observation.now_s, site.meter_delay_s[1]),
    )


def _observed(memory: BatteryMemory, observation: Observation, site: Site) -> BatteryMemory:
    """With each battery's report if it is a new one, without what no meter can be late enough to show."""
    oldest_s = observation.now_s - site.meter_delay_s[1] - GONE_S
    responses = dict(memory.responses)
    for battery in site.batteries:
        reading, before = observation.power(battery.id), responses.get(battery.id, BatteryResponse())
        if reading.value is None:
            responses[battery.id] = trimmed(before, oldest_s)
        else:
            sample = PowerSample(at_s=reading.measured_s, power_w=reading.value)
            responses[battery.id] = with_report(before, sample, oldest_s)
    return replace(memory, responses=responses)


def _estimated(memory: BatteryMemory, observation: Observation, site: Site, ours: tuple[Battery, ...]) -> BatteryMemory:
    """With the net load by the newest sample of the grid meter."""
    controlled = tuple(battery.id for battery in ours)
    memory = memory if controlled == memory.controlled else _anew(memory, controlled)
    responses = [memory.responses[id_] for id_ in controlled]
    net = net_load.estimated(memory.net, site, ours, responses, observation.power(site.grid))
    return replace(memory, net=net)


def _members(
    observation: Observation,
    site: Site,
    ours: tuple[Battery, ...],
    socs: Mapping[str, float],
    resting: tuple[str, ...],
) -> tuple[PoolBattery, ...]:
    """What each battery may do now by itself: by its charge, its inverter's AC side and the phases."""
    members = []
    for battery in ours:
        soc, power_w = socs[battery.id], observation.power_w(battery.id, max_age_s=SHOWN_S)
        rests = limits.is_resting(soc, battery, was_resting=battery.id in resting)
        pv_w = observation.power_w(battery.inverter, max_age_s=SHOWN_S) if battery.inverter else None
        bounds = limits.battery_bounds(battery, soc=soc, resting=rests, pv_w=pv_w)
        if power_w is not None:
            phases_w, limit_w = observation.phases_w, site.imbalance_limit_w
            bounds = limits.phase_bounds(bounds, battery, phases_w, power_w=power_w, limit_w=limit_w)
        members.append(PoolBattery(battery=battery, soc=soc, rests=rests, bounds=bounds))
    return tuple(members)


def _decided(
    site: Site, slot: Slot | None, members: tuple[PoolBattery, ...], coming_net_w: float, memory: BatteryMemory
) -> BatteryDecision:
    """The set-points of the controlled batteries; `memory` has the net load of this cycle."""
    net_w, batteries = memory.net.net_w, tuple(member.battery for member in members)
    assert net_w is not None  # noqa: S101 - `_estimated` leaves one
    grid = GridSide(site=site, net_w=net_w, coming_net_w=coming_net_w)
    storage, devices_may = pool.storage(batteries), limits.pool_bounds([member.bounds for member in members])
    plain_w = site.grid_setpoint_w - (net_w + net_load.ahead_w(memory.net, site, batteries))
    levels = level_rule.decided(plain_w, pool.stored_wh(members), slot, storage, memory.levels)
    power = _limited(levels, devices_may, _with_peak_target(grid, slot), members, memory)
    shares_w, idle = _paying(pool.shares_w(power.power_w, members, memory.working), members, slot, memory.working)
    setpoints = tuple(
        SetPoint(
            device=battery.id,
            power_w=shares_w[battery.id],
            mode=Mode.CONTROL,
            reason=idle or power.reason,
            measured_s=memory.net.shown_s,
            purpose=power.purpose if idle is None else Purpose.SELF_CONSUMPTION,
        )
        for battery in batteries
    )
    resting = tuple(member.battery.id for member in members if member.rests)
    working = tuple(id_ for id_, share_w in shares_w.items() if share_w != 0.0)
    takes_surplus = LevelRule.LEAVE not in levels.active
    return BatteryDecision(
        setpoints=setpoints,
        memory=replace(memory, levels=levels.active, resting=resting, working=working),
        net_w=net_w,
        storage=storage,
        charge_max_w=limits.grid_bounds(devices_may, grid).high_w,
        surplus_max_w=sum(max(member.bounds.high_w, 0.0) for member in members) if takes_surplus else 0.0,
    )


def _with_peak_target(grid: GridSide, slot: Slot | None) -> GridSide:
    return grid if slot is None else replace(grid, peak_target_w=slot.aim_w)


def _limited(
    levels: LevelDecision, devices_may: Bounds, grid: GridSide, members: tuple[PoolBattery, ...], memory: BatteryMemory
) -> PoolPower:
    """The power by the levels inside all limits, and what to say of it.

    A limit says why where it turns the power's sign, or where no level has a say; else the level does.
    """
    allowed = limits.grid_bounds(devices_may, grid)
    soc, reserve = pool.charge_of(members)
    power_w, clipped = limits.clip(levels.wanted_w, allowed, grid, soc=soc, reserve=reserve)
    power_w = _steady(power_w, allowed, members, memory)
    is_forced = clipped is not None and levels.wanted_w >= 0.0 > power_w
    if levels.reason is not None and not is_forced:
        return PoolPower(power_w=power_w, reason=level_rule.with_power(levels.reason, power_w), purpose=levels.purpose)
    reason = clipped or _plain_reason(grid.net_w, grid.site.grid_setpoint_w, power_w)
    return PoolPower(power_w=power_w, reason=reason, purpose=Purpose.SELF_CONSUMPTION)


def _steady(power_w: float, allowed: Bounds, members: tuple[PoolBattery, ...], memory: BatteryMemory) -> float:
    """The last power again when the new one differs by less than is worth a write and it is still allowed."""
    known = [memory.last[m.battery.id].power_w if m.battery.id in memory.last else None for m in members]
    powers_w = [last_w for last_w in known if last_w is not None]
    small_w = max(SMALL_STEP_W, *(member.battery.dead_band_w for member in members))
    last_w = sum(powers_w)
    if len(powers_w) < len(known) or abs(power_w - last_w) >= small_w:
        return power_w
    return last_w if allowed.low_w <= last_w <= allowed.high_w else power_w


def _paying(
    shares_w: Mapping[str, float], members: tuple[PoolBattery, ...], slot: Slot | None, before: tuple[str, ...]
) -> tuple[dict[str, float], Reason | None]:
    """The shares without those that lose more than they bring, and why none is left (None where one is)."""
    found, reason = dict(shares_w), None
    for battery in (member.battery for member in members):
        power_w = shares_w[battery.id]
        if power_w != 0.0 and not pays_off(power_w, battery, slot, was_running=battery.id in before):
            found[battery.id] = 0.0
            reason = Reason(code="too_little", numbers={"wanted_w": power_w, "loss_w": battery.loss_w(power_w)})
    return found, None if any(found.values()) else reason


def _plain_reason(net_w: float, target_w: float, power_w: float) -> Reason:
    kind = "idle" if abs(power_w) < IDLE_W else "charge" if power_w > 0 else "discharge"
    numbers = {"net_w": net_w, "target_w": target_w, "power_w": power_w}
    return Reason(code=f"hold_grid_{kind}", numbers=numbers)


def _uncontrolled(id_: str, trust: Trust, memory: BatteryMemory) -> SetPoint:
    """Hold renews the last power (or sends nothing if there was none); release and watch send nothing.

    What was bought or sold on purpose is not held: nobody sees any more whether the grid bears it.
    """
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    last = memory.last.get(id_)
    if trust.mode is not Mode.HOLD or last is None or last.power_w is None:
        return SetPoint(device=id_, power_w=None, mode=trust.mode, reason=trust.reason)
    is_trade = last.purpose in (Purpose.GRID_CHARGE, Purpose.SALE)
    return SetPoint(device=id_, power_w=0.0 if is_trade else last.power_w, mode=trust.mode, reason=trust.reason)


def _forgotten(memory: BatteryMemory, kept: Mapping[str, SetPoint]) -> BatteryMemory:
    """What is given back starts anew when it is taken back."""
    gone = {id_ for id_, setpoint in kept.items() if setpoint.mode is not Mode.HOLD}
    if not gone:
        return memory
    responses = {
        id_: replace(response, setpoints=(), expected=(), matching=0) if id_ in gone else response
        for id_, response in memory.responses.items()
    }
    last = {id_: kept[id_] if id_ in gone else setpoint for id_, setpoint in memory.last.items()}
    memory = replace(memory, responses=responses, last=last)
    return _anew(memory, ()) if gone & set(memory.controlled) else memory


def _anew(memory: BatteryMemory, controlled: tuple[str, ...]) -> BatteryMemory:
    """The net load is another one with other batteries beside it."""
    return replace(memory, controlled=controlled, net=net_load.started_anew(memory.net))


def _sent(
    memory: BatteryMemory, found: Mapping[str, SetPoint], ours: tuple[Battery, ...], now_s: float, delay_s: float
) -> BatteryMemory:
    """Keep the last set-points and those whose effect may still be seen."""
    responses = dict(memory.responses)
    oldest_s = now_s - 2 * (delay_s + PATH_S)
    for battery in ours:
        power_w = found[battery.id].power_w
        assert power_w is not None  # noqa: S101 - control always has a number
        sample = PowerSample(at_s=now_s, power_w=power_w)
        responses[battery.id] = with_setpoint(responses[battery.id], sample, battery, oldest_s)
    return replace(memory, responses=responses, last={**memory.last, **found})
