"""Powers in the numbers of a product and back: watts, amperes of each phase, shares of its full power, on and off."""

import math
from dataclasses import dataclass
from typing import Literal, assert_never

from gateway.adapters.products.commands import Target
from gateway.adapters.products.profiles import Profile

VOLT = 230.0  # nominal voltage, phase to neutral (EN 50160)
ALMOST = 1e-6  # of a step of the register: 6 A computed as 5.9999999 A are 6 A


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What the site file says of a device that the numbers of its product stand in relation to.

    `phases` that it uses; `rated_w` > 0: its full power, None where it is not needed.
    """

    phases: int = 1
    rated_w: float | None = None


PLAIN = Rating()


def raw_setpoint(profile: Profile, power_w: float, rating: Rating = PLAIN) -> list[int]:
    """The values of an order: the power (W, drawn positive) in the product's own unit, scale and sign.

    Amperes and shares are cut, not rounded: the device never gets more than was asked for.
    """
    target = _target(profile)
    match target.unit:
        case "switch":
            assert target.on is not None  # noqa: S101 - the profile was checked
            assert target.off is not None  # noqa: S101 - likewise
            return [target.on if power_w != 0.0 else target.off]
        case "W":
            return [round(power_w / _step_w(target, target.unit, rating))]
        case "A" | "share":
            number = power_w / _step_w(target, target.unit, rating)
            return [math.trunc(number + math.copysign(ALMOST, number))]
        case _:
            assert_never(target.unit)


def power_of(profile: Profile, raw: int, rating: Rating = PLAIN) -> float:
    """The power (W, drawn positive) of a number as it stands in the set-point register."""
    target = _target(profile)
    match target.unit:
        case "switch":
            return _rated_w(rating) if raw == target.on else 0.0
        case "W" | "A" | "share":
            return raw * target.scale * target.sign * _unit_w(target.unit, rating)
        case _:
            assert_never(target.unit)


def allowed_w(profile: Profile, range_w: tuple[float, float], rating: Rating = PLAIN) -> tuple[float, float]:
    """The part of a range (W, drawn positive, 0 in it) that may be ordered: what nothing ends must do no harm."""
    setpoint = profile.setpoint
    if setpoint is None or setpoint.may_stay is None:
        return range_w
    unit_w = _rated_w(rating) if setpoint.point.unit == "switch" else _unit_w(setpoint.point.unit, rating)
    low, high = setpoint.may_stay
    return max(range_w[0], low * unit_w), min(range_w[1], high * unit_w)


def _target(profile: Profile) -> Target:
    if profile.setpoint is None:
        raise ValueError(f"{profile.id} takes no set-points")
    return profile.setpoint.point


def _step_w(target: Target, unit: Literal["W", "A", "share"], rating: Rating) -> float:
    """Watts, drawn positive, that one step of the register stands for."""
    return _unit_w(unit, rating) * target.scale * target.sign


def _unit_w(unit: Literal["W", "A", "share"], rating: Rating) -> float:
    """Watts that one unit of the set-point stands for."""
    match unit:
        case "W":
            return 1.0
        case "A":
            return VOLT * rating.phases
        case "share":
            return _rated_w(rating)
        case _:
            assert_never(unit)


def _rated_w(rating: Rating) -> float:
    if rating.rated_w is None:
        raise ValueError("a share and a switch need the rated power")
    return rating.rated_w
