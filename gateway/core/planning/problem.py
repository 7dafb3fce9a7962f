"""What one plan of a storage is made of: checked once, then handed unchanged from stage to stage."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

import numpy as np

from gateway.core.model.history import Scenarios
from gateway.core.model.levels import NO_LIMITS, Floats, GridLimits, LoadNeed, Storage
from gateway.core.planning.method import PlanningMethod
from gateway.core.pricing.prices import PeakPrice, Prices

DEFAULT = PlanningMethod()


class PlanningError(ValueError):
    """Scenarios and prices that do not fit together, or hold something that is not a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPrices:
    """The prices of each step as the dynamic program uses them."""

    # What imported energy costs in each step (EUR/kWh; may be negative).
    buy: Floats
    # What exported energy brings in each step (EUR/kWh; may be negative); never above `buy`.
    sell: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanProblem:
    """All that the storage is planned from, over the steps of the scenarios."""

    # The storage that is planned.
    storage: Storage
    # What it holds when the first step begins (Wh above empty). Levels do not depend on it, the peak target does.
    energy_wh: float
    # Possible futures of load and PV; they give the steps of the plan.
    scenarios: Scenarios
    # Prices of the same steps.
    prices: StepPrices
    # What the highest import costs; None where it costs nothing.
    peak: PeakPrice | None
    # What the grid connection bears.
    limits: GridLimits
    # When the plan is made (UTC).
    made_s: float
    # The local clock, by which reasons name hours.
    zone: tzinfo
    # Points of the grid of stored energy.
    energy_points: int
    # What each scenario forgets of its own future in one step (0…1).
    mixing: float
    # Value of what is stored behind the last step (EUR/kWh).
    end_value: float
    # Of the scenarios' loads, those that the storage supplies only above some energy; one power a step.
    loads: tuple[LoadNeed, ...] = ()

    @property
    def hours(self) -> float:
        """Length of a step (h)."""
        return self.scenarios.step_s / 3600.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.prices.buy)

    @property
    def starts_s(self) -> Floats:
        """Beginnings of the steps (UTC)."""
        return self.scenarios.start_s + self.scenarios.step_s * np.arange(self.steps, dtype=np.float64)

    def with_loads(self, power_w: Floats, needs: tuple[LoadNeed, ...] = ()) -> "PlanProblem":
        """The same building with loads that draw these powers (W, one a step) in every scenario.

        `needs`: of these, what the storage supplies only above some energy.
        """
        return replace(self, scenarios=replace(self.scenarios, load_w=self.scenarios.load_w + power_w), loads=needs)


def plan_problem(
    storage: Storage,
    energy_wh: float,
    scenarios: Scenarios,
    prices: Prices,
    *,
    made_s: float,
    limits: GridLimits = NO_LIMITS,
    zone: tzinfo = UTC,
    method: PlanningMethod = DEFAULT,
) -> PlanProblem:
    """The problem; PlanningError where nothing can be planned. `prices` begin with the scenarios and reach as far."""
    step_prices = step_prices_of(scenarios, prices)
    if not (math.isfinite(energy_wh) and np.isfinite(scenarios.net_w).all()):
        raise PlanningError("scenarios and stored energy are finite numbers")
    return PlanProblem(
        storage=storage,
        energy_wh=energy_wh,
        scenarios=scenarios,
        prices=step_prices,
        peak=prices.peak,
        limits=limits,
        made_s=made_s,
        zone=zone,
        energy_points=method.energy_points,
        mixing=method.mixing(scenarios.step_s / 3600.0),
        end_value=method.end_value(step_prices.buy),
    )


def step_prices_of(scenarios: Scenarios, prices: Prices) -> StepPrices:
    """The prices of the scenarios' steps, `sell` clipped to `buy`: selling dearer than buying would be a pump."""
    steps = scenarios.load_w.shape[1]
    if scenarios.load_w.size == 0:
        raise PlanningError("no scenario or no step")
    if prices.start_s != scenarios.start_s or prices.step_s != scenarios.step_s or len(prices.buy) < steps:
        raise PlanningError("prices are not on the steps of the scenarios")
    buy, sell = prices.buy[:steps], prices.sell[:steps]
    if not (np.isfinite(buy).all() and np.isfinite(sell).all()):
        raise PlanningError("prices are finite numbers")
    return StepPrices(buy=buy, sell=np.minimum(sell, buy))
