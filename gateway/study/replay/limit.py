"""What was possible: the cheapest way through a record when everything is known before, by one linear program."""

import numpy as np

from gateway.adapters.solver import minimise
from gateway.core.model.levels import Floats
from gateway.core.planning.linear_program import Program
from gateway.study.replay.case import Case


def perfect_eur(case: Case) -> float:
    """The least cost (EUR) of the counted steps; SolverError where the limits cannot be kept.

    Per step: import, export, charge, discharge (kWh in the step) and stored energy (kWh) at its end.
    PV may be curtailed when it has no value: where the price of export is not positive.
    """
    n = case.steps
    x = minimise(program(case))
    bought, sold, stored = x[:n], x[n : 2 * n], x[4 * n : 5 * n]
    worn = case.storage.wear_price * x[2 * n : 4 * n].sum()
    buy, sell = case.prices
    return float(buy @ bought - sell @ sold + worn - case.end_price * (stored[-1] - case.start_wh / 1000.0))


def program(case: Case) -> Program:
    """The linear program: n balances of the building and n of the storage."""
    n, hours, storage = case.steps, case.hours, case.storage
    buy, sell = case.prices
    wear = np.full(n, storage.wear_price)
    kept = np.zeros(n)
    kept[-1] = -case.end_price
    step = np.arange(n, dtype=np.int32)
    one = np.ones(n)
    entries = [
        (step, step, one),  # import - export - charge + discharge = net load
        (step, n + step, -one),
        (step, 2 * n + step, -one),
        (step, 3 * n + step, one),
        (n + step, 4 * n + step, one),  # stored - stored before - charge * ec + discharge / ed = 0
        (n + step[1:], 4 * n + step[:-1], -one[1:]),
        (n + step, 2 * n + step, -one * storage.charge_efficiency),
        (n + step, 3 * n + step, one / storage.discharge_efficiency),
    ]
    rows, columns, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    start = np.zeros(n)
    start[0] = case.start_wh / 1000.0
    return Program(
        cost=np.concatenate([buy, -sell, wear, wear, kept]),
        lower=np.zeros(5 * n),
        upper=_upper(case, n, hours),
        right=np.concatenate([case.net_w * (hours / 1000.0), start]),
        rows=rows,
        columns=columns,
        values=values,
    )


def _upper(case: Case, n: int, hours: float) -> Floats:
    storage = case.storage
    powers_w = (case.limits.import_max_w, case.limits.export_max_w, storage.charge_max_w, storage.discharge_max_w)
    parts = [np.full(n, power_w * hours / 1000.0) for power_w in powers_w]
    return np.concatenate([*parts, np.full(n, storage.capacity_wh / 1000.0)])
