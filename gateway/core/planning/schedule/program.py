"""The joint schedule as a linear program, in which a load may take any share of its power and runs at any time.

Unknowns in kW, kWh and EUR; what the division is good for is in docs/planning.md, "Flexible loads".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from gateway.core.loads.needs import EnergyStore, Need, Run
from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.linear_program import Program
from gateway.core.planning.schedule.program_builder import Indices, ProgramBuilder
from gateway.core.planning.schedule.supply import OVER_PRICE, Supply

EARLY_EUR = 1e-5  # a kWh a plan later: of equal moments the earlier one, so that nothing is put off for ever
K = 1000.0  # W in a kW: unknowns in kW and kWh keep the program's numbers near 1


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The unknowns of a program that make up the power of one load: power_w += x[column] * factor at its step."""

    columns: Indices  # of the unknowns
    steps: Indices  # of the plan, one for each column
    factors: Floats  # W for each unit of the unknown


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """A program, and how its answer is read."""

    program: Program  # as a solver takes it
    parts: tuple[tuple[Part, ...], ...]  # of each load
    steps: int  # of the plan

    def powers_w(self, answer: Floats) -> tuple[Floats, ...]:
        """The powers of each load (W)."""
        found = []
        for parts in self.parts:
            power = np.zeros(self.steps)
            for part in parts:
                np.add.at(power, part.steps, answer[part.columns] * part.factors)
            found.append(power)
        return tuple(found)


def formulated(supply: Supply, needs: Sequence[Need]) -> Formulation:
    """The program of a building and its loads."""
    builder = ProgramBuilder()
    balance, supplied = _building(builder, supply)
    parts = []
    for need in needs:
        own = _parts(builder, need)
        for part in own:
            builder.put(balance[part.steps], part.columns, part.factors / K)
            if len(supplied) and need.id in supply.supplied:
                builder.put(supplied[part.steps], part.columns, -np.maximum(part.factors, 0.0) / K)
        parts.append(tuple(own))
    return Formulation(program=builder.program(), parts=tuple(parts), steps=supply.steps)


def _parts(builder: ProgramBuilder, need: Need) -> list[Part]:
    match need:
        case EnergyStore():
            return _store(builder, need)
        case Run():
            return _run(builder, need)
        case _:
            assert_never(need)


def _building(builder: ProgramBuilder, supply: Supply) -> tuple[Indices, Indices]:
    """Import, export and the storage.

    Gives the rows of the balance, storage + loads - import + export = -net load, and those of what the storage gives,
    discharge - export - loads that it supplies <= net load (none without a storage).
    """
    n, hours, limits = supply.steps, supply.hours, supply.limits
    balance = builder.rows(n, least=-supply.net_w / K, most=-supply.net_w / K)
    bought = builder.columns(n, upper=limits.import_max_w / K, cost=supply.buy * hours)
    sold = builder.columns(n, upper=limits.export_max_w / K, cost=-np.minimum(supply.sell, supply.buy) * hours)
    builder.put(balance, bought, -1.0)
    builder.put(balance, sold, 1.0)
    if np.isfinite(limits.import_max_w):
        builder.put(balance, builder.columns(n, cost=OVER_PRICE * hours), -1.0)
    if len(supply.curtail_w):
        builder.put(balance, builder.columns(n, upper=supply.curtail_w / K), 1.0)
    if np.isfinite(limits.export_max_w):
        builder.put(balance, builder.columns(n, cost=OVER_PRICE * hours), 1.0)
    if supply.storage is None:
        return balance, balance[:0]
    discharge = _battery(builder, balance, supply, supply.storage)
    supplied = builder.rows(n, most=np.maximum(supply.net_w, 0.0) / K)
    builder.put(supplied, discharge, 1.0)
    builder.put(supplied, sold, -1.0)
    return balance, supplied


