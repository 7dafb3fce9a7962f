"""The quarter hour that is being filled: powers added up second by second, for what has no counter and for shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.accounts.flows import Totals, by_order
from gateway.core.accounts.metering import CountedPart, Metering
from gateway.core.model.quarters import Sum

SURE_S = 1800.0  # PV that was not held back says for so long what it could give
BRIGHT_W = 20.0  # less says nothing of a roof
NOTHING = Sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one cycle shows."""

    utc_s: float  # its moment
    powers_w: Mapping[str, float | None]  # by device, drawn positive; None where it is not known
    counters: Mapping[tuple[str, str], tuple[float, float]]  # by device and point: when it was read (UTC), and Wh
    curtailed: bool = False  # whether PV was held back
    stored_wh: float | None = None  # in all batteries, above empty


@dataclass(frozen=True, slots=True, kw_only=True)
class BothWays:
    """A device's power added up by its direction."""

    drawn: Sum = NOTHING  # what it drew
    given: Sum = NOTHING  # what it gave, 0 or above as well


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShare:
    """A load's power added up by where it came from."""

    used: Sum = NOTHING  # all of it
    of_sun: Sum = NOTHING  # from PV at once
    of_battery: Sum = NOTHING  # from batteries


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuarter:
    """What was seen of a quarter hour so far."""

    start_s: int  # when it began (UTC)
    seen_s: float = 0.0  # how long the loop ran in it
    devices: Mapping[str, BothWays] = field(default_factory=dict)  # by device id
    loads: Mapping[str, LoadShare] = field(default_factory=dict)  # by load id
    battery_to_grid: Sum = NOTHING  # the first of the flows that the totals leave free
    grid_to_battery: Sum = NOTHING  # the second
    held_back: Sum = NOTHING  # what PV could have given more while it was curtailed; its time is that of all of it
    curtailed_s: float = 0.0  # how long it was
    stored_wh: float | None = None  # when it was last known


@dataclass(frozen=True, slots=True, kw_only=True)
class SunBefore:
    """What PV last gave while nothing held it back."""

    utc_s: float  # when
    power_w: float  # how much, 0 or above


def filled(quarter: OpenQuarter, seen: Seen, held_s: float, metering: Metering, sun: SunBefore | None) -> OpenQuarter:
    """With what a cycle shows, which held for so long."""
    devices = {
        device: _both(quarter.devices.get(device, BothWays()), _drawn_w(seen.powers_w.get(device), part), held_s)
        for device, part in metering.parts.items()
    }
    totals = totals_now(seen, metering)
    out_w, in_w = by_order(totals) if totals is not None else (None, None)
    more_w = _held_back_w(seen, metering, sun)
    return replace(
        quarter,
        seen_s=quarter.seen_s + held_s,
        devices=devices,
        loads={id_: _load(quarter, id_, device, seen, held_s, totals) for id_, device in metering.loads.items()},
        battery_to_grid=quarter.battery_to_grid.plus(out_w, held_s),
        grid_to_battery=quarter.grid_to_battery.plus(in_w, held_s),
        held_back=quarter.held_back.plus(more_w, held_s),
        curtailed_s=quarter.curtailed_s + (held_s if seen.curtailed else 0.0),
        stored_wh=seen.stored_wh if seen.stored_wh is not None else quarter.stored_wh,
    )


def sun_after(sun: SunBefore | None, seen: Seen, metering: Metering) -> SunBefore | None:
    """What is remembered of PV for when it is curtailed."""
    pv_w = pv_now(seen, metering)
    if seen.curtailed or pv_w is None:
        return sun
    return SunBefore(utc_s=seen.utc_s, power_w=pv_w)


def pv_now(seen: Seen, metering: Metering) -> float | None:
    """What all PV gives (W, 0 or above); None where one of them is not known."""
    powers = [seen.powers_w.get(device) for device in metering.of(CountedPart.PV)]
    known = [max(-power_w, 0.0) for power_w in powers if power_w is not None]
    return sum(known) if len(known) == len(powers) else None


def totals_now(seen: Seen, metering: Metering) -> Totals | None:
    """The powers of this moment; None where one of grid, PV and batteries is not known."""
    pv_w, grid_w = pv_now(seen, metering), seen.powers_w.get(metering.of(CountedPart.GRID)[0])
    batteries = [seen.powers_w.get(device) for device in metering.of(CountedPart.BATTERY)]
    known = [power_w for power_w in batteries if power_w is not None]
    if pv_w is None or grid_w is None or len(known) < len(batteries):
        return None
    return Totals(
        pv=pv_w,
        imported=max(grid_w, 0.0),
        exported=max(-grid_w, 0.0),
        charged=sum(max(power_w, 0.0) for power_w in known),
        discharged=sum(max(-power_w, 0.0) for power_w in known),
    )


def _drawn_w(power_w: float | None, part: CountedPart) -> float | None:
    """From the building into the device: the grid's power is positive where the building imports."""
    return -power_w if power_w is not None and part is CountedPart.GRID else power_w


def _both(sums: BothWays, power_w: float | None, held_s: float) -> BothWays:
    if power_w is None:
        return sums
    return BothWays(
        drawn=sums.drawn.plus(max(power_w, 0.0), held_s),
        given=sums.given.plus(max(-power_w, 0.0), held_s),
    )


def _load(quarter: OpenQuarter, id_: str, device: str, seen: Seen, held_s: float, totals: Totals | None) -> LoadShare:
    """All loads have the same mix: that of the building at this moment."""
    sums, power_w = quarter.loads.get(id_, LoadShare()), seen.powers_w.get(device)
    if power_w is None:
        return sums
    used_w = max(power_w, 0.0)
    sun_w = battery_w = None
    if totals is not None:
        out_w, in_w = by_order(totals)
        of_all = max(totals.used, used_w, 1.0)
        sun = max(totals.pv - (totals.charged - in_w) - (totals.exported - out_w), 0.0)
        sun_w = used_w * min(sun / of_all, 1.0)
        battery_w = min(used_w * max(totals.discharged - out_w, 0.0) / of_all, used_w - sun_w)
    return LoadShare(
        used=sums.used.plus(used_w, held_s),
        of_sun=sums.of_sun.plus(sun_w, held_s),
        of_battery=sums.of_battery.plus(battery_w, held_s),
    )


def _held_back_w(seen: Seen, metering: Metering, sun: SunBefore | None) -> float | None:
    """What PV could give more now: 0 where nothing holds it back; None where that is not known."""
    if not seen.curtailed:
        return 0.0
    pv_w = pv_now(seen, metering)
    if pv_w is None or sun is None or sun.power_w < BRIGHT_W or seen.utc_s - sun.utc_s > SURE_S:
        return None
    return max(sun.power_w - pv_w, 0.0)
