"""What every flexible load comes down to on the steps of a plan: a store that must hold enough, or one run.

Powers in W (drawn positive), energies in Wh, prices in EUR/kWh; every series has one entry for each step.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats

Steps = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Powers that can be set while the load is in one way of working, both ends in it; equal ends: a relay."""

    low_w: float
    high_w: float

    def __post_init__(self) -> None:
        """Raises ValueError when nothing lies between."""
        if not 0.0 <= self.low_w <= self.high_w or self.high_w <= 0.0:
            raise ValueError(f"a band of powers is low <= high, high above 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How often a load may be switched: least steps it runs and rests, and what a start costs (EUR).

    `on`: it runs now, in the band `way`; `left`: steps for which it must go on running, or resting.
    """

    run: int = 1
    rest: int = 1
    start_eur: float = 0.0
    on: bool = False
    left: int = 0
    way: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Store:
    """x' = keep x + hours (gain u - v / give) - drain, x in Wh, u drawn and v given back (W).

    `bands`: what u can be besides 0. `free` tells the steps in which it can be switched on. Below `floor_wh` every kWh
    missing at the end of a step costs `short_price` of that step; above `ceiling_wh` it is never charged or heated.
    `end_price`: worth of what it holds at the end. V2G: `give_w` the most, `give` its efficiency, `wear_price` a kWh's
    ageing at its terminals, in and out. `switch_eur`: going from one band to another.
    Less than `tolerance_wh` is not told as missing. `there`: shares of the steps in which it can draw.
    """

    id: str
    hours: float
    start_wh: float
    bands: tuple[Band, ...]
    free: Steps
    gain: Floats
    drain_wh: Floats
    floor_wh: Floats
    short_price: Floats
    ceiling_wh: Floats
    keep: float = 1.0
    end_price: float = 0.0
    turns: Turns = field(default_factory=Turns)
    switch_eur: float = 0.0
    give_w: float = 0.0
    give: float = 1.0
    wear_price: float = 0.0
    tolerance_wh: float = 10.0
    there: Floats | None = None

    @property
    def steps(self) -> int:
        """Length of the series."""
        return len(self.free)

    @property
    def most_w(self) -> float:
        """The greatest power that can be set."""
        return max(band.high_w for band in self.bands)

    def energies_wh(self, power_w: Floats) -> Floats:
        """What it holds at the end of each step when it draws (or, below 0, gives) these powers."""
        moved = np.where(power_w > 0.0, power_w * self.gain, power_w / self.give) * self.hours - self.drain_wh
        if self.keep == 1.0:
            return np.asarray(self.start_wh + np.cumsum(moved))
        held, energies = self.start_wh, []
        for change in moved.tolist():
            held = self.keep * held + change
            energies.append(held)
        return np.array(energies)

    def top_wh(self) -> Floats:
        """The most it may hold at the end of each step: its ceiling, or what was there before and only fades."""
        return np.maximum(self.ceiling_wh, self.energies_wh(np.zeros(self.steps)))

    def forced(self) -> Steps:
        """Steps in which it must run on: the least time of a run that has begun."""
        return np.arange(self.steps) < (self.turns.left if self.turns.on else 0)

    def open(self) -> Steps:
        """Steps in which it may run: free, and not in the rest after a run."""
        return self.free & (np.arange(self.steps) >= (0 if self.turns.on else self.turns.left))

    def missing_wh(self, power_w: Floats) -> float:
        """The most that is missing at any moment; 0 within the tolerance."""
        most = float(self.short_wh(power_w).max(initial=0.0))
        return most if most > self.tolerance_wh else 0.0

    def short_wh(self, power_w: Floats) -> Floats:
        """What is missing to the floor at the end of each step that has a price for it."""
        missing = np.maximum(self.floor_wh - self.energies_wh(power_w), 0.0)
        return np.where(self.short_price > 0.0, missing, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run of a fixed course of powers (W, `course_w`, one a step) that begins at one of `starts`, or is missed."""

    id: str
    hours: float
    steps: int
    course_w: Floats
    starts: tuple[int, ...]
    missed_eur: float

    def power_w(self, start: int) -> Floats:
        """Powers on the steps of the plan; what lies behind it is cut."""
        power = np.zeros(self.steps)
        part = self.course_w[: max(self.steps - start, 0)]
        power[start : start + len(part)] = part
        return power


Need = Store | Run
