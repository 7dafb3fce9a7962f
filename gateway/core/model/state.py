"""The types that flow one way: Reading -> SiteState -> SetPoint."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value of one point, or its absence with a reason; never both, never neither.

    `value` is in the unit that the point's name ends with and follows the sign rule. `measured_s` is the monotonic
    moment at which the device answered (or failed to).
    """

    value: float | None
    measured_s: float
    why: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.why is None):
            raise ValueError("a reading has a value or a reason why it has none")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a reading is finite, not {self.value}")

    @classmethod
    def absent(cls, why: str, measured_s: float) -> "Reading":
        """No value at that moment, and why."""
        return cls(value=None, measured_s=measured_s, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """All readings of a building, frozen for one cycle: device id -> point name -> reading."""

    now_s: float
    utc_s: float
    devices: Mapping[str, Mapping[str, Reading]]

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


SHOWN_S = 5.0  # an older power is not told as the present one


class Mode(StrEnum):
    """What the loop does with a device in this cycle."""

    CONTROL = "control"  # a fresh decision
    HOLD = "hold"  # the last set-point is renewed: a reading is late
    RELEASE = "release"  # the device runs itself
    WATCH = "watch"  # we only look: starting, or another gateway writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code with the numbers that were compared. Words in two languages live in `gateway/words`."""

    code: str
    numbers: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPoint:
    """The power wanted of a device (W, charging positive); None gives the device back to its own mode."""

    device: str
    power_w: float | None
    mode: Mode
    reason: Reason
    measured_s: float | None = None  # moment of the meter sample behind the decision, monotonic


def load_w(state: SiteState, site_grid: str, metered: tuple[str, ...], *, max_age_s: float) -> float | None:
    """Base load by the balance: grid - devices (W, never measured directly); None when a part is missing.

    Planned loads that are metered are no part of it: a forecast that held them would plan them twice.

    The parts are not read at one instant, so a step shows up wrong for about a second.
    """
    parts = [state.value(device, "p_w", max_age_s=max_age_s) for device in (site_grid, *metered)]
    known = [part for part in parts if part is not None]
    return known[0] - sum(known[1:]) if len(known) == len(parts) else None
