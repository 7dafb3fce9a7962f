"""What loads can be given: surplus that lasts, and what is left under each import limit.

Both are those of the building without batteries and controlled loads, known only while meter and reports agree with
what the loads were sent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.core.control.arbiter import WATCHED_S, RecentPower, sampled, sustained_w
from gateway.core.control.limited_flows import BatteryPowers, LimitedFlow
from gateway.core.control.load_facts import LoadView
from gateway.core.control.load_memory import REACT_S, LoadMemory, is_settled, likely_range_w, most_drawn_w
from gateway.core.control.trust.load_following import is_deaf
from gateway.core.control.trust.rules import GONE_S
from gateway.core.model.limits import CONNECTION, LimitPlace
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import LoadDevice, Site

# What a running load is offered more, to see whether curtailed PV can give it: held by the test of curtailed PV in
# gateway/tests/core/control/test_loads.py. A tenth of a small roof; what is not there is imported for some seconds.
PROBE_W = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBound:
    """What the loads behind one place may be sent together (W)."""

    place: LimitPlace  # where
    limit_w: float  # of that place, as it is said to people; 0 or above
    shares: Mapping[str, float]  # by load id: for each W that it is sent, the most of it there; above 0
    lasting_w: float  # that was there in all of the last seconds, 0 or above
    most_w: float  # at this moment, 0 or above, if all of them do what they are sent
    others_w: float  # the same for those that do, while the others go on; infinite where all do
    obeying: Mapping[str, float]  # `shares` of those that do


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How much more power the loads may draw now (W)."""

    surplus_w: float  # of the surplus that lasts; below 0 where the building imports without its loads
    now_w: float  # the surplus at this moment, as people are told; below 0 likewise
    bounds: tuple[LoadBound, ...]  # that of the connection first

    @property
    def import_w(self) -> float:
        """In all, under the import limit of the connection, 0 or above; the least of the last seconds."""
        return self.bounds[0].lasting_w


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSituation:
    """What is known when the powers of the controlled loads are decided, frozen for one cycle."""

    site: Site  # its limits at the grid count
    ours: tuple[LoadDevice, ...]  # the loads that may be controlled now, at least one
    drawn_w: Mapping[str, float]  # power of each of these by its id; 0 where it is not known
    views: Mapping[str, LoadView]  # what they say of themselves, by load id
    requests: Mapping[str, LoadSlot]  # by load id; also of loads that may not be controlled now
    slot: Slot  # of the plan, or what stands for it without one
    now_s: float  # monotonic
    utc_s: float  # UTC, by which minimum up and down times count
    settle_s: float  # after so long meter and reports show what a load was sent
    net_w: float  # the building without its controlled batteries, import positive
    batteries: BatteryPowers  # of these
    stubborn_w: Mapping[str, float]  # of these, what each charges beyond all that it was sent (W, 0 or above)
    flows: tuple[LimitedFlow, ...]  # through each place that has limits; that of the connection first
    curtailed_w: float  # what the PV inverters may be able to give more than now, 0 or above


def observed(memory: LoadMemory, situation: LoadSituation) -> LoadMemory:
    """With this moment's surplus and headroom (W), if every load is where it was sent to.

    With other batteries and loads controlled than before, surplus and headroom are other ones too.
    """
    excluded = (*situation.batteries.reported_w, *situation.drawn_w)
    if memory.excluded != excluded:
        memory = replace(memory, surplus=RecentPower(), headroom={}, excluded=excluded)
    if not is_settled(memory, situation.now_s, situation.settle_s):
        return memory
    base_w = situation.net_w - sum(situation.drawn_w.values())
    beyond_w = _beyond_w(memory, situation)
    kept_w = base_w + sum(beyond_w.values())
    surplus_w = situation.site.grid_setpoint_w - kept_w + _hidden_w(memory, situation)
    headroom = {
        flow.place: sampled(memory.headroom.get(flow.place, RecentPower()), situation.now_s, left_w)
        for flow in situation.flows
        if (left_w := _left_w(flow, situation, situation.drawn_w, beyond_w)) is not None
    }
    return replace(
        memory,
        base_w=base_w,
        surplus=sampled(memory.surplus, situation.now_s, surplus_w),
        headroom={**memory.headroom, **headroom},
    )


def headroom_of(memory: LoadMemory, situation: LoadSituation) -> Headroom:
    """What can be given out to loads and batteries."""
    beyond_w = _beyond_w(memory, situation)
    bounds = tuple(_bound(flow, memory, situation, beyond_w) for flow in situation.flows)
    return Headroom(
        surplus_w=_surplus_w(memory, situation.drawn_w),
        now_w=_now_w(memory, situation),
        bounds=tuple(bound for bound in bounds if bound.shares or bound.place == CONNECTION),
    )


