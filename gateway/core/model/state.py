"""The types that flow one way: Reading -> SiteState -> SetPoint."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value of one point, or its absence with a reason; never both, never neither."""

    value: float | None  # in the unit that the point's name ends with, by the sign rule; None with `why`
    measured_s: float  # monotonic moment at which the device answered, or failed to
    why: str | None = None  # code of what is missing; None with a value
    mark: str | None = None  # code of how the value is known that the device did not report; None where it did

    def __post_init__(self) -> None:
        if (self.value is None) == (self.why is None):
            raise ValueError("a reading has a value or a reason why it has none")
        if self.mark is not None and self.value is None:
            raise ValueError("a mark is for a value")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a reading is finite, not {self.value}")

    @classmethod
    def absent(cls, why: str, measured_s: float) -> "Reading":
        """No value at that moment, and why."""
        return cls(value=None, measured_s=measured_s, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """All readings of a building, frozen for one cycle."""

    now_s: float  # monotonic: ages and intervals
    utc_s: float  # UTC, which may jump when the clock is set: minimum up and down times, the plan's slots
    devices: Mapping[str, Mapping[str, Reading]]  # device id -> point name -> reading; what never came is not in it
    is_dated: bool = True  # whether `utc_s` is the time: a clock that was never set is believed by nobody

    def reading(self, device: str, point: str) -> Reading:
        """The reading of a point; absent ("no_data") when it never came."""
        found = self.devices.get(device, {}).get(point)
        return found or Reading.absent("no_data", -math.inf)

    def age_s(self, device: str, point: str) -> float:
        """Seconds since the point was last reported with a value; infinite when it has none."""
        found = self.reading(device, point)
        return math.inf if found.value is None else self.now_s - found.measured_s

    def value(self, device: str, point: str, *, max_age_s: float) -> float | None:
        """The value, if there is one and it is no older than the caller accepts."""
        return self.reading(device, point).value if self.age_s(device, point) <= max_age_s else None

    def phases_w(self, device: str, *, max_age_s: float) -> tuple[float, ...]:
        """Powers on L1 to L3 (W, drawn positive), or nothing where one of them is missing or older than that."""
        powers_w = [self.value(device, f"p_l{phase}_w", max_age_s=max_age_s) for phase in (1, 2, 3)]
        known = tuple(power_w for power_w in powers_w if power_w is not None)
        return known if len(known) == len(powers_w) else ()


SHOWN_S = 5.0  # an older power is not shown as the present one: a device that is polled each second failed five times


class Mode(StrEnum):
    """What the loop does with a device in this cycle."""

    CONTROL = "control"  # a fresh decision
    HOLD = "hold"  # the last set-point is renewed: a reading is late
    RELEASE = "release"  # the device runs itself
    WATCH = "watch"  # we only look: starting, or another gateway writes


class Purpose(StrEnum):
    """What the power of a set-point is for. Control acts on it; the reason beside it only explains.

    What is bought or sold on purpose is not held on without sight of the grid; everything else is.
    """

    SELF_CONSUMPTION = "self_consumption"  # the grid is kept at its set-point; all that is no trade with the grid
    GRID_CHARGE = "grid_charge"  # a battery buys from the grid
    SALE = "sale"  # a battery sells to the grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code with the numbers that were compared. Words in two languages live in `gateway/words`."""

    code: str  # its words are looked up by this; no decision reads it
    numbers: Mapping[str, float | str] = field(default_factory=dict)  # by name, the unit at the name's end


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPoint:
    """The power (W, drawn positive) or mode that a device is sent in this cycle, with its reason."""

    device: str  # its id in the site file
    power_w: float | None  # drawn positive (charging), PV 0 or below; None gives the device back to its own mode
    mode: Mode  # what the loop does with it
    reason: Reason  # shown and stored with it; no decision reads it
    measured_s: float | None = None  # monotonic moment of the meter's sample behind it; None where there is none
    purpose: Purpose = Purpose.SELF_CONSUMPTION  # of its power
