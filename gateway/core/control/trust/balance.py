"""What the building itself would have to draw for all readings to be true: grid less PV, batteries and metered loads.

The parts are not of one moment, so it is a range: every power that each part may have had at the moment that the grid
meter shows. A building cannot give power; where the whole range says so, one of the readings is not true.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.control import battery_response
from gateway.core.control.battery_response import BatteryResponse
from gateway.core.control.observe import Observation
from gateway.core.control.trust.ratings import pv_peak_w, undeclared_w
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reading

Range = tuple[float, float]

GIVES_W = 900.0  # what a building may seem to give: a balcony's PV that nobody declared (800 W), and inexact meters
GIVES_SHARE = 0.03  # of the largest part beside it: two meters of class 1 and their noise
SUN_SHARE_PER_S = 0.25  # of a roof's peak: how fast the edge of a cloud moves its power
WINDOW_S = 4.0  # beyond the meter's delay: a device may report a move so much before or after the meter shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpliedLoad:
    """Between what the building itself would have to draw (W) for the readings to be true."""

    low_w: float  # the least
    high_w: float  # the most, not below `low_w`
    least_w: float  # below this no building draws, 0 or below

    @property
    def is_possible(self) -> bool:
        """Whether some building could draw that."""
        return self.high_w >= self.least_w


def implied_loads(
    seen: Observation,
    site: Site,
    recent: Mapping[str, Sequence[Reading]],
    responses: Mapping[str, BatteryResponse],
) -> tuple[ImpliedLoad, ...]:
    """In total, then by phase where the meter tells all three; none without a fresh sample of the grid meter.

    `recent`: the readings of the last seconds of each device behind the meter, oldest first; `responses`: what each
    battery did with what it was sent, both by device id.
    """
    if seen.grid.fresh_w is None:
        return ()
    hidden_w = undeclared_w(site)
    total = _less(seen.grid.power, _parts(site, recent, responses, seen.grid.power.measured_s).values(), hidden_w)
    phases = [
        _less(phase, _on_phase(site, _parts(site, recent, responses, phase.measured_s), i + 1), hidden_w)
        for i, phase in enumerate(seen.grid.phases if len(seen.grid.phases) == 3 else ())
    ]
    return (total, *phases)


def _parts(
    site: Site,
    recent: Mapping[str, Sequence[Reading]],
    responses: Mapping[str, BatteryResponse],
    measured_s: float,
) -> dict[str, Range]:
    """What each device may have had at the moment that a sample of the meter shows, by device id."""
    first_s, last_s = measured_s - site.meter_delay_s[1], measured_s - site.meter_delay_s[0]
    parts: dict[str, Range] = {}
    for device in site.pv:
        peak_w = pv_peak_w(site, device)
        reported = _reported(recent.get(device, ()), first_s, last_s, SUN_SHARE_PER_S * peak_w)
        parts[device] = _inside(reported, (-peak_w, 0.0)) if reported else (-peak_w, 0.0)
    for battery in site.batteries:
        response = responses.get(battery.id, BatteryResponse())
        parts[battery.id] = _battery(battery, response, recent.get(battery.id, ()), first_s, last_s)
    for load in site.loads:
        most_w = max((band.high_w for band in load.load.bands), default=0.0)
        found = [one.value for one in recent.get(load.device, ()) if one.value is not None]
        # it may switch itself off at any moment, and says so seconds later
        parts[load.device] = (min(0.0, *found), max(0.0, *found)) if found else (0.0, most_w)
    return parts


def _battery(
    battery: Battery, response: BatteryResponse, recent: Sequence[Reading], first_s: float, last_s: float
) -> Range:
    """By its model while it keeps to what it was sent, else by its reports, and as fast as it moves between them."""
    most = -battery.discharge_max_w, battery.charge_max_w
    reported = _reported(recent, first_s, last_s, battery.ramp_w_per_s)
    if response.is_predictable:
        return battery_response.power_range_w(response, battery, first_s, last_s)
    if reported is None:
        return most
    if not response.setpoints:
        return reported
    low_w, high_w = battery_response.power_range_w(response, battery, first_s, last_s)
    return min(low_w, reported[0]), max(high_w, reported[1])


def _reported(recent: Sequence[Reading], first_s: float, last_s: float, per_s: float) -> Range | None:
    """Between what the reports around that time lie, and how far it may have gone since; None without any."""
    known = [(one.measured_s, one.value) for one in recent if one.value is not None]
    if not known:
        return None
    since = [value for at_s, value in known if at_s >= first_s - WINDOW_S] or [known[-1][1]]
    further_w = per_s * max(last_s - known[-1][0], 0.0)
    return min(since) - further_w, max(since) + further_w


def _less(shown: Reading, parts: Iterable[Range], hidden_w: float) -> ImpliedLoad:
    grid_w, parts = shown.value or 0.0, list(parts)
    low_w = grid_w - sum(high for _, high in parts)
    high_w = grid_w - sum(low for low, _ in parts)
    largest_w = max([abs(grid_w), *(max(abs(low), abs(high)) for low, high in parts)])
    return ImpliedLoad(low_w=low_w, high_w=high_w, least_w=-GIVES_W - GIVES_SHARE * largest_w - hidden_w)


def _on_phase(site: Site, parts: Mapping[str, Range], phase: int) -> list[Range]:
    """What each device may have on one phase: all or nothing of a battery of known phase, else anything up to all."""
    phases = {battery.id: battery.phase for battery in site.batteries if battery.phase is not None}
    found = {device: (min(low_w, 0.0), max(high_w, 0.0)) for device, (low_w, high_w) in parts.items()}
    return [found[device] if phases.get(device, phase) == phase else (0.0, 0.0) for device in found]


def _inside(found: Range, most: Range) -> Range:
    return min(max(found[0], most[0]), most[1]), min(max(found[1], most[0]), most[1])