def _bound(flow: LimitedFlow, memory: LoadMemory, situation: LoadSituation, beyond_w: Mapping[str, float]) -> LoadBound:
    """What the loads behind a place may be sent under its limit."""
    now_s, is_over = situation.now_s, (flow.measured_w or 0.0) > flow.import_max_w
    most_drawn = {}
    for load in situation.ours:  # beyond the limit only what is drawn counts: a load may take less than it was sent
        within_s = REACT_S + load.pause_s if is_over else situation.settle_s
        most_drawn[load.id] = most_drawn_w(memory.sent.get(load.id), memory.shown_w(load.id), now_s, within_s)
    deaf = {id_: w for id_, w in beyond_w.items() if is_deaf(situation.drawn_w[id_], w)}
    heard = {id_: 0.0 if id_ in deaf else w for id_, w in beyond_w.items()}
    unseen_w = _unseen_w(flow, memory, situation)
    most_w = _known(_left_w(flow, situation, most_drawn, heard), unseen_w)
    others_w = math.inf
    if deaf:
        beside_w = {**most_drawn, **dict.fromkeys(deaf, 0.0)}
        others_w = max(_known(_left_w(flow, situation, beside_w, heard), unseen_w), 0.0)
    lately_w = (w for _, w in memory.headroom.get(flow.place, RecentPower()).samples)
    shares = {load.id: flow.ordered.get(load.device, 0.0) for load in situation.ours}
    shares = {id_: share for id_, share in shares.items() if share > 0.0}
    return LoadBound(
        place=flow.place,
        limit_w=flow.import_limit_w,
        shares=shares,
        lasting_w=max(min((*lately_w, most_w)), 0.0),
        most_w=max(most_w, 0.0),
        others_w=others_w,
        obeying={id_: share for id_, share in shares.items() if id_ not in deaf},
    )


def _known(left_w: float | None, unseen_w: float) -> float:
    """What is left, or what stands for it where that is not known (W)."""
    return unseen_w if left_w is None else left_w


def _left_w(
    flow: LimitedFlow, situation: LoadSituation, drawn_w: Mapping[str, float], beyond_w: Mapping[str, float]
) -> float | None:
    """What is left under a limit without our loads, which draw `drawn_w` (W), and without batteries.

    These may be empty at any moment; what they charge against their orders stays. `beyond_w` of what the loads draw is
    nobody's. None while it is not known what flows there.
    """
    net_w = situation.net_w
    if flow.place != CONNECTION:
        flow_w = situation.batteries.without(flow)
        if flow_w is None:
            return None
        net_w = flow_w
    net_w += sum(flow.drawn.get(id_, 0.0) * power_w for id_, power_w in situation.stubborn_w.items())
    ours = {load.id: flow.drawn.get(load.device, 0.0) for load in situation.ours}
    return flow.import_max_w - net_w + sum(share * (drawn_w[id_] - beyond_w[id_]) for id_, share in ours.items())


def _unseen_w(flow: LimitedFlow, memory: LoadMemory, situation: LoadSituation) -> float:
    """What may be sent (W) where nobody knows what flows: no more than is drawn already, and for a while only."""
    if flow.silent_s > GONE_S:
        return 0.0
    drawn_w = situation.drawn_w
    return sum(
        flow.ordered.get(load.device, 0.0) * min(memory.sent_w(load.id), drawn_w[load.id]) for load in situation.ours
    )


def _now_w(memory: LoadMemory, situation: LoadSituation) -> float:
    """The surplus (W) at this moment: the last one that was certain, as far as it can still be that one.

    While loads are on their way to what they were sent, it is not known what of the net load is theirs.
    """
    now_s, within_s = situation.now_s, situation.settle_s
    least_w = most_w = situation.site.grid_setpoint_w - situation.net_w
    for id_, drawn_w in situation.drawn_w.items():
        low_w, high_w = likely_range_w(memory.sent.get(id_), drawn_w, now_s, within_s)
        least_w, most_w = least_w + low_w, most_w + high_w
    last_w = memory.surplus.samples[-1][1] if memory.surplus.samples else least_w
    return min(max(last_w, least_w), most_w)


def _surplus_w(memory: LoadMemory, drawn_w: Mapping[str, float]) -> float:
    """What can be given out of the surplus (W). After a start nothing new is, until it has been watched long enough."""
    given_w = sum(memory.sent[id_].power_w if id_ in memory.sent else each_w for id_, each_w in drawn_w.items())
    moments = [at_s for at_s, _ in memory.surplus.samples]
    is_watched = bool(moments) and moments[-1] - moments[0] >= WATCHED_S / 2
    found_w = sustained_w(memory.surplus, given_w)
    return found_w if is_watched else min(found_w, given_w)


def _beyond_w(memory: LoadMemory, situation: LoadSituation) -> dict[str, float]:
    """What each load draws beyond all that it was sent lately (W, 0 or above): it cannot be given to others.

    Their own thermostat or boost is at work, they do not obey, or the voltage is above that which amperes were
    reckoned with.
    """
    return {id_: max(power_w - memory.ordered_w(id_), 0.0) for id_, power_w in situation.drawn_w.items()}


def _hidden_w(memory: LoadMemory, situation: LoadSituation) -> float:
    """Surplus (W) that no meter shows because PV is curtailed: what the plan gives loads to begin with, then steps.

    Where it is not there, PV is no longer at its limit once they draw, and they get what there is.
    """
    planned = {id_: slot.power_w for id_, slot in situation.requests.items() if slot.power_w > memory.sent_w(id_)}
    steps = (w if memory.sent_w(id_) <= 0.0 else min(PROBE_W, w - memory.sent_w(id_)) for id_, w in planned.items())
    return min(situation.curtailed_w, sum(steps))
