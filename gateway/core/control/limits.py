"""Limits of the batteries themselves, and of the circuits and phases they are on: each may only narrow what is allowed.

`pool_power` has those of the connection.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.model.site import Battery

# After the reserve is reached, discharging starts again only this far above it: two steps of a state of charge that
# is reported in percent, so that the converter is not switched with each of them.
REST_SOC = 0.02


class Limit(StrEnum):
    """What sets an end of the allowed power; the value is the code of its reason."""

    CHARGE_POWER = "limit_charge"
    DISCHARGE_POWER = "limit_discharge"
    FULL = "full"
    RESERVE = "reserve"
    ABILITY = "takes_less"
    AC_SIDE = "inverter_limit"
    IMBALANCE = "imbalance"
    IMPORT = "import_limit"
    PEAK_TARGET = "peak_aim"
    EXPORT = "export_limit"
    PHASE_IMPORT = "import_limit_phase"
    PHASE_EXPORT = "export_limit_phase"
    CIRCUIT_IMPORT = "import_limit_circuit"
    CIRCUIT_EXPORT = "export_limit_circuit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Battery power still allowed (W, charging positive), with what set each end."""

    low_w: float  # 0 or below but where a limit forces charging
    high_w: float  # never below `low_w`
    low_by: Limit  # what set `low_w`
    high_by: Limit  # what set `high_w`
    low_at: LimitedFlow | None = None  # the phase or circuit whose limit set `low_w`; None: no such limit
    high_at: LimitedFlow | None = None  # the same of `high_w`

    def narrow(
        self,
        limit: Limit,
        *,
        low_w: float | None = None,
        high_w: float | None = None,
        at: LimitedFlow | None = None,
    ) -> "Bounds":
        """Shrink towards the new ends; never widens and never empties. `at`: whose limit it is."""
        low = self.low_w if low_w is None else min(max(low_w, self.low_w), self.high_w)
        high = self.high_w if high_w is None else max(min(high_w, self.high_w), low)
        return Bounds(
            low_w=low,
            high_w=high,
            low_by=limit if low > self.low_w else self.low_by,
            high_by=limit if high < self.high_w else self.high_by,
            low_at=at if low > self.low_w else self.low_at,
            high_at=at if high < self.high_w else self.high_at,
        )


# No power at all: who may be given nothing starts from here.
NOTHING = Bounds(low_w=0.0, high_w=0.0, low_by=Limit.DISCHARGE_POWER, high_by=Limit.CHARGE_POWER)


def is_resting(soc: float, battery: Battery, *, was_resting: bool) -> bool:
    """Whether discharging is off: at or below the reserve, and until a little above it."""
    return soc <= battery.reserve + (REST_SOC if was_resting else 0.0)


def battery_bounds(battery: Battery, *, soc: float, resting: bool, pv_w: float | None = None) -> Bounds:
    """What one battery may do at this state of charge; `pv_w` of the inverter whose AC side it shares, PV negative."""
    allowed = Bounds(
        low_w=-battery.discharge_max_w,
        high_w=battery.charge_max_w,
        low_by=Limit.DISCHARGE_POWER,
        high_by=Limit.CHARGE_POWER,
    )
    if soc >= battery.soc_max:
        allowed = allowed.narrow(Limit.FULL, high_w=0.0)
    if resting:
        allowed = allowed.narrow(Limit.RESERVE, low_w=0.0)
    if pv_w is None or math.isinf(battery.ac_limit_w):
        return allowed
    # one AC side for both: what it gives is -(pv + battery), what it takes pv + battery
    low_w, high_w = -battery.ac_limit_w - pv_w, battery.ac_limit_w - pv_w
    return allowed.narrow(Limit.AC_SIDE, low_w=min(low_w, 0.0), high_w=max(high_w, 0.0))


def pool_bounds(each: Sequence[Bounds]) -> Bounds:
    """The sum of what several may do; each end is named after the one that could do most."""
    if len(each) == 1:
        return each[0]
    lowest = min(each, key=lambda bounds: bounds.low_w)
    highest = max(each, key=lambda bounds: bounds.high_w)
    return Bounds(
        low_w=sum(bounds.low_w for bounds in each),
        high_w=sum(bounds.high_w for bounds in each),
        low_by=lowest.low_by,
        high_by=highest.high_by,
        low_at=lowest.low_at,
        high_at=highest.high_at,
    )


def flow_room_w(flow: LimitedFlow, rest_w: float) -> tuple[float, float]:
    """What batteries may draw and give (W) in a flow of `rest_w` without them; below 0 what they must make up for."""
    return flow.import_max_w - rest_w, flow.export_max_w + rest_w


def flow_bounds(
    allowed: Bounds,
    flow: LimitedFlow,
    *,
    share: float,
    room_w: tuple[float, float] | None,
    parts: tuple[float, float],
    is_import: bool,
) -> Bounds:
    """The same for a battery of whose power `share` lies in a flow, so that one of its limits is kept.

    `room_w` as by `flow_room_w`; None while it is not known what flows: then the battery adds nothing. `parts`: what
    this battery may use of each (0…1). PV that can be limited is not stored by force.
    """
    limit = _limit(flow, is_import=is_import)
    if room_w is None:
        return allowed.narrow(limit, low_w=0.0, high_w=0.0, at=flow)
    if is_import:
        return allowed.narrow(limit, high_w=room_w[0] * parts[0] / share, at=flow)
    low_w = -room_w[1] * parts[1] / share
    return allowed.narrow(limit, low_w=min(low_w, 0.0) if flow.has_curtailable else low_w, at=flow)


def _limit(flow: LimitedFlow, *, is_import: bool) -> Limit:
    if flow.place.circuit is None:
        return Limit.PHASE_IMPORT if is_import else Limit.PHASE_EXPORT
    return Limit.CIRCUIT_IMPORT if is_import else Limit.CIRCUIT_EXPORT


def phase_bounds(
    allowed: Bounds, battery: Battery, phases_w: Sequence[float], *, power_w: float, limit_w: float
) -> Bounds:
    """The same for a single-phase battery that now has `power_w`, so that the phases stay within `limit_w`.

    `phases_w`: the three grid powers as metered.
    """
    if battery.phase is None or math.isinf(limit_w) or len(phases_w) != 3:
        return allowed
    own_w = phases_w[battery.phase - 1] - power_w
    others_w = [w for i, w in enumerate(phases_w) if i != battery.phase - 1]
    low_w, high_w = max(others_w) - limit_w - own_w, min(others_w) + limit_w - own_w
    if low_w > high_w:  # the other two differ by more than that: the middle is the least evil
        low_w = high_w = (low_w + high_w) / 2
    return allowed.narrow(Limit.IMBALANCE, low_w=low_w, high_w=high_w)
