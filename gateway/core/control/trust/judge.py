"""Second stage: may we act on what we see? What is late is bridged; gone, frozen or false gives the device back.

Comfort stays with the device: a tank or building that is colder than the plan keeps it gets its own mode back, while it
would be given nothing. Many a heater does nothing in its own mode, and must not stay cold for ever.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.load_facts import SILENT_S, LoadView, warmth
from gateway.core.control.load_memory import LoadMemory
from gateway.core.control.observe import Observation
from gateway.core.control.trust import following, load_following, meter_watch
from gateway.core.control.trust.following import Following
from gateway.core.control.trust.load_following import LoadFollowing
from gateway.core.control.trust.meter_proof import MeterState
from gateway.core.control.trust.meter_watch import MeterWatch
from gateway.core.control.trust.rules import BATTERY_RULES, LONGEST_AGE_S, METER_RULES, Silence, Trust, ruled
from gateway.core.control.trust.sent import Sent
from gateway.core.model.plan import LoadSlot
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Mode, Reason

COLD_K, WARM_K = 2.0, 2.0  # so much below what the plan keeps: its own mode, until it is so much warmer again


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingMemory:
    """What is remembered of the readings, by device id. Moments are monotonic."""

    seen_s: Mapping[str, float] = field(default_factory=dict)  # when the last known power was measured
    soc: Mapping[str, float] = field(default_factory=dict)  # last known state of charge, 0…1
    soc_seen_s: Mapping[str, float] = field(default_factory=dict)  # when it was measured
    meter: MeterWatch = field(default_factory=MeterWatch)  # what is known of the grid meter
    following: Mapping[str, Following] = field(default_factory=dict)  # what each battery does with what it is sent
    loads: Mapping[str, LoadFollowing] = field(default_factory=dict)  # the same of each load, by load id

    def age_s(self, device: str, now_s: float) -> float:
        """Seconds since the device's power was last known; infinite when it never was."""
        return now_s - self.seen_s.get(device, -math.inf)

    def astray(self, now_s: float) -> frozenset[str]:
        """The batteries that are given back because they do not follow what they are sent."""
        return frozenset(id_ for id_, one in self.following.items() if one.is_away(now_s))

    def astray_loads(self, now_s: float) -> frozenset[str]:
        """The same of the loads."""
        return frozenset(id_ for id_, one in self.loads.items() if one.is_away(now_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTrust:
    """What the readings of this cycle allow for each device."""

    readings: ReadingMemory  # with those of this cycle
    meter: Trust  # what the grid meter's allow
    meter_for_pv: Trust  # the same for the limits of PV: not even while it is asked because its answers were wrong
    batteries: Mapping[str, Trust]  # by battery id
    loads: Mapping[str, Trust]  # by load id, of those that take set-points
    ask_w: float | None = None  # what the batteries are sent together to ask the meter; None while it is not asked


def judge(cycle: CycleInput, readings: ReadingMemory, sent: Sent) -> SiteTrust:
    """What the readings allow for each battery and load.

    Before a battery was ever controlled there is nothing to hold or to give back: we only watch, and say what is
    missing.
    """
    observation, site = cycle.seen, cycle.site
    readings = _read(readings, observation, site, sent)
    meter = _meter_trust(observation, site, readings)
    starting = Trust(mode=Mode.WATCH, reason=Reason(code="starting")) if site.grid not in readings.seen_s else None
    batteries = {}
    for battery in site.batteries:
        silence = _battery_silence(observation, battery.id, readings)
        found = _battery_trust(silence, readings.following[battery.id], observation.now_s)
        found = found if _controls(meter) else meter
        is_watched = battery.id not in sent.last and not _controls(found)
        batteries[battery.id] = (starting or Trust(mode=Mode.WATCH, reason=found.reason)) if is_watched else found
    # while a battery is late the loads stay as they are: it is not known how much of the net load is its power
    held = next((each for each in batteries.values() if each.mode is Mode.HOLD), meter)
    ask_w = readings.meter.ask_w
    asked = Trust(mode=Mode.HOLD, reason=Reason(code="meter_asked_first")) if ask_w is not None else held
    above = starting or (asked if _controls(meter) else meter)
    orderable = [load for load in site.loads if load.takes_orders]
    return SiteTrust(
        readings=readings,
        meter=starting or meter,
        meter_for_pv=_meter_for_pv(starting or meter, readings),
        batteries=batteries,
        loads={load.id: _judge_load(load, cycle, above, readings, sent.loads) for load in orderable},
        ask_w=ask_w if starting is None and _controls(meter) else None,
    )


def _read(memory: ReadingMemory, observation: Observation, site: Site, sent: Sent) -> ReadingMemory:
    """With the readings of this cycle that have a value."""
    powers_w = {device: one.value for device, one in observation.powers.items() if one.value is not None}
    socs = {id_: one.soc.value for id_, one in observation.batteries.items() if one.soc.value is not None}
    soc = {**memory.soc, **socs}
    found = replace(
        memory,
        seen_s={**memory.seen_s, **{device: observation.powers[device].measured_s for device in powers_w}},
        soc=soc,
        soc_seen_s={**memory.soc_seen_s, **{id_: observation.batteries[id_].soc.measured_s for id_ in socs}},
        following=following.followed(memory.following, observation, site, sent.responses, soc, sent.controlled),
        loads=load_following.followed(memory.loads, observation, site, sent.loads),
    )
    trusts = {
        battery.id: _battery_trust(
            _battery_silence(observation, battery.id, found), found.following[battery.id], observation.now_s
        )
        for battery in site.batteries
    }
    able = [id_ for id_, trust in trusts.items() if _controls(trust)]
    return replace(found, meter=meter_watch.watched(memory.meter, observation, site, sent, able))


def _meter_trust(observation: Observation, site: Site, readings: ReadingMemory) -> Trust:
    """What silence and standstill allow, then what is thought of the meter's numbers."""
    found = ruled(METER_RULES, _meter_silence(observation, site, readings))
    proof = readings.meter.proof
    if found.mode is Mode.RELEASE or proof.state in (MeterState.BELIEVED, MeterState.ASKED):
        return found
    if proof.state is MeterState.QUESTIONED:
        return Trust(mode=Mode.HOLD, reason=Reason(code="meter_questioned"))
    return Trust(mode=Mode.RELEASE, reason=proof.why)


def _meter_for_pv(meter: Trust, readings: ReadingMemory) -> Trust:
    """A meter that may be reversed would let PV out beyond the export limit while it is asked."""
    steps = readings.meter.proof.steps
    if steps is None or steps.is_gentle or not _controls(meter):
        return meter
    return Trust(mode=Mode.RELEASE, reason=Reason(code="meter_questioned"))


def _battery_trust(silence: Silence, follows: Following, now_s: float) -> Trust:
    if follows.why is not None and follows.is_away(now_s):
        return Trust(mode=Mode.RELEASE, reason=follows.why)
    return ruled(BATTERY_RULES, silence)


def _controls(trust: Trust) -> bool:
    return trust.mode is Mode.CONTROL


def _meter_silence(observation: Observation, site: Site, readings: ReadingMemory) -> Silence:
    return Silence(
        age_s=readings.age_s(site.grid, observation.now_s),
        is_absent=observation.grid.power.value is None,
        still_s=readings.meter.standstill.lasted_s(observation.now_s),
        hold_s=readings.meter.standstill.hold_s,
    )


def _battery_silence(observation: Observation, id_: str, readings: ReadingMemory) -> Silence:
    return Silence(
        age_s=readings.age_s(id_, observation.now_s),
        is_absent=observation.batteries[id_].power.value is None,
        soc_age_s=observation.now_s - readings.soc_seen_s.get(id_, -math.inf),
    )


def _judge_load(
    load: LoadDevice, cycle: CycleInput, above: Trust, readings: ReadingMemory, memory: LoadMemory
) -> Trust:
    """Whether the load may be controlled: the meter and the batteries (`above`), then what the load says of itself.

    Who was never sent anything has nothing to hold or to give back: we only watch.
    """
    observation, request = cycle.seen, cycle.requests.get(load.id)
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
    own = Reason(code="load_blind") if view.is_blind else _not_followed(load, cycle, readings.loads[load.id])
    if own is not None:
        return Trust(mode=given_back, reason=own)
    return _judge_warmth(load, view, request, is_sent=is_sent)


def _not_followed(load: LoadDevice, cycle: CycleInput, follows: LoadFollowing) -> Reason | None:
    """Why it is given back though it could be commanded; None also while it must draw less whatever it does."""
    is_away = follows.is_away(cycle.seen.now_s) and not load_following.is_beyond(load, cycle.flows)
    return follows.why if is_away else None


def _judge_warmth(load: LoadDevice, view: LoadView, request: LoadSlot | None, *, is_sent: bool) -> Trust:
    """What is too cold, and not to be heated now, has its own mode."""
    warm = warmth(load, view, request)
    is_heated = request is not None and request.power_w > 0.0
    least_k = COLD_K if is_sent else COLD_K - WARM_K
    if warm is None or is_heated or warm.temp_c >= warm.low_c - least_k:
        return Trust(mode=Mode.CONTROL)
    numbers = {"temp_c": warm.temp_c, "low_c": warm.low_c}
    return Trust(mode=Mode.RELEASE, reason=Reason(code="load_cold", numbers=numbers))
