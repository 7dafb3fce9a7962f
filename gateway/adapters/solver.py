"""The linear-programming solver: the one place that knows HiGHS."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.levels import Floats


class SolverError(RuntimeError):
    """The solver is not installed, or found no optimum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Minimise cost · x with lower <= x <= upper and A x = right; A by its entries (row, column, value)."""

    cost: Floats
    lower: Floats
    upper: Floats
    right: Floats
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Floats


def minimise(program: Program) -> Floats:
    """The best x; SolverError where there is none."""
    highs_module = _highspy()
    order = np.lexsort((program.columns, program.rows))
    lp = highs_module.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.right)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_ = lp.row_upper_ = program.right
    lp.a_matrix_.format_ = highs_module.MatrixFormat.kRowwise
    starts = np.searchsorted(program.rows[order], np.arange(len(program.right) + 1))
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = program.columns[order]
    lp.a_matrix_.value_ = program.values[order]
    solver = highs_module.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status != highs_module.HighsModelStatus.kOptimal:
        raise SolverError(f"no optimum: {solver.modelStatusToString(status)}")
    return np.array(solver.getSolution().col_value)


def _highspy() -> Any:
    try:
        import highspy  # noqa: PLC0415 - an optional dependency: 32-bit ARM has no wheel
    except ImportError as error:
        raise SolverError("highspy is not installed: pip install 'zen-e-ville[solver]'") from error
    return highspy
