"""The cheapest power profile of one load, by dynamic programming over its energy and how long it runs or rests.

Exact but for the grid of energies and of powers; the same work for a relay, a charger with a least current and a pump
with several ways of working. A load that is full stops by itself inside a step: its mean power is then less.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.loads.needs import EnergyStore, Run
from gateway.core.model.levels import Floats
from gateway.core.planning.schedule.marginal_cost import MarginalCost

POINTS = 41  # of energy
DEEP = 0.3  # how far below its floors amounts are still distinguished, as a share of what is above
BETWEEN = 2  # powers tried inside a band, beside its ends and what just fits
EARLY_EUR = 1e-4  # EUR/kWh a plan later: of equal moments the earlier one, so that nothing is put off for ever
NEAR_EUR = 0.01  # EUR/kWh away from the common division, which alone knows how much the storage holds
NEVER = 1e9  # EUR: a change that is forbidden; above any price of a day, and finite, so that sums stay numbers
LIMIT_TOLERANCE_W = 0.5  # rounding of powers that just fit under the import limit
K = 1000.0  # W in a kW: prices are per kWh

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """The powers that a load can be set to in each step."""

    power_w: Floats  # steps x choices; the first choice is rest
    way: tuple[int, ...]  # of each choice: -1 rest, else the band; V2G counts as rest
    cost_eur: Floats  # what each would cost, steps x choices


@dataclass(frozen=True, slots=True, eq=False)
class SwitchingStates:
    """The states of a load by how long it has run or rested, and the state that follows each choice."""

    following: Indices  # the next state, states x choices
    cost_eur: Floats  # of the change, states x choices; NEVER where a minimum time forbids it
    first: int  # the state now


def best_run(run: Run, power_cost: MarginalCost) -> int | None:
    """The cheapest start of a run, the earliest among equals; None where it is better missed, or fits nowhere."""
    headroom = power_cost.headroom_w() + LIMIT_TOLERANCE_W
    starts = [start for start in run.starts if (run.power_w(start) <= headroom).all()]
    costs = [run_cost_eur(run, power_cost, start) for start in starts]
    if not costs:
        return None
    best = int(np.argmin(costs))
    return starts[best] if costs[best] < run.missed_eur else None


def run_cost_eur(run: Run, power_cost: MarginalCost, start: int) -> float:
    """What a run costs that begins there; behind the plan the last step's costs go on."""
    steps = np.minimum(np.arange(start, start + len(run.profile_w)), run.steps - 1)
    paid = power_cost.cost_eur(steps, run.profile_w).sum()
    return float(paid) + EARLY_EUR * start / run.steps * float(run.profile_w.sum()) * run.hours / K


def best_profile(store: EnergyStore, power_cost: MarginalCost, near_w: Floats | None = None) -> Floats:
    """Mean powers of each step (W) at the least cost of power, starts, ageing and what is missing.

    `near_w`: its part of a division that all share, if there is one. Any amount is sold at the value of stored energy;
    so of profiles that cost about the same, the one near that part is taken.
    """
    choices = _choices(store, power_cost, near_w)
    states = _switching_states(store, choices)
    grid = _grid(store)
    values = _values(store, choices, states, grid)
    return _followed(store, choices, states, grid, values)


