"""Several batteries as one: what they hold and what they may do now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.control import limits
from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.control.limits import NOTHING, Bounds, Limit
from gateway.core.control.observe import Observation
from gateway.core.control.trust.following import Following
from gateway.core.model.levels import Storage
from gateway.core.model.site import Battery, Site

FlowRest = tuple[LimitedFlow, float | None]
"""A flow, and what it would be without the controlled batteries (W, import positive); None while that is not known."""

UNKNOWN_LOSS_SHARE = 0.05  # one way, for planning, where the maker says nothing of losses


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolBattery:
    """A battery that may be controlled."""

    battery: Battery  # its constants
    soc: float  # state of charge, 0…1
    rests: bool = False  # at its reserve: not discharged until a little above it
    bounds: Bounds = NOTHING  # what it may be sent now by itself
    takes_w: float = 0.0  # what it can be relied on to take now, 0 or above

    @property
    def available(self) -> float:
        """Share of the capacity (0…1) that can be taken out."""
        return max(self.soc - self.battery.reserve, 0.0)

    @property
    def headroom(self) -> float:
        """Share of the capacity (0…1) that can be put in."""
        return max(self.battery.soc_max - self.soc, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All controlled batteries together: what they hold and may do now (Wh, W)."""

    members: tuple[PoolBattery, ...]  # at least one
    storage: Storage  # as planning sees them
    stored_wh: float  # above their reserves; below 0 where one is below it
    soc: float  # state of charge of all as one, 0…1
    reserve: float  # the same of their reserves
    bounds: Bounds  # what they may be sent together now, by themselves
    takes_w: float  # what they can be relied on to take together now, 0 or above


def pooled(
    batteries: Sequence[Battery],
    socs: Mapping[str, float],
    resting: Collection[str],
    seen: Observation,
    following: Mapping[str, Following],
    site: Site,
    *,
    flows: Sequence[FlowRest] = (),
) -> Pool:
    """What they hold and may do now.

    `socs`: the states of charge (0…1) as last known; `following`: what each does with what it is sent, both by battery
    id; `resting`: those that were at their reserve; `flows`: through circuits and phases with limits.
    """
    soc, reserve = charge_of(batteries, socs)
    alone = [
        _member(
            battery,
            seen,
            following.get(battery.id, Following()),
            socs[battery.id],
            site,
            was_resting=battery.id in resting,
        )
        for battery in batteries
    ]
    members = tuple(_inside(member, alone, flows) for member in alone)
    return Pool(
        members=members,
        storage=storage(batteries),
        stored_wh=stored_wh(batteries, socs),
        soc=soc,
        reserve=reserve,
        bounds=limits.pool_bounds([member.bounds for member in members]),
        takes_w=sum(member.takes_w for member in members),
    )


def storage(batteries: Sequence[Battery]) -> Storage:
    """The pool as planning sees it: what lies between the reserve and full, all powers at once."""
    capacity_wh = sum(b.capacity_wh * (b.soc_max - b.reserve) for b in batteries)
    charge_w, discharge_w = sum(b.charge_max_w for b in batteries), sum(b.discharge_max_w for b in batteries)
    return Storage(
        capacity_wh=capacity_wh,
        charge_max_w=charge_w,
        discharge_max_w=discharge_w,
        charge_efficiency=1.0 - sum(_loss_share(b, 0.5 * b.charge_max_w) for b in batteries) / max(len(batteries), 1),
        discharge_efficiency=1.0
        / (1.0 + sum(_loss_share(b, 0.5 * b.discharge_max_w) for b in batteries) / max(len(batteries), 1)),
    )


def stored_wh(batteries: Sequence[Battery], socs: Mapping[str, float]) -> float:
    """Energy above the reserves (Wh), by the states of charge (0…1); below 0 where one is below its reserve."""
    return sum((socs[b.id] - b.reserve) * b.capacity_wh for b in batteries)


def charge_of(batteries: Sequence[Battery], socs: Mapping[str, float]) -> tuple[float, float]:
    """State of charge and reserve (0…1) of all as one."""
    if len(batteries) == 1:
        return socs[batteries[0].id], batteries[0].reserve
    capacity_wh = sum(b.capacity_wh for b in batteries)
    soc = sum(socs[b.id] * b.capacity_wh for b in batteries) / capacity_wh
    return soc, sum(b.reserve * b.capacity_wh for b in batteries) / capacity_wh


def _member(
    battery: Battery,
    seen: Observation,
    follows: Following,
    soc: float,
    site: Site,
    *,
    was_resting: bool,
) -> PoolBattery:
    """What one battery may do now: by its charge, its inverter's AC side, the phases, and what it takes and gives."""
    view, phases_w = seen.batteries[battery.id], seen.grid.phases_w
    rests = limits.is_resting(soc, battery, was_resting=was_resting)
    bounds = limits.battery_bounds(battery, soc=soc, resting=rests, pv_w=view.inverter_w)
    if view.shown_w is not None:
        limit_w = site.imbalance_limit_w
        bounds = limits.phase_bounds(bounds, battery, phases_w, power_w=view.shown_w, limit_w=limit_w)
    takes_w = max(min(bounds.high_w, follows.takes.proven_w), 0.0)
    bounds = bounds.narrow(
        Limit.ABILITY,
        low_w=-follows.gives.offered_w(battery.discharge_max_w, battery.min_power_w, seen.now_s),
        high_w=follows.takes.offered_w(battery.charge_max_w, battery.min_power_w, seen.now_s),
    )
    return PoolBattery(battery=battery, soc=soc, rests=rests, bounds=bounds, takes_w=takes_w)


def _inside(member: PoolBattery, members: Sequence[PoolBattery], flows: Sequence[FlowRest]) -> PoolBattery:
    """What one battery may do inside the limits of circuits and phases; what is left there is divided as they can."""
    bounds = member.bounds
    for is_import in (True, False):  # what must not be drawn goes first: PV can be limited
        for flow, rest_w in flows:
            share = flow.drawn.get(member.battery.id, 0.0)
            if share > 0.0:
                room_w = None if rest_w is None else limits.flow_room_w(flow, rest_w)
                parts = (
                    _part(member, members, flow, room_w, charging=True),
                    _part(member, members, flow, room_w, charging=False),
                )
                bounds = limits.flow_bounds(
                    bounds, flow, share=share, room_w=room_w, parts=parts, is_import=is_import
                )  # fmt: skip
    return replace(member, bounds=bounds)


def _part(
    member: PoolBattery,
    members: Sequence[PoolBattery],
    flow: LimitedFlow,
    room_w: tuple[float, float] | None,
    *,
    charging: bool,
) -> float:
    """The part (0…1) of what is left for drawing or giving that is this battery's: as it can, beside the others.

    Where nothing is left, but something must be made up for, those count that can do the opposite.
    """
    is_over = room_w is not None and room_w[0 if charging else 1] < 0.0

    def able_w(one: PoolBattery) -> float:
        most_w = one.bounds.high_w if charging is not is_over else -one.bounds.low_w
        return flow.drawn.get(one.battery.id, 0.0) * max(most_w, 0.0)

    total_w = sum(map(able_w, members))
    return able_w(member) / total_w if total_w > 0.0 else 0.0


def _loss_share(battery: Battery, power_w: float) -> float:
    known = battery.loss_constant_w or battery.loss_linear or battery.loss_quadratic_per_w
    return battery.loss_w(power_w) / power_w if known else UNKNOWN_LOSS_SHARE
