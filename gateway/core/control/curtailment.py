"""Less PV instead of more export: the limit that PV inverters get when the batteries cannot take what is left.

Batteries come first: only what their bounds leave over is curtailed. The margin below the export limit grows with the
error that lasted (export beyond the limit), and shrinks slowly when it stays away. What is over only until inverter and
meter have followed is no error: a margin could not have prevented it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.trust.rules import Trust
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reason, SetPoint

# Held by the export tests of gateway/tests/core/control/test_limits_of_devices.py: an inverter 3 s late, a meter 1 s.
SHRINK_PER_CYCLE = 0.99  # of the margin: a third is left after two minutes without export beyond the limit
LASTING_CYCLES = 8  # a usual inverter follows in 2 to 5 s, and the meter shows it up to 3 s later
LEAST_MARGIN_W = 20.0  # an inverter takes its limit in percent or tenths of it
MOST_MARGIN = 0.1  # of the inverters' rated power: a meter that is wrong must not switch the production off
AT_LIMIT = 0.95  # of the limit: an inverter that produces so much is curtailed by it
OVER_W = 150.0  # beyond its limit: an inverter that gives so much more does not keep to it …
ASTRAY_CYCLES = 20  # … when it has done so for longer than any takes to follow
RELEASE = 1.05  # a limit above this share of the rated power limits nothing: it is taken away


class CurtailmentState(StrEnum):
    """What curtailment last sent to the inverters."""

    FREE = "free"
    LIMITED = "limited"


class CurtailmentEvent(StrEnum):
    """What a cycle finds while the grid power is known; without it the state stays."""

    ENOUGH = "enough"
    TOO_MUCH = "too_much"


CURTAILMENT_MEANING: Mapping[StrEnum, str] = {
    CurtailmentState.FREE: "no limit: the inverters produce what they can",
    CurtailmentState.LIMITED: "a limit, with a margin below it that grows with export that lasts",
    CurtailmentEvent.ENOUGH: f"building, batteries and allowed export take {RELEASE:g} times the rated power",
    CurtailmentEvent.TOO_MUCH: "they take less than that",
}

CURTAILMENT_TRANSITIONS = {
    (CurtailmentState.FREE, CurtailmentEvent.ENOUGH): CurtailmentState.FREE,
    (CurtailmentState.FREE, CurtailmentEvent.TOO_MUCH): CurtailmentState.LIMITED,
    (CurtailmentState.LIMITED, CurtailmentEvent.ENOUGH): CurtailmentState.FREE,
    (CurtailmentState.LIMITED, CurtailmentEvent.TOO_MUCH): CurtailmentState.LIMITED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Curtailment:
    """What curtailment remembers of the limit that it sent."""

    error_w: float = 0.0  # export beyond the limit that lasted, 0 or above: so much is kept away from the limit
    limit_w: float | None = None  # production allowed to all inverters together, 0 or above; None: no limit
    ignored: Mapping[str, int] = field(default_factory=dict)
    """By inverter id: cycles in which it gave more than it was allowed, less those in which it did not."""
    over_w: tuple[float, ...] = ()  # export beyond the limit in each of the last cycles with one, oldest first

    @property
    def state(self) -> CurtailmentState:
        """Whether there is a limit."""
        return CurtailmentState.FREE if self.limit_w is None else CurtailmentState.LIMITED


@dataclass(frozen=True, slots=True, kw_only=True)
class CurtailmentDecision:
    """The limits of the inverters in this cycle (W)."""

    setpoints: tuple[SetPoint, ...]  # one for each inverter that takes a limit; none without sight of the grid
    memory: Curtailment  # for the next cycle
    curtailed_w: float = 0.0  # what the inverters may be able to give more than now, 0 or above


@dataclass(frozen=True, slots=True, kw_only=True)
class PvFlows:
    """The powers from which a limit of PV is calculated (W)."""

    used_w: float  # the building without its batteries and without PV that takes a limit; import positive
    pv_w: float  # all PV as produced now, 0 or below
    battery_max_w: float  # the most that the batteries may charge; below 0 what they give though they should not
    grid_w: float  # as metered, import positive
    export_w: float  # what may be exported, 0 or above: the site's limit, or 0 while exporting costs money
    gives_w: Mapping[str, float] = field(default_factory=dict)  # each inverter, 0 or above; not known: not in it


def curtail(
    cycle: CycleInput, meter: Trust, before: Curtailment, *, used_w: float | None, battery_max_w: float
) -> CurtailmentDecision:
    """Limits of the PV inverters that take one.

    Without sight of the grid for a moment the last ones stay. When the meter is lost or not believed, all PV together
    gets no more than may be exported: nobody knows what the building draws.

    `used_w`: the building without its controlled batteries and these inverters, None where it was never known.
    `battery_max_w`: the most that the batteries may charge.
    """
    site, slot, grid_w, pv_w = cycle.site, cycle.slot, cycle.seen.grid.fresh_w, cycle.seen.pv_w
    if site.curtailable and meter.mode is Mode.RELEASE:
        return blind(site, before, pv_w, given_w=_given_w(cycle))
    if not site.curtailable or grid_w is None or used_w is None or meter.mode is not Mode.CONTROL:
        return CurtailmentDecision(setpoints=(), memory=before, curtailed_w=hidden_w(site, before, pv_w))
    costs_money = slot is not None and slot.sell < 0.0
    flows = PvFlows(
        used_w=used_w,
        pv_w=pv_w,
        gives_w={one.id: -(cycle.seen.powers[one.id].value or 0.0) for one in site.curtailable},
        battery_max_w=battery_max_w,
        grid_w=grid_w,
        export_w=0.0 if costs_money else site.export_limit_w,
    )
    return limited(site, before, flows)


def _given_w(cycle: CycleInput) -> float:
    """What the batteries give now (W, 0 or above), as far as they tell."""
    powers_w = (cycle.seen.batteries[battery.id].power.value for battery in cycle.site.batteries)
    return sum(max(-power_w, 0.0) for power_w in powers_w if power_w is not None)


def blind(site: Site, before: Curtailment, pv_w: float, *, given_w: float) -> CurtailmentDecision:
    """The limits that keep the export limit whatever the building does; a lower one that stands stays.

    `given_w`: what the batteries give beside PV.
    """
    rated_w = sum(inverter.rated_w for inverter in site.curtailable)
    others_w = max(-pv_w - rated_w, 0.0)  # what other roofs give at least
    limit_w = max(site.export_limit_w - others_w - given_w - LEAST_MARGIN_W, 0.0)
    limit_w = limit_w if before.limit_w is None else min(limit_w, before.limit_w)
    if limit_w >= rated_w:
        return CurtailmentDecision(setpoints=tuple(_free(one.id) for one in site.curtailable), memory=Curtailment())
    reason = Reason(code="pv_blind", numbers={"allowed_w": limit_w, "limit_w": site.export_limit_w})
    memory = Curtailment(error_w=before.error_w, limit_w=limit_w)
    return CurtailmentDecision(setpoints=_divided(site, limit_w, {}, reason), memory=memory)


def limited(site: Site, before: Curtailment, flows: PvFlows) -> CurtailmentDecision:
    """Set-points of the curtailable inverters: the negative of what they may produce, None for as much as they can."""
    error_w, over_w = _learned(before, max(-flows.grid_w - flows.export_w, 0.0))
    rated_w = sum(inverter.rated_w for inverter in site.curtailable)
    error_w = min(error_w, MOST_MARGIN * rated_w)
    margin_w = LEAST_MARGIN_W + error_w
    limit_w = max(flows.used_w + flows.battery_max_w + flows.export_w - margin_w, 0.0)
    event = CurtailmentEvent.TOO_MUCH if limit_w < RELEASE * rated_w else CurtailmentEvent.ENOUGH
    if CURTAILMENT_TRANSITIONS[before.state, event] is CurtailmentState.FREE:
        found = tuple(_free(inverter.id) for inverter in site.curtailable)
        return CurtailmentDecision(setpoints=found, memory=Curtailment(error_w=error_w))
    reason = Reason(code="pv_curtailed", numbers={"allowed_w": limit_w, "limit_w": flows.export_w})
    ignored = _ignored(site, before, flows)
    astray = {id_: flows.gives_w[id_] for id_, cycles in ignored.items() if cycles >= ASTRAY_CYCLES}
    found = _divided(site, limit_w, astray, reason)
    memory = Curtailment(error_w=error_w, limit_w=limit_w, ignored=ignored, over_w=over_w)
    return CurtailmentDecision(setpoints=found, memory=memory, curtailed_w=hidden_w(site, memory, flows.pv_w))


def _divided(site: Site, limit_w: float, astray: Mapping[str, float], reason: Reason) -> tuple[SetPoint, ...]:
    """The limit of all inverters (W, 0 or above), shared by their rated powers.

    What those give that do not keep to their limit (`astray`, W by id) is taken from the others; they are sent theirs
    all the same.
    """
    kept_w = sum(one.rated_w for one in site.curtailable if one.id not in astray)
    left_w = max(limit_w - sum(astray.values()), 0.0)
    rated_w = sum(one.rated_w for one in site.curtailable)
    found = []
    for one in site.curtailable:
        share_w = limit_w * one.rated_w / rated_w if one.id in astray else left_w * one.rated_w / kept_w
        numbers = {"allowed_w": share_w, "power_w": astray.get(one.id, 0.0)}
        why = Reason(code="pv_not_followed", numbers=numbers) if one.id in astray else reason
        power_w = -min(share_w, one.rated_w)
        found.append(SetPoint(device=one.id, power_w=power_w, mode=Mode.CONTROL, reason=why))
    return tuple(found)


def _ignored(site: Site, before: Curtailment, flows: PvFlows) -> dict[str, int]:
    """Whether each gives more than it was allowed, and for how long."""
    if before.limit_w is None:
        return {}
    rated_w = sum(one.rated_w for one in site.curtailable)
    found = {}
    for one in site.curtailable:
        allowed_w = before.limit_w * one.rated_w / rated_w
        is_over = flows.gives_w.get(one.id, 0.0) > allowed_w / AT_LIMIT + OVER_W
        cycles = before.ignored.get(one.id, 0) + (1 if is_over else -1)
        found[one.id] = min(max(cycles, 0), 2 * ASTRAY_CYCLES)
    return found


def hidden_w(site: Site, memory: Curtailment, pv_w: float) -> float:
    """What the inverters may be able to give more than now (W): nothing unless they are at their limit."""
    if memory.limit_w is None or -pv_w < AT_LIMIT * memory.limit_w:
        return 0.0
    return max(sum(inverter.rated_w for inverter in site.curtailable) - memory.limit_w, 0.0)


def _learned(before: Curtailment, over_w: float) -> tuple[float, tuple[float, ...]]:
    """The error now (W), and what is watched for the next one: what lasted is added once, then watched anew."""
    watched = (*before.over_w, over_w) if before.limit_w is not None else ()
    if len(watched) < LASTING_CYCLES:
        return SHRINK_PER_CYCLE * before.error_w, watched
    lasted_w = min(watched)
    return (before.error_w + lasted_w, ()) if lasted_w > 0.0 else (SHRINK_PER_CYCLE * before.error_w, watched[1:])


def _free(device: str) -> SetPoint:
    return SetPoint(device=device, power_w=None, mode=Mode.RELEASE, reason=Reason(code="pv_free"))
