"""A record replayed slot by slot: levels are decided, then followed, and the meter is paid.

Nobody knows the future: a decision sees the record up to the slot before, and the mean net load of its own slot only
where it is followed, as a loop at seconds would.
"""

from collections.abc import Callable

import numpy as np

from gateway.core.model.levels import Floats, Levels, follow, plain
from gateway.study.replay.case import Case

Decide = Callable[[int, float], Levels]  # step of the record, stored energy (Wh) -> levels to follow in it


def replay(case: Case, decide: Decide) -> Floats:
    """Power of the storage (W) in each counted step."""
    energy_wh = case.start_wh
    powers = np.empty(case.steps)
    net_w = case.net_w.tolist()
    for k in range(case.steps):
        levels = decide(case.first + k, energy_wh)
        power_w = follow(
            levels, case.storage, energy_wh=energy_wh, net_w=net_w[k], hours=case.hours, limits=case.limits
        )
        energy_wh = stored_after(case, energy_wh, float(power_w))
        powers[k] = power_w
    return powers


def rule(case: Case) -> Decide:
    """The plain rule of self-consumption."""
    levels = plain(case.storage)
    return lambda _step, _energy_wh: levels


def stored_after(case: Case, energy_wh: float, power_w: float) -> float:
    """Stored energy (Wh) after a step with this power; rounding never leaves the storage."""
    storage = case.storage
    gain = power_w * storage.charge_efficiency if power_w > 0.0 else power_w / storage.discharge_efficiency
    return min(max(energy_wh + gain * case.hours, 0.0), storage.capacity_wh)


def cost_eur(case: Case, powers_w: Floats) -> float:
    """What the counted steps cost with these storage powers, less what is left in the storage in the end."""
    energy_wh = case.start_wh
    for power_w in powers_w.tolist():
        energy_wh = stored_after(case, energy_wh, power_w)
    return float(step_costs_eur(case, powers_w).sum()) - case.end_price * (energy_wh - case.start_wh) / 1000.0


def step_costs_eur(case: Case, powers_w: Floats) -> Floats:
    """The price of each counted step: import at `buy`, export at `sell`, and the wear of the storage."""
    buy, sell = case.prices
    grid_kwh = (case.net_w + powers_w) * (case.hours / 1000.0)
    wear = case.storage.wear_price * np.abs(powers_w) * (case.hours / 1000.0)
    return np.asarray(buy * np.maximum(grid_kwh, 0.0) + sell * np.minimum(grid_kwh, 0.0) + wear)
