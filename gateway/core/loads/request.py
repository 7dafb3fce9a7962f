"""What a load requests of a plan, and what it may know of the coming day to say so."""

import math
from dataclasses import dataclass

import numpy as np

from gateway.core.loads.needs import EnergyStore, Need, Run, Switching
from gateway.core.model.levels import Floats
from gateway.core.model.plan import LoadPurpose
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The coming steps, as far as a load may know them."""

    grid: TimeGrid  # the steps of the plan
    now_s: float  # UTC
    price: Floats  # a rough price of a little more power in each step (EUR/kWh)
    outdoor_c: Floats  # temperature in each step (°C)

    @property
    def hours(self) -> float:
        """Length of a step."""
        return self.grid.step_s / 3600.0

    def starts_s(self) -> Floats:
        """UTC beginnings of the steps."""
        return self.grid.start_s + self.grid.step_s * np.arange(self.grid.steps, dtype=np.float64)

    def step_of(self, utc_s: float) -> int:
        """The step that holds a moment; negative before the plan, beyond its length behind it."""
        return math.floor((utc_s - self.grid.start_s) / self.grid.step_s)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadRequest:
    """What a load needs in the coming steps, and the numbers that its reasons name."""

    id: str  # the load's name in plans
    need: Need | None = None  # None where there is nothing to plan
    fixed_w: Floats | None = None  # powers of a run that has begun, which nothing changes: then there is no need
    due_s: float | None = None  # when `requested_wh` must be there (UTC); None where nothing says so
    requested_wh: float = 0.0  # shown with the reasons
    code: str | None = None  # why there is nothing to plan; None where there is something
    special: str | None = None  # the code of all its powers, where one reason stands above the others
    purpose: LoadPurpose = LoadPurpose.SERVICE  # of its powers, where they are neither too little nor mostly surplus
    has_no_window: bool = False  # its hours leave no time for it at all: people are told

    @property
    def store(self) -> EnergyStore | None:
        """The need, if it is a store."""
        return self.need if isinstance(self.need, EnergyStore) else None

    @property
    def run(self) -> Run | None:
        """The need, if it is a run."""
        return self.need if isinstance(self.need, Run) else None


def switching_of(
    switched: Switched | None,
    outlook: Outlook,
    *,
    minimum_up_s: float = 0.0,
    minimum_down_s: float = 0.0,
    start_eur: float = 0.0,
) -> Switching:
    """Minimum up and down times in steps, rounded up: a run or rest that has begun lasts to its end."""
    step_s = outlook.grid.step_s
    is_on = switched is not None and switched.runs
    minimum_s = minimum_up_s if is_on else minimum_down_s
    age_s = max(outlook.now_s - switched.since_s, 0.0) if switched is not None else math.inf
    return Switching(
        up_steps=max(math.ceil(minimum_up_s / step_s), 1),
        down_steps=max(math.ceil(minimum_down_s / step_s), 1),
        start_eur=start_eur,
        is_on=is_on,
        left_steps=math.ceil(max(minimum_s - age_s, 0.0) / step_s),
    )


def finite(load: object, *numbers: float) -> None:
    """ValueError where one of the numbers of a load or its state is none."""
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"numbers are finite: {load}")
