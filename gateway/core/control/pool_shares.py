"""Who of a pool takes part, and with how much. Within a pool no battery charges another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.core.control.least_power import pays_off
from gateway.core.control.pool import PoolBattery
from gateway.core.model.plan import Slot
from gateway.core.model.site import Battery
from gateway.core.model.state import Reason

# The two batteries of `zen bench closed-loop` hold these (docs/control.md): few changes of which one works.
LEAD = 0.05  # of the capacity: another battery must have so much more headroom or energy before it is preferred
STAY = 0.75  # the batteries that work now are left at it unless others lose clearly less: each change moves both
# Losses of a converter of which nothing is known, as shares of its full power: constant, and quadratic at full power.
# The shape of usual converters' efficiency curves: some 98 % at full power, falling below a tenth of it.
REST_SHARE, FULL_SHARE = 0.002, 0.02
SMALLEST_WEIGHT = 0.01  # of the capacity: no battery that may take part is left out for a rounded state of charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The power of each battery of a pool (W, charging positive)."""

    powers_w: Mapping[str, float]  # by battery id, charging positive, all of one sign
    idle: Reason | None = None  # why none of them runs although a power was requested; None else


def shared_out(
    total_w: float, members: Sequence[PoolBattery], slot: Slot | None, before: Sequence[str], *, forced: bool = False
) -> Shares:
    """The shares of a power (W) without those that lose more than they bring; `before`: those that worked.

    With `forced` a limit needs that power. What a phase or a circuit needs of one battery goes before all.
    """
    requested_w = shares_w(total_w, members, before)
    found, idle = dict(requested_w), None
    for battery in () if forced else (member.battery for member in members):
        power_w = requested_w[battery.id]
        if power_w != 0.0 and not pays_off(power_w, battery, slot, was_running=battery.id in before):
            found[battery.id] = 0.0
            idle = Reason(code="too_little", numbers={"wanted_w": power_w, "loss_w": battery.loss_w(power_w)})
    found = {m.battery.id: min(max(found[m.battery.id], m.bounds.low_w), m.bounds.high_w) for m in members}
    return Shares(powers_w=found, idle=None if any(found.values()) else idle)


def shares_w(total_w: float, members: Sequence[PoolBattery], before: Sequence[str]) -> dict[str, float]:
    """Power of each member by id (W): all of one sign, inside their bounds, together `total_w` where bounds allow.

    `before`: those that worked. Few converters run at small powers, because each has losses of its own.
    """
    if len(members) == 1:
        return {members[0].battery.id: total_w}
    caps = {m.battery.id: max(m.bounds.high_w if total_w > 0.0 else -m.bounds.low_w, 0.0) for m in members}
    able = [m for m in _ordered(total_w, members, before) if caps[m.battery.id] > 0.0]
    found = dict.fromkeys((m.battery.id for m in members), 0.0)
    if total_w == 0.0 or not able:
        return found
    working = _working(abs(total_w), able, caps, before)
    sign = 1.0 if total_w > 0.0 else -1.0
    for id_, power_w in _filled(abs(total_w), working, caps, charging=total_w > 0.0).items():
        found[id_] = sign * power_w
    return found


def _ordered(total_w: float, members: Sequence[PoolBattery], before: Sequence[str]) -> list[PoolBattery]:
    """Those with most energy (or headroom) first; a battery that works has a lead."""

    def key(member: PoolBattery) -> tuple[float, str]:
        amount = member.headroom if total_w > 0.0 else member.available
        return -(amount + (LEAD if member.battery.id in before else 0.0)), member.battery.id

    return sorted(members, key=key)


def _working(
    size_w: float, able: list[PoolBattery], caps: dict[str, float], before: Sequence[str]
) -> list[PoolBattery]:
    """The first few that can do it with the least loss."""
    best: tuple[float, list[PoolBattery]] | None = None
    for count in range(1, len(able) + 1):
        some = able[:count]
        if sum(caps[m.battery.id] for m in some) < size_w and count < len(able):
            continue
        shares = _filled(size_w, some, caps, charging=True, by_headroom=False)
        loss_w = sum(_assumed_loss_w(m.battery, shares[m.battery.id]) for m in some)
        loss_w *= STAY if {m.battery.id for m in some} == set(before) else 1.0
        if best is None or loss_w < best[0]:
            best = loss_w, some
    assert best is not None  # noqa: S101 - all together is always among them
    return best[1]


def _filled(
    size_w: float, members: list[PoolBattery], caps: dict[str, float], *, charging: bool, by_headroom: bool = True
) -> dict[str, float]:
    """`size_w` shared by headroom or energy (else by cap), none above its cap: the others take what is left."""
    open_, found, left_w = list(members), dict.fromkeys((m.battery.id for m in members), 0.0), size_w
    while open_ and left_w > 1e-9:
        weights = {m.battery.id: _weight(m, caps, charging=charging, by_headroom=by_headroom) for m in open_}
        total = sum(weights.values())
        requested = {id_: left_w * weight / total for id_, weight in weights.items()}
        over = [m for m in open_ if found[m.battery.id] + requested[m.battery.id] > caps[m.battery.id]]
        if not over:
            return found | {id_: found[id_] + power_w for id_, power_w in requested.items()}
        for member in over:
            id_ = member.battery.id
            left_w -= caps[id_] - found[id_]
            found[id_] = caps[id_]
        open_ = [m for m in open_ if m not in over]
    return found


def _weight(member: PoolBattery, caps: dict[str, float], *, charging: bool, by_headroom: bool) -> float:
    if not by_headroom:
        return caps[member.battery.id]
    amount = member.headroom if charging else member.available
    return max(amount, SMALLEST_WEIGHT) * member.battery.capacity_wh


def _assumed_loss_w(battery: Battery, power_w: float) -> float:
    """The loss that decides which battery works: where the maker says nothing, that of a usual converter."""
    full_w = max(battery.charge_max_w, battery.discharge_max_w)
    constant = battery.loss_constant_w or REST_SHARE * full_w
    quadratic = battery.loss_quadratic_per_w or FULL_SHARE / full_w
    return constant + battery.loss_linear * power_w + quadratic * power_w**2
