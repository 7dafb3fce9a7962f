"""The plan of a storage: levels for each slot of the horizon, what stored energy is worth there, and why.

Pure and deterministic: the same scenarios and prices give the same plan.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from itertools import pairwise

import numpy as np

from gateway.core.model.history import Scenarios
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, Levels, Reach, Storage, change, power_w, reach_of
from gateway.core.model.plan import Plan, Slot
from gateway.core.model.state import Reason
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.storage.explain import Expected, dearer_times, explain, limit_notes
from gateway.core.planning.storage.peak import Course, best_aim
from gateway.core.planning.storage.recursion import Aim, StepPrices, Values, solve
from gateway.core.pricing.prices import PeakPrice, Prices


class PlanningError(ValueError):
    """Scenarios and prices that do not fit together, or hold what is no number."""


DEFAULT = PlanningMethod()


def plan(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    *,
    made_s: float,
    limits: GridLimits = NO_LIMITS,
    zone: tzinfo = UTC,
    method: PlanningMethod = DEFAULT,
) -> Plan:
    """The plan over the steps of the scenarios; `prices` must begin at their start and reach as far.

    `energy_wh` is what the storage holds at the start; levels do not depend on it, expected energies, reasons and the
    aim below a peak that costs do. PlanningError where nothing can be planned: no plan then, and the plain rule goes
    on.
    """
    if not math.isfinite(energy_wh):
        raise PlanningError("scenarios and stored energy are finite numbers")
    tariff = tariff_of(scenarios, prices)
    hours = scenarios.step_s / 3600.0
    values, aim = _solved(storage, energy_wh, scenarios, prices, limits, method)
    net_w = scenarios.net_w.mean(axis=0)
    energies_wh = expected_energy_wh(storage, energy_wh, net_w, values.levels, hours, limits, aim.import_w)
    made = _plan(storage, energies_wh, scenarios, tariff, values, aim, made_s=made_s, zone=zone)
    over_w = net_w + power_w(storage, np.diff(energies_wh), hours) - limits.import_max_w
    notes = (*_peak_notes(prices.peak, aim), *limit_notes(over_w, limits.import_max_w, made, zone))
    return replace(made, notes=notes)


def _peak_notes(peak: PeakPrice | None, aim: Aim) -> Iterator[Reason]:
    """What the plan aims at where the highest import costs."""
    if peak is not None:
        numbers = {"due_w": peak.periods[0].due_w, "limit_w": float(aim.import_w[0])}
        yield Reason(code="peak_kept", numbers=numbers)


def levels_of(
    storage: Storage,
    scenarios: Scenarios,
    prices: Prices,
    *,
    limits: GridLimits = NO_LIMITS,
    method: PlanningMethod = DEFAULT,
    aim: Aim | None = None,
) -> Values:
    """The levels of each step and the values behind them, without reasons; PlanningError likewise."""
    tariff = tariff_of(scenarios, prices)
    if not np.isfinite(scenarios.net_w).all():
        raise PlanningError("scenarios and stored energy are finite numbers")
    hours = scenarios.step_s / 3600.0
    return solve(
        scenarios.net_w,
        tariff,
        storage,
        hours=hours,
        limits=limits,
        points=method.energy_points,
        mixing=method.mixing(hours),
        end_worth=method.end_worth(tariff.buy),
        aim=aim,
    )


def _solved(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    limits: GridLimits,
    method: PlanningMethod,
) -> tuple[Values, Aim]:
    """The levels, and the import that is not to be exceeded where a peak costs."""
    solved = partial(levels_of, storage, scenarios, prices, limits=limits, method=method)
    if prices.peak is None:
        return solved(), Aim(import_w=np.full(scenarios.net_w.shape[1], np.inf), over_price=0.0)
    tariff = tariff_of(scenarios, prices)
    course = Course(
        storage=storage,
        energy_wh=energy_wh,
        net_w=scenarios.net_w,
        hours=scenarios.step_s / 3600.0,
        limits=limits,
        tariff=tariff,
        end_worth=method.end_worth(tariff.buy),
    )
    return best_aim(course, prices.peak, lambda aim: solved(aim=aim))


def tariff_of(scenarios: Scenarios, prices: Prices) -> StepPrices:
    """The prices of the scenarios' steps, `sell` clipped to `buy`: selling dearer than buying would be a pump."""
    steps = scenarios.net_w.shape[1]
    if scenarios.net_w.size == 0:
        raise PlanningError("no scenario or no step")
    if prices.start_s != scenarios.start_s or prices.step_s != scenarios.step_s or len(prices.buy) < steps:
        raise PlanningError("prices are not on the steps of the scenarios")
    buy, sell = prices.buy[:steps], prices.sell[:steps]
    if not (np.isfinite(buy).all() and np.isfinite(sell).all()):
        raise PlanningError("prices are finite numbers")
    return StepPrices(buy=buy, sell=np.minimum(sell, buy))


