"""Prices on the grid of a plan."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Steps `first` to before `end` of a plan in one month; `due_w`: import up to which nothing more is to be paid."""

    first: int
    end: int
    due_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakPrice:
    """What a kW of the highest quarter hour of each period costs beyond what is due (EUR)."""

    eur_per_kw: float
    periods: tuple[Period, ...]

    def cost_eur(self, grid_w: Floats) -> Floats:
        """For each scenario (rows) what its peaks cost."""
        total = np.zeros(len(grid_w))
        for period in self.periods:
            over_w = grid_w[:, period.first : period.end].max(axis=1) - period.due_w
            total += self.eur_per_kw / 1000.0 * np.maximum(over_w, 0.0)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """EUR/kWh for each step from `start_s` (UTC): `buy` for what is imported, `sell` for what is exported.

    `names` tells the tariff's own name of each step ("HC", "HP", "TEMPO_RED_HP" …), for reasons in words.
    `assumed` marks the steps whose price was not known and was taken as dear. `peak`: what the highest import costs.
    """

    start_s: float
    step_s: float
    buy: Floats
    sell: Floats
    names: tuple[str, ...]
    assumed: tuple[bool, ...] = ()
    peak: PeakPrice | None = None
