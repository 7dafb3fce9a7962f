"""Levels followed over many short steps: `core.levels.follow` written out for plain numbers, for years of minutes."""

import numpy as np

from gateway.core.model.levels import Floats, Storage


def follow_all(
    storage: Storage, levels_wh: Floats, net_w: Floats, *, start_wh: float, hours: float
) -> tuple[Floats, Floats]:
    """Power (W) in each step and stored energy (Wh) at its end.

    `levels_wh`: rows of charge, reserve, fill and export, each for the same number of steps in a row.
    """
    into, out_of = hours * storage.charge_efficiency, hours / storage.discharge_efficiency
    most_in, most_out = storage.charge_max_w * into, -storage.discharge_max_w * out_of
    wanted = np.where(net_w < 0.0, -net_w * into, -net_w * out_of)  # what the building has to spare: positive
    columns = np.repeat(levels_wh, len(net_w) // len(levels_wh), axis=0).T.tolist()
    stored = start_wh
    after = []
    for want, charge, reserve, fill, export in zip(wanted.tolist(), *columns, strict=True):
        change = 0.0
        if want > 0.0:
            if fill > stored:
                change = min(fill - stored, want)
        elif stored > reserve:
            change = max(reserve - stored, want)
        if stored < charge and change < charge - stored:
            change = charge - stored
        elif stored > export and change > export - stored:
            change = export - stored
        if change > most_in:
            change = most_in
        elif change < most_out:
            change = most_out
        stored += change
        after.append(stored)
    energies = np.array(after)
    changes = np.diff(energies, prepend=start_wh)
    return np.where(changes > 0.0, changes / into, changes / out_of), energies
