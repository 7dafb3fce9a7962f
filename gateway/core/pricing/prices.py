"""Prices on the time grid of a plan."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The steps of a plan that lie in one month."""

    first: int  # step
    end: int  # the step after the last one
    due_w: float  # import (W) that is paid for in any case: only what lies above costs more


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakPrice:
    """What the highest quarter hour of import costs in each period (EUR/kW)."""

    eur_per_kw: float  # of what lies above `due_w`
    periods: tuple[Period, ...]  # one for each month that the plan touches

    def cost_eur(self, grid_w: Floats) -> Floats:
        """For each scenario (rows) what its peaks cost."""
        total = np.zeros(len(grid_w))
        for period in self.periods:
            over_w = grid_w[:, period.first : period.end].max(axis=1) - period.due_w
            total += self.eur_per_kw / 1000.0 * np.maximum(over_w, 0.0)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of each step; the arrays and tuples have one entry per step."""

    start_s: float  # UTC of the first step
    step_s: float  # length of a step
    buy: Floats  # EUR/kWh for what is imported
    sell: Floats  # EUR/kWh for what is exported
    names: tuple[str, ...]  # the tariff's own ("HC", "TEMPO_RED_HP" …), for people
    assumed: tuple[bool, ...] = ()  # whether `buy` was not known and is the dearest that is possible; empty: none
    peak: PeakPrice | None = None  # None: peaks cost nothing
