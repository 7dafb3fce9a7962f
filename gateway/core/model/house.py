"""What the building itself draws: the grid meter less all that is metered behind it, as far as that is known.

Its parts are not read at one instant, and the meter shows the wires of some moment before: so a load that is switched
would stand in the difference for a second or two as if the building had drawn it. Therefore the parts are taken from
the moment that the meter showed, for each lag that it may have; the estimate before stays while it is possible, and
moves by the least way when it is not (as in docs/adr/0003-net-load-is-a-range.md). A part that says nothing is not 0:
it may have any power that it can have, and the estimate carries that range.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.model.series import Series, with_sample
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S, SiteState
from gateway.core.model.sun import most_share

LATEST_S = 2.5  # behind the newest sample of the meter: a part that is read less often is not waited for
REPORT_S = 1.0  # a device's own report may be so much older than its moment: its own mean, its own bus
STEP_S = 0.5  # between two lags of the meter that are looked at
HELD_S = 30.0  # without the meter the last estimate is still the best for so long, and then nothing is known
NARROW_W, NARROW = 100.0, 0.1  # a range so wide, or such a share of the estimate, is as good as a number

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseLoad:
    """Base load of the building without what is planned (W, drawn positive)."""

    # The best single number; None while nothing is known of it.
    load_w: float | None = None
    # The least that it may be; None where it may be anything.
    low_w: float | None = None
    # The most that it may be; None where it may be anything.
    high_w: float | None = None
    # Devices whose power is not known now, the grid meter among them.
    missing: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether the number is as good as a measured one."""
        if self.load_w is None or self.low_w is None or self.high_w is None:
            return False
        return self.high_w - self.low_w <= max(NARROW_W, NARROW * abs(self.load_w))


UNKNOWN = HouseLoad()


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseMemory:
    """What is remembered from one cycle to the next."""

    # By device id, the grid meter among them.
    series: Mapping[str, Series] = field(default_factory=dict)
    # The last estimate (W); None before the first.
    load_w: float | None = None
    # Monotonic moment of the last cycle in which the meter was known.
    seen_s: float = -math.inf


def estimated(memory: HouseMemory, state: SiteState, site: Site) -> tuple[HouseLoad, HouseMemory]:
    """The base load in this cycle."""
    fresh = {device: state.value(device, "p_w", max_age_s=SHOWN_S) for device in (site.grid, *site.metered)}
    memory = _with_samples(memory, state, fresh)
    missing = tuple(device for device, power_w in fresh.items() if power_w is None)
    if site.grid in missing:
        held_w = memory.load_w if state.now_s - memory.seen_s <= HELD_S else None
        return HouseLoad(load_w=held_w, low_w=held_w, high_w=held_w, missing=missing), memory
    low_w, high_w = _range_w(memory.series, site, missing)
    for device in missing:
        least_w, most_w = possible_w(device, site, state)
        low_w, high_w = low_w - most_w, high_w - least_w
    if missing and low_w < 0.0 < high_w:
        low_w = 0.0  # what is not metered draws
    load_w = _moved_into((low_w, high_w), memory.load_w)
    if not missing:
        low_w = high_w = load_w if load_w is not None else low_w  # what is left is a second's doubt of moments
    found = HouseLoad(load_w=load_w, low_w=_finite(low_w), high_w=_finite(high_w), missing=missing)
    return found, replace(memory, load_w=load_w if load_w is not None else memory.load_w, seen_s=state.now_s)


def possible_w(device: str, site: Site, state: SiteState) -> Range:
    """The least and the most power (W, drawn positive) of a device that says nothing of it.

    Nothing goes through a switch that is open. That is not told to control as the power of the load: it would give a
    load whose meter is lost back, see it off, and command it anew.
    """
    for battery in site.batteries:
        if battery.id == device:
            return -battery.discharge_max_w, battery.charge_max_w
    for load in site.loads:
        if load.device == device:
            if state.value(device, "is_on", max_age_s=SHOWN_S) == 0.0:
                return 0.0, 0.0
            return 0.0, max(band.high_w for band in load.load.bands)
    rated_w = [inverter.rated_w for inverter in site.curtailable if inverter.id == device]
    most_w = min(*rated_w, site.peak_w.get(device, math.inf), math.inf)
    share = most_share(state.utc_s, site.places) or 1.0  # a silent one has a value at night, unless that is none here
    return -most_w * share, 0.0


def _with_samples(memory: HouseMemory, state: SiteState, fresh: Mapping[str, float | None]) -> HouseMemory:
    """With the samples of this cycle; a device that was silent begins anew."""
    series = {
        device: with_sample(memory.series.get(device), state.reading(device, "p_w").measured_s, power_w)
        for device, power_w in fresh.items()
        if power_w is not None
    }
    return replace(memory, series=series)


def _range_w(series: Mapping[str, Series], site: Site, missing: tuple[str, ...]) -> Range:
    """What the known parts leave (W), for each lag that the meter may have.

    Its whole configured range: the lag that control proves is that beside a battery's report, which has one of its own.
    """
    moment_s, grid_w = _meter_sample(series, site.grid, site.meter_delay_s[0])
    smooth = [series[d] for d in (*site.pv, *(battery.id for battery in site.batteries)) if d not in missing]
    switched = [series[load.device] for load in site.loads if load.device not in missing]
    lows, highs = [], []
    for lag_s in _lags_s(site.meter_delay_s):
        wires_s = moment_s - lag_s
        spans = [one.between(wires_s - REPORT_S, wires_s + REPORT_S) for one in switched]
        rest_w = grid_w - sum(one.at(wires_s) for one in smooth)
        lows.append(rest_w - sum(most_w for _, most_w in spans))
        highs.append(rest_w - sum(least_w for least_w, _ in spans))
    return min(lows), max(highs)


def _meter_sample(series: Mapping[str, Series], grid: str, least_lag_s: float) -> tuple[float, float]:
    """The newest sample of the meter (moment, W) of which all parts have been read since; none is waited for long."""
    meter = series[grid]
    covered_s = min((one.last_s for device, one in series.items() if device != grid), default=math.inf) + least_lag_s
    wanted_s = max(covered_s, meter.last_s - LATEST_S)
    index = max(i for i, at_s in enumerate(meter.moments_s) if i == 0 or at_s <= wanted_s)
    return meter.moments_s[index], meter.powers_w[index]


def _lags_s(delay_s: Range) -> Iterator[float]:
    """From the least lag to the most, both included."""
    steps = max(math.ceil((delay_s[1] - delay_s[0]) / STEP_S), 1)
    return (delay_s[0] + (delay_s[1] - delay_s[0]) * i / steps for i in range(steps + 1))


def _moved_into(range_w: Range, before_w: float | None) -> float | None:
    """The estimate before where it is possible, else the nearer end; without one the middle, if there is one."""
    low_w, high_w = range_w
    if before_w is not None:
        return min(max(before_w, low_w), high_w)
    return (low_w + high_w) / 2.0 if math.isfinite(low_w + high_w) else None


def _finite(power_w: float) -> float | None:
    return power_w if math.isfinite(power_w) else None
