"""The plan of a building with flexible loads: their schedule first, then the levels of the storage beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import numpy as np

from gateway.core.loads.curtailable import Curtailable
from gateway.core.loads.kind import FlexibleLoad
from gateway.core.loads.request import LoadRequest, Outlook
from gateway.core.model.history import Scenarios
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Storage
from gateway.core.model.plan import LoadSlot, Plan
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning import planner
from gateway.core.planning.linear_program import Effort, Solver
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.schedule.reasons import ScheduledLoad, curtailed_slots, load_slots, notes
from gateway.core.planning.schedule.schedule import Schedule, scheduled
from gateway.core.planning.schedule.supply import Supply
from gateway.core.pricing.prices import Prices

EFFORT = Effort()
MILD_C = 10.0  # outdoors, where no forecast says more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flexible:
    """What is planned beside the storage."""

    loads: tuple[FlexibleLoad, ...] = ()
    curtailable: tuple[Curtailable, ...] = ()
    outdoor_c: Floats | None = None  # temperature in each step; None where there is no forecast

    def __post_init__(self) -> None:
        """Raises ValueError when two have one name."""
        ids = [one.id for one in self.loads] + [one.id for one in self.curtailable]
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

    Raises PlanningError as it does; loads that request what is not possible are told in slots and notes.
    """
    supply = _supply(storage, energy_wh, scenarios, prices, flexible, limits, method)
    outlook = _outlook(scenarios, supply, flexible, made_s)
    requests = [one.request(outlook) for one in flexible.loads]
    fixed = sum((one.fixed_w for one in requests if one.fixed_w is not None), np.zeros(supply.steps))
    beside = replace(supply, net_w=supply.net_w + fixed)
    needs = [one.need for one in requests if one.need is not None]
    schedule = scheduled(beside, needs, solver, effort) if needs else None
    powers = _powers(requests, schedule, supply.steps)
    total = sum(powers, np.zeros(supply.steps))
    with_loads = replace(scenarios, load_w=scenarios.load_w + total) if flexible.loads else scenarios
    made = planner.plan(storage, energy_wh, with_loads, prices, made_s=made_s, limits=limits, zone=zone, method=method)
    scheduled_loads = _scheduled_loads(requests, powers, schedule, supply, outlook, zone)
    loads = {one.request.id: load_slots(one) for one in scheduled_loads}
    loads |= _inverters(flexible, made, scenarios, supply, storage, energy_wh)
    told = tuple(note for one in scheduled_loads for note in notes(one))
    return replace(made, loads=loads, notes=(*made.notes, *(schedule.notes if schedule is not None else ()), *told))


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


def _supply(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    flexible: Flexible,
    limits: GridLimits,
    method: PlanningMethod,
) -> Supply:
    tariff = planner.tariff_of(scenarios, prices)
    pv_w = -scenarios.pv_w.mean(axis=0)
    most_w = sum(one.rated_w for one in flexible.curtailable)
    return Supply(
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


def _outlook(scenarios: Scenarios, supply: Supply, flexible: Flexible, made_s: float) -> Outlook:
    outdoor = np.full(supply.steps, MILD_C) if flexible.outdoor_c is None else flexible.outdoor_c
    return Outlook(
        grid=TimeGrid(start_s=scenarios.start_s, step_s=scenarios.step_s, steps=supply.steps),
        now_s=max(made_s, scenarios.start_s),
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


def _inverters(
    flexible: Flexible, made: Plan, scenarios: Scenarios, supply: Supply, storage: Storage, energy_wh: float
) -> dict[str, tuple[LoadSlot, ...]]:
    """What each inverter must throw away: export above the limit, and all of it where it costs money."""
    if not flexible.curtailable:
        return {}
    energies = np.array([energy_wh, *(slot.energy_wh or 0.0 for slot in made.slots)])
    change = np.diff(energies) / supply.hours
    stored_w = np.maximum(change / storage.charge_efficiency, change * storage.discharge_efficiency)
    exported = np.maximum(-np.array([slot.net_w or 0.0 for slot in made.slots]) - stored_w, 0.0)
    over = np.where(supply.sell < 0.0, exported, np.maximum(exported - supply.limits.export_max_w, 0.0))
    spilled = np.minimum(over, supply.curtail_w)
    pv_w = scenarios.pv_w.mean(axis=0)
    rated_w = sum(one.rated_w for one in flexible.curtailable)
    return {
        one.id: curtailed_slots(spilled * (one.rated_w / rated_w), pv_w * (one.rated_w / rated_w), supply.sell)
        for one in flexible.curtailable
    }
