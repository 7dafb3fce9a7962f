"""What loads can be given: surplus that lasts, and what is left under the import limit.

Both are those of the building without batteries and controlled loads, known only while meter and reports agree with
what the loads were sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.core.control.arbiter import WATCHED_S, RecentPower, sampled, sustained_w
from gateway.core.control.load_facts import LoadView
from gateway.core.control.load_memory import LoadMemory, is_settled, most_drawn_w
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import LoadDevice, Site

# What a running load is offered more, to see whether curtailed PV can give it: held by the test of curtailed PV in
# gateway/tests/core/control/test_loads.py. A tenth of a small roof; what is not there is imported for some seconds.
PROBE_W = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How much more power the loads may draw now (W)."""

    surplus_w: float  # of the surplus; below 0 where the building imports without its loads
    import_w: float  # in all, under the import limit, 0 or above; the least of the last seconds
    most_w: float  # in all, under the import limit, 0 or above; at this moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSituation:
    """What is known when the powers of the controlled loads are decided, frozen for one cycle."""

    site: Site  # its limits at the grid count
    ours: tuple[LoadDevice, ...]  # the loads that may be controlled now, at least one
    views: Mapping[str, LoadView]  # what they say of themselves, by load id
    requests: Mapping[str, LoadSlot]  # by load id; also of loads that may not be controlled now
    slot: Slot  # of the plan, or what stands for it without one
    now_s: float  # monotonic
    utc_s: float  # UTC, by which minimum up and down times count
    settle_s: float  # after so long meter and reports show what a load was sent
    net_w: float  # the building without its controlled batteries, import positive
    batteries: tuple[str, ...]  # whose power is not in `net_w`
    curtailed_w: float  # what the PV inverters may be able to give more than now, 0 or above

    @property
    def drawn_w(self) -> dict[str, float]:
        """Power of each of our loads by its id (W); 0 where it is not known."""
        return {load.id: self.views[load.id].drawn_w for load in self.ours}


def observed(memory: LoadMemory, situation: LoadSituation) -> LoadMemory:
    """With this moment's surplus and headroom (W), if every load is where it was sent to.

    With other batteries and loads controlled than before, surplus and headroom are other ones too.
    """
    excluded = (*situation.batteries, *situation.drawn_w)
    if memory.excluded != excluded:
        memory = replace(memory, surplus=RecentPower(), headroom=RecentPower(), excluded=excluded)
    if not is_settled(memory, situation.now_s, situation.settle_s):
        return memory
    base_w = situation.net_w - sum(situation.drawn_w.values())
    kept_w = base_w + _beyond_w(memory, situation)
    surplus_w = situation.site.grid_setpoint_w - kept_w + _hidden_w(memory, situation)
    return replace(
        memory,
        base_w=base_w,
        surplus=sampled(memory.surplus, situation.now_s, surplus_w),
        headroom=sampled(memory.headroom, situation.now_s, situation.site.import_limit_w - kept_w),
    )


def headroom_of(memory: LoadMemory, situation: LoadSituation) -> Headroom:
    """What can be given out to loads and batteries."""
    most_w = _allowed_w(memory, situation)
    lately_w = (w for _, w in memory.headroom.samples)
    return Headroom(
        surplus_w=_surplus_w(memory, situation.drawn_w), import_w=max(min((*lately_w, most_w)), 0.0), most_w=most_w
    )


def _allowed_w(memory: LoadMemory, situation: LoadSituation) -> float:
    """What all loads may be sent under the import limit (W), batteries left out: they may be empty any moment."""
    now_s, within_s = situation.now_s, situation.settle_s
    drawn_w = sum(most_drawn_w(memory.sent.get(id_), memory.shown_w(id_), now_s, within_s) for id_ in situation.drawn_w)
    base_w = situation.net_w - drawn_w + _beyond_w(memory, situation)
    return max(situation.site.import_limit_w - base_w, 0.0)


def _surplus_w(memory: LoadMemory, drawn_w: Mapping[str, float]) -> float:
    """What can be given out of the surplus (W). After a start nothing new is, until it has been watched long enough."""
    given_w = sum(memory.sent[id_].power_w if id_ in memory.sent else each_w for id_, each_w in drawn_w.items())
    moments = [at_s for at_s, _ in memory.surplus.samples]
    is_watched = bool(moments) and moments[-1] - moments[0] >= WATCHED_S / 2
    found_w = sustained_w(memory.surplus, given_w)
    return found_w if is_watched else min(found_w, given_w)


def _beyond_w(memory: LoadMemory, situation: LoadSituation) -> float:
    """What loads draw beyond what they were sent long enough ago (W): it cannot be given to others.

    Their own thermostat or boost is at work, or the voltage is above that which amperes were reckoned with.
    """
    sent = {id_: memory.sent[id_] for id_ in situation.drawn_w if id_ in memory.sent}
    done = [id_ for id_, one in sent.items() if situation.now_s - one.since_s >= situation.settle_s]
    return sum(max(situation.drawn_w[id_] - sent[id_].power_w, 0.0) for id_ in done)


def _hidden_w(memory: LoadMemory, situation: LoadSituation) -> float:
    """Surplus (W) that no meter shows because PV is curtailed: what the plan gives loads to begin with, then steps.

    Where it is not there, PV is no longer at its limit once they draw, and they get what there is.
    """
    planned = {id_: slot.power_w for id_, slot in situation.requests.items() if slot.power_w > memory.sent_w(id_)}
    steps = (w if memory.sent_w(id_) <= 0.0 else min(PROBE_W, w - memory.sent_w(id_)) for id_, w in planned.items())
    return min(situation.curtailed_w, sum(steps))
