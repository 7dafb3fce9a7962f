"""Sums of quarter hours over any time, with the trail that leads back to them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta, tzinfo

from gateway.core.accounts.closing import RANKS
from gateway.core.accounts.metering import CountedPart, Metering
from gateway.core.accounts.quarter_account import EnergySource, Flows, LoadEnergy, QuarterAccount
from gateway.core.model.quarters import QUARTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The quarter hours behind a figure."""

    start_s: int  # from here (UTC)
    end_s: int  # to before here (UTC)
    counted: int  # quarter hours whose figure is in the sum
    missing: tuple[int, ...]  # starts of those (UTC) whose figure is not known, or that have no account
    sources: Mapping[EnergySource, int]  # of the counted ones, by how they are known: the worst of the devices in them

    @property
    def expected(self) -> int:
        """Quarter hours in all: 92, 96 or 100 of a local day."""
        return (self.end_s - self.start_s) // QUARTER_S

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """A sum, and where it comes from. Without any known quarter hour there is no sum: it is None, never 0."""

    value: float | None  # in the unit of what was added
    trail: Trail  # leads back to its quarter hours


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodAccount:
    """What flowed between two moments, in Wh: all that is known of it."""

    imported_wh: Summed  # from the grid
    exported_wh: Summed  # into it
    pv_wh: Summed  # given by PV, after what was curtailed
    charged_wh: Summed  # into batteries
    discharged_wh: Summed  # out of them
    used_wh: Summed  # by the building
    curtailed_wh: Summed  # that PV could have given more
    flows: Flows | None  # sums; None where not one quarter hour knows them
    flows_trail: Trail  # of the flows
    loads: Mapping[str, LoadEnergy]  # by load id, over the quarter hours in which it is known
    loads_trail: Mapping[str, Trail]  # of each load
    stored_wh: tuple[float | None, float | None]  # in the batteries at the first and at the last end of a quarter hour
    cost_eur: Summed  # of what was imported, at the price in force
    revenue_eur: Summed  # of what was exported
    co2_g: Summed  # of what was imported

    @property
    def pv_used_wh(self) -> float | None:
        """PV that served the building (Wh): what PV gave, less what was exported of it and what its storage lost.

        Of what batteries export and lose, PV has the share that it had in filling them. What is still stored counts as
        used; where the stored energy is not known, only what the batteries gave back does.
        """
        flows = self.flows
        if flows is None:
            return None
        taken = flows.pv_to_battery_wh + flows.grid_to_battery_wh
        of_sun = flows.pv_to_battery_wh / taken if taken > 0.0 else 1.0
        first, last = self.stored_wh
        if first is None or last is None:
            return flows.pv_to_load_wh + min(of_sun * flows.battery_to_load_wh, flows.pv_to_battery_wh)
        given = flows.battery_to_load_wh + flows.battery_to_grid_wh
        losses = max(taken - given - (last - first), 0.0)
        kept = flows.pv_to_battery_wh - of_sun * (flows.battery_to_grid_wh + losses)
        return flows.pv_to_load_wh + max(kept, 0.0)

    @property
    def self_consumption(self) -> float | None:
        """Share (0…1) of what PV gave that served the building."""
        if self.flows is None or self.pv_used_wh is None:
            return None
        made = self.flows.pv_to_load_wh + self.flows.pv_to_battery_wh + self.flows.pv_to_grid_wh
        return None if made <= 0.0 else self.pv_used_wh / made

    @property
    def self_sufficiency(self) -> float | None:
        """Share of what the building used (0…1) that did not come from the grid at once."""
        if self.flows is None:
            return None
        used = self.flows.pv_to_load_wh + self.flows.battery_to_load_wh + self.flows.grid_to_load_wh
        return None if used <= 0.0 else 1.0 - self.flows.grid_to_load_wh / used


def period(accounts: Iterable[QuarterAccount], start_s: int, end_s: int, metering: Metering) -> PeriodAccount:
    """The sums between two starts of quarter hours (UTC, the second out); of a quarter hour given twice the last."""
    of = {one.start_s: one for one in accounts if start_s - QUARTER_S <= one.start_s < end_s}
    before = of.get(start_s - QUARTER_S)  # only for what was stored then
    rows = [of.get(one) for one in range(start_s, end_s, QUARTER_S)]
    grid = metering.of(CountedPart.GRID)
    adder = _Adder(rows=rows, start_s=start_s, end_s=end_s)
    loads = {id_: _load(adder, id_, device) for id_, device in metering.loads.items()}
    flows, trail = _flows(adder)
    return PeriodAccount(
        imported_wh=adder.summed([_part(row, grid, given=True) for row in rows], grid),
        exported_wh=adder.summed([_part(row, grid, given=False) for row in rows], grid),
        pv_wh=adder.of_part(metering, CountedPart.PV, given=True),
        charged_wh=adder.of_part(metering, CountedPart.BATTERY, given=False),
        discharged_wh=adder.of_part(metering, CountedPart.BATTERY, given=True),
        used_wh=adder.summed([None if row is None else row.used_wh for row in rows]),
        curtailed_wh=adder.summed([None if row is None else row.curtailed_wh for row in rows]),
        flows=flows,
        flows_trail=trail,
        loads={id_: load for id_, (load, _) in loads.items()},
        loads_trail={id_: trail for id_, (_, trail) in loads.items()},
        stored_wh=_ends([None if row is None else row.stored_wh for row in (before, *rows)]),
        cost_eur=adder.summed([_paid(row, grid, given=True) for row in rows], grid),
        revenue_eur=adder.summed([_paid(row, grid, given=False) for row in rows], grid),
        co2_g=adder.summed([_co2_g(row, grid) for row in rows], grid),
    )


