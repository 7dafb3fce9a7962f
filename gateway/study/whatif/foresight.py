"""The perfect-foresight limit without a solver: exact dynamic programming on the marginal value of stored energy.

The least cost from a step on is a convex, piecewise linear function of the stored energy. Its slopes are kept as a
sorted list of (worth, amount): the amount of storage whose content is worth that much. One step back adds what the
step itself offers (surplus and grid to charge from, load and grid to give to) and cuts off what power limits put out of
reach. The levels that follow from it are the planner's own, with the whole future known. Years of minutes take seconds
where a linear program takes many minutes; both agree (tests).
"""

from bisect import insort
from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats, Storage
from gateway.core.planning.storage.dynamic_program import TIE

Pieces = list[tuple[float, float]]  # (minus worth, Wh), rising: the most valuable first


@dataclass(frozen=True, slots=True)
class _Step:
    """What all steps share: storage, and the most that a step takes in and gives out (Wh stored)."""

    capacity_wh: float
    most_in: float
    most_out: float


def perfect_levels(
    storage: Storage, net_w: Floats, buy: Floats, sell: Floats, *, hours: float, end_price: float
) -> Floats:
    """Levels (steps x 4, Wh) that make the cost of all steps the least; prices in EUR/kWh, `sell` at most `buy`.

    Where `buy` is below 0, or `sell` is and changes, the levels are still followed, but may not be the best.
    """
    wear, into, out_of = storage.wear_price, storage.charge_efficiency, storage.discharge_efficiency
    sell = np.minimum(sell, buy)
    fill = (sell + wear) / into
    export = np.minimum((sell - wear) * out_of, fill)  # where surplus costs money nothing that was stored is sold
    marks = np.stack([(buy + wear) / into, (buy - wear) * out_of, fill, export], axis=1)
    step = _Step(storage.capacity_wh, storage.charge_max_w * hours * into, storage.discharge_max_w * hours / out_of)
    surplus = np.minimum(np.maximum(-net_w, 0.0) * (hours * into), step.most_in)
    deficit = np.minimum(np.maximum(net_w, 0.0) * (hours / out_of), step.most_out)
    pieces: Pieces = [(-end_price, storage.capacity_wh)]
    found = []
    for mark, spare, need in zip(marks[::-1].tolist(), surplus[::-1].tolist(), deficit[::-1].tolist(), strict=True):
        found.append(_levels(pieces, mark))
        pieces = _back(pieces, mark, spare, need, step)
    return np.array(found[::-1])


def _levels(pieces: Pieces, mark: list[float]) -> tuple[float, float, float, float]:
    """How much of the storage is worth more than each mark, in the order charge, reserve, fill, export."""
    charge = reserve = fill = export = 0.0
    buy_in, buy_out, sell_in, sell_out = mark[0] + TIE, mark[1] + TIE, mark[2] - TIE, mark[3] - TIE
    for minus, amount in pieces:
        worth = -minus
        if worth <= sell_out:
            break
        export += amount
        if worth > sell_in:
            fill += amount
        if worth > buy_out:
            reserve += amount
            if worth > buy_in:
                charge += amount
    fill, reserve = max(fill, charge), max(reserve, charge)
    return charge, reserve, fill, max(export, fill, reserve)


def _back(pieces: Pieces, mark: list[float], spare: float, need: float, step: _Step) -> Pieces:
    """The pieces one step earlier."""
    merged = pieces.copy()
    offers = ((mark[0], step.most_in - spare), (mark[2], spare), (mark[1], need), (mark[3], step.most_out - need))
    for worth, amount in offers:
        if amount > 0.0:
            insort(merged, (-worth, amount))
    _cut(merged, step.most_in, first=True)
    _cut(merged, step.most_out, first=False)
    return _joined(merged)


def _cut(pieces: Pieces, amount: float, *, first: bool) -> None:
    """Takes an amount away from one end."""
    place = 0 if first else -1
    while amount > 0.0 and pieces:
        minus, has = pieces[place]
        if has > amount:
            pieces[place] = (minus, has - amount)
            return
        del pieces[place]
        amount -= has


def _joined(pieces: Pieces) -> Pieces:
    """Neighbours of the same worth made one."""
    found: Pieces = []
    for minus, amount in pieces:
        if found and found[-1][0] == minus:
            found[-1] = (minus, found[-1][1] + amount)
        else:
            found.append((minus, amount))
    return found
