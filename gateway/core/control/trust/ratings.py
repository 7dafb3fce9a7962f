"""What a reading can be at all: a number beyond what the site can carry is no value, whoever reported it.

A wrong register, a wrong word order or a spike is far outside; what a device may really do is well inside.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.core.model.site import Battery, LoadDevice, Site
from gateway.core.model.state import Reading, SiteState

Range = tuple[float, float]

BEYOND = "implausible"  # why such a reading has no value
LARGEST_HOME_W = 36_000.0  # 36 kVA: the largest connection that is sold as one of a home (Enedis-NOI-CPT_54E)
SURGE = 1.5  # of a larger connection's limit: what its breaker lets through for seconds
OVER = 2.0  # of a roof's peak power: cold panels, bright edges of clouds, a roof that has grown since
OWN_MODE = 2.0  # of a battery's configured power: in its own mode it may do what its maker allows
SLACK_W = 500.0  # of small devices, whose rating is less than the errors of what measures them
PHASES = ("p_l1_w", "p_l2_w", "p_l3_w")
CHARGE_RANGE = (-0.02, 1.02)  # of a state of charge: some makers report a little beyond


def within_ratings(state: SiteState, site: Site) -> SiteState:
    """The state without the readings that cannot be: each of them is absent instead, with BEYOND as the reason."""
    devices: dict[str, Mapping[str, Reading]] = {}
    for device, point, (low, high) in _bounds(site):
        found = state.devices.get(device, {}).get(point)
        if found is not None and found.value is not None and not low <= found.value <= high:
            points = devices.get(device, state.devices[device])
            devices[device] = {**points, point: Reading.absent(BEYOND, found.measured_s)}
    return replace(state, devices={**state.devices, **devices}) if devices else state


def pv_peak_w(site: Site, device: str) -> float:
    """The most that a roof can give (W, 0 or above): its peak power, else what the connection could carry away."""
    rated = {inverter.id: inverter.rated_w for inverter in site.curtailable}
    known_w = max(site.peak_w.get(device, 0.0), rated.get(device, 0.0))
    return OVER * known_w if known_w > 0.0 else _connection_w(site)


def _bounds(site: Site) -> Iterator[tuple[str, str, Range]]:
    grid = _grid_w(site)
    yield site.grid, "p_w", grid
    for phase in PHASES:
        yield site.grid, phase, grid
    for device in site.pv:
        yield device, "p_w", (-pv_peak_w(site, device) - SLACK_W, SLACK_W)
    for battery in site.batteries:
        yield battery.id, "p_w", _battery_w(battery)
        yield battery.id, "soc", CHARGE_RANGE
    for load in site.loads:
        yield load.device, "p_w", _load_w(load)


def _grid_w(site: Site) -> Range:
    """All PV and all batteries at once, and what the wires carry."""
    given_w = sum(pv_peak_w(site, device) for device in site.pv)
    given_w += sum(OWN_MODE * battery.discharge_max_w for battery in site.batteries)
    return -given_w - SLACK_W - undeclared_w(site), _connection_w(site)


def undeclared_w(site: Site) -> float:
    """A generator that nobody declared: where no PV is metered there may be some."""
    return 0.0 if site.pv else _connection_w(site)


def _connection_w(site: Site) -> float:
    finite = [limit_w for limit_w in (site.import_limit_w, site.export_limit_w) if math.isfinite(limit_w)]
    return max(LARGEST_HOME_W, SURGE * max(finite, default=0.0))


def _battery_w(battery: Battery) -> Range:
    most_w = OWN_MODE * max(battery.charge_max_w, battery.discharge_max_w) + SLACK_W
    return -most_w, most_w


def _load_w(load: LoadDevice) -> Range:
    most_w = max((band.high_w for band in load.load.bands), default=0.0)
    least_w = min((band.low_w for band in load.load.bands), default=0.0)
    return min(OWN_MODE * least_w, 0.0) - SLACK_W, max(OWN_MODE * most_w, LARGEST_HOME_W / 2)
