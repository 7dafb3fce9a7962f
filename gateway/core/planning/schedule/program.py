"""The joint schedule as one program with whole numbers. Unknowns in kW, kWh and EUR; equations in docs/planning.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.loads.needs import Band, Need, Run, Store
from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.linear_program import Program
from gateway.core.planning.schedule.shared import OVER_PRICE, Shared
from gateway.core.planning.schedule.sheet import Places, Sheet

EARLY_EUR = 1e-5  # a kWh a plan later: of equal moments the earlier one, so that nothing is put off for ever
K = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Where the powers of one load stand among the unknowns: power_w += x[column] * factor at its step."""

    columns: Places
    steps: Places
    factors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A program, and how its answer is read."""

    program: Program
    parts: tuple[tuple[Part, ...], ...]
    steps: int

    def powers_w(self, answer: Floats) -> tuple[Floats, ...]:
        """The powers of each load (W)."""
        found = []
        for parts in self.parts:
            power = np.zeros(self.steps)
            for part in parts:
                np.add.at(power, part.steps, answer[part.columns] * part.factors)
            found.append(power)
        return tuple(found)


def written(shared: Shared, needs: Sequence[Need], *, relaxed: bool = False) -> Written:
    """The program of a building and its loads; `relaxed`: any share of their powers and runs."""
    sheet = Sheet()
    balance = _building(sheet, shared)
    parts = []
    for need in needs:
        own = _store(sheet, need, relaxed=relaxed) if isinstance(need, Store) else _run(sheet, need)
        for part in own:
            sheet.put(balance[part.steps], part.columns, part.factors / K)
        parts.append(tuple(own))
    program = sheet.program()
    return Written(program=replace(program, whole=None) if relaxed else program, parts=tuple(parts), steps=shared.steps)


def _building(sheet: Sheet, shared: Shared) -> Places:
    """Import, export and the storage; gives the rows of the balance: storage + loads - import + export = -net load."""
    n, hours, limits = shared.steps, shared.hours, shared.limits
    balance = sheet.rows(n, least=-shared.net_w / K, most=-shared.net_w / K)
    bought = sheet.columns(n, upper=limits.import_max_w / K, cost=shared.buy * hours)
    sold = sheet.columns(n, upper=limits.export_max_w / K, cost=-np.minimum(shared.sell, shared.buy) * hours)
    sheet.put(balance, bought, -1.0)
    sheet.put(balance, sold, 1.0)
    if np.isfinite(limits.import_max_w):
        sheet.put(balance, sheet.columns(n, cost=OVER_PRICE * hours), -1.0)
    if len(shared.curtail_w):
        sheet.put(balance, sheet.columns(n, upper=shared.curtail_w / K), 1.0)
    if np.isfinite(limits.export_max_w):
        sheet.put(balance, sheet.columns(n, cost=OVER_PRICE * hours), 1.0)
    if shared.storage is not None:
        _battery(sheet, balance, shared, shared.storage)
    return balance


def _battery(sheet: Sheet, balance: Places, shared: Shared, storage: Storage) -> None:
    n, hours = shared.steps, shared.hours
    wear = storage.wear_price * hours
    charge = sheet.columns(n, upper=storage.charge_max_w / K, cost=wear)
    discharge = sheet.columns(n, upper=storage.discharge_max_w / K, cost=wear)
    worth = np.zeros(n)
    worth[-1] = -shared.end_price
    held = sheet.columns(n, upper=storage.capacity_wh / K, cost=worth)
    start = np.zeros(n)
    start[0] = min(max(shared.stored_wh, 0.0), storage.capacity_wh) / K
    rows = sheet.rows(n, least=start, most=start)
    sheet.put(rows, held, 1.0)
    sheet.put(rows[1:], held[:-1], -1.0)
    sheet.put(rows, charge, -storage.charge_efficiency * hours)
    sheet.put(rows, discharge, hours / storage.discharge_efficiency)
    sheet.put(balance, charge, 1.0)
    sheet.put(balance, discharge, -1.0)


def _run(sheet: Sheet, run: Run) -> list[Part]:
    """One of the starts, or none at its price."""
    starts = np.array(run.starts, dtype=np.int32)
    early = EARLY_EUR * starts / max(run.steps, 1)
    chosen = sheet.columns(len(starts), upper=1.0, cost=early, whole=True)
    once = sheet.rows(1, least=1.0, most=1.0)
    sheet.put(np.repeat(once, len(starts)), chosen, 1.0)
    sheet.put(once, sheet.columns(1, upper=1.0, cost=run.missed_eur, whole=True), 1.0)
    places = [(i, start + k, power) for i, start in enumerate(run.starts) for k, power in enumerate(run.course_w)]
    inside = [place for place in places if place[1] < run.steps]
    columns, steps, powers = zip(*inside, strict=True) if inside else ((), (), ())
    return [Part(chosen[list(columns)], np.array(steps, dtype=np.int32), np.array(powers, dtype=np.float64))]


def _store(sheet: Sheet, store: Store, *, relaxed: bool) -> list[Part]:
    n, hours = store.steps, store.hours
    open_steps = np.flatnonzero(store.open() | store.forced()).astype(np.int32)
    parts, ways = [], []
    for band in (Band(low_w=0.0, high_w=store.most_w),) if relaxed else store.bands:
        part, on = _band(sheet, store, band, open_steps, relaxed=relaxed)
        parts.append(part)
        ways.append(on)
    switched = store.turns.run > 1 or store.turns.rest > 1 or store.turns.start_eur > 0.0 or len(store.bands) > 1
    if switched and not relaxed:
        _turns(sheet, store, open_steps, [way for way in ways if way is not None])
    if store.give_w > 0.0:
        free = np.flatnonzero(store.free).astype(np.int32)
        given = sheet.columns(len(free), upper=store.give_w / K, cost=store.wear_price * hours)
        parts.append(Part(given, free, np.full(len(free), -K)))
    _energies(sheet, store, parts, n)
    return parts


def _band(sheet: Sheet, store: Store, band: Band, steps: Places, *, relaxed: bool) -> tuple[Part, Places | None]:
    """The powers of one band, and whether it works in it (None: any power from 0)."""
    early = (EARLY_EUR / store.steps * steps + store.wear_price) * store.hours
    count, top = len(steps), band.high_w / K
    if band.low_w == band.high_w:
        on = sheet.columns(count, upper=1.0, cost=early * top, whole=True)
        return Part(on, steps, np.full(count, band.high_w)), on
    drawn = sheet.columns(count, upper=top, cost=early)
    part = Part(drawn, steps, np.full(count, K))
    if relaxed or (band.low_w == 0.0 and store.turns.run <= 1 and store.turns.rest <= 1):
        return part, None
    on = sheet.columns(count, upper=1.0, whole=True)
    above = sheet.rows(count, most=0.0)
    sheet.put(above, drawn, 1.0)
    sheet.put(above, on, -top)
    if band.low_w > 0.0:
        below = sheet.rows(count, least=0.0)
        sheet.put(below, drawn, 1.0)
        sheet.put(below, on, -band.low_w / K)
    return part, on


def _turns(sheet: Sheet, store: Store, steps: Places, ways: list[Places]) -> None:
    """One way at a time; a start for each turning on; least times of running and resting; a price of changing ways."""
    turns, n = store.turns, store.steps
    forced = store.forced()[steps].astype(np.float64)
    one = sheet.rows(len(steps), least=forced, most=1.0)
    begun = sheet.columns(n, upper=1.0, cost=turns.start_eur)
    before = sheet.rows(n, most=1.0 if turns.on else 0.0)
    _first_only(sheet, before, begun)
    for way in ways:
        sheet.put(one, way, 1.0)
        sheet.put(before[steps], way, 1.0)
        later = steps < n - 1
        sheet.put(before[steps[later] + 1], way[later], -1.0)
    if turns.run > 1:
        _window(sheet, n, begun, ways, steps, (turns.run, 0))
    if turns.rest > 1:
        _window(sheet, n, begun, ways, steps, (turns.rest, turns.rest))
    if store.switch_eur > 0.0 and len(ways) > 1:
        _changes(sheet, store, steps, ways)


def _first_only(sheet: Sheet, before: Places, begun: Places) -> None:
    """on(t) - on(t-1) - begun(t) <= 0, and <= 1 for the first step of a load that runs already."""
    sheet.put(before, begun, -1.0)


def _window(sheet: Sheet, n: int, begun: Places, ways: list[Places], steps: Places, span: tuple[int, int]) -> None:
    """Starts of the last steps: at most on(t) (least run), or at most 1 - on(t - rest) (least rest)."""
    length, back = span
    rows = sheet.rows(n, most=1.0 if back else 0.0)
    for shift in range(length):
        sheet.put(rows[shift:], begun[: n - shift], 1.0)
    for way in ways:
        inside = steps + back < n
        sheet.put(rows[steps[inside] + back], way[inside], 1.0 if back else -1.0)


def _changes(sheet: Sheet, store: Store, steps: Places, ways: list[Places]) -> None:
    """A price where one way follows another one at once."""
    follows = np.flatnonzero(np.diff(steps) == 1) + 1
    changed = sheet.columns(len(follows), upper=1.0, cost=store.switch_eur)
    for way in ways:
        rows = sheet.rows(len(follows), most=1.0)
        sheet.put(rows, way[follows], 1.0)
        sheet.put(rows, changed, -1.0)
        for other in ways:
            if other is not way:
                sheet.put(rows, other[follows - 1], 1.0)


def _energies(sheet: Sheet, store: Store, parts: list[Part], n: int) -> None:
    """What it holds after each step, below its top, and what is missing to its floor."""
    worth = np.zeros(n)
    worth[-1] = -store.end_price
    held = sheet.columns(n, lower=-np.inf, upper=store.top_wh() / K, cost=worth)
    start = -store.drain_wh / K
    start[0] += store.keep * store.start_wh / K
    rows = sheet.rows(n, least=start, most=start)
    sheet.put(rows, held, 1.0)
    sheet.put(rows[1:], held[:-1], -store.keep)
    for part in parts:
        kw = part.factors / K
        gains = np.where(kw > 0.0, store.gain[part.steps], 1.0 / store.give)
        sheet.put(rows[part.steps], part.columns, -store.hours * gains * kw)
    wanted = np.flatnonzero(store.short_price > 0.0).astype(np.int32)
    missing = sheet.columns(len(wanted), cost=store.short_price[wanted])
    floors = sheet.rows(len(wanted), least=store.floor_wh[wanted] / K)
    sheet.put(floors, held[wanted], 1.0)
    sheet.put(floors, missing, 1.0)
