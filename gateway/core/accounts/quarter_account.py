"""What flowed in one quarter hour and what it cost: the smallest part of every figure that people are shown.

Energies are in Wh and 0 or above: the direction is in the name. Each is None where it is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EnergySource(StrEnum):
    """How the energies of a device became known."""

    COUNTER = "counter"  # the device's own counter, read at both ends of the quarter hour
    POWER = "power"  # its power, added up each second
    PART = "part"  # the same, of a part of the quarter hour only: scaled to all of it
    UNKNOWN = "unknown"  # less than the least part was seen
    SPREAD = "spread"  # its counter, read before and after a gap: what it counted there, spread evenly over that time


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Where energy went from and to (Wh, 0 or above). PV serves the building first, then batteries, then the grid."""

    pv_to_load_wh: float = 0.0  # PV used at once (Wh)
    pv_to_battery_wh: float = 0.0  # PV stored (Wh)
    pv_to_grid_wh: float = 0.0  # PV sold (Wh)
    battery_to_load_wh: float = 0.0  # used out of batteries (Wh)
    battery_to_grid_wh: float = 0.0  # sold out of batteries (Wh)
    grid_to_load_wh: float = 0.0  # bought and used (Wh)
    grid_to_battery_wh: float = 0.0  # bought and stored (Wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEnergy:
    """What went through one device."""

    drawn_wh: float | None  # from the building into it; the grid's is what the building exports
    given_wh: float | None  # from it into the building; the grid's is what the building imports
    source: EnergySource  # how this is known


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadEnergy:
    """What one named load used."""

    used_wh: float | None  # in all
    of_sun_wh: float | None  # of that, from PV at once
    of_battery_wh: float | None  # of that, from batteries


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInForce:
    """What a kWh cost in this quarter hour, taxes included (EUR/kWh)."""

    period: str  # the tariff's name of it, such as HP
    buy: float  # EUR/kWh imported
    sell: float  # EUR/kWh exported


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterAccount:
    """One quarter hour of UTC that is over."""

    start_s: int  # when it began (UTC, a multiple of 900)
    devices: Mapping[str, DeviceEnergy]  # by device id: grid, PV, batteries, meters
    loads: Mapping[str, LoadEnergy]  # by load id
    used_wh: float | None  # by all that the building uses, without what batteries store
    flows: Flows | None  # None where one of grid, PV and batteries is not known
    curtailed_wh: float | None  # that PV could have given more; 0 where nothing was held back
    stored_wh: float | None = None  # in all batteries at its end, above empty
    seen: float = 1.0  # share of its seconds in which the loop ran, 0…1
    price: PriceInForce | None = None  # None where none is known
    co2_g_per_kwh: float | None = None  # of what was imported
    epochs: tuple[str, ...] = ()  # devices whose counter was reset, swapped or rolled over in it
    notes: Mapping[str, str] = field(default_factory=dict)  # what a reader must know of single figures, by their names
