"""Less PV instead of more export: the limit that PV inverters get when the batteries cannot take what is left.

Batteries come first: only what their bounds leave over is curtailed. The margin below the export limit grows with the
error that was seen (export beyond the limit), and shrinks slowly when it stays away.
"""

from dataclasses import dataclass

from gateway.core.model import Mode, Reason, SetPoint
from gateway.core.site import Site

SHRINK_PER_CYCLE = 0.99
LEAST_MARGIN_W = 20.0
MOST_MARGIN = 0.1  # of the inverters' rated power
AT_LIMIT = 0.95  # of the limit: who produces so much is held back by it
RELEASE = 1.05  # a limit above this share of the rated power limits nothing: it is taken away


@dataclass(frozen=True, slots=True, kw_only=True)
class Curtailment:
    """The error seen lately (W of export beyond the limit), and the limit given last (W of production, None: none)."""

    error_w: float = 0.0
    limit_w: float | None = None


def held_w(site: Site, before: Curtailment, pv_w: float) -> float:
    """What the inverters may give more than now (W): nothing unless they are at their limit. `pv_w` <= 0."""
    if before.limit_w is None or -pv_w < AT_LIMIT * before.limit_w:
        return 0.0
    return max(sum(inverter.rated_w for inverter in site.curtailable) - before.limit_w, 0.0)


def curtailed(
    site: Site, before: Curtailment, *, net_w: float, pv_w: float, battery_high_w: float, grid_w: float, export_w: float
) -> tuple[tuple[SetPoint, ...], Curtailment]:
    """Set-points of the curtailable inverters: the negative of what they may produce, None for as much as they can.

    `net_w`: building with PV, without batteries; `pv_w` ≤ 0 as produced now; `battery_high_w`: the most the batteries
    may charge; `export_w` ≥ 0: what may be exported (the site's limit, or 0 while exporting costs money).
    """
    if not site.curtailable:
        return (), before
    over_w = max(-grid_w - export_w, 0.0) if before.limit_w is not None else 0.0
    error_w = max(over_w, SHRINK_PER_CYCLE * before.error_w)
    rated_w = sum(inverter.rated_w for inverter in site.curtailable)
    margin_w = min(LEAST_MARGIN_W + error_w, MOST_MARGIN * rated_w)
    use_w = max(net_w - pv_w, 0.0)  # what the building draws by itself
    limit_w = max(use_w + max(battery_high_w, 0.0) + export_w - margin_w, 0.0)
    if limit_w >= RELEASE * rated_w:
        found = tuple(_setpoint(inverter.id, None, 0.0, export_w) for inverter in site.curtailable)
        return found, Curtailment(error_w=error_w)
    found = tuple(
        _setpoint(inverter.id, -min(limit_w * inverter.rated_w / rated_w, inverter.rated_w), limit_w, export_w)
        for inverter in site.curtailable
    )
    return found, Curtailment(error_w=error_w, limit_w=limit_w)


def _setpoint(device: str, power_w: float | None, limit_w: float, export_w: float) -> SetPoint:
    if power_w is None:
        return SetPoint(device=device, power_w=None, mode=Mode.RELEASE, reason=Reason(code="pv_free"))
    numbers = {"allowed_w": limit_w, "limit_w": export_w}
    return SetPoint(
        device=device, power_w=power_w, mode=Mode.CONTROL, reason=Reason(code="pv_curtailed", numbers=numbers)
    )
