"""The schedule of the flexible loads of a building: what each wants, when each runs, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

import numpy as np

from gateway.core.loads.kinds import Curtailable, Job, wanted_of
from gateway.core.loads.request import Outlook, Wanted
from gateway.core.model.levels import Floats
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.schedule.reasons import Course, load_slots, notes
from gateway.core.planning.schedule.schedule import Schedule, scheduled
from gateway.core.planning.schedule.shared import Shared

EFFORT = Effort()
MILD_C = 10.0  # outdoors, where no forecast says more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flexible:
    """What is planned beside the storage. `outdoor_c`: one value a step; none where there is no forecast."""

    jobs: tuple[Job, ...] = ()
    curtailable: tuple[Curtailable, ...] = ()
    outdoor_c: Floats | None = None

    def __post_init__(self) -> None:
        """Raises ValueError when two have one name."""
        ids = [job.load.id for job in self.jobs] + [one.id for one in self.curtailable]
        if len(set(ids)) != len(ids):
            raise ValueError(f"every load has its own name: {ids}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadSchedule:
    """When the loads of a building run, before its storage is planned beside them."""

    # What they draw together in each step (W).
    total_w: Floats
    # For each load, by its name, one slot a step.
    slots: Mapping[str, tuple[LoadSlot, ...]]
    # What will not be as it was asked for, and how the schedule was made where that is not the usual way.
    notes: tuple[Reason, ...]


def scheduled_loads(
    problem: PlanProblem, flexible: Flexible, solver: Solver | None, effort: Effort = EFFORT
) -> LoadSchedule:
    """The schedule of all loads over the steps of the problem; nothing is drawn where there are none."""
    shared = _shared(problem, flexible)
    outlook = _outlook(problem, shared, flexible)
    wanted = [wanted_of(job, outlook) for job in flexible.jobs]
    fixed = sum((one.fixed_w for one in wanted if one.fixed_w is not None), np.zeros(shared.steps))
    beside = replace(shared, net_w=shared.net_w + fixed)
    needs = [one.need for one in wanted if one.need is not None]
    schedule = scheduled(beside, needs, solver, effort) if needs else None
    powers = _powers(wanted, schedule, shared.steps)
    courses = _courses(wanted, powers, schedule, shared, outlook, problem.zone)
    told = tuple(note for course in courses for note in notes(course))
    return LoadSchedule(
        total_w=sum(powers, np.zeros(shared.steps)),
        slots={course.wanted.id: load_slots(course) for course in courses},
        notes=(*(schedule.notes if schedule is not None else ()), *told),
    )


def _courses(
    wanted: Sequence[Wanted],
    powers: Sequence[Floats],
    schedule: Schedule | None,
    shared: Shared,
    outlook: Outlook,
    zone: tzinfo,
) -> list[Course]:
    """Each load in the schedule, with what its reasons compare."""
    total = sum(powers, np.zeros(shared.steps))
    return [
        Course(
            wanted=one,
            power_w=power,
            price=schedule.price if schedule is not None else shared.buy,
            net_w=shared.net_w + total - power,
            shared=shared,
            starts_s=outlook.starts_s(),
            zone=zone,
            missing_wh=one.store.missing_wh(power) if one.store is not None else 0.0,
        )
        for one, power in zip(wanted, powers, strict=True)
    ]


def _shared(problem: PlanProblem, flexible: Flexible) -> Shared:
    """The mean of the scenarios, as the loads meet it."""
    pv_w = -problem.scenarios.pv_w.mean(axis=0)
    most_w = sum(one.rated_w for one in flexible.curtailable)
    return Shared(
        hours=problem.hours,
        net_w=problem.scenarios.net_w.mean(axis=0),
        buy=problem.prices.buy,
        sell=problem.prices.sell,
        limits=problem.limits,
        storage=problem.storage,
        stored_wh=problem.energy_wh,
        end_price=problem.end_value,
        curtail_w=np.clip(pv_w, 0.0, most_w) if flexible.curtailable else np.zeros(0),
    )


def _outlook(problem: PlanProblem, shared: Shared, flexible: Flexible) -> Outlook:
    scenarios = problem.scenarios
    outdoor = np.full(shared.steps, MILD_C) if flexible.outdoor_c is None else flexible.outdoor_c
    return Outlook(
        grid=TimeGrid(start_s=scenarios.start_s, step_s=scenarios.step_s, steps=shared.steps),
        now_s=max(problem.made_s, scenarios.start_s),
        price=np.where(shared.net_w < 0.0, shared.sell, shared.buy),
        outdoor_c=np.where(np.isfinite(outdoor), outdoor, MILD_C),
    )


def _powers(wanted: Sequence[Wanted], schedule: Schedule | None, steps: int) -> list[Floats]:
    """Of every load: what is fixed, what was scheduled, or nothing."""
    shares = iter(schedule.powers_w if schedule is not None else ())
    powers = []
    for one in wanted:
        if one.need is not None:
            powers.append(next(shares))
        else:
            powers.append(one.fixed_w if one.fixed_w is not None else np.zeros(steps))
    return powers
