"""What is kept for years: quarter hours and days in columns, decisions and events one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from gateway.view.schema.keys import DRAWN, About

EnergyColumn = Sequence[float | None]
UNKNOWN = "it is not known"


class HistoryError(Exception):
    """The history cannot be read now: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowColumnsView:
    """Where energy went from and to: PV serves the building first, then batteries, then the grid."""

    pv_to_load_wh: Annotated[EnergyColumn, About("from PV into the building", unit="Wh", null=UNKNOWN)]
    pv_to_battery_wh: Annotated[EnergyColumn, About("from PV into batteries", unit="Wh", null=UNKNOWN)]
    pv_to_grid_wh: Annotated[EnergyColumn, About("from PV to the grid", unit="Wh", null=UNKNOWN)]
    battery_to_load_wh: Annotated[EnergyColumn, About("from batteries into the building", unit="Wh", null=UNKNOWN)]
    battery_to_grid_wh: Annotated[EnergyColumn, About("from batteries to the grid", unit="Wh", null=UNKNOWN)]
    grid_to_load_wh: Annotated[EnergyColumn, About("from the grid into the building", unit="Wh", null=UNKNOWN)]
    grid_to_battery_wh: Annotated[EnergyColumn, About("from the grid into batteries", unit="Wh", null=UNKNOWN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceColumnsView:
    """What went through one device."""

    drawn_wh: Annotated[
        EnergyColumn, About("from the building into it; the grid's is the export", unit="Wh", null=UNKNOWN)
    ]
    given_wh: Annotated[
        EnergyColumn, About("from it into the building; the grid's is the import", unit="Wh", null=UNKNOWN)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceQuartersView(DeviceColumnsView):
    """The same of quarter hours."""

    source: Annotated[
        Sequence[str | None],
        About("how that is known: `counter`, `power`, `part` or `unknown`", null="the device was not there"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDaysView(DeviceColumnsView):
    """The same of days."""

    quarters: Annotated[Sequence[int | None], About("quarter hours that are known", null="the device was not there")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadColumnsView:
    """What one load used."""

    used_wh: Annotated[EnergyColumn, About("all that it used", unit="Wh", null=UNKNOWN)]
    of_sun_wh: Annotated[EnergyColumn, About("of that, from PV at once", unit="Wh", null=UNKNOWN)]
    of_battery_wh: Annotated[EnergyColumn, About("of that, from batteries", unit="Wh", null=UNKNOWN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuartersView:
    """Quarter hours of UTC that are over, in columns: one entry for each that is kept. Energies are 0 or above."""

    t: Annotated[Sequence[int], About("begin of each quarter hour, rising", unit="s since 1970")]
    used_wh: Annotated[EnergyColumn, About("used by the building, without what is stored", unit="Wh", null=UNKNOWN)]
    flows: Annotated[FlowColumnsView, About("where energy went")]
    curtailed_wh: Annotated[EnergyColumn, About("that PV could have given more", unit="Wh", null=UNKNOWN)]
    stored_wh: Annotated[EnergyColumn, About("in all batteries at its end", unit="Wh above empty", null=UNKNOWN)]
    seen: Annotated[Sequence[float], About("share of it in which this gateway ran", unit="fraction")]
    period: Annotated[Sequence[str | None], About("the tariff's name of the price", null=UNKNOWN)]
    buy: Annotated[Sequence[float | None], About("price of import", unit="EUR/kWh", null=UNKNOWN)]
    sell: Annotated[Sequence[float | None], About("price of export", unit="EUR/kWh", null=UNKNOWN)]
    co2_g_per_kwh: Annotated[Sequence[float | None], About("of what was imported", unit="g/kWh", null=UNKNOWN)]
    devices: Annotated[Mapping[str, DeviceQuartersView], About("by device")]
    loads: Annotated[Mapping[str, LoadColumnsView], About("by load")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysView:
    """Local days in columns: sums of what is known of their quarter hours."""

    day: Annotated[Sequence[str], About("the day, ISO 8601, rising")]
    t: Annotated[Sequence[int], About("its midnight", unit="s since 1970")]
    quarters: Annotated[Sequence[int], About("quarter hours that are kept")]
    expected: Annotated[Sequence[int], About("quarter hours that it has: 92, 96 or 100")]
    used_wh: Annotated[EnergyColumn, About("used by the building, without what is stored", unit="Wh", null=UNKNOWN)]
    flows: Annotated[FlowColumnsView, About("where energy went")]
    curtailed_wh: Annotated[EnergyColumn, About("that PV could have given more", unit="Wh", null=UNKNOWN)]
    devices: Annotated[Mapping[str, DeviceDaysView], About("by device")]
    loads: Annotated[Mapping[str, LoadColumnsView], About("by load")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """What a device was told to do, for as long as neither mode nor reason changed."""

    device: Annotated[str, About("its name in the site file")]
    since_s: Annotated[float, About("when it began", unit="s since 1970")]
    until_s: Annotated[float | None, About("when it ended", unit="s since 1970", null="it holds")]
    mode: Annotated[str, About("`control`, `hold`, `release` or `watch`")]
    code: Annotated[str, About("of the reason, in the words ([reasons](reasons.md))")]
    power_w: Annotated[float | None, About("set-point at its begin", unit="W", sign=DRAWN, null="it ran itself")]
    numbers: Annotated[Mapping[str, float | str], About("of the reason at its begin, the unit at the name's end")]
    more: Annotated[int, About("changes in between that were too many to be kept one by one")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsView:
    """Decisions that held for some time of the period, oldest first."""

    decisions: Annotated[tuple[DecisionView, ...], About("the first 5000 of them")]
    is_all: Annotated[bool, About("there are no more of them")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """Something that happened, once or for a while."""

    kind: Annotated[str, About("a code of `event` in the words")]
    since_s: Annotated[float, About("when it began", unit="s since 1970")]
    until_s: Annotated[
        float | None, About("when it ended; `since_s` of what has no length", unit="s since 1970", null="it lasts")
    ]
    device: Annotated[str, About("its name in the site file; empty for the gateway itself")]
    numbers: Annotated[Mapping[str, float | str], About("what belongs into the sentence")]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsView:
    """Events that lasted for some time of the period, oldest first."""

    events: Annotated[tuple[EventView, ...], About("the first 5000 of them")]
    is_all: Annotated[bool, About("there are no more of them")]
