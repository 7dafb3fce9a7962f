"""Limits that always hold. Each may only narrow what is still allowed; the first ones cannot be talked out of it."""

from dataclasses import dataclass

from gateway.core.model import Reason
from gateway.core.site import Battery, Site

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


def is_resting(soc: float, battery: Battery, *, was_resting: bool) -> bool:
    """Whether discharging is off: at or below the reserve, and until a little above it."""
    return soc <= battery.reserve + (REST_SOC if was_resting else 0.0)


def bounds(site: Site, battery: Battery, *, soc: float, net_w: float, resting: bool) -> Bounds:
    """What is allowed at this state of charge and net load (W); device first, then the grid's limits."""
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
    allowed = allowed.narrow("import_limit", high_w=site.import_limit_w - net_w)
    return allowed.narrow("export_limit", low_w=-site.export_limit_w - net_w)


def clip(wanted_w: float, allowed: Bounds, *, site: Site, battery: Battery, soc: float) -> tuple[float, Reason | None]:
    """The wanted power inside the bounds, and why it is another than wanted (None when it is not)."""
    power_w = min(max(wanted_w, allowed.low_w), allowed.high_w)
    if power_w == wanted_w:
        return power_w, None
    code = allowed.low_code if wanted_w < allowed.low_w else allowed.high_code
    numbers = {
        "limit_charge": {"wanted_w": wanted_w, "allowed_w": power_w},
        "limit_discharge": {"wanted_w": wanted_w, "allowed_w": power_w},
        "full": {"soc_pct": 100 * soc},
        "reserve": {"soc_pct": 100 * soc, "reserve_pct": 100 * battery.reserve},
        "import_limit": {"wanted_w": wanted_w, "limit_w": site.import_limit_w},
        "export_limit": {"wanted_w": wanted_w, "limit_w": site.export_limit_w},
    }
    return power_w, Reason(code=code, numbers=numbers[code])