def _choices(store: EnergyStore, power_cost: MarginalCost, near_w: Floats | None) -> Choices:
    net, headroom = power_cost.net_w, power_cost.headroom_w()
    fits = (-net, headroom) if near_w is None else (-net, headroom, near_w)
    columns, ways = [np.zeros(store.steps)], [-1]
    for index, band in enumerate(store.bands):
        if band.low_w == band.high_w:
            columns, ways = [*columns, np.full(store.steps, band.high_w)], [*ways, index]
            continue
        fixed = np.linspace(band.low_w, band.high_w, BETWEEN + 2)
        columns += [np.full(store.steps, power) for power in fixed if power > 0.0]
        columns += [np.clip(fit, band.low_w, band.high_w) for fit in fits]
        ways += [index] * (len(columns) - len(ways))
    if store.give_w > 0.0:
        columns += [np.full(store.steps, -store.give_w), -np.clip(net, 0.0, store.give_w)]
        ways += [-1, -1]
    power = np.stack(columns, axis=1)
    steps = np.arange(store.steps)[:, None]
    kwh = np.abs(power) * (store.hours / K)
    cost = power_cost.cost_eur(steps, power) + kwh * (store.wear_price + EARLY_EUR * steps / store.steps)
    if near_w is not None:
        cost += np.abs(power - near_w[:, None]) * (store.hours / K * NEAR_EUR)
    if store.there is not None:
        cost *= store.there[:, None]
    allowed = np.where(np.array(ways) >= 0, store.open()[:, None], (power == 0.0) | store.free[:, None])
    allowed &= power <= np.maximum(headroom[:, None], 0.0) + LIMIT_TOLERANCE_W
    forced = store.forced()
    allowed[forced] = np.array(ways) >= 0
    return Choices(power, tuple(ways), np.where(allowed, cost, NEVER))


def _switching_states(store: EnergyStore, choices: Choices) -> SwitchingStates:
    """States: 0 ready, 1…rest-1 resting so many steps more, then for each band running (run-1 … 0 steps to go)."""
    switching = store.switching
    run, rest = max(switching.up_steps, 1), max(switching.down_steps, 1)
    simple = run == rest == 1 and switching.start_eur == 0.0 and store.switch_eur == 0.0
    if simple:
        return SwitchingStates(np.zeros((1, len(choices.way)), np.intp), np.zeros((1, len(choices.way))), 0)
    count = rest + run * len(store.bands)
    following = np.zeros((count, len(choices.way)), np.intp)
    cost = np.zeros((count, len(choices.way)))

    def running(band: int, left: int) -> int:
        return rest + band * run + left

    for a, way in enumerate(choices.way):
        for left in range(rest):  # ready or resting
            following[left, a] = running(way, run - 1) if way >= 0 else max(left - 1, 0)
            cost[left, a] = (NEVER if left else switching.start_eur) if way >= 0 else 0.0
        for band in range(len(store.bands)):
            for left in range(run):
                here = running(band, left)
                following[here, a] = running(way, max(left - 1, 0)) if way >= 0 else rest - 1
                cost[here, a] = (NEVER if left else 0.0) if way < 0 else store.switch_eur * (way != band)
    return SwitchingStates(following, cost, _first(store, run, rest))


def _first(store: EnergyStore, run: int, rest: int) -> int:
    switching = store.switching
    if switching.is_on:
        return rest + run * switching.band + min(switching.left_steps, run - 1)
    return min(switching.left_steps, rest - 1)


def _grid(store: EnergyStore) -> Floats:
    """From the least to the most it can hold; far below its floors amounts are no longer distinguished."""
    idle = store.energies_wh(np.zeros(store.steps))
    top = max(float(store.top_wh().max()), store.start_wh)
    floors = store.floor_wh[store.short_price > 0.0]
    deep = float(floors.min()) - DEEP * max(top - float(floors.min()), 1.0) if len(floors) else 0.0
    low = min(max(float(idle.min()), deep), store.start_wh)
    if store.give_w > 0.0:
        low = min(low, 0.0)
    return _points(low, max(top, low + 1.0), float(floors.max()) if len(floors) else low)


def _points(low: float, top: float, floor: float) -> Floats:
    """Equal spacings; `top` and a floor between are points, so that just enough and not quite enough are different."""
    if not low < floor < top:
        return np.linspace(low, top, POINTS)
    above = max(round((top - floor) / (top - low) * (POINTS - 1)), 1)
    spacing = (top - floor) / above
    below = min(math.ceil((floor - low) / spacing), 4 * POINTS)
    return floor + spacing * np.arange(-below, above + 1, dtype=np.float64)


