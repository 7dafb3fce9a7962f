"""Limits that always hold. Each may only narrow what is still allowed; the first ones cannot be talked out of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reason

REST_SOC = 0.02  # after the reserve is reached, discharging starts again only this far above it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Battery power still allowed (W, charging positive), with the code of what set each end."""

    low_w: float
    high_w: float
    low_code: str
    high_code: str

    def narrow(self, code: str, *, low_w: float | None = None, high_w: float | None = None) -> "Bounds":
        """Shrink towards the new ends; never widens and never empties."""
        low = self.low_w if low_w is None else min(max(low_w, self.low_w), self.high_w)
        high = self.high_w if high_w is None else max(min(high_w, self.high_w), low)
        return Bounds(
            low_w=low,
            high_w=high,
            low_code=code if low > self.low_w else self.low_code,
            high_code=code if high < self.high_w else self.high_code,
        )


NOTHING = Bounds(low_w=0.0, high_w=0.0, low_code="limit_discharge", high_code="limit_charge")


def is_resting(soc: float, battery: Battery, *, was_resting: bool) -> bool:
    """Whether discharging is off: at or below the reserve, and until a little above it."""
    return soc <= battery.reserve + (REST_SOC if was_resting else 0.0)


def battery_bounds(battery: Battery, *, soc: float, resting: bool, pv_w: float | None = None) -> Bounds:
    """What one battery may do at this state of charge; `pv_w` of the inverter whose AC side it shares, PV negative."""
    allowed = Bounds(
        low_w=-battery.discharge_max_w,
        high_w=battery.charge_max_w,
        low_code="limit_discharge",
        high_code="limit_charge",
    )
    if soc >= battery.soc_max:
        allowed = allowed.narrow("full", high_w=0.0)
    if resting:
        allowed = allowed.narrow("reserve", low_w=0.0)
    if pv_w is None or math.isinf(battery.ac_limit_w):
        return allowed
    # one AC side for both: what it gives is -(pv + battery), what it takes pv + battery
    low_w, high_w = -battery.ac_limit_w - pv_w, battery.ac_limit_w - pv_w
    return allowed.narrow("inverter_limit", low_w=min(low_w, 0.0), high_w=max(high_w, 0.0))


def pool_bounds(each: Sequence[Bounds]) -> Bounds:
    """The sum of what several may do; told with the code of the one that could do most."""
    if len(each) == 1:
        return each[0]
    lowest = min(each, key=lambda bounds: bounds.low_w)
    highest = max(each, key=lambda bounds: bounds.high_w)
    return Bounds(
        low_w=sum(bounds.low_w for bounds in each),
        high_w=sum(bounds.high_w for bounds in each),
        low_code=lowest.low_code,
        high_code=highest.high_code,
    )


def grid_bounds(
    allowed: Bounds, site: Site, *, net_w: float, coming_w: float = -math.inf, aim_w: float = math.inf
) -> Bounds:
    """The same inside the limits at the grid, with the building's net load now, and what is known to come (W).

    `aim_w`: import beyond which the plan wants none, because it would be a new peak.
    """
    high_w = max(net_w, coming_w)
    allowed = allowed.narrow("import_limit", high_w=site.import_limit_w - high_w)
    allowed = allowed.narrow("peak_aim", high_w=aim_w - high_w)
    return allowed.narrow("export_limit", low_w=-site.export_limit_w - net_w)


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
    return allowed.narrow("imbalance", low_w=low_w, high_w=high_w)


def clip(
    wanted_w: float,
    allowed: Bounds,
    *,
    site: Site,
    soc: float,
    reserve: float,
    net_w: float = 0.0,
    aim_w: float = math.inf,
) -> tuple[float, Reason | None]:
    """The wanted power inside the bounds, and why it is another than wanted (None when it is not)."""
    power_w = min(max(wanted_w, allowed.low_w), allowed.high_w)
    if power_w == wanted_w:
        return power_w, None
    code = allowed.low_code if wanted_w < allowed.low_w else allowed.high_code
    numbers = {
        "limit_charge": {"wanted_w": wanted_w, "allowed_w": power_w},
        "limit_discharge": {"wanted_w": wanted_w, "allowed_w": power_w},
        "inverter_limit": {"wanted_w": wanted_w, "allowed_w": power_w},
        "imbalance": {"wanted_w": wanted_w, "limit_w": site.imbalance_limit_w},
        "full": {"soc_pct": 100 * soc},
        "reserve": {"soc_pct": 100 * soc, "reserve_pct": 100 * reserve},
        "import_limit": {"wanted_w": wanted_w, "limit_w": site.import_limit_w},
        "export_limit": {"wanted_w": wanted_w, "limit_w": site.export_limit_w},
        "peak_aim": {"net_w": net_w, "limit_w": aim_w, "power_w": power_w},
    }
    return power_w, Reason(code=code, numbers=numbers[code])
