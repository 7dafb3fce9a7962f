"""What the plan is for: bill, self-consumption and climate as prices, so that one plan weighs them all.

Each goal is soft and is given as a price. Effective prices go to the planner; the real ones stay for what people read.

    buy'  = cost * buy + co2_eur_per_t * g_per_kwh / 1e6
    sell' = cost * sell - self_consumption_eur_per_kwh

CO2 is counted where it is bought: what is exported earns none back.
"""

from dataclasses import dataclass, replace
from datetime import tzinfo

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.model.plan import Plan
from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid, mean
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.prices import Prices
from gateway.core.pricing.tariff import CLOCK_CHANGE_S

G_PER_T = 1e6  # grams in a tonne: CO2 is given in g/kWh and priced per tonne


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """Weights of what a plan is for; 0 where something is no goal."""

    cost: float = 1.0  # share of the bill that counts
    self_consumption_eur_per_kwh: float = 0.0  # for each kWh that is not exported
    co2_eur_per_t: float = 0.0  # for each tonne that is not emitted

    def __post_init__(self) -> None:
        """Raises ValueError for weights below 0, or for no goal at all."""
        weights = (self.cost, self.self_consumption_eur_per_kwh, self.co2_eur_per_t)
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError(f"at least one goal, none below 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The prices of a plan: as the goals weigh them, and as they are paid."""

    effective: Prices  # as the goals weigh them: for the planner
    real: Prices  # as they are paid: for people
    notes: tuple[Reason, ...] = ()  # what could not be done as the goals ask


def weigh(goals: Goals, prices: Prices, co2_g_per_kwh: Floats | None) -> Weighed:
    """Effective prices; selling never above buying, for that would pay for going round in circles."""
    notes = []
    if goals.co2_eur_per_t > 0 and co2_g_per_kwh is None:
        notes.append(Reason(code="co2_missing"))
        goals = _without_co2(goals)
    tonnes = 0.0 if co2_g_per_kwh is None else co2_g_per_kwh / G_PER_T
    buy = np.asarray(goals.cost * prices.buy + goals.co2_eur_per_t * tonnes)
    sell = np.asarray(goals.cost * prices.sell - goals.self_consumption_eur_per_kwh)
    above = np.flatnonzero(sell > buy)
    if above.size:
        first = int(above[0])
        numbers = {"steps": float(above.size), "sell_price": float(sell[first]), "buy_price": float(buy[first])}
        notes.append(Reason(code="sell_clipped", numbers=numbers))
    peak = None
    if prices.peak is not None and goals.cost > 0:
        peak = replace(prices.peak, eur_per_kw=goals.cost * prices.peak.eur_per_kw)
    effective = replace(prices, buy=buy, sell=np.minimum(sell, buy), peak=peak)
    return Weighed(effective=effective, real=prices, notes=tuple(notes))


def in_real_prices(plan: Plan, real: Prices) -> Plan:
    """A plan made on effective prices, shown with those that people pay; its levels stay as they are.

    The marginal value of stored energy stays weighed by the goals: there is no other one.
    """
    slots = []
    for index, slot in enumerate(plan.slots):
        buy, sell = float(real.buy[index]), float(real.sell[index])
        paid = {
            name: price for name, price in (("buy_price", buy), ("sell_price", sell)) if name in slot.reason.numbers
        }
        reason = replace(slot.reason, numbers={**slot.reason.numbers, **paid})
        slots.append(replace(slot, buy=buy, sell=sell, name=real.names[index], reason=reason))
    return replace(plan, slots=tuple(slots))


def co2_on_grid(points: PointSeries, grid: TimeGrid, zone: tzinfo) -> Floats | None:
    """CO2 in g/kWh of each step; where none is published, that of the same time on the last day that has one.

    What still has none gets the mean of the others; None when no step has any.
    """
    quarters = np.arange(np.ceil(grid.start_s / CLOCK_CHANGE_S) * CLOCK_CHANGE_S, grid.end_s, CLOCK_CHANGE_S).tolist()
    edges = [*points.edges(grid.start_s, grid.end_s), *quarters]
    steps = np.array(
        [
            mean([_co2(points, begin_s, zone) for begin_s, _ in pieces], [share for _, share in pieces])
            for pieces in grid.pieces(edges)
        ],
        dtype=np.float64,
    )
    known = np.isfinite(steps)
    return np.where(known, steps, steps[known].mean()) if known.any() else None


def _co2(points: PointSeries, utc_s: float, zone: tzinfo) -> float:
    value = points.at(utc_s)
    if value is not None:
        return value
    before = points.of_a_day_before(utc_s, zone)
    return np.nan if before is None else before[0]


def _without_co2(goals: Goals) -> Goals:
    """The other goals; the bill when there is no other."""
    if goals.cost == 0 and goals.self_consumption_eur_per_kwh == 0:
        return Goals()
    return replace(goals, co2_eur_per_t=0.0)
