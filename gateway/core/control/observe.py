"""First stage: what this cycle's readings add to what is known of the meter, the batteries and the loads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.battery_response import BatteryResponse, PowerSample, trimmed, with_report
from gateway.core.control.load_memory import LoadMemory, coming_net_w
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState

LAG_S = 4.0  # a device may report a move so much before or after the meter shows it: poll, delay and filter of both
MOVED_W = 150.0  # what must have moved elsewhere: far above the noise of meters and of a base load
GONE_S = 8.0  # a meter or battery that is silent for longer is gone: its own mode is better than the last set-point


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """The grid meter's number since it last changed, and what the devices did meanwhile."""

    grid_w: float  # the number
    since_s: float  # monotonic moment of its last change
    devices_w: Mapping[str, float]  # each device's power once that change had come through; without the silent ones
    moved: bool = False  # whether they have moved together since then, so that the number must be an old one


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingMemory:
    """What is remembered of the readings, by device id. Moments are monotonic."""

    seen_s: Mapping[str, float] = field(default_factory=dict)  # when the last known power was measured
    soc: Mapping[str, float] = field(default_factory=dict)  # last known state of charge, 0…1
    soc_seen_s: Mapping[str, float] = field(default_factory=dict)  # when it was measured
    standstill: Standstill | None = None  # None before the meter's first number

    def age_s(self, device: str, now_s: float) -> float:
        """Seconds since the device's power was last known; infinite when it never was."""
        return now_s - self.seen_s.get(device, -math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is known after the readings of this cycle."""

    readings: ReadingMemory
    responses: Mapping[str, BatteryResponse]  # by battery id
    coming_net_w: float  # net load (W) when the loads do what they were sent; -inf while all of them do it already


def observe(
    state: SiteState,
    site: Site,
    readings: ReadingMemory,
    responses: Mapping[str, BatteryResponse],
    loads: LoadMemory,
) -> Observation:
    """Take the readings of this cycle in; the three memories are those of the cycle before."""
    sent = [load for load in site.loads if load.id in loads.sent]
    drawn_w = {load.id: state.reading(load.device, "p_w").value or 0.0 for load in sent}
    return Observation(
        readings=_read(readings, state, site),
        responses={**responses, **{battery.id: _answered(battery.id, responses, state, site) for battery in site.batteries}},
        coming_net_w=coming_net_w(loads, drawn_w, site, state.now_s),
    )


def _read(memory: ReadingMemory, state: SiteState, site: Site) -> ReadingMemory:
    powers = {device: state.reading(device, "p_w") for device in (site.grid, *site.metered)}
    charges = {battery.id: state.reading(battery.id, "soc") for battery in site.batteries}
    known = {device: one for device, one in powers.items() if one.value is not None}
    known_soc = {device: one for device, one in charges.items() if one.value is not None}
    powers_w = {device: one.value for device, one in known.items() if one.value is not None}
    return ReadingMemory(
        seen_s={**memory.seen_s, **{device: one.measured_s for device, one in known.items()}},
        soc={**memory.soc, **{device: one.value for device, one in known_soc.items() if one.value is not None}},
        soc_seen_s={**memory.soc_seen_s, **{device: one.measured_s for device, one in known_soc.items()}},
        standstill=_stand(memory.standstill, powers_w, site.grid, state.now_s),
    )


def _stand(before: Standstill | None, powers_w: Mapping[str, float], grid: str, now_s: float) -> Standstill | None:
    """The standstill after these powers: it begins anew with each change of the meter's number."""
    if grid not in powers_w:
        return before
    devices_w = {device: power_w for device, power_w in powers_w.items() if device != grid}
    if before is None or before.grid_w != powers_w[grid]:
        return Standstill(grid_w=powers_w[grid], since_s=now_s, devices_w=devices_w)
    if now_s - before.since_s < LAG_S:
        return replace(before, devices_w={**before.devices_w, **devices_w})
    # who falls silent has not moved: its power is gone from what is read, not from the wires
    moved_w = sum(devices_w[device] - w for device, w in before.devices_w.items() if device in devices_w)
    known_w = {**devices_w, **before.devices_w}
    return replace(before, devices_w=known_w, moved=before.moved or abs(moved_w) > MOVED_W)


def _answered(id_: str, responses: Mapping[str, BatteryResponse], state: SiteState, site: Site) -> BatteryResponse:
    """With the battery's report if it is a new one, without what no meter can be late enough to show."""
    before = responses.get(id_, BatteryResponse())
    oldest_s = state.now_s - site.meter_delay_s[1] - GONE_S
    reading = state.reading(id_, "p_w")
    if reading.value is None:
        return trimmed(before, oldest_s)
    return with_report(before, PowerSample(at_s=reading.measured_s, power_w=reading.value), oldest_s)
