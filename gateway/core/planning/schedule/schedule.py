"""When each load runs: a linear program shares the surplus and the limits, each load then takes its best course.

With a solver: the relaxed program gives the value of stored energy and a first division between the loads; each load in
turn gets its cheapest course beside the others. Without one the value comes from the recursion of the storage alone,
in several rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.loads.lived import lived
from gateway.core.loads.needs import Need, Run, Store
from gateway.core.model.levels import Floats
from gateway.core.model.state import Reason
from gateway.core.planning.linear_program import Effort, Solver, SolverError
from gateway.core.planning.schedule.market import Market
from gateway.core.planning.schedule.program import written
from gateway.core.planning.schedule.shared import Shared
from gateway.core.planning.schedule.single import best_course, best_run

K = 1000.0
ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Powers of each need (W, steps), what power costs at the margin (EUR/kWh, steps), how it was made."""

    powers_w: tuple[Floats, ...]
    price: Floats
    cost_eur: float
    notes: tuple[Reason, ...] = ()


def scheduled(shared: Shared, needs: Sequence[Need], solver: Solver | None, effort: Effort) -> Schedule:
    """The schedule of all needs; without a solver, or where it fails, by rules. Never an exception of the solver."""
    notes: tuple[Reason, ...] = ()
    if solver is not None:
        try:
            return _shared_out(shared, needs, solver, effort)
        except SolverError:
            notes = (Reason(code="solver_failed"),)
    else:
        notes = (Reason(code="solver_missing"),)
    return replace(_by_rules(shared, needs), notes=notes)


def exact(shared: Shared, needs: Sequence[Need], solver: Solver, effort: Effort) -> tuple[Floats, ...]:
    """Powers of the program with whole numbers: what the schedule is measured against. SolverError where none came."""
    program = written(shared, needs)
    return program.powers_w(solver(program.program, effort).x)


def _shared_out(shared: Shared, needs: Sequence[Need], solver: Solver, effort: Effort) -> Schedule:
    stated = written(shared, needs, relaxed=True)
    solution = solver(stated.program, effort)
    worth = _worth_of(shared, solution.prices)
    market = Market(shared=shared, taken_w=np.zeros(shared.steps), worth=worth)
    division = stated.powers_w(solution.x)
    return _improved(market, needs, _in_turn(market, needs, division, _order(needs), division), division)


def _worth_of(shared: Shared, prices: Floats) -> Floats:
    """What one more kWh stored would save: minus the duals of the storage's rows, which follow the balance."""
    n = shared.steps
    return -prices[n : 2 * n] if shared.storage is not None else np.zeros(n)


def _by_rules(shared: Shared, needs: Sequence[Need]) -> Schedule:
    """Several rounds, each near the mean of those before: the value of what is stored hangs on what the loads draw.

    What the storage then does is lived through, and the round kept that costs least.
    """
    order, mean = _order(needs), None
    rounds: list[tuple[float, list[Floats], Market]] = []
    for index in range(ROUNDS):
        taken = np.sum(mean, axis=0) if mean else np.zeros(shared.steps)
        market = Market(shared=shared, taken_w=np.zeros(shared.steps), worth=lived(shared, taken).worth)
        powers = _in_turn(market, needs, mean or [np.zeros(need.steps) for need in needs], order, mean)
        own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))
        rounds.append((lived(shared, np.sum(powers, axis=0)).cost_eur + own, powers, market))
        mean = [before + (power - before) / (index + 1) for before, power in zip(mean or powers, powers, strict=True)]
    _, powers, market = min(rounds, key=lambda one: one[0])
    return _improved(market, needs, powers)


def _in_turn(
    market: Market,
    needs: Sequence[Need],
    powers: Sequence[Floats],
    order: Sequence[int],
    division: Sequence[Floats] | None = None,
) -> list[Floats]:
    """Each load in this order beside what the others have, near its part of the `division` if there is one."""
    powers = list(powers)
    for index in order:
        others = np.sum([power for i, power in enumerate(powers) if i != index], axis=0)
        beside = market.with_taken(np.zeros(market.shared.steps) + others)
        powers[index] = _placed(needs[index], beside, None if division is None else division[index])
    return powers


def _placed(need: Need, market: Market, near_w: Floats | None) -> Floats:
    if isinstance(need, Store):
        return best_course(need, market, near_w)
    start = best_run(need, market)
    return np.zeros(need.steps) if start is None else need.power_w(start)


def _order(needs: Sequence[Need]) -> list[int]:
    """Runs first, then the loads with the least choice: what they need of what they could take."""
    return sorted(range(len(needs)), key=lambda i: (isinstance(needs[i], Store), -_tightness(needs[i]), i))


def _tightness(need: Need) -> float:
    if isinstance(need, Run):
        return 1.0 / (1 + len(need.starts))
    most = float((need.most_w * need.hours * need.gain)[need.open()].sum())
    return float(need.short_wh(np.zeros(need.steps)).max()) / most if most > 0.0 else 1.0


def _improved(
    market: Market, needs: Sequence[Need], powers: list[Floats], division: Sequence[Floats] | None = None
) -> Schedule:
    """Where something is missing or a limit is broken: those loads first, then all others again; the better is kept."""
    best, cost = powers, score_eur(market, needs, powers)
    for _ in range(2):
        short = [i for i, need in enumerate(needs) if _lacks(need, best[i])]
        if len(needs) < 2 or not (short or _over(market, best)):
            break
        emptied = [np.zeros(market.shared.steps) for _ in needs]
        order = [*short, *(i for i in _order(needs) if i not in short)]
        tried = _in_turn(market, needs, emptied, order, division)
        tried = _in_turn(market, needs, tried, order, division)
        tried_cost = score_eur(market, needs, tried)
        if tried_cost >= cost - 1e-9:
            break
        best, cost = tried, tried_cost
    total = np.sum(best, axis=0) if best else np.zeros(market.shared.steps)
    return Schedule(powers_w=tuple(best), price=market.with_taken(total).price(), cost_eur=cost)


def _lacks(need: Need, power_w: Floats) -> bool:
    if isinstance(need, Run):
        return not power_w.any()
    return need.missing_wh(power_w) > 0.0


def _over(market: Market, powers: list[Floats]) -> bool:
    total = market.shared.net_w + np.sum(powers, axis=0)
    return bool((total > market.shared.limits.import_max_w + 1.0).any())


def score_eur(market: Market, needs: Sequence[Need], powers: Sequence[Floats]) -> float:
    """What a schedule costs in this market with all penalties."""
    total = np.sum(powers, axis=0) if powers else np.zeros(market.shared.steps)
    every = np.arange(market.shared.steps)
    own = sum(own_eur(need, power) for need, power in zip(needs, powers, strict=True))
    return float(market.cost_eur(every, total).sum()) + own


def own_eur(need: Need, power_w: Floats) -> float:
    """What a course costs besides its power: what is missing, starts, ageing, less what is held at the end."""
    if isinstance(need, Run):
        return 0.0 if power_w.any() else need.missed_eur
    short = float((need.short_wh(power_w) * need.short_price).sum()) / K
    starts = np.count_nonzero(np.diff(power_w > 0.0, prepend=need.turns.on) & (power_w > 0.0))
    wear = need.wear_price * float(np.abs(power_w).sum()) * need.hours / K
    end = float(need.energies_wh(power_w)[-1]) * need.end_price / K
    return short + need.turns.start_eur * starts + wear - end
