"""The power of all controlled batteries together: that of the levels, inside the limits of devices and grid."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.core.control.level_rule import LevelDecision
from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.control.limits import Bounds, Limit
from gateway.core.control.pool import Pool
from gateway.core.model.site import Site
from gateway.core.model.state import Purpose, Reason, SetPoint

SMALL_STEP_W = 15.0  # below this a new set-point is not sent: meters and batteries are no more exact than that
IDLE_W = 25.0  # below this the reason says that nothing is to do


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSide:
    """What the connection allows the batteries, and the power of everything else on it (W)."""

    site: Site  # its limits at the grid
    net_w: float  # the building without its controlled batteries, import positive
    coming_net_w: float = -math.inf  # the same when loads do what they were sent; -inf while all of them do it already
    peak_target_w: float = math.inf  # import that the plan does not want to exceed, because it would be a new peak
    least_net_w: float = math.inf  # the same with the least load that is sure; inf where the meter is timely
    import_correction_w: float = 0.0  # so much tighter the import limit is held (`limit_guard`), 0 or above
    unsupplied_w: float = 0.0  # of `net_w`, what loads draw that the batteries do not supply, 0 or above


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPower:
    """The power of all controlled batteries together (W, charging positive), with its reason."""

    power_w: float  # charging positive
    reason: Reason  # of all their set-points, unless none of them runs
    purpose: Purpose  # the same
    charge_max_w: float  # the most they might charge under the import limit, whatever the peak target
    is_forced: bool = False  # whether a limit allows no rest: then it does not matter what a converter loses


def limited(levels: LevelDecision, pool: Pool, grid: GridSide, last: Mapping[str, SetPoint]) -> PoolPower:
    """The power by the levels inside all limits, and what to say of it; `last`: the last set-points by battery id.

    The reason is a limit's where it turns the power's sign, or where no level changed the power; else the level's.
    """
    charge_max_w = min(grid_bounds(pool.bounds, replace(grid, peak_target_w=math.inf)).high_w, pool.takes_w)
    allowed = grid_bounds(pool.bounds, grid)
    requested_w = max(levels.requested_w, least_w(grid))
    power_w, clipped = clip(requested_w, allowed, grid, soc=pool.soc, reserve=pool.reserve)
    power_w = _steady(power_w, allowed, pool, last)
    is_turned = clipped is not None and requested_w >= 0.0 > power_w
    found = PoolPower(
        power_w=power_w,
        reason=clipped or _plain_reason(grid.net_w, grid.site.grid_setpoint_w, power_w),
        purpose=Purpose.SELF_CONSUMPTION,
        charge_max_w=charge_max_w,
        is_forced=not allowed.low_w <= 0.0 <= allowed.high_w,
    )
    if requested_w > levels.requested_w + IDLE_W:
        return found if clipped else replace(found, reason=_unsupplied_reason(grid, power_w))
    if levels.reason is not None and not is_turned:
        reason = replace(levels.reason, numbers={**levels.reason.numbers, "power_w": power_w})
        return replace(found, reason=reason, purpose=levels.purpose)
    return found


def least_w(grid: GridSide) -> float:
    """The most that the batteries give by themselves (W, 0 or below): what is needed without loads they do not supply.

    A limit may force more.
    """
    if grid.unsupplied_w <= 0.0:
        return -math.inf
    return min(grid.site.grid_setpoint_w - (grid.net_w - grid.unsupplied_w), 0.0)


def asked(ask_w: float, pool: Pool, grid: GridSide) -> PoolPower:
    """A step (W, charging positive) by which the grid meter is asked whether it tells the truth."""
    allowed = grid_bounds(pool.bounds, grid)
    power_w = min(max(ask_w, allowed.low_w), allowed.high_w)
    reason = Reason(code="meter_asked", numbers={"power_w": power_w})
    return PoolPower(power_w=power_w, reason=reason, purpose=Purpose.SELF_CONSUMPTION, charge_max_w=0.0)


def grid_bounds(allowed: Bounds, grid: GridSide) -> Bounds:
    """The same inside the limits at the grid."""
    drawn_w = max(grid.net_w, grid.coming_net_w)
    allowed = allowed.narrow(Limit.IMPORT, high_w=grid.site.import_limit_w - grid.import_correction_w - drawn_w)
    allowed = allowed.narrow(Limit.PEAK_TARGET, high_w=grid.peak_target_w - drawn_w)
    return allowed.narrow(Limit.EXPORT, low_w=-grid.site.export_limit_w - min(grid.net_w, grid.least_net_w))


def clip(
    requested_w: float, allowed: Bounds, grid: GridSide, *, soc: float, reserve: float
) -> tuple[float, Reason | None]:
    """The requested power inside the bounds, and why it differs from the request (None when it does not)."""
    power_w = min(max(requested_w, allowed.low_w), allowed.high_w)
    if power_w == requested_w:
        return power_w, None
    limit, flow = (
        (allowed.low_by, allowed.low_at) if requested_w < allowed.low_w else (allowed.high_by, allowed.high_at)
    )
    if flow is not None:
        return power_w, _place_reason(limit, flow, requested_w)
    numbers = {
        Limit.CHARGE_POWER: {"wanted_w": requested_w, "allowed_w": power_w},
        Limit.DISCHARGE_POWER: {"wanted_w": requested_w, "allowed_w": power_w},
        Limit.ABILITY: {"wanted_w": requested_w, "allowed_w": power_w},
        Limit.AC_SIDE: {"wanted_w": requested_w, "allowed_w": power_w},
        Limit.IMBALANCE: {"wanted_w": requested_w, "limit_w": grid.site.imbalance_limit_w},
        Limit.FULL: {"soc_pct": 100 * soc},
        Limit.RESERVE: {"soc_pct": 100 * soc, "reserve_pct": 100 * reserve},
        Limit.IMPORT: {"wanted_w": requested_w, "limit_w": grid.site.import_limit_w},
        Limit.EXPORT: {"wanted_w": requested_w, "limit_w": grid.site.export_limit_w},
        Limit.PEAK_TARGET: {"net_w": grid.net_w, "limit_w": grid.peak_target_w, "power_w": power_w},
    }
    return power_w, Reason(code=limit.value, numbers=numbers[limit])


def _place_reason(limit: Limit, flow: LimitedFlow, requested_w: float) -> Reason:
    """Of a power that a phase or a circuit does not bear."""
    is_import = limit in (Limit.PHASE_IMPORT, Limit.CIRCUIT_IMPORT)
    limit_w = flow.import_limit_w if is_import else flow.export_limit_w
    numbers: dict[str, float | str] = {"wanted_w": requested_w, "limit_w": limit_w, "place": flow.place.name}
    return Reason(code=limit.value, numbers=numbers)


def _unsupplied_reason(grid: GridSide, power_w: float) -> Reason:
    return Reason(code="loads_unsupplied", numbers={"loads_w": grid.unsupplied_w, "power_w": power_w})


def _steady(power_w: float, allowed: Bounds, pool: Pool, last: Mapping[str, SetPoint]) -> float:
    """The last power again when the new one differs too little to be sent, and the last one is still allowed."""
    known = [last[m.battery.id].power_w if m.battery.id in last else None for m in pool.members]
    powers_w = [last_w for last_w in known if last_w is not None]
    small_w = max(SMALL_STEP_W, *(member.battery.dead_band_w for member in pool.members))
    last_w = sum(powers_w)
    if len(powers_w) < len(known) or abs(power_w - last_w) >= small_w:
        return power_w
    return last_w if allowed.low_w <= last_w <= allowed.high_w else power_w


def _plain_reason(net_w: float, target_w: float, power_w: float) -> Reason:
    kind = "idle" if abs(power_w) < IDLE_W else "charge" if power_w > 0 else "discharge"
    numbers = {"net_w": net_w, "target_w": target_w, "power_w": power_w}
    return Reason(code=f"hold_grid_{kind}", numbers=numbers)
