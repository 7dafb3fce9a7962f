"""Scenario dynamic programming: what stored energy is worth at the end of each step.

    W_s(e)   = (1 - rho) V_s,k+1(e) + rho mean_r V_r,k+1(e)
    V_s,k(e) = min over e' of  price of the grid's energy in the step + wear + W_s(e')

rho = 0 would be a scenario LP (all is known after the first step), rho = 1 the textbook SDP with independent stages.
V is convex in e, so the best e' follows from four levels, where the marginal value of W crosses a price.
Energies are counted in spacings of the energy grid, so that an energy is its own place in the table.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats, GridLimits, Reach, Storage, change, reach_of

Places = NDArray[np.intp]

TIE = 1e-9  # EUR/kWh: a gain below this is rounding, and nothing is done for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPrices:
    """EUR/kWh of each step; `sell` is never above `buy`."""

    buy: Floats
    sell: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aim:
    """Import (W) that each step should not exceed, and what a kWh above it costs beside its price (EUR/kWh)."""

    import_w: Floats
    over_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What is behind the levels, and they.

    `worth[k, i]`: marginal value (EUR/kWh) of stored energy between grid points i and i + 1 at the end of step k.
    `levels[k]`: charge, reserve, fill and export in Wh.
    """

    worth: Floats
    levels: Floats


def solve(
    net_w: Floats,
    tariff: StepPrices,
    storage: Storage,
    *,
    hours: float,
    limits: GridLimits,
    points: int,
    mixing: float,
    end_worth: float,
    aim: Aim | None = None,
) -> Values:
    """The recursion over scenarios (rows of `net_w`) from the last step to the first.

    `mixing` is rho of one step; `end_worth` (EUR/kWh) is what is left is worth behind the last step. With an `aim`
    import is kept below it as below the limit, and what exceeds it all the same is paid for.
    """
    spacing_wh = storage.capacity_wh / (points - 1)
    grid = np.arange(points, dtype=np.float64)
    marks = thresholds(tariff, storage)
    aim_w = np.inf if aim is None else aim.import_w[:, None, None]
    possible = reach_of(storage, net_w=net_w.T[:, :, None], hours=hours, limits=limits, aim_w=aim_w)
    reach = _in_spacings(possible, spacing_wh)
    net_kwh = net_w.T[:, :, None] * (hours / 1000.0)
    into = spacing_wh / 1000.0 / storage.charge_efficiency
    out_of = spacing_wh / 1000.0 * storage.discharge_efficiency
    value = np.broadcast_to(-end_worth * spacing_wh / 1000.0 * grid, (len(net_w), points))
    rows: Places = np.arange(len(net_w))[:, None] * points
    expected = np.empty((net_w.shape[1], points))
    for k in range(net_w.shape[1] - 1, -1, -1):
        expected[k] = value.mean(axis=0)
        mixed = (1.0 - mixing) * value + mixing * expected[k]
        worth = (mixed[:, :-1] - mixed[:, 1:]) * (1000.0 / spacing_wh)
        levels = np.count_nonzero(worth > marks[k][:, None, None], axis=2).astype(np.float64)[:, :, None]
        moved = change(_step(reach, k), grid, *_ordered(levels))
        power_kwh = np.maximum(moved * into, moved * out_of)  # into > out_of: the greater one has the right sign
        grid_kwh = net_kwh[k] + power_kwh
        cost = np.maximum(tariff.buy[k] * grid_kwh, tariff.sell[k] * grid_kwh)
        if storage.wear_price:
            cost += storage.wear_price * np.abs(power_kwh)
        if aim is not None:
            cost += aim.over_price * np.maximum(grid_kwh - aim.import_w[k] * (hours / 1000.0), 0.0)
        value = cost + _interpolate(mixed, grid + moved, rows)
    worth = (expected[:, :-1] - expected[:, 1:]) * (1000.0 / spacing_wh)
    return Values(worth=worth, levels=levels_wh(worth, marks, storage))


def levels_wh(worth: Floats, marks: Floats, storage: Storage) -> Floats:
    """Levels (steps x 4) from marginal values (steps x cells of equal size) and the thresholds of the same steps."""
    counted = np.count_nonzero(worth[:, None, :] > marks[:, :, None], axis=2)
    levels = np.stack(_ordered(counted.T * (storage.capacity_wh / worth.shape[1])), axis=1)
    return np.asarray(np.minimum(levels, storage.capacity_wh))


def thresholds(tariff: StepPrices, storage: Storage) -> Floats:
    """The marginal values (EUR/kWh stored) at which charge, reserve, fill and export lie, for each step (n x 4).

    Charging from the grid pays where stored energy is worth more than buy/ec; giving to the building where it is worth
    less than buy * ed; surplus is kept where it is worth more than sell/ec; sold where it is worth less than sell * ed.
    Equal worth decides as the plain rule would: nothing bought, used at once, surplus taken, nothing sold.
    """
    return np.asarray(step_prices(tariff, storage) + np.array([TIE, TIE, -TIE, -TIE]))


def step_prices(tariff: StepPrices, storage: Storage) -> Floats:
    """What a kWh stored costs from the grid and from surplus, and brings in the building and at the grid.

    EUR/kWh for each step, in the order of the thresholds: charge, reserve, fill, export.
    """
    wear = storage.wear_price
    into, out_of = storage.charge_efficiency, storage.discharge_efficiency
    columns = (
        (tariff.buy + wear) / into,
        (tariff.buy - wear) * out_of,
        (tariff.sell + wear) / into,
        (tariff.sell - wear) * out_of,
    )
    return np.stack(columns, axis=1)


def _ordered(levels: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Charge <= reserve <= export and charge <= fill <= export, also where a negative price turns them around."""
    charge, reserve, fill, export = levels
    reserve, fill = np.maximum(reserve, charge), np.maximum(fill, charge)
    return charge, reserve, fill, np.maximum(np.maximum(export, reserve), fill)


def _in_spacings(reach: Reach, spacing_wh: float) -> Reach:
    """The reach of every step and scenario (steps x scenarios x 1) in spacings."""
    parts = (reach.surplus, reach.deficit, reach.forced, reach.charge, reach.discharge)
    return Reach(*(part / spacing_wh for part in parts))


def _step(reach: Reach, k: int) -> Reach:
    return Reach(reach.surplus[k], reach.deficit[k], reach.forced[k], reach.charge[k], reach.discharge[k])


def _interpolate(table: Floats, places: Floats, rows: Places) -> Floats:
    """Values of each row of `table` at `places` (in spacings), on straight lines between the points."""
    below = np.minimum(places.astype(np.intp), table.shape[1] - 2)
    flat = table.ravel()
    index = below + rows
    left = flat[index]
    return np.asarray(left + (places - below) * (flat[index + 1] - left))
