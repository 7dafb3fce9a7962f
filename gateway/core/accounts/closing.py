"""From what was counted and seen of a quarter hour to its account."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.core.accounts.counter_track import HELD_S, CounterTrack
from gateway.core.accounts.flows import EXACT_WH, Totals, by_order, flows, reconciled
from gateway.core.accounts.metering import POINTS, CountedPart, Metering
from gateway.core.accounts.open_quarter import BothWays, LoadShare, OpenQuarter
from gateway.core.accounts.quarter_account import DeviceEnergy, EnergySource, LoadEnergy, QuarterAccount
from gateway.core.model.quarters import ENOUGH, QUARTER_S, Sum

Tracks = Mapping[tuple[str, str], CounterTrack]  # by device and point

WHOLE = 0.98  # so much of a quarter hour is all of it
APART_WH, APART = 200.0, 0.2  # a counter and the power that differ by more than both are said to
ADJUSTED_WH = 10.0  # less of a contradiction is rounding
# From the best to the worst; a device is known as well as the worse of its two directions.
RANKS = (
    EnergySource.COUNTER,
    EnergySource.SPREAD,
    EnergySource.POWER,
    EnergySource.PART,
    EnergySource.UNKNOWN,
)

Known = tuple[float | None, EnergySource]


def closed(quarter: OpenQuarter, tracks: Tracks, metering: Metering) -> QuarterAccount:
    """The account of a quarter hour, without its price and CO2. What is not known is None."""
    devices = {device: _device(device, quarter, tracks, metering) for device in metering.parts}
    totals = _totals(devices, metering)
    agreed = None if totals is None else reconciled(totals)
    account = QuarterAccount(
        start_s=quarter.start_s,
        devices=devices,
        loads={},
        used_wh=None if agreed is None else max(agreed.used, 0.0),
        flows=None if agreed is None else flows(agreed, *_free(quarter, agreed)),
        curtailed_wh=_curtailed_wh(quarter),
        stored_wh=quarter.stored_wh,
        seen=min(quarter.seen_s / QUARTER_S, 1.0),
        epochs=tuple(sorted({device for device in devices if _is_epoch(device, quarter.start_s, tracks, metering)})),
        notes=dict(_notes(quarter, devices, totals, agreed)),
    )
    return replace(account, loads=_loads(quarter, account, metering))


def read_until(tracks: Tracks, metering: Metering) -> float:
    """Up to when (UTC) every counter that is known was read; infinite where there is none."""
    return min((tracks[key].last_s for key in counters(metering) if key in tracks), default=math.inf)


def counted(device: str, point: str, metering: Metering) -> tuple[str, str]:
    """Where the counter of a device is read: at itself, or at the meter beside it."""
    return metering.counted_by.get(device, device), point


def counters(metering: Metering) -> Iterator[tuple[str, str]]:
    """Where the counters of a building are read: device and point."""
    for device, part in metering.parts.items():
        for point in (POINTS[part].drawn, POINTS[part].given):
            if point is not None:
                yield counted(device, point, metering)


def _device(device: str, quarter: OpenQuarter, tracks: Tracks, metering: Metering) -> DeviceEnergy:
    points, sums = POINTS[metering.parts[device]], quarter.devices.get(device, BothWays())
    drawn = _known(device, points.drawn, sums.drawn, quarter, tracks, metering)
    given = _known(device, points.given, sums.given, quarter, tracks, metering)
    # A direction that such a device has no counter of does not make the other one worse.
    judged = [one for one, point in ((drawn, points.drawn), (given, points.given)) if point is not None]
    return DeviceEnergy(drawn_wh=drawn[0], given_wh=given[0], source=max((one[1] for one in judged), key=RANKS.index))


def _known(
    device: str, point: str | None, seen: Sum, quarter: OpenQuarter, tracks: Tracks, metering: Metering
) -> Known:
    """By its counter, else by its power."""
    track = None if point is None else tracks.get(counted(device, point, metering))
    found = None if track is None else track.energy(quarter.start_s)
    if found is not None:
        wh, gap_s = found
        return max(wh, 0.0), EnergySource.COUNTER if gap_s <= HELD_S else EnergySource.SPREAD
    if seen.seconds < ENOUGH * QUARTER_S:
        return None, EnergySource.UNKNOWN
    wh = seen.joules / seen.seconds * QUARTER_S / 3600.0
    return wh, EnergySource.POWER if seen.seconds >= WHOLE * QUARTER_S else EnergySource.PART


def _is_epoch(device: str, start_s: int, tracks: Tracks, metering: Metering) -> bool:
    points = POINTS[metering.parts[device]]
    keys = [counted(device, point, metering) for point in (points.drawn, points.given) if point is not None]
    return any(start_s in tracks[key].epochs for key in keys if key in tracks)


def _totals(devices: Mapping[str, DeviceEnergy], metering: Metering) -> Totals | None:
    grid = devices[metering.of(CountedPart.GRID)[0]]
    pv = _sum([devices[one].given_wh for one in metering.of(CountedPart.PV)])
    charged = _sum([devices[one].drawn_wh for one in metering.of(CountedPart.BATTERY)])
    discharged = _sum([devices[one].given_wh for one in metering.of(CountedPart.BATTERY)])
    imported, exported = grid.given_wh, grid.drawn_wh
    if pv is None or charged is None or discharged is None or imported is None or exported is None:
        return None
    return Totals(pv=pv, imported=imported, exported=exported, charged=charged, discharged=discharged)


def _sum(energies: list[float | None]) -> float | None:
    known = [wh for wh in energies if wh is not None]
    return sum(known) if len(known) == len(energies) else None


def _free(quarter: OpenQuarter, totals: Totals) -> tuple[float, float]:
    """The two free flows (Wh): as seen second by second, else by the order of a whole quarter hour."""
    out, in_ = quarter.battery_to_grid, quarter.grid_to_battery
    if out.seconds < ENOUGH * QUARTER_S:
        return by_order(totals)
    hours = QUARTER_S / 3600.0
    return out.joules / out.seconds * hours, in_.joules / in_.seconds * hours


def _curtailed_wh(quarter: OpenQuarter) -> float | None:
    if quarter.curtailed_s == 0.0 and quarter.seen_s >= ENOUGH * QUARTER_S:
        return 0.0
    if quarter.held_back.seconds < ENOUGH * QUARTER_S:
        return None
    return quarter.held_back.joules / 3600.0


def _loads(quarter: OpenQuarter, account: QuarterAccount, metering: Metering) -> dict[str, LoadEnergy]:
    """Each load with its share of sun and batteries; together never more than the building had of them."""
    found = {
        id_: _load(account.devices[device].drawn_wh, quarter.loads.get(id_, LoadShare()))
        for id_, device in metering.loads.items()
    }
    if account.flows is None:
        return {id_: replace(load, of_sun_wh=None, of_battery_wh=None) for id_, load in found.items()}
    sun = _scale(account.flows.pv_to_load_wh, [load.of_sun_wh for load in found.values()])
    battery = _scale(account.flows.battery_to_load_wh, [load.of_battery_wh for load in found.values()])
    return {
        id_: replace(load, of_sun_wh=_times(load.of_sun_wh, sun), of_battery_wh=_times(load.of_battery_wh, battery))
        for id_, load in found.items()
    }


def _load(used_wh: float | None, share: LoadShare) -> LoadEnergy:
    if used_wh is None or (used_wh > 0.0 and share.of_sun.seconds < ENOUGH * share.used.seconds):
        return LoadEnergy(used_wh=used_wh, of_sun_wh=None, of_battery_wh=None)
    if used_wh <= 0.0:
        return LoadEnergy(used_wh=used_wh, of_sun_wh=0.0, of_battery_wh=0.0)
    if share.used.joules <= 0.0:
        return LoadEnergy(used_wh=used_wh, of_sun_wh=None, of_battery_wh=None)
    sun, battery = (min(one.joules / share.used.joules, 1.0) for one in (share.of_sun, share.of_battery))
    return LoadEnergy(used_wh=used_wh, of_sun_wh=used_wh * sun, of_battery_wh=used_wh * min(battery, 1.0 - sun))


def _scale(most_wh: float, parts: list[float | None]) -> float:
    total = sum(wh for wh in parts if wh is not None)
    return min(most_wh / total, 1.0) if total > 0.0 else 1.0


def _times(wh: float | None, factor: float) -> float | None:
    return None if wh is None else wh * factor


def _notes(
    quarter: OpenQuarter, devices: Mapping[str, DeviceEnergy], totals: Totals | None, agreed: Totals | None
) -> Iterator[tuple[str, str]]:
    """What a reader must know: by a device or a figure, a code of `account.note` in gateway/words."""
    for device, energy in devices.items():
        sums = quarter.devices.get(device, BothWays())
        pairs = ((energy.drawn_wh, sums.drawn), (energy.given_wh, sums.given))
        if energy.source is EnergySource.COUNTER and any(_is_apart(wh, seen) for wh, seen in pairs):
            yield device, "counter_differs"
    if totals is not None and agreed is not None:
        left = abs(totals.exported - agreed.exported) + abs(totals.charged - agreed.charged)
        if max(left, EXACT_WH) > ADJUSTED_WH:
            yield "flows", "adjusted"


def _is_apart(wh: float | None, seen: Sum) -> bool:
    """Whether a counter says something else than the power that was seen nearly all the time."""
    if wh is None or seen.seconds < WHOLE * QUARTER_S:
        return False
    by_power_wh = seen.joules / 3600.0
    return abs(wh - by_power_wh) > max(APART_WH, APART * max(wh, by_power_wh))
