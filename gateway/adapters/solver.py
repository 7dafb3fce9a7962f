"""The linear-programming solver: the one place that knows HiGHS."""

from typing import Any

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.planning.linear_program import Effort, Program, Solution, Solver, SolverError

__all__ = ["Program", "SolverError", "installed", "minimise", "solve"]


def installed() -> Solver | None:
    """The solver, or None where it is not installed."""
    try:
        _highspy()
    except SolverError:
        return None
    return solve


def minimise(program: Program) -> Floats:
    """The best x; SolverError where there is none."""
    return _run(program, None).x


def solve(program: Program, effort: Effort) -> Solution:
    """The best x, on one thread; SolverError where it was not found within the effort."""
    return _run(program, effort)


def _run(program: Program, effort: Effort | None) -> Solution:
    highs_module = _highspy()
    solver = highs_module.Highs()
    options: dict[str, bool | int | float | str] = {"output_flag": False, "threads": 1, "random_seed": 0}
    if effort is not None:
        # Presolve takes longer for programs of a day than it spares.
        options |= {"time_limit": effort.seconds, "presolve": "off"}
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(_model(highs_module, program))
    solver.run()
    status = solver.getModelStatus()
    if status != highs_module.HighsModelStatus.kOptimal:
        raise SolverError(f"no optimum: {solver.modelStatusToString(status)}")
    solution = solver.getSolution()
    prices = np.array(solution.row_dual) if solution.dual_valid else np.zeros(len(program.right))
    return Solution(x=np.array(solution.col_value), prices=prices)


def _model(highs_module: Any, program: Program) -> Any:
    order = np.lexsort((program.columns, program.rows))
    lp = highs_module.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.right)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_ = program.right if program.least is None else program.least
    lp.row_upper_ = program.right
    lp.a_matrix_.format_ = highs_module.MatrixFormat.kRowwise
    starts = np.searchsorted(program.rows[order], np.arange(len(program.right) + 1))
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = program.columns[order]
    lp.a_matrix_.value_ = program.values[order]
    return lp


def _highspy() -> Any:
    try:
        import highspy  # noqa: PLC0415 - an optional dependency: 32-bit ARM has no wheel
    except ImportError as error:
        raise SolverError("highspy is not installed: pip install 'zen-e-ville[solver]'") from error
    return highspy
