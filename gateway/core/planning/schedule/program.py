"""The joint schedule as one program with whole numbers. Unknowns in kW, kWh and EUR; equations in docs/planning.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from gateway.core.loads.needs import Band, EnergyStore, Need, Run
from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.linear_program import Program
from gateway.core.planning.schedule.program_builder import Indices, ProgramBuilder
from gateway.core.planning.schedule.supply import OVER_PRICE, Supply

EARLY_EUR = 1e-5  # a kWh a plan later: of equal moments the earlier one, so that nothing is put off for ever
K = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The unknowns of a program that make up the power of one load: power_w += x[column] * factor at its step."""

    columns: Indices
    steps: Indices  # of the plan, one for each column
    factors: Floats  # W for each unit of the unknown


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """A program, and how its answer is read."""

    program: Program
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


def formulated(supply: Supply, needs: Sequence[Need], *, relaxed: bool = False) -> Formulation:
    """The program of a building and its loads; `relaxed`: any share of their powers and runs."""
    builder = ProgramBuilder()
    balance = _building(builder, supply)
    parts = []
    for need in needs:
        own = _parts(builder, need, relaxed=relaxed)
        for part in own:
            builder.put(balance[part.steps], part.columns, part.factors / K)
        parts.append(tuple(own))
    program = builder.program()
    return Formulation(
        program=replace(program, whole=None) if relaxed else program, parts=tuple(parts), steps=supply.steps
    )


def _parts(builder: ProgramBuilder, need: Need, *, relaxed: bool) -> list[Part]:
    match need:
        case EnergyStore():
            return _store(builder, need, relaxed=relaxed)
        case Run():
            return _run(builder, need)
        case _:
            assert_never(need)


def _building(builder: ProgramBuilder, supply: Supply) -> Indices:
    """Import, export and the storage; gives the rows of the balance: storage + loads - import + export = -net load."""
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
    if supply.storage is not None:
        _battery(builder, balance, supply, supply.storage)
    return balance


def _battery(builder: ProgramBuilder, balance: Indices, supply: Supply, storage: Storage) -> None:
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


def _run(builder: ProgramBuilder, run: Run) -> list[Part]:
    """One of the starts, or none at its price."""
    starts = np.array(run.starts, dtype=np.int32)
    early = EARLY_EUR * starts / max(run.steps, 1)
    chosen = builder.columns(len(starts), upper=1.0, cost=early, whole=True)
    once = builder.rows(1, least=1.0, most=1.0)
    builder.put(np.repeat(once, len(starts)), chosen, 1.0)
    builder.put(once, builder.columns(1, upper=1.0, cost=run.missed_eur, whole=True), 1.0)
    places = [(i, start + k, power) for i, start in enumerate(run.starts) for k, power in enumerate(run.profile_w)]
    inside = [place for place in places if place[1] < run.steps]
    columns, steps, powers = zip(*inside, strict=True) if inside else ((), (), ())
    return [Part(chosen[list(columns)], np.array(steps, dtype=np.int32), np.array(powers, dtype=np.float64))]


def _store(builder: ProgramBuilder, store: EnergyStore, *, relaxed: bool) -> list[Part]:
    n, hours = store.steps, store.hours
    open_steps = np.flatnonzero(store.open() | store.forced()).astype(np.int32)
    parts, ways = [], []
    for band in (Band(low_w=0.0, high_w=store.most_w),) if relaxed else store.bands:
        part, on = _band(builder, store, band, open_steps, relaxed=relaxed)
        parts.append(part)
        ways.append(on)
    switching = store.switching
    lasts = switching.up_steps > 1 or switching.down_steps > 1
    if (lasts or switching.start_eur > 0.0 or len(store.bands) > 1) and not relaxed:
        _switching(builder, store, open_steps, [way for way in ways if way is not None])
    if store.give_w > 0.0:
        free = np.flatnonzero(store.free).astype(np.int32)
        given = builder.columns(len(free), upper=store.give_w / K, cost=store.wear_price * hours)
        parts.append(Part(given, free, np.full(len(free), -K)))
    _energies(builder, store, parts, n)
    return parts


