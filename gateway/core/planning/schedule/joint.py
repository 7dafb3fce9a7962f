"""The plan of a building with flexible loads: their schedule first, then the levels of the storage beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import numpy as np

from gateway.core.loads.kinds import Curtailable, Job, wanted_of
from gateway.core.loads.request import Outlook, Wanted
from gateway.core.model.history import Scenarios
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage
from gateway.core.model.plan import LoadSlot, Plan
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning import planner
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.schedule.reasons import ScheduledLoad, curtailed_slots, load_slots, notes
from gateway.core.planning.schedule.schedule import Schedule, scheduled
from gateway.core.planning.schedule.shared import Shared
from gateway.core.pricing.prices import Prices

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


def plan(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    flexible: Flexible,
    *,
    made_s: float,
    solver: Solver | None,
    limits: GridLimits = NO_LIMITS,
    zone: tzinfo = UTC,
    method: PlanningMethod = planner.DEFAULT,
    effort: Effort = EFFORT,
) -> Plan:
    """As `planner.plan`, with a slot for each load and step. Without loads the same plan to the byte.

    Raises PlanningError as it does; loads that ask for what is not possible are told in slots and notes.
    """
    shared = _shared(storage, energy_wh, scenarios, prices, flexible, limits, method)
    outlook = _outlook(scenarios, shared, flexible, made_s)
    wanted = [wanted_of(job, outlook) for job in flexible.jobs]
    fixed = sum((one.fixed_w for one in wanted if one.fixed_w is not None), np.zeros(shared.steps))
    beside = replace(shared, net_w=shared.net_w + fixed)
    needs = [one.need for one in wanted if one.need is not None]
    schedule = scheduled(beside, needs, solver, effort) if needs else None
    powers = _powers(wanted, schedule, shared.steps)
    total = sum(powers, np.zeros(shared.steps))
    with_loads = replace(scenarios, load_w=scenarios.load_w + total) if flexible.jobs else scenarios
    made = planner.plan(storage, energy_wh, with_loads, prices, made_s=made_s, limits=limits, zone=zone, method=method)
    courses = _courses(wanted, powers, schedule, shared, outlook, zone)
    loads = {course.wanted.id: load_slots(course) for course in courses}
    loads |= _inverters(flexible, made, scenarios, shared, storage, energy_wh)
    told = tuple(note for course in courses for note in notes(course))
    return replace(made, loads=loads, notes=(*made.notes, *(schedule.notes if schedule is not None else ()), *told))


def _courses(
    wanted: Sequence[Wanted],
    powers: Sequence[Floats],
    schedule: Schedule | None,
    shared: Shared,
    outlook: Outlook,
    zone: tzinfo,
) -> list[ScheduledLoad]:
    """Each load in the schedule, with what its reasons compare."""
    total = sum(powers, np.zeros(shared.steps))
    return [
        ScheduledLoad(
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


def _shared(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    flexible: Flexible,
    limits: GridLimits,
    method: PlanningMethod,
) -> Shared:
    tariff = planner.tariff_of(scenarios, prices)
    pv_w = -scenarios.pv_w.mean(axis=0)
    most_w = sum(one.rated_w for one in flexible.curtailable)
    return Shared(
        hours=scenarios.step_s / 3600.0,
        net_w=scenarios.net_w.mean(axis=0),
        buy=tariff.buy,
        sell=tariff.sell,
        limits=limits,
        storage=storage,
        stored_wh=energy_wh,
        end_price=method.end_value_share * float(np.min(tariff.buy)),
        curtail_w=np.clip(pv_w, 0.0, most_w) if flexible.curtailable else np.zeros(0),
    )


def _outlook(scenarios: Scenarios, shared: Shared, flexible: Flexible, made_s: float) -> Outlook:
    outdoor = np.full(shared.steps, MILD_C) if flexible.outdoor_c is None else flexible.outdoor_c
    return Outlook(
        grid=TimeGrid(start_s=scenarios.start_s, step_s=scenarios.step_s, steps=shared.steps),
        now_s=max(made_s, scenarios.start_s),
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


def _inverters(
    flexible: Flexible, made: Plan, scenarios: Scenarios, shared: Shared, storage: Storage, energy_wh: float
) -> dict[str, tuple[LoadSlot, ...]]:
    """What each inverter must throw away: export above the limit, and all of it where it costs money."""
    if not flexible.curtailable:
        return {}
    energies = np.array([energy_wh, *(slot.energy_wh or 0.0 for slot in made.slots)])
    change = np.diff(energies) / shared.hours
    stored_w = np.maximum(change / storage.charge_efficiency, change * storage.discharge_efficiency)
    exported = np.maximum(-np.array([slot.net_w or 0.0 for slot in made.slots]) - stored_w, 0.0)
    over = np.where(shared.sell < 0.0, exported, np.maximum(exported - shared.limits.export_max_w, 0.0))
    spilled = np.minimum(over, shared.curtail_w)
    pv_w = scenarios.pv_w.mean(axis=0)
    rated_w = sum(one.rated_w for one in flexible.curtailable)
    return {
        one.id: curtailed_slots(spilled * (one.rated_w / rated_w), pv_w * (one.rated_w / rated_w), shared.sell)
        for one in flexible.curtailable
    }
