"""Less PV instead of more export: the limit that PV inverters get when the batteries cannot take what is left.

Batteries come first: only what their bounds leave over is curtailed. The margin below the export limit grows with the
error that lasted (export beyond the limit), and shrinks slowly when it stays away. What is over only until inverter and
meter have followed is no error: a margin could not have prevented it.
"""

from dataclasses import dataclass

from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reason, SetPoint

SHRINK_PER_CYCLE = 0.99
LASTING_CYCLES = 8  # a usual inverter follows in 2 to 5 s, and the meter shows it up to 3 s later
LEAST_MARGIN_W = 20.0
MOST_MARGIN = 0.1  # of the inverters' rated power
AT_LIMIT = 0.95  # of the limit: who produces so much is held back by it
RELEASE = 1.05  # a limit above this share of the rated power limits nothing: it is taken away


@dataclass(frozen=True, slots=True, kw_only=True)
class Curtailment:
    """The error that lasted (W of export beyond the limit), and the limit given last (W of production, None: none).

    `over_w`: what was beyond the limit in each of the last cycles with one, oldest first.
    """

    error_w: float = 0.0
    limit_w: float | None = None
    over_w: tuple[float, ...] = ()


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
    error_w, over_w = _seen(before, max(-grid_w - export_w, 0.0))
    rated_w = sum(inverter.rated_w for inverter in site.curtailable)
    error_w = min(error_w, MOST_MARGIN * rated_w)
    margin_w = LEAST_MARGIN_W + error_w
    use_w = max(net_w - pv_w, 0.0)  # what the building draws by itself
    limit_w = max(use_w + max(battery_high_w, 0.0) + export_w - margin_w, 0.0)
    if limit_w >= RELEASE * rated_w:
        found = tuple(_setpoint(inverter.id, None, 0.0, export_w) for inverter in site.curtailable)
        return found, Curtailment(error_w=error_w)
    found = tuple(
        _setpoint(inverter.id, -min(limit_w * inverter.rated_w / rated_w, inverter.rated_w), limit_w, export_w)
        for inverter in site.curtailable
    )
    return found, Curtailment(error_w=error_w, limit_w=limit_w, over_w=over_w)


def _seen(before: Curtailment, over_w: float) -> tuple[float, tuple[float, ...]]:
    """The error now (W), and what is watched for the next one: what lasted is added once, then watched anew."""
    watched = (*before.over_w, over_w) if before.limit_w is not None else ()
    if len(watched) < LASTING_CYCLES:
        return SHRINK_PER_CYCLE * before.error_w, watched
    lasted_w = min(watched)
    return (before.error_w + lasted_w, ()) if lasted_w > 0.0 else (SHRINK_PER_CYCLE * before.error_w, watched[1:])


def _setpoint(device: str, power_w: float | None, limit_w: float, export_w: float) -> SetPoint:
    if power_w is None:
        return SetPoint(device=device, power_w=None, mode=Mode.RELEASE, reason=Reason(code="pv_free"))
    numbers = {"allowed_w": limit_w, "limit_w": export_w}
    return SetPoint(
        device=device, power_w=power_w, mode=Mode.CONTROL, reason=Reason(code="pv_curtailed", numbers=numbers)
    )
