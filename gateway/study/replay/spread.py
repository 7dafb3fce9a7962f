"""How much of a result is the luck of its days: costs by day, and a bootstrap over blocks of days.

Block bootstrap: Künsch, Annals of Statistics 17 (1989); blocks of 3 days as the authors of the solar-home bench take
them for its record. It shows what other months with the same weather and the same people would have given.
"""

import numpy as np

from gateway.core.model.levels import Floats
from gateway.study.replay.case import Case
from gateway.study.replay.slots import step_costs_eur, stored_after

BLOCK_DAYS = 3
DRAWS = 2000
SHARE = 0.9  # of the draws lies within the interval


def daily_eur(case: Case, powers_w: Floats) -> Floats:
    """The cost of each whole 24 h; stored energy is credited to the day that leaves it and charged to the next one.

    It counts at the least price to buy, so that a battery filled at night does not move cost from day to day.
    """
    day = round(24.0 / case.hours)
    energies_wh = [case.start_wh]
    for power_w in powers_w.tolist():
        energies_wh.append(stored_after(case, energies_wh[-1], power_w))
    gained_kwh = np.diff(np.array(energies_wh)) / 1000.0
    costs = step_costs_eur(case, powers_w) - float(case.prices[0].min()) * gained_kwh
    whole = len(costs) // day * day
    return np.asarray(costs[:whole].reshape(-1, day).sum(axis=1))


def interval(daily: Floats) -> tuple[float, float]:
    """Between which means of as many days `SHARE` of the draws lie; the same days always give the same answer."""
    days = len(daily)
    block = min(BLOCK_DAYS, days)
    draw = np.random.default_rng(0)
    starts = draw.integers(0, days, size=(DRAWS, -(-days // block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(DRAWS, -1)[:, :days] % days
    low, high = np.quantile(daily[places].mean(axis=1), [(1.0 - SHARE) / 2.0, (1.0 + SHARE) / 2.0])
    return float(low), float(high)
