"""Second stage: may we act on what we see? What is late is bridged; what is gone or frozen gives the device back.

Comfort stays with the device: a tank or building that is colder than the plan keeps it gets its own mode back, while it
would be given nothing. Many a heater does nothing in its own mode, and must not stay cold for ever.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.load_facts import SILENT_S, LoadView, warmth
from gateway.core.control.load_memory import LoadMemory
from gateway.core.control.observe import Observation
from gateway.core.control.trust_rules import BATTERY_RULES, LONGEST_AGE_S, METER_RULES, Silence, Trust, ruled
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Mode, Reason

LAG_S = 4.0  # a device may report a move so much before or after the meter shows it: poll, delay and filter of both
MOVED_W = 150.0  # what must have moved elsewhere: far above the noise of meters and of a base load
COLD_K, WARM_K = 2.0, 2.0  # so much below what the plan keeps: its own mode, until it is so much warmer again


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """How long the grid meter has shown the same value, and what the devices did meanwhile."""

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
class SiteTrust:
    """What the readings of this cycle allow for each device."""

    readings: ReadingMemory  # with those of this cycle
    batteries: Mapping[str, Trust]  # by battery id
    loads: Mapping[str, Trust]  # by load id, of those that take set-points


def judge(cycle: CycleInput, readings: ReadingMemory, *, started: Collection[str], loads: LoadMemory) -> SiteTrust:
    """What the readings allow for each battery and load.

    `started`: the batteries that were ever controlled. Before that there is nothing to hold or to give back: we only
    watch, and say what is missing.
    """
    observation, site = cycle.seen, cycle.site
    readings = _read(readings, observation, site)
    meter = ruled(METER_RULES, _meter_silence(observation, site, readings))
    starting = Trust(mode=Mode.WATCH, reason=Reason(code="starting")) if site.grid not in readings.seen_s else None
    batteries = {}
    for battery in site.batteries:
        silence = _battery_silence(observation, battery.id, readings)
        found = ruled(BATTERY_RULES, silence) if _controls(meter) else meter
        is_watched = battery.id not in started and not _controls(found)
        batteries[battery.id] = (starting or Trust(mode=Mode.WATCH, reason=found.reason)) if is_watched else found
    # while a battery is late the loads stay as they are: it is not known how much of the net load is its power
    held = next((each for each in batteries.values() if each.mode is Mode.HOLD), meter)
    above = starting or (held if _controls(meter) else meter)
    orderable = [load for load in site.loads if load.takes_orders]
    return SiteTrust(
        readings=readings,
        batteries=batteries,
        loads={
            load.id: _judge_load(load, observation, above, readings, loads, cycle.requests.get(load.id))
            for load in orderable
        },
    )


def _read(memory: ReadingMemory, observation: Observation, site: Site) -> ReadingMemory:
    """With the readings of this cycle that have a value."""
    powers_w = {device: one.value for device, one in observation.powers.items() if one.value is not None}
    socs = {id_: one.soc.value for id_, one in observation.batteries.items() if one.soc.value is not None}
    return ReadingMemory(
        seen_s={**memory.seen_s, **{device: observation.powers[device].measured_s for device in powers_w}},
        soc={**memory.soc, **socs},
        soc_seen_s={**memory.soc_seen_s, **{id_: observation.batteries[id_].soc.measured_s for id_ in socs}},
        standstill=_stand(memory.standstill, powers_w, site.grid, observation.now_s),
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
    # a device that falls silent has not moved: its power is missing in what is read, not in the wires
    moved_w = sum(devices_w[device] - w for device, w in before.devices_w.items() if device in devices_w)
    known_w = {**devices_w, **before.devices_w}
    return replace(before, devices_w=known_w, moved=before.moved or abs(moved_w) > MOVED_W)


def _controls(trust: Trust) -> bool:
    return trust.mode is Mode.CONTROL


def _meter_silence(observation: Observation, site: Site, readings: ReadingMemory) -> Silence:
    standstill = readings.standstill
    return Silence(
        age_s=readings.age_s(site.grid, observation.now_s),
        is_absent=observation.grid.power.value is None,
        still_s=observation.now_s - standstill.since_s if standstill and standstill.moved else 0.0,
    )


def _battery_silence(observation: Observation, id_: str, readings: ReadingMemory) -> Silence:
    return Silence(
        age_s=readings.age_s(id_, observation.now_s),
        is_absent=observation.batteries[id_].power.value is None,
        soc_age_s=observation.now_s - readings.soc_seen_s.get(id_, -math.inf),
    )


def _judge_load(
    load: LoadDevice,
    observation: Observation,
    above: Trust,
    readings: ReadingMemory,
    memory: LoadMemory,
    request: LoadSlot | None,
) -> Trust:
    """Whether the load may be controlled: the meter and the batteries (`above`), then what the load says of itself.

    Who was never sent anything has nothing to hold or to give back: we only watch.
    """
    is_sent, is_known, view = load.id in memory.sent, load.id in memory.ever_sent, observation.loads[load.id]
    given_back = Mode.RELEASE if is_known else Mode.WATCH
    if not _controls(above):
        return above if is_known else Trust(mode=Mode.WATCH, reason=above.reason)
    age_s = readings.age_s(load.device, observation.now_s)
    if age_s > SILENT_S:
        return Trust(mode=given_back, reason=Reason(code="lost_load", numbers={"age_s": min(age_s, LONGEST_AGE_S)}))
    if is_sent and view.power.value is None:
        return Trust(mode=Mode.HOLD, reason=Reason(code="wait_load", numbers={"age_s": age_s}))
    if not is_known and request is None and view.is_present:
        return Trust(mode=Mode.WATCH, reason=Reason(code="load_unplanned"))
    if view.is_blind:
        return Trust(mode=given_back, reason=Reason(code="load_blind"))
    return _judge_warmth(load, view, request, is_sent=is_sent)


def _judge_warmth(load: LoadDevice, view: LoadView, request: LoadSlot | None, *, is_sent: bool) -> Trust:
    """What is too cold, and not to be heated now, has its own mode."""
    warm = warmth(load, view, request)
    is_heated = request is not None and request.power_w > 0.0
    least_k = COLD_K if is_sent else COLD_K - WARM_K
    if warm is None or is_heated or warm.temp_c >= warm.low_c - least_k:
        return Trust(mode=Mode.CONTROL)
    numbers = {"temp_c": warm.temp_c, "low_c": warm.low_c}
    return Trust(mode=Mode.RELEASE, reason=Reason(code="load_cold", numbers=numbers))
