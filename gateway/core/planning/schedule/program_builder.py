"""Columns and rows of a linear program, gathered piece by piece."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.model.levels import Floats
from gateway.core.planning.linear_program import Program

Indices = NDArray[np.int32]


class ProgramBuilder:
    """Grows while a program is formulated; `program` is all of it."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats]] = []
        self._rows: list[tuple[Floats, Floats]] = []
        self._entries: list[tuple[Indices, Indices, Floats]] = []
        self._width = 0
        self._height = 0

    def columns(self, count: int, *, lower: Any = 0.0, upper: Any = np.inf, cost: Any = 0.0) -> Indices:
        """The places of `count` new unknowns; bounds and cost each one number or one for each."""
        parts = [np.broadcast_to(np.asarray(part, dtype=np.float64), (count,)) for part in (lower, upper, cost)]
        self._columns.append((parts[0], parts[1], parts[2]))
        self._width += count
        return np.arange(self._width - count, self._width, dtype=np.int32)

    def rows(self, count: int, *, least: Any = -np.inf, most: Any = np.inf) -> Indices:
        """The places of `count` new rows."""
        bounds = [np.broadcast_to(np.asarray(part, dtype=np.float64), (count,)) for part in (least, most)]
        self._rows.append((bounds[0], bounds[1]))
        self._height += count
        return np.arange(self._height - count, self._height, dtype=np.int32)

    def put(self, rows: Indices, columns: Indices, values: Any) -> None:
        """Entries of the matrix; `values` one number or one for each."""
        self._entries.append((rows, columns, np.broadcast_to(np.asarray(values, dtype=np.float64), rows.shape)))

    def program(self) -> Program:
        """All of it."""
        lower, upper, cost = (np.concatenate([part[i] for part in self._columns]) for i in range(3))
        rows, columns, values = (np.concatenate([part[i] for part in self._entries]) for i in range(3))
        return Program(
            cost=cost,
            lower=lower,
            upper=upper,
            least=np.concatenate([least for least, _ in self._rows]),
            right=np.concatenate([most for _, most in self._rows]),
            rows=rows.astype(np.int32),
            columns=columns.astype(np.int32),
            values=values.astype(np.float64),
        )
