"""A tariff, goals and CO2 along a record: prices of each step as means over its minutes."""

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.pricing.goals import Goals, weigh
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.prices import Prices
from gateway.core.pricing.tariff import Tariff

MINUTE_S = 60.0


def prices_on(tariff: Tariff, *, start_s: float, step_s: float, steps: int) -> tuple[Floats, Floats]:
    """`buy` and `sell` (EUR/kWh) of each step; `step_s` is whole minutes. `sell` is clipped to `buy` as in plans."""
    end_s = start_s + step_s * steps
    edges = np.array(sorted({start_s, *(edge for edge in tariff.edges(start_s, end_s) if start_s < edge < end_s)}))
    rates = [tariff.rate(edge) for edge in edges.tolist()]
    minutes = start_s + MINUTE_S * np.arange(round((end_s - start_s) / MINUTE_S))
    place = np.searchsorted(edges, minutes, side="right") - 1
    each = round(step_s / MINUTE_S)
    columns = (np.array([rate.buy for rate in rates]), np.array([rate.sell for rate in rates]))
    buy, sell = (_means(column[place], each) for column in columns)
    return buy, np.minimum(sell, buy)


def co2_on(points: PointSeries, *, start_s: float, step_s: float, steps: int) -> Floats | None:
    """CO2 (g/kWh) at the beginning of each step; the mean of all where none is known; None where none ever is."""
    values = [points.at(start_s + step * step_s) for step in range(steps)]
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return np.array([mean if value is None else value for value in values])


def weighed_on(goals: Goals, buy: Floats, sell: Floats, co2: Floats | None) -> tuple[Floats, Floats]:
    """`buy` and `sell` as the goals weigh them (`core.pricing.goals`), of the same shape; `co2` in g/kWh."""
    found = weigh(goals, Prices(start_s=0.0, step_s=MINUTE_S, buy=buy, sell=sell, names=()), co2)
    return found.effective.buy, found.effective.sell


def _means(minutes: Floats, each: int) -> Floats:
    """Means over `each` minutes; of equal values exactly that value."""
    blocks = minutes.reshape(-1, each)
    same = (blocks == blocks[:, :1]).all(axis=1)
    return np.where(same, blocks[:, 0], blocks.mean(axis=1))
