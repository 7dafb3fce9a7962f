"""What a device must be able to say and to take for its role: one table, and the mistakes where a product cannot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.adapters.products.commands import SetpointUnit
from gateway.adapters.products.points import COILS, Label, Point
from gateway.adapters.products.profiles import Profile, Role
from gateway.adapters.products.registers import encode
from gateway.adapters.products.setpoints import PLAIN, Rating, raw_setpoint
from gateway.core.loads.kind import LoadSettings
from gateway.mistakes import Mistake
from gateway.site.file.sections import DeviceSection

SLOWEST_METER_S = 2.0  # of a power that control relies on
SLOWEST_POWER_S = 3.0  # of a power that surplus is reckoned with
SLOWEST_SOC_S = 15.0  # half of what control waits for a state of charge


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededPoint:
    """A point that a role needs: read at least so often, and what its range must hold and must not go beyond.

    `every_s`: None where any period will do. `holds`: numbers inside of its range; `unit` says in which.
    """

    name: str
    every_s: float | None
    holds: tuple[float, ...]
    unit: str
    within: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleNeeds:
    """What a role asks of a product. `units` of its set-points; `is_commanded`: it must take some in any case."""

    points: tuple[NeededPoint, ...]
    units: tuple[SetpointUnit, ...]
    is_commanded: bool = False


_ANY_LOAD = RoleNeeds(points=(), units=("W", "A", "share", "switch"))
ROLE_NEEDS: Mapping[Role, RoleNeeds] = {
    "grid": RoleNeeds(points=(NeededPoint(name="p_w", every_s=SLOWEST_METER_S, holds=(1.0,), unit="W"),), units=()),
    "pv": RoleNeeds(
        points=(NeededPoint(name="p_w", every_s=SLOWEST_POWER_S, holds=(-1.0, 0.0), unit="W"),), units=("W", "share")
    ),
    "battery": RoleNeeds(
        points=(
            NeededPoint(name="p_w", every_s=SLOWEST_METER_S, holds=(-1.0, 0.0, 1.0), unit="W"),
            NeededPoint(
                name="soc", every_s=SLOWEST_SOC_S, holds=(0.1, 0.9), unit="as a fraction of 1", within=(0.0, 1.0)
            ),
        ),
        units=("W",),
        is_commanded=True,
    ),
    "load": _ANY_LOAD,  # what its kind needs is checked with the kind (load_checks)
}


def of_role(path: str, device: DeviceSection, profile: Profile) -> Iterator[Mistake]:
    """What the product lacks for the role of this device; of one that is not made for it, only that."""
    if device.role not in profile.roles:
        yield Mistake(path=f"{path}.role", found=f'"{device.role}"', allowed=", ".join(profile.roles))
        return
    needs = ROLE_NEEDS[device.role]
    for needed in needs.points:
        yield from _point(f"{path}.profile", profile, needed)
    setpoint = profile.setpoint
    if setpoint is None and needs.is_commanded:
        found = f"{profile.id} without setpoint"
        yield Mistake(path=f"{path}.profile", found=found, allowed=f"for role {device.role} one that takes set-points")
    elif setpoint is not None and setpoint.point.unit not in needs.units and _is_ordered(device):
        allowed = f"for role {device.role} one of which it is {' or '.join(needs.units)}"
        found = f'{profile.id} with set-points of unit "{setpoint.point.unit}"'
        yield Mistake(path=f"{path}.profile", found=found, allowed=allowed)
    elif setpoint is not None:
        yield from _fits(f"{path}.profile", profile, ordered(device, None))


def ordered(device: DeviceSection, load: LoadSettings | None) -> tuple[tuple[float, float], Rating] | None:
    """The powers (W, drawn positive) that a device may be ordered, and its rating; None for one that takes no orders.

    `load`: the load that has this device.
    """
    if load is not None:
        most_w = max(band.high_w for band in load.load("").bands)
        return (0.0, most_w), Rating(phases=load.phases_used, rated_w=most_w)
    if device.inverter is not None:
        return (-device.inverter.rated_w, 0.0), Rating(rated_w=device.inverter.rated_w)
    if device.battery is not None:
        return (-device.battery.discharge_max_w, device.battery.charge_max_w), PLAIN
    return None


def slow(profile: Profile, name: str, every_s: float) -> str | None:
    """What is found where a product does not report a point at least so often; None where it does."""
    point = profile.point(name)
    if point is None:
        return f"{profile.id} without {name}"
    return f"{name} every {point.every_s:g} s" if point.every_s > every_s else None


def of_load(path: str, device: DeviceSection, profile: Profile, load: LoadSettings) -> Iterator[Mistake]:
    """What of the orders that the load would be sent does not fit the product."""
    if profile.setpoint is not None:
        yield from _fits(path, profile, ordered(device, load))


def _is_ordered(device: DeviceSection) -> bool:
    return device.role == "battery" or device.inverter is not None


def _point(path: str, profile: Profile, needed: NeededPoint) -> Iterator[Mistake]:
    """One mistake at most: that it is not there, not often enough, or of another range."""
    late = slow(profile, needed.name, needed.every_s) if needed.every_s is not None else None
    if late is not None:
        allowed = f"a product that reports {needed.name} every {needed.every_s:g} s"
        yield Mistake(path=path, found=late, allowed=allowed)
        return
    point = profile.point(needed.name)
    if point is None:
        yield Mistake(path=path, found=f"{profile.id} without {needed.name}", allowed=f"one that has {needed.name}")
        return
    least, most = needed.within or (point.low, point.high)
    fits = all(_allows(point, number) for number in needed.holds) and least <= point.low and point.high <= most
    if not fits:
        found = f"{needed.name} from {point.low:g} to {point.high:g}"
        wanted = f"from {least:g} to {most:g}" if needed.within else _signs(needed.holds)
        yield Mistake(path=path, found=found, allowed=f"{needed.name} {wanted} ({needed.unit})")


def _signs(holds: tuple[float, ...]) -> str:
    """What the sign of a number must be able to be, in words."""
    signs = [word for word, at in (("below 0", min(holds) < 0.0), ("above 0", max(holds) > 0.0)) if at]
    return f"that can be {' and '.join(signs)}"


def _allows(point: Point | Label, value: float) -> bool:
    """Whether the point can have this value: by its range, and by whether its register has a sign."""
    if not point.low <= value <= point.high:
        return False
    unsigned = isinstance(point, Point) and (point.type.startswith("uint") or point.table in COILS)
    return not unsigned or value * point.scale * point.sign >= 0.0


def _fits(path: str, profile: Profile, orders: tuple[tuple[float, float], Rating] | None) -> Iterator[Mistake]:
    """Whether both ends of what would be ordered have a number in the register of the set-point."""
    if orders is None or profile.setpoint is None:
        return
    (low_w, high_w), rating = orders
    target = profile.setpoint.point
    try:
        for power_w in (low_w, high_w):
            encode(target.type, raw_setpoint(profile, power_w, rating)[0], "big")
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        allowed = f"one that takes set-points from {low_w:g} to {high_w:g} W, or narrower limits of power"
        yield Mistake(path=path, found=f"set-points of {profile.id}: {error}", allowed=allowed)
