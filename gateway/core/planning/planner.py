"""The plan of a building: when its loads run, the levels of its storage in each slot, and why.

    scenarios, prices -> PlanProblem -> LoadSchedule -> StoragePlan -> slots with reasons -> Plan

Each arrow is one call. Pure and deterministic: the same inputs give the same plan.
"""

from datetime import UTC, tzinfo

from gateway.core.model.history import Scenarios
from gateway.core.model.levels import NO_LIMITS, GridLimits, Storage
from gateway.core.model.plan import Plan
from gateway.core.planning.curtailment import curtailment
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.problem import DEFAULT, plan_problem
from gateway.core.planning.schedule.load_plan import EFFORT, Flexible, scheduled_loads
from gateway.core.planning.slot_forecasts import with_forecasts
from gateway.core.planning.storage.reasons import storage_notes
from gateway.core.planning.storage.slots import storage_slots
from gateway.core.planning.storage.storage_plan import planned_storage
from gateway.core.pricing.prices import Prices

NOTHING_FLEXIBLE = Flexible()


def plan(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    flexible: Flexible = NOTHING_FLEXIBLE,
    *,
    made_s: float,
    solver: Solver | None = None,
    limits: GridLimits = NO_LIMITS,
    zone: tzinfo = UTC,
    method: PlanningMethod = DEFAULT,
    effort: Effort = EFFORT,
) -> Plan:
    """The plan over the steps of the scenarios, with a slot of each flexible load for each of them.

    `energy_wh` is what the storage holds at the start (Wh above empty). PlanningError where nothing can be planned: no
    plan then, and the plain rule goes on. Where a load asks for what is not possible, its slots and a note say so.
    """
    problem = plan_problem(
        storage, energy_wh, scenarios, prices, made_s=made_s, limits=limits, zone=zone, method=method
    )
    loads = scheduled_loads(problem, flexible, solver, effort)
    if flexible.loads:
        problem = problem.with_loads(loads.total_w, loads.needs)
    stored = planned_storage(problem)
    slots = with_forecasts(storage_slots(problem, stored), scenarios)
    notes = (*storage_notes(problem, stored), *loads.notes)
    inverters = curtailment(problem, stored, flexible.curtailable)
    return Plan(made_s=made_s, step_s=scenarios.step_s, slots=slots, notes=notes, loads={**loads.slots, **inverters})
