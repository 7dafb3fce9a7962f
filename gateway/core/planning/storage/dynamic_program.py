"""Scenario dynamic programming: the marginal value of stored energy at the end of each step.

    W_s(e)   = (1 - rho) V_s,k+1(e) + rho mean_r V_r,k+1(e)
    V_s,k(e) = min over e' of  price of the grid's energy in the step + wear + W_s(e')

rho = 0 would be a scenario LP (all is known after the first step), rho = 1 the textbook SDP with independent stages.
V is convex in e, so the best e' follows from four levels, where the marginal value of W crosses a price.
Energies are counted in spacings of the energy grid, so that an energy is its own place in the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats, GridLimits, LoadNeed, Storage, change, in_order, reach_of
from gateway.core.planning.problem import PlanProblem, StepPrices

Places = NDArray[np.intp]

TIE = 1e-9  # EUR/kWh: a gain below this is rounding, and nothing is done for it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakTarget:
    """Grid import that should not be exceeded, because it would be a new peak of the month."""

    # The target of each step (W); infinite where there is none.
    import_w: Floats
    # What a kWh above it costs in the dynamic program beside its price (EUR/kWh).
    over_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageValues:
    """The levels of a storage, and the marginal values behind them."""

    # Marginal value (EUR/kWh) of stored energy at the end of each step, between the points of the energy grid (steps x
    # cells, the emptiest cell first); it falls with the energy stored.
    marginal_values: Floats
    # Levels of each step (steps x 4, Wh above empty): charge, reserve, fill and export.
    levels_wh: Floats


def solved_for(problem: PlanProblem, target: PeakTarget | None) -> StorageValues:
    """The levels of a problem with this peak target, None: without one."""
    return solve(
        problem.scenarios.net_w,
        problem.prices,
        problem.storage,
        hours=problem.hours,
        limits=problem.limits,
        points=problem.energy_points,
        mixing=problem.mixing,
        end_value=problem.end_value,
        target=target,
        loads=problem.loads,
    )


def solve(
    net_w: Floats,
    prices: StepPrices,
    storage: Storage,
    *,
    hours: float,
    limits: GridLimits,
    points: int,
    mixing: float,
    end_value: float,
    target: PeakTarget | None = None,
    loads: Sequence[LoadNeed] = (),
) -> StorageValues:
    """The recursion over scenarios (rows of `net_w`) from the last step to the first.

    `loads`: of the net load, what is supplied only above some energy; one power a step.

    `mixing` is rho of one step; `end_value` (EUR/kWh) is the value of what is left behind the last step. With a
    `target` import is kept below it as below the limit, and what exceeds it all the same is paid for.
    """
    spacing_wh = storage.capacity_wh / (points - 1)
    grid = np.arange(points, dtype=np.float64)
    marks = thresholds(prices, storage)
    target_w = np.inf if target is None else target.import_w[:, None, None]
    needs = [LoadNeed(power_w=one.power_w[:, None, None], above_wh=one.above_wh) for one in loads]
    possible = reach_of(
        storage, net_w=net_w.T[:, :, None], hours=hours, limits=limits, peak_target_w=target_w, loads=needs
    )
    reach = possible.divided(spacing_wh)
    net_kwh = net_w.T[:, :, None] * (hours / 1000.0)
    into = spacing_wh / 1000.0 / storage.charge_efficiency
    out_of = spacing_wh / 1000.0 * storage.discharge_efficiency
    value = np.broadcast_to(-end_value * spacing_wh / 1000.0 * grid, (len(net_w), points))
    rows: Places = np.arange(len(net_w))[:, None] * points
    expected = np.empty((net_w.shape[1], points))
    for k in range(net_w.shape[1] - 1, -1, -1):
        expected[k] = value.mean(axis=0)
        mixed = (1.0 - mixing) * value + mixing * expected[k]
        marginal = (mixed[:, :-1] - mixed[:, 1:]) * (1000.0 / spacing_wh)
        levels = np.count_nonzero(marginal > marks[k][:, None, None], axis=2).astype(np.float64)[:, :, None]
        moved = change(reach.at(k), grid, *in_order(*levels))
        power_kwh = np.maximum(moved * into, moved * out_of)  # into > out_of: the greater one has the right sign
        grid_kwh = net_kwh[k] + power_kwh
        cost = np.maximum(prices.buy[k] * grid_kwh, prices.sell[k] * grid_kwh)
        if storage.wear_price:
            cost += storage.wear_price * np.abs(power_kwh)
        if target is not None:
            cost += target.over_price * np.maximum(grid_kwh - target.import_w[k] * (hours / 1000.0), 0.0)
        value = cost + _interpolate(mixed, grid + moved, rows)
    marginal = (expected[:, :-1] - expected[:, 1:]) * (1000.0 / spacing_wh)
    return StorageValues(marginal_values=marginal, levels_wh=levels_wh(marginal, marks, storage))


def levels_wh(marginal: Floats, marks: Floats, storage: Storage) -> Floats:
    """Levels (steps x 4) from marginal values (steps x cells of equal size) and the thresholds of the same steps."""
    counted = np.count_nonzero(marginal[:, None, :] > marks[:, :, None], axis=2)
    charge, reserve, fill, export = counted.T * (storage.capacity_wh / marginal.shape[1])
    levels = np.stack(in_order(charge, reserve, fill, export), axis=1)
    return np.asarray(np.minimum(levels, storage.capacity_wh))


def thresholds(prices: StepPrices, storage: Storage) -> Floats:
    """The marginal values (EUR/kWh stored) at which charge, reserve, fill and export lie, for each step (n x 4).

    Charging from the grid pays where the marginal value is above buy/ec; giving to the building where it is below
    buy * ed; surplus is kept where it is above sell/ec, and sold where it is below sell * ed. On a tie the plain rule
    holds: nothing bought, need served at once, surplus taken, nothing sold.
    """
    return np.asarray(threshold_prices(prices, storage) + np.array([TIE, TIE, -TIE, -TIE]))


def threshold_prices(prices: StepPrices, storage: Storage) -> Floats:
    """What a kWh stored costs from the grid and from surplus, and brings in the building and at the grid.

    EUR/kWh for each step, in the order of the thresholds: charge, reserve, fill, export.
    """
    wear = storage.wear_price
    into, out_of = storage.charge_efficiency, storage.discharge_efficiency
    columns = (
        (prices.buy + wear) / into,
        (prices.buy - wear) * out_of,
        (prices.sell + wear) / into,
        (prices.sell - wear) * out_of,
    )
    return np.stack(columns, axis=1)


def _interpolate(table: Floats, places: Floats, rows: Places) -> Floats:
    """Values of each row of `table` at `places` (in spacings), on straight lines between the points."""
    below = np.minimum(places.astype(np.intp), table.shape[1] - 2)
    flat = table.ravel()
    index = below + rows
    left = flat[index]
    return np.asarray(left + (places - below) * (flat[index + 1] - left))