def _plan(
    storage: Storage,
    energies_wh: Floats,
    scenarios: Scenarios,
    tariff: StepPrices,
    values: Values,
    aim: Aim,
    *,
    made_s: float,
    zone: tzinfo,
) -> Plan:
    net_w = scenarios.net_w.mean(axis=0)
    worth = _worth_at(values.worth, energies_wh[1:], storage)
    starts_s = scenarios.start_s + scenarios.step_s * np.arange(len(net_w), dtype=np.float64)
    dear = tariff.buy + np.where(net_w > aim.import_w, aim.over_price, 0.0)
    hours = dearer_times(dear, starts_s, scenarios.step_s, zone)
    columns = (starts_s, energies_wh[:-1], energies_wh[1:], net_w, tariff.buy, tariff.sell, worth, aim.import_w)
    slots = []
    for row, later, numbers in zip(values.levels, hours, np.stack(columns, axis=1).tolist(), strict=True):
        start_s, before_wh, after_wh, net, buy, sell, value, aim_w = numbers
        levels = _levels(row)
        expected = Expected(energy_wh=before_wh, net_w=net, buy=buy, sell=sell, worth=value)
        slots.append(
            Slot(
                start_s=start_s,
                buy=buy,
                sell=sell,
                levels=levels,
                value=value,
                reason=explain(levels, expected, later),
                net_w=net,
                energy_wh=after_wh,
                aim_w=aim_w,
            )
        )
    return Plan(made_s=made_s, step_s=scenarios.step_s, slots=tuple(slots))


def _levels(row: Floats) -> Levels:
    charge, reserve, fill, export = row.tolist()
    return Levels(charge_wh=charge, reserve_wh=reserve, fill_wh=fill, export_wh=export)


def expected_energy_wh(
    storage: Storage,
    energy_wh: float,
    net_w: Floats,
    levels_wh: Floats,
    hours: float,
    limits: GridLimits,
    aim_w: Floats,
) -> Floats:
    """Stored energy at the start of each step and at the end of the last, if the mean net load came."""
    reach = reach_of(storage, net_w=net_w, hours=hours, limits=limits, aim_w=aim_w)
    parts = np.stack((reach.surplus, reach.deficit, reach.forced, reach.charge, reach.discharge), axis=1).tolist()
    energies = [min(max(energy_wh, 0.0), storage.capacity_wh)]
    for step, levels in zip(parts, levels_wh.tolist(), strict=True):
        after = energies[-1] + float(change(Reach(*step), energies[-1], *levels))
        energies.append(min(max(after, 0.0), storage.capacity_wh))
    return np.array(energies)


def _worth_at(worth: Floats, energies_wh: Floats, storage: Storage) -> Floats:
    """The value (EUR/kWh) of the last of the energy expected at each step's end: of what is kept, not of more."""
    cells = worth.shape[1]
    above = np.ceil(energies_wh / storage.capacity_wh * cells - 1e-6).astype(np.intp)
    return np.asarray(worth[np.arange(len(worth)), np.clip(above - 1, 0, cells - 1)])


def refusal(plan: Plan, storage: Storage, *, now_s: float, max_age_s: float) -> Reason | None:
    """Why a plan must not be followed, or None: it is old, does not hold now, or holds what is no number."""
    age_s = now_s - plan.made_s
    if not 0.0 <= age_s <= max_age_s:
        return Reason(code="plan_old", numbers={"age_s": age_s})
    slot = plan.at(now_s)
    if slot is None:
        return Reason(code="plan_old", numbers={"age_s": age_s})
    for index, one in enumerate(plan.slots):
        if not _is_sound(one, storage, plan.slots[0].start_s + index * plan.step_s):
            return Reason(code="plan_broken", numbers={"slot": float(index)})
    return None if _loads_are_sound(plan) else Reason(code="plan_broken", numbers={"slot": 0.0})


def _loads_are_sound(plan: Plan) -> bool:
    slots = [slot for course in plan.loads.values() for slot in course]
    whole = all(len(course) == len(plan.slots) for course in plan.loads.values())
    return whole and all(math.isfinite(slot.power_w) and math.isfinite(slot.value) for slot in slots)


def _is_sound(slot: Slot, storage: Storage, start_s: float) -> bool:
    levels = slot.levels
    amounts = (0.0, levels.charge_wh, levels.reserve_wh, levels.export_wh, storage.capacity_wh * (1.0 + 1e-9))
    ordered = all(low <= high for low, high in pairwise(amounts))
    inner = levels.charge_wh <= levels.fill_wh <= levels.export_wh
    numbers = all(math.isfinite(number) for number in (slot.buy, slot.sell, slot.value)) and slot.aim_w >= 0.0
    return ordered and inner and slot.start_s == start_s and numbers
