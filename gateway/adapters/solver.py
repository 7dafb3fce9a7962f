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
    """The best found within the effort, on one thread; SolverError where none was found."""
    return _run(program, effort)


def _run(program: Program, effort: Effort | None) -> Solution:
    highs_module = _highspy()
    solver = highs_module.Highs()
    options: dict[str, bool | int | float] = {"output_flag": False, "threads": 1, "random_seed": 0}
    if effort is not None:
        options |= {"time_limit": effort.seconds, "mip_max_nodes": effort.nodes, "mip_rel_gap": effort.gap}
    if effort is not None and program.whole is None:
        solver.setOptionValue("presolve", "off")  # for programs of a day it takes longer than it spares
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(_model(highs_module, program))
    solver.run()
    status = solver.getModelStatus()
    if status != highs_module.HighsModelStatus.kOptimal and not _has_found(highs_module, solver, program):
        raise SolverError(f"no optimum: {solver.modelStatusToString(status)}")
    solution = solver.getSolution()
    prices = np.array(solution.row_dual) if solution.dual_valid else np.zeros(len(program.right))
    return Solution(x=np.array(solution.col_value), prices=prices)


def _has_found(highs_module: Any, solver: Any, program: Program) -> bool:
    """Whether a search that was ended has a solution with whole numbers; one of continuous numbers is of no use."""
    found = solver.getInfo().primal_solution_status == highs_module.SolutionStatus.kSolutionStatusFeasible
    return program.whole is not None and bool(found)


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
    if program.whole is not None and program.whole.any():
        kinds = highs_module.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in program.whole.tolist()]
    return lp


def _highspy() -> Any:
    try:
        import highspy  # noqa: PLC0415 - an optional dependency: 32-bit ARM has no wheel
    except ImportError as error:
        raise SolverError("highspy is not installed: pip install 'zen-e-ville[solver]'") from error
    return highspy
