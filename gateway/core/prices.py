"""Prices on the grid of a plan."""

from dataclasses import dataclass

from gateway.core.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """EUR/kWh for each step from `start_s` (UTC): `buy` for what is imported, `sell` for what is exported.

    `names` tells the tariff's own name of each step ("HC", "HP", "TEMPO_RED_HP" …), for reasons in words.
    `assumed` marks the steps whose price was not known and was taken as dear.
    """

    start_s: float
    step_s: float
    buy: Floats
    sell: Floats
    names: tuple[str, ...]
    assumed: tuple[bool, ...] = ()
