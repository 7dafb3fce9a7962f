"""What a load wants of a plan, and what it may know of the coming day to say so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gateway.core.loads.needs import Need, Run, Store, Turns
from gateway.core.model.levels import Floats
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The coming steps: rough price of a little more power (EUR/kWh), outdoor temperature (°C)."""

    grid: TimeGrid
    now_s: float
    price: Floats
    outdoor_c: Floats

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
class Wanted:
    """The need of a load with what its reasons tell.

    `fixed_w`: a run that has begun, which nothing changes any more; then there is no need beside it. `due_s`: when
    `wanted_wh` must be there. `code`: why there is nothing to plan, with its numbers.
    """

    id: str
    need: Need | None = None
    fixed_w: Floats | None = None
    due_s: float | None = None
    wanted_wh: float = 0.0
    code: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    special: str | None = None  # the code of all its powers, where one reason stands above the others

    @property
    def store(self) -> Store | None:
        """The need, if it is a store."""
        return self.need if isinstance(self.need, Store) else None

    @property
    def run(self) -> Run | None:
        """The need, if it is a run."""
        return self.need if isinstance(self.need, Run) else None


def turns_of(
    switched: Switched | None, outlook: Outlook, *, run_s: float = 0.0, rest_s: float = 0.0, start_eur: float = 0.0
) -> Turns:
    """Least times in steps, rounded up: a run or rest that has begun lasts to its end."""
    step_s = outlook.grid.step_s
    on = switched is not None and switched.runs
    least_s = run_s if on else rest_s
    age_s = max(outlook.now_s - switched.since_s, 0.0) if switched is not None else math.inf
    left = math.ceil(max(least_s - age_s, 0.0) / step_s)
    return Turns(
        run=max(math.ceil(run_s / step_s), 1),
        rest=max(math.ceil(rest_s / step_s), 1),
        start_eur=start_eur,
        on=on,
        left=left,
    )


def finite(load: object, *numbers: float) -> None:
    """ValueError where one of the numbers of a load or its state is none."""
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"numbers are finite: {load}")