def _band(
    builder: ProgramBuilder, store: EnergyStore, band: Band, steps: Indices, *, relaxed: bool
) -> tuple[Part, Indices | None]:
    """The powers of one band, and whether it works in it (None: any power from 0)."""
    early = (EARLY_EUR / store.steps * steps + store.wear_price) * store.hours
    count, top = len(steps), band.high_w / K
    if band.low_w == band.high_w:
        on = builder.columns(count, upper=1.0, cost=early * top, whole=True)
        return Part(on, steps, np.full(count, band.high_w)), on
    drawn = builder.columns(count, upper=top, cost=early)
    part = Part(drawn, steps, np.full(count, K))
    if relaxed or (band.low_w == 0.0 and store.switching.up_steps <= 1 and store.switching.down_steps <= 1):
        return part, None
    on = builder.columns(count, upper=1.0, whole=True)
    above = builder.rows(count, most=0.0)
    builder.put(above, drawn, 1.0)
    builder.put(above, on, -top)
    if band.low_w > 0.0:
        below = builder.rows(count, least=0.0)
        builder.put(below, drawn, 1.0)
        builder.put(below, on, -band.low_w / K)
    return part, on


def _switching(builder: ProgramBuilder, store: EnergyStore, steps: Indices, ways: list[Indices]) -> None:
    """One way at a time; a start for each turning on; minimum up and down times; a price of changing ways."""
    switching, n = store.switching, store.steps
    forced = store.forced()[steps].astype(np.float64)
    one = builder.rows(len(steps), least=forced, most=1.0)
    begun = builder.columns(n, upper=1.0, cost=switching.start_eur)
    before = builder.rows(n, most=1.0 if switching.is_on else 0.0)
    _first_only(builder, before, begun)
    for way in ways:
        builder.put(one, way, 1.0)
        builder.put(before[steps], way, 1.0)
        later = steps < n - 1
        builder.put(before[steps[later] + 1], way[later], -1.0)
    if switching.up_steps > 1:
        _window(builder, n, begun, ways, steps, (switching.up_steps, 0))
    if switching.down_steps > 1:
        _window(builder, n, begun, ways, steps, (switching.down_steps, switching.down_steps))
    if store.switch_eur > 0.0 and len(ways) > 1:
        _changes(builder, store, steps, ways)


def _first_only(builder: ProgramBuilder, before: Indices, begun: Indices) -> None:
    """on(t) - on(t-1) - begun(t) <= 0, and <= 1 for the first step of a load that runs already."""
    builder.put(before, begun, -1.0)


def _window(
    builder: ProgramBuilder, n: int, begun: Indices, ways: list[Indices], steps: Indices, span: tuple[int, int]
) -> None:
    """Starts of the last steps: at most on(t) (minimum up time), or at most 1 - on(t - rest) (minimum down time)."""
    length, back = span
    rows = builder.rows(n, most=1.0 if back else 0.0)
    for shift in range(length):
        builder.put(rows[shift:], begun[: n - shift], 1.0)
    for way in ways:
        inside = steps + back < n
        builder.put(rows[steps[inside] + back], way[inside], 1.0 if back else -1.0)


def _changes(builder: ProgramBuilder, store: EnergyStore, steps: Indices, ways: list[Indices]) -> None:
    """A price where one way follows another one at once."""
    follows = np.flatnonzero(np.diff(steps) == 1) + 1
    changed = builder.columns(len(follows), upper=1.0, cost=store.switch_eur)
    for way in ways:
        rows = builder.rows(len(follows), most=1.0)
        builder.put(rows, way[follows], 1.0)
        builder.put(rows, changed, -1.0)
        for other in ways:
            if other is not way:
                builder.put(rows, other[follows - 1], 1.0)


def _energies(builder: ProgramBuilder, store: EnergyStore, parts: list[Part], n: int) -> None:
    """What it holds after each step, below its top, and what is missing to its floor."""
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
