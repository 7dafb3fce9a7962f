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
    """Minimise cost · x with lower <= x <= upper and least <= A x <= right; A by its entries (row, column, value)."""

    # Cost of a unit of each x.
    cost: Floats
    # Least value of each x; may be -infinite.
    lower: Floats
    # Greatest value of each x; may be infinite.
    upper: Floats
    # Greatest value of each row of A x; may be infinite.
    right: Floats
    # Row of each entry of A.
    rows: NDArray[np.int32]
    # Column of each entry of A.
    columns: NDArray[np.int32]
    # Value of each entry of A.
    values: Floats
    # Least value of each row of A x; None where every row is an equation.
    least: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """The best x that was found."""

    # One value for each unknown of the program.
    x: Floats
    # What one more unit on the right of each row would cost (the duals); 0 where the solver gives none.
    prices: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long the solver may work on a program."""

    # Wall-clock time (s): the cycle of a plan must not wait for the last cent ("Flexible loads" in docs/planning.md).
    seconds: float = 0.5


class Solver(Protocol):
    """Something that solves programs."""

    def __call__(self, program: Program, effort: Effort) -> Solution:
        """The best found within the effort; SolverError where there is none."""
