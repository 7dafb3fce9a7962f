"""First stage: what control sees of the building in this cycle. No later stage reads the site's state."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control.load_facts import LoadView, view_of
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, Reading, SiteState


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The readings that decisions rest on, frozen for one cycle."""

    now_s: float  # monotonic
    utc_s: float  # UTC, by which minimum up and down times count
    powers: Mapping[str, Reading]  # newest power of each device, W drawn; absent where it never came or the read failed
    socs: Mapping[str, Reading]  # newest state of charge (0…1) by battery id; absent likewise
    phases_w: tuple[float, ...]  # power of the grid's phases that are known, import positive; three where all are
    loads: Mapping[str, LoadView]  # by load id

    def power(self, device: str) -> Reading:
        """The newest power of a device; absent where it never came."""
        return self.powers.get(device) or Reading.absent("no_data", -math.inf)

    def power_w(self, device: str, *, max_age_s: float) -> float | None:
        """The power of a device (W), if it is known and no older than that."""
        reading = self.power(device)
        return reading.value if self.now_s - reading.measured_s <= max_age_s else None

    def drawn_w(self, device: str) -> float:
        """The newest power of a device (W) however old it is; 0 where it is not known."""
        return self.power(device).value or 0.0


def observe(state: SiteState, site: Site) -> Observation:
    """What this state holds of the devices of the site."""
    inverters = [battery.inverter for battery in site.batteries if battery.inverter is not None]
    phases_w = [state.value(site.grid, f"p_l{i}_w", max_age_s=SHOWN_S) for i in (1, 2, 3)]
    return Observation(
        now_s=state.now_s,
        utc_s=state.utc_s,
        powers={device: state.reading(device, "p_w") for device in (site.grid, *site.metered, *inverters)},
        socs={battery.id: state.reading(battery.id, "soc") for battery in site.batteries},
        phases_w=tuple(phase_w for phase_w in phases_w if phase_w is not None),
        loads={load.id: view_of(load, state) for load in site.loads},
    )