def local_days(first: date, end: date, zone: tzinfo) -> Iterator[tuple[date, int, int]]:
    """Each local day with its start and end (UTC): 92, 96 or 100 quarter hours. `end` is out."""
    day = first
    while day < end:
        following = day + timedelta(days=1)
        yield day, _midnight(day, zone), _midnight(following, zone)
        day = following


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adder:
    rows: Sequence[QuarterAccount | None]  # one of each quarter hour; None where it has no account
    start_s: int  # of the first
    end_s: int  # of the last

    def summed(self, values: Sequence[float | None], devices: Sequence[str] = ()) -> Summed:
        """The sum of what is known; the sources are those of these devices, or of all."""
        known = [value for value in values if value is not None]
        return Summed(value=math.fsum(known) if known else None, trail=self.trail(values, devices))

    def of_part(self, metering: Metering, part: CountedPart, *, given: bool) -> Summed:
        """What all devices of a part gave, or drew."""
        devices = metering.of(part)
        return self.summed([_part(row, devices, given=given) for row in self.rows], devices)

    def trail(self, values: Sequence[object | None], devices: Sequence[str] = ()) -> Trail:
        """The way back from these values, one of each quarter hour."""
        missing, sources = [], dict.fromkeys(EnergySource, 0)
        for at, (row, value) in enumerate(zip(self.rows, values, strict=True)):
            if row is None or value is None:
                missing.append(self.start_s + at * QUARTER_S)
            else:
                sources[_worst(row, devices or tuple(row.devices))] += 1
        return Trail(
            start_s=self.start_s,
            end_s=self.end_s,
            counted=len(values) - len(missing),
            missing=tuple(missing),
            sources={source: count for source, count in sources.items() if count},
        )


def _worst(row: QuarterAccount, devices: Sequence[str]) -> EnergySource:
    known = [row.devices[device].source for device in devices if device in row.devices]
    return max(known, key=RANKS.index, default=EnergySource.UNKNOWN)


def _part(row: QuarterAccount | None, devices: Sequence[str], *, given: bool) -> float | None:
    """What these devices gave or drew together; None where one of them is not known."""
    if row is None:
        return None
    found = [row.devices.get(device) for device in devices]
    energies = [None if one is None else one.given_wh if given else one.drawn_wh for one in found]
    known = [wh for wh in energies if wh is not None]
    return math.fsum(known) if len(known) == len(energies) else None


def _paid(row: QuarterAccount | None, grid: Sequence[str], *, given: bool) -> float | None:
    wh = _part(row, grid, given=given)
    if row is None or row.price is None or wh is None:
        return None
    return wh / 1000.0 * (row.price.buy if given else row.price.sell)


def _co2_g(row: QuarterAccount | None, grid: Sequence[str]) -> float | None:
    """What was imported times the grid's g/kWh of that quarter hour."""
    wh = _part(row, grid, given=True)
    return None if row is None or wh is None or row.co2_g_per_kwh is None else wh / 1000.0 * row.co2_g_per_kwh


def _flows(adder: _Adder) -> tuple[Flows | None, Trail]:
    found = [None if row is None else row.flows for row in adder.rows]
    known = [asdict(flows) for flows in found if flows is not None]
    trail = adder.trail(found)
    if not known:
        return None, trail
    return Flows(**{one.name: math.fsum(flows[one.name] for flows in known) for one in fields(Flows)}), trail


def _load(adder: _Adder, id_: str, device: str) -> tuple[LoadEnergy, Trail]:
    found = [None if row is None else row.loads.get(id_) for row in adder.rows]
    used, sun, battery = (
        [None if load is None else getattr(load, name) for load in found]
        for name in ("used_wh", "of_sun_wh", "of_battery_wh")
    )
    energy = LoadEnergy(
        used_wh=adder.summed(used).value,
        of_sun_wh=adder.summed(sun).value,
        of_battery_wh=adder.summed(battery).value,
    )
    return energy, adder.trail(used, (device,))


def _ends(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return (known[0], known[-1]) if known else (None, None)
