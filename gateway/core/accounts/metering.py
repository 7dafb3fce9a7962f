"""What of a building is counted: which device stands for what, and which of its points are its counters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.model.site import Site


class CountedPart(StrEnum):
    """What a device is for the accounts."""

    GRID = "grid"  # the connection
    PV = "pv"  # gives
    BATTERY = "battery"  # draws and gives
    LOAD = "load"  # draws


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterPoints:
    """The counters of a device by their points; None where such a device counts nothing that way."""

    drawn: str | None  # of what goes from the building into it
    given: str | None  # of what comes from it


# By the names that the profiles of products give their points (docs/reference/points.md).
POINTS: Mapping[CountedPart, CounterPoints] = {
    CountedPart.GRID: CounterPoints(drawn="e_export_wh", given="e_import_wh"),
    CountedPart.PV: CounterPoints(drawn=None, given="e_produced_wh"),
    CountedPart.BATTERY: CounterPoints(drawn="e_charge_wh", given="e_discharge_wh"),
    CountedPart.LOAD: CounterPoints(drawn="e_import_wh", given=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """All devices of a building that are counted."""

    parts: Mapping[str, CountedPart]  # by device id
    loads: Mapping[str, str]  # the device of each load, by load id
    capacity_wh: Mapping[str, float]  # of each battery, by device id
    counted_by: Mapping[str, str] = field(default_factory=dict)  # the meter beside a device, which counts for it

    def of(self, part: CountedPart) -> tuple[str, ...]:
        """The devices of one part."""
        return tuple(device for device, one in self.parts.items() if one is part)


def metering(site: Site, counted_by: Mapping[str, str]) -> Metering:
    """Of a building; `counted_by`: of each device that has a meter beside it, that meter."""
    parts = {site.grid: CountedPart.GRID, **dict.fromkeys(site.pv, CountedPart.PV)}
    parts |= {battery.id: CountedPart.BATTERY for battery in site.batteries}
    parts |= {load.device: CountedPart.LOAD for load in site.loads}
    return Metering(
        parts=parts,
        loads={load.id: load.device for load in site.loads},
        capacity_wh={battery.id: battery.capacity_wh for battery in site.batteries},
        counted_by=dict(counted_by),
    )
