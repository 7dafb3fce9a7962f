"""When each load runs: a linear program shares the surplus and the limits, each load then takes its best power profile.

With a solver: the linear program gives the value of stored energy and a first division between the loads; each load in
turn gets its cheapest profile beside the others. Without one the value comes from the recursion of the storage alone,
in several rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from gateway.core.loads.needs import EnergyStore, Need, Run
from gateway.core.model.levels import Floats
from gateway.core.model.state import Reason
from gateway.core.planning.linear_program import Effort, Solver, SolverError
from gateway.core.planning.schedule.load_profile import best_profile, best_run
from gateway.core.planning.schedule.marginal_cost import MarginalCost
from gateway.core.planning.schedule.program import formulated
from gateway.core.planning.schedule.storage_response import storage_response
from gateway.core.planning.schedule.supply import Supply

K = 1000.0  # W in a kW: prices are per kWh
ROUNDS = 4  # each one a recursion of the storage and a profile of each load: time grows with them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """When each need is served."""

    powers_w: tuple[Floats, ...]  # mean powers of each need, by step; below 0 it gives back
    price: Floats  # what power costs at the margin in each step (EUR/kWh)
    cost_eur: float  # of all of it, with what is missing
    notes: tuple[Reason, ...] = ()  # how it was made, where that is not as usual


def scheduled(supply: Supply, needs: Sequence[Need], solver: Solver | None, effort: Effort) -> Schedule:
    """The schedule of all needs; without a solver, or where it fails, by rules. Never an exception of the solver."""
    notes: tuple[Reason, ...] = ()
    if solver is not None:
        try:
            return _by_program(supply, needs, solver, effort)
        except SolverError:
            notes = (Reason(code="solver_failed"),)
    else:
        notes = (Reason(code="solver_missing"),)
    return replace(_by_rules(supply, needs), notes=notes)


def _by_program(supply: Supply, needs: Sequence[Need], solver: Solver, effort: Effort) -> Schedule:
    stated = formulated(supply, needs)
    solution = solver(stated.program, effort)
    stored_value = _stored_value(supply, solution.prices)
    power_cost = _alone(supply, stored_value)
    division = stated.powers_w(solution.x)
    return _improved(power_cost, needs, _in_turn(power_cost, needs, division, _order(needs), division), division)


def _alone(supply: Supply, stored_value: Floats) -> MarginalCost:
    """What power costs a building that has no loads yet."""
    nothing = np.zeros(supply.steps)
    return MarginalCost(supply=supply, taken_w=nothing, stored_value=stored_value, unsupplied_w=nothing)


def _unsupplied_w(supply: Supply, needs: Sequence[Need], powers: Sequence[Floats]) -> Floats:
    """What the storage does not supply of these powers."""
    theirs = [np.maximum(w, 0.0) for need, w in zip(needs, powers, strict=True) if need.id not in supply.supplied]
    return np.asarray(np.sum(theirs, axis=0) if theirs else np.zeros(supply.steps))


def _stored_value(supply: Supply, prices: Floats) -> Floats:
    """What one more kWh stored would save: minus the duals of the storage's rows, which follow the balance."""
    n = supply.steps
    return -prices[n : 2 * n] if supply.storage is not None else np.zeros(n)


def _by_rules(supply: Supply, needs: Sequence[Need]) -> Schedule:
    """Several rounds, each near the mean of those before: the value of what is stored hangs on what the loads draw.

    The storage's response is computed, and the round kept that costs least.
    """
    order, mean = _order(needs), None
    rounds: list[tuple[float, list[Floats], MarginalCost]] = []
    for index in range(ROUNDS):
        taken = np.sum(mean, axis=0) if mean else np.zeros(supply.steps)
        value = storage_response(supply, taken, _unsupplied_w(supply, needs, mean) if mean else taken).stored_value
        power_cost = _alone(supply, value)
        powers = _in_turn(power_cost, needs, mean or [np.zeros(need.steps) for need in needs], order, mean)
        own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))
        answer = storage_response(supply, np.sum(powers, axis=0), _unsupplied_w(supply, needs, powers))
        rounds.append((answer.cost_eur + own, powers, power_cost))
        mean = [before + (power - before) / (index + 1) for before, power in zip(mean or powers, powers, strict=True)]
    _, powers, power_cost = min(rounds, key=lambda one: one[0])
    return _improved(power_cost, needs, powers)


