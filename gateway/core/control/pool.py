"""Several batteries as one: who takes part, and with how much. Within a pool no battery charges another one."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.control.limits import NOTHING, Bounds
from gateway.core.model.levels import Storage
from gateway.core.model.site import Battery

# The two batteries of `zen bench closed-loop` hold these (docs/control.md): few changes of who works.
LEAD = 0.05  # of the capacity: another battery must have so much more headroom or energy before it is preferred
STAY = 0.75  # the batteries that work now are left at it unless others lose clearly less: each change moves both
# Losses of a converter of which nothing is known, as shares of its full power: constant, and quadratic at full power.
# The shape of usual converters' efficiency curves: some 98 % at full power, falling below a tenth of it.
REST_SHARE, FULL_SHARE = 0.002, 0.02
UNKNOWN_LOSS_SHARE = 0.05  # one way, for planning, where the maker says nothing of losses
SMALLEST_WEIGHT = 0.01  # of the capacity: nobody who may take part is left out for a rounded state of charge


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolBattery:
    """A battery that may be controlled."""

    battery: Battery
    soc: float  # state of charge, 0…1
    rests: bool = False  # at its reserve: not discharged until a little above it
    bounds: Bounds = NOTHING  # what it may do now by itself

    @property
    def available(self) -> float:
        """Share of the capacity (0…1) that can be taken out."""
        return max(self.soc - self.battery.reserve, 0.0)

    @property
    def headroom(self) -> float:
        """Share of the capacity (0…1) that can be put in."""
        return max(self.battery.soc_max - self.soc, 0.0)


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


def stored_wh(members: Sequence[PoolBattery]) -> float:
    """Energy above the reserves (Wh); below 0 where one is below its reserve."""
    return sum((m.soc - m.battery.reserve) * m.battery.capacity_wh for m in members)


def charge_of(members: Sequence[PoolBattery]) -> tuple[float, float]:
    """State of charge and reserve (0…1) of all as one."""
    if len(members) == 1:
        return members[0].soc, members[0].battery.reserve
    capacity_wh = sum(m.battery.capacity_wh for m in members)
    soc = sum(m.soc * m.battery.capacity_wh for m in members) / capacity_wh
    return soc, sum(m.battery.reserve * m.battery.capacity_wh for m in members) / capacity_wh


def shares_w(total_w: float, members: Sequence[PoolBattery], before: Sequence[str]) -> dict[str, float]:
    """Power of each member by id (W): all of one sign, inside their bounds, together `total_w` where bounds allow.

    `before`: who was at work. Few converters run at small powers, because each one loses something for itself.
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
    """Those with most energy (or headroom) first; who is at work has a lead."""

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
    """`size_w` shared by headroom or energy (else by cap), nobody above the cap; what one cannot take goes to the others."""
    open_, found, left_w = list(members), dict.fromkeys((m.battery.id for m in members), 0.0), size_w
    while open_ and left_w > 1e-9:
        weights = {m.battery.id: _weight(m, caps, charging=charging, by_headroom=by_headroom) for m in open_}
        total = sum(weights.values())
        wanted = {id_: left_w * weight / total for id_, weight in weights.items()}
        over = [m for m in open_ if found[m.battery.id] + wanted[m.battery.id] > caps[m.battery.id]]
        if not over:
            return found | {id_: found[id_] + power_w for id_, power_w in wanted.items()}
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
    """The loss that counts for who works: where the maker says nothing, that of a usual converter."""
    full_w = max(battery.charge_max_w, battery.discharge_max_w)
    constant = battery.loss_constant_w or REST_SHARE * full_w
    quadratic = battery.loss_quadratic_per_w or FULL_SHARE / full_w
    return constant + battery.loss_linear * power_w + quadratic * power_w**2


def _loss_share(battery: Battery, power_w: float) -> float:
    known = battery.loss_constant_w or battery.loss_linear or battery.loss_quadratic_per_w
    return battery.loss_w(power_w) / power_w if known else UNKNOWN_LOSS_SHARE
