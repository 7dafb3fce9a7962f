"""The schedule of the flexible loads of a building: what each requests, when each runs, and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

import numpy as np

from gateway.core.loads.curtailable import Curtailable
from gateway.core.loads.kind import FlexibleLoad
from gateway.core.loads.request import LoadRequest, Outlook
from gateway.core.model.levels import Floats, LoadNeed
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.schedule.reasons import ScheduledLoad, load_slots, notes
from gateway.core.planning.schedule.schedule import Schedule, scheduled
from gateway.core.planning.schedule.supply import Supply

EFFORT = Effort()
MILD_C = 10.0  # outdoors, where no forecast says more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flexible:
    """The loads and inverters that are planned beside the storage."""

    loads: tuple[FlexibleLoad, ...] = ()  # that are planned, with their states
    curtailable: tuple[Curtailable, ...] = ()  # PV inverters whose production can be limited
    outdoor_c: Floats | None = None  # temperature in each step; None where there is no forecast
    # By load id: the stored energy (Wh above empty) above which the storage supplies it; of others: never.
    supplied_above_wh: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError when two have one name."""
        ids = [one.id for one in self.loads] + [one.id for one in self.curtailable]
        if len(set(ids)) != len(ids):
            raise ValueError(f"every load has its own name: {ids}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadSchedule:
    """When the loads of a building run, before its storage is planned beside them."""

    total_w: Floats  # what they draw together in each step (W)
    slots: Mapping[str, tuple[LoadSlot, ...]]  # for each load, by its name, one slot a step
    notes: tuple[Reason, ...]  # what will not be as it was requested, and how the schedule was made if not as usual
    needs: tuple[LoadNeed, ...] = ()  # of what they draw, what the storage supplies only above some energy


def scheduled_loads(
    problem: PlanProblem, flexible: Flexible, solver: Solver | None, effort: Effort = EFFORT
) -> LoadSchedule:
    """The schedule of all loads over the steps of the problem; nothing is drawn where there are none."""
    supply = _supply(problem, flexible)
    outlook = _outlook(problem, supply, flexible)
    requests = [one.request(outlook) for one in flexible.loads]
    fixed = sum((one.fixed_w for one in requests if one.fixed_w is not None), np.zeros(supply.steps))
    beside = replace(supply, net_w=supply.net_w + fixed)
    needs = [one.need for one in requests if one.need is not None]
    schedule = scheduled(beside, needs, solver, effort) if needs else None
    powers = _powers(requests, schedule, supply.steps)
    loads = _scheduled_loads(requests, powers, schedule, supply, outlook, problem.zone)
    of_loads = tuple(note for one in loads for note in notes(one))
    return LoadSchedule(
        total_w=sum(powers, np.zeros(supply.steps)),
        slots={one.request.id: load_slots(one) for one in loads},
        notes=(*(schedule.notes if schedule is not None else ()), *of_loads),
        needs=tuple(
            LoadNeed(power_w=np.maximum(power, 0.0), above_wh=flexible.supplied_above_wh.get(one.id, math.inf))
            for one, power in zip(requests, powers, strict=True)
            if one.id not in supply.supplied
        ),
    )


def _scheduled_loads(
    requests: Sequence[LoadRequest],
    powers: Sequence[Floats],
    schedule: Schedule | None,
    supply: Supply,
    outlook: Outlook,
    zone: tzinfo,
) -> list[ScheduledLoad]:
    """Each load in the schedule, with what its reasons compare."""
    total = sum(powers, np.zeros(supply.steps))
    return [
        ScheduledLoad(
            request=one,
            power_w=power,
            price=schedule.price if schedule is not None else supply.buy,
            net_w=supply.net_w + total - power,
            supply=supply,
            starts_s=outlook.starts_s(),
            zone=zone,
            missing_wh=one.store.missing_wh(power) if one.store is not None else 0.0,
        )
        for one, power in zip(requests, powers, strict=True)
    ]


def _supply(problem: PlanProblem, flexible: Flexible) -> Supply:
    """The mean of the scenarios, as the loads meet it."""
    pv_w = -problem.scenarios.pv_w.mean(axis=0)
    most_w = sum(one.rated_w for one in flexible.curtailable)
    return Supply(
        hours=problem.hours,
        net_w=problem.scenarios.net_w.mean(axis=0),
        buy=problem.prices.buy,
        sell=problem.prices.sell,
        limits=problem.limits,
        storage=problem.storage,
        stored_wh=problem.energy_wh,
        end_price=problem.end_value,
        curtail_w=np.clip(pv_w, 0.0, most_w) if flexible.curtailable else np.zeros(0),
        supplied=frozenset(id_ for id_, above_wh in flexible.supplied_above_wh.items() if above_wh <= 0.0),
    )


def _outlook(problem: PlanProblem, supply: Supply, flexible: Flexible) -> Outlook:
    scenarios = problem.scenarios
    outdoor = np.full(supply.steps, MILD_C) if flexible.outdoor_c is None else flexible.outdoor_c
    return Outlook(
        grid=TimeGrid(start_s=scenarios.start_s, step_s=scenarios.step_s, steps=supply.steps),
        now_s=max(problem.made_s, scenarios.start_s),
        price=np.where(supply.net_w < 0.0, supply.sell, supply.buy),
        outdoor_c=np.where(np.isfinite(outdoor), outdoor, MILD_C),
    )


def _powers(requests: Sequence[LoadRequest], schedule: Schedule | None, steps: int) -> list[Floats]:
    """Of every load: what is fixed, what was scheduled, or nothing."""
    shares = iter(schedule.powers_w if schedule is not None else ())
    powers = []
    for one in requests:
        if one.need is not None:
            powers.append(next(shares))
        else:
            powers.append(one.fixed_w if one.fixed_w is not None else np.zeros(steps))
    return powers