def _in_turn(
    power_cost: MarginalCost,
    needs: Sequence[Need],
    powers: Sequence[Floats],
    order: Sequence[int],
    division: Sequence[Floats] | None = None,
) -> list[Floats]:
    """Each load in this order beside what the others have, near its part of the `division` if there is one."""
    powers = list(powers)
    for index in order:
        alone = [power if i != index else np.zeros(len(power)) for i, power in enumerate(powers)]
        unsupplied_w = _unsupplied_w(power_cost.supply, needs, alone)
        is_supplied = needs[index].id in power_cost.supply.supplied
        beside = power_cost.beside(np.asarray(np.sum(alone, axis=0)), unsupplied_w, is_supplied=is_supplied)
        powers[index] = _placed(needs[index], beside, None if division is None else division[index])
    return powers


def _placed(need: Need, power_cost: MarginalCost, near_w: Floats | None) -> Floats:
    match need:
        case EnergyStore():
            return best_profile(need, power_cost, near_w)
        case Run():
            start = best_run(need, power_cost)
            return np.zeros(need.steps) if start is None else need.power_w(start)
        case _:
            assert_never(need)


def _order(needs: Sequence[Need]) -> list[int]:
    """Runs first, then the loads with the least choice: what they need of what they could take."""
    return sorted(range(len(needs)), key=lambda i: (isinstance(needs[i], EnergyStore), -_tightness(needs[i]), i))


def _tightness(need: Need) -> float:
    match need:
        case Run():
            return 1.0 / (1 + len(need.starts))
        case EnergyStore():
            most = float((need.most_w * need.hours * need.gain)[need.open()].sum())
            return float(need.short_wh(np.zeros(need.steps)).max()) / most if most > 0.0 else 1.0
        case _:
            assert_never(need)


def _improved(
    power_cost: MarginalCost, needs: Sequence[Need], powers: list[Floats], division: Sequence[Floats] | None = None
) -> Schedule:
    """Where something is missing or a limit is broken: those loads first, then all others again; the better is kept."""
    best, cost = powers, score_eur(power_cost, needs, powers)
    for _ in range(2):
        short = [i for i, need in enumerate(needs) if _lacks(need, best[i])]
        if len(needs) < 2 or not (short or _over(power_cost, best)):
            break
        emptied = [np.zeros(power_cost.supply.steps) for _ in needs]
        order = [*short, *(i for i in _order(needs) if i not in short)]
        tried = _in_turn(power_cost, needs, emptied, order, division)
        tried = _in_turn(power_cost, needs, tried, order, division)
        tried_cost = score_eur(power_cost, needs, tried)
        if tried_cost >= cost - 1e-9:
            break
        best, cost = tried, tried_cost
    total = np.asarray(np.sum(best, axis=0) if best else np.zeros(power_cost.supply.steps))
    beside = power_cost.beside(total, _unsupplied_w(power_cost.supply, needs, best), is_supplied=False)
    return Schedule(powers_w=tuple(best), price=beside.marginal_price(), cost_eur=cost)


def _lacks(need: Need, power_w: Floats) -> bool:
    match need:
        case Run():
            return not power_w.any()
        case EnergyStore():
            return need.missing_wh(power_w) > 0.0
        case _:
            assert_never(need)


def _over(power_cost: MarginalCost, powers: list[Floats]) -> bool:
    total = power_cost.supply.net_w + np.sum(powers, axis=0)
    return bool((total > power_cost.supply.limits.import_max_w + 1.0).any())


def score_eur(power_cost: MarginalCost, needs: Sequence[Need], powers: Sequence[Floats]) -> float:
    """What a schedule costs at this cost of power, with all penalties."""
    nothing = np.zeros(power_cost.supply.steps)
    total = np.asarray(np.sum(powers, axis=0) if powers else nothing)
    beside = power_cost.beside(total, _unsupplied_w(power_cost.supply, needs, powers), is_supplied=False)
    own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))
    return (
        float(beside.paid_eur().sum() - power_cost.beside(nothing, nothing, is_supplied=False).paid_eur().sum()) + own
    )


def own_eur(need: Need, power_w: Floats) -> float:
    """What a power profile costs besides its power: what is missing, starts, ageing, less what is held at the end."""
    match need:
        case Run():
            return 0.0 if power_w.any() else need.missed_eur
        case EnergyStore():
            return _own_store_eur(need, power_w)
        case _:
            assert_never(need)


def _own_store_eur(need: EnergyStore, power_w: Floats) -> float:
    short = float((need.short_wh(power_w) * need.short_price).sum()) / K
    starts = np.count_nonzero(np.diff(power_w > 0.0, prepend=need.switching.is_on) & (power_w > 0.0))
    wear = need.wear_price * float(np.abs(power_w).sum()) * need.hours / K
    end = float(need.energies_wh(power_w)[-1]) * need.end_price / K
    return short + need.switching.start_eur * starts + wear - end
