"""First stage: what control sees of the building in this cycle. No later stage reads the site's state."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.control.load_facts import LoadView, view_of
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import SHOWN_S, Reading, SiteState

FRESH_S = 3.0  # three polls of a meter that is read each second


@dataclass(frozen=True, slots=True, kw_only=True)
class GridView:
    """What the grid meter shows now (W, import positive)."""

    power: Reading  # newest, in W; absent where it never came or the read failed
    fresh_w: float | None  # the same no older than FRESH_S; None where it is
    phases: tuple[Reading, ...]  # of the phases that are known, no older than SHOWN_S; three where all are

    @property
    def phases_w(self) -> tuple[float, ...]:
        """Their powers (W)."""
        return tuple(one.value for one in self.phases if one.value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryView:
    """What a battery reports now."""

    power: Reading  # newest, in W, charging positive; absent where it never came or the read failed
    soc: Reading  # newest, 0…1; absent likewise
    shown_w: float | None  # its power no older than SHOWN_S; None where it is
    inverter_w: float | None  # PV (W, 0 or below) on its AC side, no older than SHOWN_S; None without such PV


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The readings that decisions rest on, frozen for one cycle."""

    now_s: float  # monotonic
    utc_s: float  # UTC, by which minimum up and down times count
    grid: GridView  # what the grid meter says
    pv_w: float  # all PV as produced now, 0 or below; what is older than SHOWN_S counts as none
    batteries: Mapping[str, BatteryView]  # by battery id
    loads: Mapping[str, LoadView]  # by load id
    powers: Mapping[str, Reading]  # newest power (W) of the grid meter and of each device behind it, by device id


def observe(state: SiteState, site: Site) -> Observation:
    """What this state holds of the devices of the site."""
    phases = [f"p_l{i}_w" for i in (1, 2, 3)]
    return Observation(
        now_s=state.now_s,
        utc_s=state.utc_s,
        grid=GridView(
            power=state.reading(site.grid, "p_w"),
            fresh_w=state.value(site.grid, "p_w", max_age_s=FRESH_S),
            phases=tuple(
                state.reading(site.grid, phase) for phase in phases if state.age_s(site.grid, phase) <= SHOWN_S
            ),
        ),
        pv_w=sum(state.value(device, "p_w", max_age_s=SHOWN_S) or 0.0 for device in site.pv),
        batteries={battery.id: _battery_view(battery, state) for battery in site.batteries},
        loads={load.id: view_of(load, state) for load in site.loads},
        powers={device: state.reading(device, "p_w") for device in (site.grid, *site.metered)},
    )


def _battery_view(battery: Battery, state: SiteState) -> BatteryView:
    return BatteryView(
        power=state.reading(battery.id, "p_w"),
        soc=state.reading(battery.id, "soc"),
        shown_w=state.value(battery.id, "p_w", max_age_s=SHOWN_S),
        inverter_w=state.value(battery.inverter, "p_w", max_age_s=SHOWN_S) if battery.inverter else None,
    )
