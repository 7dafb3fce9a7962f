"""Third stage: the batteries hold the grid at its set-point, within the levels of the plan and all limits.

Feed-forward, not feedback: set-point = target - net load, where the net load is estimated in `net_load` with the
batteries' dead time and ramp and the meter's delay in mind. There is no gain to tune and nothing to wind up.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from gateway.core.control import battery_response, level_rule, net_load, pool, pool_power, pool_shares, sure_load
from gateway.core.control.battery_response import BatteryResponse
from gateway.core.control.battery_supply import Unsupplied
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.level_rule import ActiveLevels, LevelRule
from gateway.core.control.limited_flows import battery_powers
from gateway.core.control.net_load import NetLoad, NetLoadMemory
from gateway.core.control.pool import Pool
from gateway.core.control.pool_power import GridSide, PoolPower
from gateway.core.control.pool_shares import Shares
from gateway.core.control.sure_load import SureLoad
from gateway.core.control.trust.judge import SiteTrust
from gateway.core.control.trust.rules import GONE_S, Trust
from gateway.core.model.levels import Storage
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Purpose, SetPoint

ALL_SUPPLIED = Unsupplied()
HIDDEN_S = 6.0  # so long after PV was last seen at its limit it may still be on its way up to a higher one


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryMemory:
    """What is remembered of the batteries, by battery id."""

    responses: Mapping[str, BatteryResponse] = field(default_factory=dict)  # what each did with what it was sent
    last: Mapping[str, SetPoint] = field(default_factory=dict)  # a battery that is not in it was never controlled
    controlled: tuple[str, ...] = ()  # whose power is not in the net load
    net: NetLoadMemory = field(default_factory=NetLoadMemory)  # the estimate of the net load and of the meter's delay
    sure: SureLoad = field(default_factory=SureLoad)  # the least that the building has drawn of late
    limited_s: float = -math.inf  # monotonic moment at which PV was last seen at its limit
    levels: ActiveLevels = frozenset()  # levels of the plan that are crossed; none without a plan
    resting: tuple[str, ...] = ()  # at their reserve: not discharged until a little above it
    working: tuple[str, ...] = ()  # with a power other than 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryDecision:
    """What the batteries are sent, and what later stages need to know about them."""

    setpoints: tuple[SetPoint, ...]  # one for each battery of the site
    memory: BatteryMemory  # for the next cycle
    net_w: float | None = None  # the building without the controlled batteries, import positive; None: none controlled
    storage: Storage | None = None  # the controlled ones as one; None: none controlled
    charge_max_w: float = 0.0  # the most they may charge under the import limit
    is_forced: bool = False  # whether a limit needs what they are sent
    surplus_max_w: float = 0.0  # the most they can take of surplus; 0 while the plan fills them no further


def control_batteries(
    cycle: CycleInput,
    trust: SiteTrust,
    memory: BatteryMemory,
    *,
    coming_net_w: float,
    pv_is_limited: bool,
    unsupplied: Unsupplied = ALL_SUPPLIED,
) -> BatteryDecision:
    """The set-points of all batteries: those that may be controlled share one power, the others are held or given back.

    `coming_net_w`: the net load when the loads do what they were sent; -inf while all of them do it already.
    `pv_is_limited`: whether PV is held back, so that the surplus does not show what the batteries could take.
    `unsupplied`: the loads that the batteries do not supply.
    """
    seen, site, slot = cycle.seen, cycle.site, cycle.slot
    kept = {
        id_: _uncontrolled(id_, one, memory) for id_, one in trust.batteries.items() if one.mode is not Mode.CONTROL
    }
    ours = tuple(battery for battery in site.batteries if battery.id not in kept)
    memory = _observed(memory, cycle, kept, tuple(battery.id for battery in ours))
    if not ours:
        return BatteryDecision(setpoints=tuple(kept[battery.id] for battery in site.batteries), memory=memory)
    responses = memory.responses
    net = net_load.estimated(memory.net, site, ours, [responses[one.id] for one in ours], seen.grid.power)
    theirs = battery_powers(seen, [battery.id for battery in ours], net.net_w)
    able = pool.pooled(
        ours,
        trust.readings.soc,
        memory.resting,
        seen,
        trust.readings.following,
        site,
        flows=[(flow, theirs.without(flow)) for flow in cycle.flows[1:]],
    )
    limited_s = seen.now_s if pv_is_limited else memory.limited_s
    plain_w = _plain_w(net, able, site, may_hide=seen.now_s - limited_s < HIDDEN_S)
    levels = level_rule.decided(plain_w, able.stored_wh, slot, able.storage, memory.levels)
    least = sure_load.sampled(memory.sure, net.net_w - seen.pv_w, seen.now_s)
    grid = GridSide(
        site=site,
        net_w=net.net_w,
        coming_net_w=coming_net_w,
        peak_target_w=math.inf if slot is None else slot.peak_target_w,
        least_net_w=least.load_w + seen.pv_w if _is_bounded(trust, site) else math.inf,
        import_correction_w=cycle.flows[0].import_correction_w,
        unsupplied_w=unsupplied.beyond_surplus_w(net.net_w),
    )
    if trust.ask_w is None:
        power = pool_power.limited(levels, able, grid, memory.last)
    else:
        power = pool_power.asked(trust.ask_w, able, grid)
    shares = pool_shares.shared_out(power.power_w, able.members, slot, memory.working, forced=power.is_forced)
    found = _setpoints(power, shares, measured_s=seen.grid.power.measured_s)
    delay_s = site.meter_delay_s[1]
    return BatteryDecision(
        setpoints=tuple({**kept, **found}[battery.id] for battery in site.batteries),
        memory=replace(
            memory,
            responses=battery_response.sent(responses, ours, shares.powers_w, now_s=seen.now_s, delay_s=delay_s),
            last={**memory.last, **found},
            net=net.memory,
            sure=least,
            limited_s=limited_s,
            levels=levels.active,
            resting=tuple(member.battery.id for member in able.members if member.rests),
            working=tuple(id_ for id_, power_w in shares.powers_w.items() if power_w != 0.0),
        ),
        net_w=net.net_w,
        storage=able.storage,
        charge_max_w=power.charge_max_w,
        is_forced=power.is_forced,
        surplus_max_w=0.0 if LevelRule.LEAVE in levels.active else able.takes_w,
    )


def _plain_w(net: NetLoad, able: Pool, site: Site, *, may_hide: bool) -> float:
    """The power (W) that keeps the grid at its set-point; all, while limited PV may hide what there is (`may_hide`).

    What is not offered cannot be taken, so a battery that has taken less would never show that it takes more.
    """
    plain_w = site.grid_setpoint_w - (net.net_w + net.ahead_w)
    is_tried = may_hide and able.takes_w < able.storage.charge_max_w
    return max(plain_w, able.storage.charge_max_w) if is_tried else plain_w


def _setpoints(power: PoolPower, shares: Shares, *, measured_s: float) -> dict[str, SetPoint]:
    """The set-point of each controlled battery by its id, by the meter's sample of that moment."""
    return {
        id_: SetPoint(
            device=id_,
            power_w=power_w,
            mode=Mode.CONTROL,
            reason=shares.idle or power.reason,
            measured_s=measured_s,
            purpose=power.purpose if shares.idle is None else Purpose.SELF_CONSUMPTION,
        )
        for id_, power_w in shares.powers_w.items()
    }