def _values(store: EnergyStore, choices: Choices, states: SwitchingStates, grid: Floats) -> Floats:
    """The cost still to come (EUR) at the end of each step: steps x switching states x energies."""
    below, part, paid = _ahead(store, choices, grid)
    short = np.maximum(store.floor_wh[:, None] - grid, 0.0) * (store.short_price[:, None] / K)
    ways = np.arange(len(choices.way))
    idle = ~(store.open() | store.forced() | (store.free & (store.give_w > 0.0)))
    idle &= (store.drain_wh == 0.0) & (store.keep == 1.0)
    changes = states.cost_eur[:, :, None]
    values = np.empty((store.steps, len(states.following), len(grid)))
    after = np.broadcast_to(-store.end_price / K * grid, values.shape[1:])
    for k in range(store.steps - 1, -1, -1):
        after = np.add(after, short[k], out=values[k])
        if idle[k]:
            after = after[states.following[:, 0]] + states.cost_eur[:, :1]
            continue
        low = after[:, below[k]]
        reached = low + part[k] * (after[:, below[k] + 1] - low)
        total = reached[states.following, ways] + (paid[k] + changes)
        after = total.min(axis=1)
    return values


def _ahead(store: EnergyStore, choices: Choices, grid: Floats) -> tuple[Indices, Floats, Floats]:
    """For all steps x choices x energies: the point below the energy after it, how far beyond, and what it costs."""
    free = store.keep * grid - store.drain_wh[:, None]
    top = store.top_wh()[:, None, None]
    end, share = _cut(free[:, None, :], _moved_wh(store, choices)[:, :, None], top, store.give_w)
    place = np.clip((end - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.000001)
    below = place.astype(np.intp)
    cost = choices.cost_eur[:, :, None]
    return below, place - below, cost * np.where(cost < NEVER, share, 1.0)


def _moved_wh(store: EnergyStore, choices: Choices) -> Floats:
    power = choices.power_w
    return np.asarray(np.where(power > 0.0, power * store.gain[:, None], power / store.give) * store.hours)


def _cut(free: Floats, moved: Floats, top: Floats, give_w: float) -> tuple[Floats, Floats]:
    """Energy after a step, and the share of the step until the load was full (or, giving back, empty)."""
    end = np.minimum(free + moved, np.maximum(free, top))
    if give_w > 0.0:
        end = np.where(moved < 0.0, np.maximum(free + moved, np.minimum(free, 0.0)), end)
    share = np.divide(end - free, moved, out=np.ones(end.shape), where=np.broadcast_to(moved != 0.0, end.shape))
    return end, share


def _followed(store: EnergyStore, choices: Choices, states: SwitchingStates, grid: Floats, values: Floats) -> Floats:
    """The profile from where the load is now. Plain numbers: with a handful of choices they are faster than arrays."""
    first, spacing, last = float(grid[0]), float(grid[1] - grid[0]), len(grid) - 1.000001
    moved, top, drain = _moved_wh(store, choices).tolist(), store.top_wh().tolist(), store.drain_wh.tolist()
    costs, ways = choices.cost_eur.tolist(), states.following.tolist()
    changes = states.cost_eur.tolist()
    held, state = store.start_wh, states.first
    powers = np.zeros(store.steps)
    for k in range(store.steps):
        free = store.keep * held - drain[k]
        best, least = (0, free, 1.0), math.inf
        for a, cost in enumerate(costs[k]):
            if cost >= NEVER or changes[state][a] >= NEVER:
                continue
            end = _end_wh(free, moved[k][a], top[k])
            share = (end - free) / moved[k][a] if moved[k][a] else 1.0
            place = min(max((end - first) / spacing, 0.0), last)
            row, below = values[k, ways[state][a]], int(place)
            to_come = row[below] + (place - below) * (row[below + 1] - row[below])
            total = cost * share + changes[state][a] + float(to_come)
            if total < least:
                best, least = (a, end, share), total
        powers[k] = choices.power_w[k, best[0]] * best[2]
        held, state = best[1], ways[state][best[0]]
    return powers


def _end_wh(free: float, moved: float, top: float) -> float:
    """As `_cut` does for many."""
    if moved >= 0.0:
        return min(free + moved, max(free, top))
    return max(free + moved, min(free, 0.0))
