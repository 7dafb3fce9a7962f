"""The decision of each second, stage by stage: each takes frozen values, gives frozen values and looks at no other.

| stage | what it settles |
|---|---|
| `plan_check` | a plan whose numbers are none is not followed |
| `observe` | what this cycle's readings add to what is known |
| `trust` | what the readings allow for each device |
| `batteries` | the power of each battery |
| `curtailment` | how much PV must not be produced |
| `loads` | the power of each flexible load |
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.control.batteries import control_batteries
from gateway.core.control.curtailment import curtail, hidden_w
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.load_memory import coming_net_w
from gateway.core.control.loads import control_loads
from gateway.core.control.memory import Memory
from gateway.core.control.observe import observe
from gateway.core.control.plan_check import usable_requests, usable_slot
from gateway.core.control.trust.judge import SentToBatteries, judge
from gateway.core.control.trust.ratings import within_ratings
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Site
from gateway.core.model.state import SetPoint, SiteState

__all__ = ["Memory", "decide"]

NO_REQUESTS: Mapping[str, LoadSlot] = {}


def decide(
    state: SiteState,
    site: Site,
    slot: Slot | None,
    memory: Memory,
    requests: Mapping[str, LoadSlot] = NO_REQUESTS,
) -> tuple[tuple[SetPoint, ...], Memory]:
    """The set-points of this cycle and the memory for the next: one for each battery, then inverters and loads.

    No slot is the plain rule. `requests`: by load id, what plan or plain rule say of each load now.
    """
    site = replace(site, meter_delay_s=memory.readings.meter.delay_s(site))
    seen = observe(within_ratings(state, site), site)
    cycle = CycleInput(seen=seen, site=site, slot=usable_slot(slot), requests=usable_requests(requests))
    sent = SentToBatteries(
        last=memory.batteries.last, responses=memory.batteries.responses, controlled=memory.batteries.controlled
    )
    trust = judge(cycle, memory.readings, sent=sent, loads=memory.loads)
    coming_w = coming_net_w(memory.loads, cycle.seen, site)
    is_limited = hidden_w(site, memory.curtailment, seen.pv_w) > 0.0
    battery = control_batteries(cycle, trust, memory.batteries, coming_net_w=coming_w, pv_is_limited=is_limited)
    pv = curtail(cycle, trust.meter, memory.curtailment, net_w=battery.net_w, battery_max_w=battery.charge_max_w)
    load = control_loads(cycle, trust.loads, battery, memory.loads, curtailed_w=pv.curtailed_w)
    return (*battery.setpoints, *pv.setpoints, *load.setpoints), Memory(
        readings=trust.readings, batteries=battery.memory, curtailment=pv.memory, loads=load.memory
    )