def _battery(builder: ProgramBuilder, balance: Indices, supply: Supply, storage: Storage) -> Indices:
    """The storage with its energy; gives what it discharges."""
    n, hours = supply.steps, supply.hours
    wear = storage.wear_price * hours
    charge = builder.columns(n, upper=storage.charge_max_w / K, cost=wear)
    discharge = builder.columns(n, upper=storage.discharge_max_w / K, cost=wear)
    value = np.zeros(n)
    value[-1] = -supply.end_price
    held = builder.columns(n, upper=storage.capacity_wh / K, cost=value)
    start = np.zeros(n)
    start[0] = min(max(supply.stored_wh, 0.0), storage.capacity_wh) / K
    rows = builder.rows(n, least=start, most=start)
    builder.put(rows, held, 1.0)
    builder.put(rows[1:], held[:-1], -1.0)
    builder.put(rows, charge, -storage.charge_efficiency * hours)
    builder.put(rows, discharge, hours / storage.discharge_efficiency)
    builder.put(balance, charge, 1.0)
    builder.put(balance, discharge, -1.0)
    return discharge


def _run(builder: ProgramBuilder, run: Run) -> list[Part]:
    """Shares of the starts, which make one run together; what is left of it is missed at its price."""
    starts = np.array(run.starts, dtype=np.int32)
    early = EARLY_EUR * starts / max(run.steps, 1)
    chosen = builder.columns(len(starts), upper=1.0, cost=early)
    once = builder.rows(1, least=1.0, most=1.0)
    builder.put(np.repeat(once, len(starts)), chosen, 1.0)
    builder.put(once, builder.columns(1, upper=1.0, cost=run.missed_eur), 1.0)
    places = [(i, start + k, power) for i, start in enumerate(run.starts) for k, power in enumerate(run.profile_w)]
    inside = [place for place in places if place[1] < run.steps]
    columns, steps, powers = zip(*inside, strict=True) if inside else ((), (), ())
    return [Part(chosen[list(columns)], np.array(steps, dtype=np.int32), np.array(powers, dtype=np.float64))]


def _store(builder: ProgramBuilder, store: EnergyStore) -> list[Part]:
    steps = np.flatnonzero(store.open() | store.forced()).astype(np.int32)
    early = (EARLY_EUR / store.steps * steps + store.wear_price) * store.hours
    drawn = builder.columns(len(steps), upper=store.most_w / K, cost=early)
    parts = [Part(drawn, steps, np.full(len(steps), K))]
    if store.give_w > 0.0:
        free = np.flatnonzero(store.free).astype(np.int32)
        given = builder.columns(len(free), upper=store.give_w / K, cost=store.wear_price * store.hours)
        parts.append(Part(given, free, np.full(len(free), -K)))
    _energies(builder, store, parts)
    return parts


def _energies(builder: ProgramBuilder, store: EnergyStore, parts: list[Part]) -> None:
    """What it holds after each step, below its top, and what is missing to its floor."""
    n = store.steps
    value = np.zeros(n)
    value[-1] = -store.end_price
    held = builder.columns(n, lower=-np.inf, upper=store.top_wh() / K, cost=value)
    start = -store.drain_wh / K
    start[0] += store.keep * store.start_wh / K
    rows = builder.rows(n, least=start, most=start)
    builder.put(rows, held, 1.0)
    builder.put(rows[1:], held[:-1], -store.keep)
    for part in parts:
        kw = part.factors / K
        gains = np.where(kw > 0.0, store.gain[part.steps], 1.0 / store.give)
        builder.put(rows[part.steps], part.columns, -store.hours * gains * kw)
    priced = np.flatnonzero(store.short_price > 0.0).astype(np.int32)
    missing = builder.columns(len(priced), cost=store.short_price[priced])
    floors = builder.rows(len(priced), least=store.floor_wh[priced] / K)
    builder.put(floors, held[priced], 1.0)
    builder.put(floors, missing, 1.0)
