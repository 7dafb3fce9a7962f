"""What every flexible load comes down to on the steps of a plan: a store that must hold enough, or one run.

Powers in W (drawn positive), energies in Wh, prices in EUR/kWh; every series has one entry for each step.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats
from gateway.core.model.load import Band

Steps = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """How often a load may be switched, and how long its state must last; times in steps of the plan."""

    up_steps: int = 1  # minimum up time
    down_steps: int = 1  # minimum down time
    start_eur: float = 0.0  # what a start costs
    is_on: bool = False  # it runs now
    left_steps: int = 0  # for which it must go on running, or resting
    band: int = 0  # in which it runs, where it does


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyStore:
    """A load that stores energy: x' = keep x + hours (gain u - v / give) - drain; x in Wh, u drawn, v returned (W)."""

    id: str  # the load's name in plans
    hours: float  # length of a step
    start_wh: float  # held now
    bands: tuple[Band, ...]  # what u can be besides 0
    free: Steps  # steps in which it can be switched on
    gain: Floats  # Wh held for each Wh drawn
    drain_wh: Floats  # taken out in each step
    floor_wh: Floats  # below it every kWh missing at the end of a step costs `short_price`
    short_price: Floats  # EUR/kWh; 0 in steps in which nothing is missed
    ceiling_wh: Floats  # above it the load is never charged or heated
    keep: float = 1.0  # share of what it holds that is left after a step
    end_price: float = 0.0  # value of what it holds at the end (EUR/kWh)
    switching: Switching = field(default_factory=Switching)  # minimum times and what runs now
    switch_eur: float = 0.0  # of going from one band to another
    give_w: float = 0.0  # the most it gives back (V2G); 0 where it cannot
    give: float = 1.0  # efficiency of giving back
    wear_price: float = 0.0  # ageing by a kWh at its terminals, in and out (EUR/kWh)
    tolerance_wh: float = 10.0  # less is not reported as missing
    there: Floats | None = None  # shares of the steps in which it can draw; None for all of them

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
        """Steps in which it must run on: the minimum up time of a run that has begun."""
        return np.arange(self.steps) < (self.switching.left_steps if self.switching.is_on else 0)

    def open(self) -> Steps:
        """Steps in which it may run: free, and not in the rest after a run."""
        return self.free & (np.arange(self.steps) >= (0 if self.switching.is_on else self.switching.left_steps))

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
    """One run of a fixed power profile that begins at one of `starts`, or is missed."""

    id: str  # the load's name in plans
    hours: float  # length of a step
    steps: int  # of the plan
    profile_w: Floats  # powers of the run, one a step
    starts: tuple[int, ...]  # steps in which it may begin
    missed_eur: float  # what it costs not to run

    def power_w(self, start: int) -> Floats:
        """Powers on the steps of the plan; what lies behind it is cut."""
        power = np.zeros(self.steps)
        part = self.profile_w[: max(self.steps - start, 0)]
        power[start : start + len(part)] = part
        return power


Need = EnergyStore | Run
