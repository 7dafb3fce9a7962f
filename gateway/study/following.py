"""Levels followed over many short steps: `core.levels.follow` written out for plain numbers, for years of minutes."""

from collections.abc import Iterable

import numpy as np

from gateway.core.levels import Floats, Storage


def follow_all(
    storage: Storage, levels_wh: Floats, net_w: Floats, *, start_wh: float, hours: float
) -> tuple[Floats, Floats]:
    """Power (W) in each step and stored energy (Wh) at its end.

    `levels_wh`: rows of charge, reserve, fill and export, each for the same number of steps in a row.
    """
    each = len(net_w) // len(levels_wh)
    into, out_of = hours * storage.charge_efficiency, hours / storage.discharge_efficiency
    most_in, most_out = storage.charge_max_w * into, storage.discharge_max_w * out_of
    wanted = np.where(net_w < 0.0, -net_w * into, -net_w * out_of).reshape(len(levels_wh), each)  # into: positive
    energies = np.empty(len(net_w))
    stored = start_wh
    at = 0
    for row, levels in zip(wanted.tolist(), levels_wh.tolist(), strict=True):
        after = list(_followed(row, levels, stored, most_in, most_out))
        energies[at : at + each] = after
        stored, at = after[-1], at + each
    changes = np.diff(energies, prepend=start_wh)
    return np.where(changes > 0.0, changes / into, changes / out_of), energies


def _followed(
    wanted: list[float], levels: list[float], stored: float, most_in: float, most_out: float
) -> Iterable[float]:
    """Stored energy after each step; `wanted` is what the building has to spare (positive) or needs (negative)."""
    charge, reserve, fill, export = levels
    for want in wanted:
        if want > 0.0:
            change = min(want, fill - stored)
            change = max(change, 0.0)
        else:
            change = max(want, reserve - stored)
            change = min(change, 0.0)
        if stored < charge and change < charge - stored:
            change = charge - stored
        elif stored > export and change > export - stored:
            change = export - stored
        stored += min(change, most_in) if change > 0.0 else max(change, -most_out)
        yield stored
