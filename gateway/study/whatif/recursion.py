"""The dynamic program of the core for many plans at once, written in marginal values instead of costs.

What the last of the stored energy is worth, u(e) in EUR/kWh, falls with the amount stored. A step offers amounts at
rising prices, so all it does is to move u sideways between two prices, by the amount that is to be had between them:

    surplus s:  V(e) = clip(u(e + s), fill, charge) + clip(u(e), export, fill) - fill + G(e)
    need d:     V(e) = clip(u(e - d), export, reserve) + clip(u(e), reserve, charge) - reserve + G(e)
    the grid:   G(e) = max(u(e + C) - charge, 0) + min(u(e - D) - export, 0)

with the prices of `rising`, and C and D the most that a step takes in and gives out. u is known as
means over cells of the storage, and the mean of a cell moved sideways is a mean of two neighbours. So no cost and no
decision is computed for any stored energy, and all plans go back in step; the values are the core's (tests).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import NO_LIMITS, Floats, Storage, reach_of
from gateway.core.planning.problem import StepPrices
from gateway.core.planning.storage.dynamic_program import threshold_prices

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Plans to be made together."""

    # Net load (plans x scenarios x steps, W, import positive).
    net_w: Floats
    # Rising prices of each step (plans x steps x 4, EUR/kWh), see `rising`.
    prices: Floats
    # Value of what is left behind the last step (EUR/kWh, one a plan).
    end_values: Floats
    # Length of a step (h).
    hours: float
    # Points of the energy grid.
    points: int
    # What is forgotten in one step (0…1).
    mixing: float


def rising(step_prices: StepPrices, storage: Storage) -> Floats | None:
    """Prices of each step (steps x 4) that rise with the amount, as is needed here; None where they do not.

    Where surplus costs money, always the same, nothing stored is worth so little that it would be sold: its price is
    that of surplus then. Other prices below 0 are left to the core.
    """
    charge, reserve, fill, export = prices = threshold_prices(step_prices, storage).T
    wasted = export > fill
    if (step_prices.buy < 0.0).any() or (fill[wasted] > fill.min()).any():
        return None
    export[wasted] = fill[wasted]
    pairs = ((charge, reserve), (charge, fill), (reserve, export))
    return prices.T if all(bool((high >= low).all()) for high, low in pairs) else None


def marginal_values(storage: Storage, task: Task, *, wanted: int) -> Floats:
    """Marginal values at the ends of the first steps, means of the scenarios: plans x wanted steps x cells."""
    plans, scenarios, steps = task.net_w.shape
    cells = task.points - 1
    moves, charge, discharge = _amounts(storage, task)
    board = _Board(cells=cells, rows=plans * scenarios, charge=charge, discharge=discharge)
    prices = np.repeat(task.prices.transpose(1, 2, 0), scenarios, axis=2)
    marginal = np.repeat(np.broadcast_to(task.end_values, (cells, plans)), scenarios, axis=1)
    found = np.empty((wanted, cells, plans))
    for k in range(steps - 1, -1, -1):
        by_plan = marginal.reshape(cells, plans, scenarios)
        expected = by_plan.mean(axis=2)
        if k < wanted:
            found[k] = expected
        by_plan *= 1.0 - task.mixing
        by_plan += task.mixing * expected[:, :, None]
        marginal = board.before(marginal, moves[k], prices[k])
    return found.transpose(2, 0, 1)


def _amounts(storage: Storage, task: Task) -> tuple[Floats, float, float]:
    """In cells: what surplus (> 0) and need (< 0) move in each step and row, and the most into and out of a storage."""
    plans, scenarios, steps = task.net_w.shape
    cells = task.points - 1
    net_w = task.net_w.reshape(plans * scenarios, steps).T
    reach = reach_of(storage, net_w=net_w, hours=task.hours, limits=NO_LIMITS)
    in_cells = cells / storage.capacity_wh
    moves = np.minimum(reach.surplus, reach.charge) - np.minimum(reach.deficit, reach.discharge)
    most = (min(float(part.flat[0]) * in_cells, cells) for part in (reach.charge, reach.discharge))
    return np.clip(moves * in_cells, -cells, cells), *most


class _Board:
    """Steps of many rows, one after the other; arrays are of cells x rows, the emptiest cell first."""

    def __init__(self, *, cells: int, rows: int, charge: float, discharge: float) -> None:
        self._charge, self._discharge = charge, discharge
        self._empty = math.ceil(max(charge, discharge)) + 1  # cells beyond either end that a move may reach
        self._full = self._empty + cells
        self._moved = np.empty((self._full + self._empty, rows))
        self._places: Places = np.empty((cells + 1, rows), dtype=np.intp)
        self._taken = np.empty((cells + 1, rows))
        self._still = np.empty((cells, rows))
        self._edges: Places = ((np.arange(cells + 1) + self._empty) * rows)[:, None]
        self._rows: Places = np.arange(rows)

    def before(self, marginal: Floats, moves: Floats, prices: Floats) -> Floats:
        """Marginal values at the beginning of a step from those at its end."""
        charge, reserve, fill, export = prices
        spare = moves >= 0.0
        middle = np.where(spare, fill, reserve)
        result = self._sideways(marginal, moves, np.where(spare, fill, export), np.where(spare, charge, reserve))
        np.minimum(marginal, np.where(spare, fill, charge), out=self._still)
        np.maximum(self._still, np.where(spare, export, reserve), out=self._still)
        result += self._still
        result -= middle
        if (marginal[0] > charge).any():
            _add_from_above(result, np.maximum(marginal - charge, 0.0), self._charge)
        if (marginal[-1] < export).any():
            _add_from_above(result[::-1], np.minimum(marginal - export, 0.0)[::-1], self._discharge)
        return result

    def _sideways(self, marginal: Floats, moves: Floats, low: Floats, high: Floats) -> Floats:
        """What lies between two prices, each row moved by its own amount; below empty is `high`, above full `low`."""
        moved, whole = self._moved, np.floor(moves)
        moved[: self._empty] = high
        moved[self._full :] = low
        between = moved[self._empty : self._full]
        np.minimum(marginal, high, out=between)
        np.maximum(between, low, out=between)
        np.add(self._edges, self._rows + whole.astype(np.intp) * len(self._rows), out=self._places)
        np.take(moved.reshape(-1), self._places, out=self._taken, mode="clip")  # other modes copy first
        result = self._taken[1:] - self._taken[:-1]
        result *= moves - whole
        result += self._taken[:-1]
        return np.asarray(result)


def _add_from_above(result: Floats, marginal: Floats, move: float) -> None:
    """Adds u(e + move), with nothing above the last cell."""
    whole = int(move)
    part = move - whole
    result[: len(result) - whole] += (1.0 - part) * marginal[whole:]
    result[: max(len(result) - whole - 1, 0)] += part * marginal[whole + 1 :]