def _is_bounded(trust: SiteTrust, site: Site) -> bool:
    """Whether batteries and PV together stay below the export limit even if all but the base load is off.

    That costs next to nothing where the batteries alone cannot pass it. Where they can, it would keep them from serving
    the building: there it holds while the meter is not known to be timely.
    """
    discharge_w = sum(battery.discharge_max_w for battery in site.batteries)
    return site.export_limit_w >= discharge_w or not trust.readings.meter.is_timely


def _uncontrolled(id_: str, trust: Trust, memory: BatteryMemory) -> SetPoint:
    """Hold renews the last power (or sends nothing if there was none); release and watch send nothing.

    What was bought or sold on purpose is not held: without the meter it is not known whether a limit is exceeded.
    """
    assert trust.reason is not None  # noqa: S101 - only control comes without one
    last = memory.last.get(id_)
    if trust.mode is not Mode.HOLD or last is None or last.power_w is None:
        return SetPoint(device=id_, power_w=None, mode=trust.mode, reason=trust.reason)
    return SetPoint(device=id_, power_w=_held_w(last.power_w, last.purpose), mode=trust.mode, reason=trust.reason)


def _held_w(power_w: float, purpose: Purpose) -> float:
    """The power (W) that is held on of one that was sent for this purpose."""
    match purpose:
        case Purpose.SELF_CONSUMPTION:
            return power_w
        case Purpose.GRID_CHARGE | Purpose.SALE:
            return 0.0
        case _:
            assert_never(purpose)


def _observed(
    memory: BatteryMemory, cycle: CycleInput, kept: Mapping[str, SetPoint], ours: tuple[str, ...]
) -> BatteryMemory:
    """With the reports of this cycle. What is given back starts anew when it is taken back.

    So does the net load with other batteries beside it.
    """
    released = {id_ for id_, setpoint in kept.items() if setpoint.mode is not Mode.HOLD}
    oldest_s = cycle.seen.now_s - cycle.site.meter_delay_s[1] - GONE_S
    responses = battery_response.observed(memory.responses, cycle.seen.batteries, oldest_s=oldest_s, released=released)
    last = {id_: kept[id_] if id_ in released else setpoint for id_, setpoint in memory.last.items()}
    controlled = ours or (() if released & set(memory.controlled) else memory.controlled)
    net = memory.net if controlled == memory.controlled else net_load.started_anew(memory.net)
    return replace(memory, responses=responses, last=last, controlled=controlled, net=net)
