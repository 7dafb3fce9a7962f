"""The decision of each second, stage by stage: each takes frozen values, gives frozen values and looks at no other.

| stage | what it settles |
|---|---|
| `plan_check` | a plan whose numbers are none is not followed |
| `observe` | what this cycle's readings add to what is known |
| `limited_flows`, `limit_guard` | what flows through each place that has limits, and how tight these are held |
| `trust` | what the readings allow for each device |
| `batteries` | the power of each battery |
| `pv_limits` | how much PV must not be produced |
| `loads` | the power of each flexible load |
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.control.batteries import control_batteries
from gateway.core.control.battery_supply import supplied_loads, unsupplied
from gateway.core.control.curtailment import hidden_w
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.limit_guard import able_now, guarded
from gateway.core.control.limited_flows import limited_flows
from gateway.core.control.load_memory import coming_net_w
from gateway.core.control.loads import control_loads
from gateway.core.control.memory import Memory
from gateway.core.control.observe import observe
from gateway.core.control.phases import learned
from gateway.core.control.plan_check import usable_requests, usable_slot
from gateway.core.control.pv_limits import limited_pv
from gateway.core.control.trust.judge import judge
from gateway.core.control.trust.ratings import within_ratings
from gateway.core.control.trust.sent import Sent
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
    site = replace(site.at(state), meter_delay_s=memory.readings.meter.delay_s(site))
    state = within_ratings(state, site)
    seen = observe(state, site)
    phases = learned(memory.phases, seen, site)
    able = able_now(seen, memory.loads, site)
    flows, guards = guarded(memory.guards, limited_flows(state, seen, site, phases), able, site, seen.now_s)
    cycle = CycleInput(
        seen=seen, site=site, slot=usable_slot(slot), requests=usable_requests(requests), flows=flows
    )  # fmt: skip
    sent = Sent(
        last=memory.batteries.last,
        responses=memory.batteries.responses,
        controlled=memory.batteries.controlled,
        loads=memory.loads,
        pv_limit_w=memory.curtailment.limit_w,
    )
    trust = judge(cycle, memory.readings, sent)
    supplied = supplied_loads(site, trust.readings.soc)
    battery = control_batteries(
        cycle,
        trust,
        memory.batteries,
        coming_net_w=coming_net_w(memory.loads, seen, site),
        pv_is_limited=hidden_w(site, memory.curtailment, seen.pv_w) > 0.0,
        unsupplied=unsupplied(memory.loads, seen, site, supplied),
    )
    pv, of_pv = limited_pv(cycle, trust.meter_for_pv, memory.curtailment, memory.pv, battery)
    load = control_loads(cycle, trust, battery, memory.loads, curtailed_w=pv.curtailed_w, supplied=supplied)
    return (*battery.setpoints, *pv.setpoints, *load.setpoints), Memory(
        readings=trust.readings,
        phases=phases,
        guards=guards,
        batteries=battery.memory,
        curtailment=pv.memory,
        pv=of_pv,
        loads=load.memory,
    )
