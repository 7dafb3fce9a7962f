"""Linear programs as data, and what solves them: the core states them, an adapter knows a solver."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats


class SolverError(RuntimeError):
    """The solver is not installed, or found no optimum."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Minimise cost · x with lower <= x <= upper and least <= A x <= right; A by its entries (row, column, value).

    `least` is None where every row is an equation. `whole`: which x are whole numbers; None: none is.
    """

    cost: Floats
    lower: Floats
    upper: Floats
    right: Floats
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Floats
    least: Floats | None = None
    whole: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """The best x, and what one more unit on the right of each row would cost (0 where whole numbers are wanted)."""

    x: Floats
    prices: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long a program may be worked on.

    `gap` is the share of the cost that need not be gained, `nodes` ends the search the same way on every machine,
    `seconds` in any case.
    """

    seconds: float = 0.5
    nodes: int = 200
    gap: float = 0.002


class Solver(Protocol):
    """Something that solves programs."""

    def __call__(self, program: Program, effort: Effort) -> Solution:
        """The best found within the effort; SolverError where there is none."""
