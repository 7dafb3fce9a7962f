"""`zen bench plan`: how long plans of a day take with flexible loads, and what their schedules leave."""

import json as json_text
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.adapters.solver import installed
from gateway.cli.bench.common import JsonOption, people
from gateway.mistakes import MistakesError
from gateway.settings.method import as_table, read_method
from gateway.study.benches.plan_time import CASES, Timing, beyond_bound_eur, measure

RunsOption = Annotated[int, typer.Option(help="Different days for each case.", min=1, max=1000)]


def plan(runs: RunsOption = 40, json: JsonOption = None) -> None:
    """96 steps of 15 minutes, 24 scenarios; the bound is a program in which loads take any share at any time."""
    try:
        method = read_method()
    except MistakesError as error:
        people.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    solver = installed()
    found: dict[str, dict[str, Timing]] = {}
    for way, used in (("solver", solver), ("rules", None)):
        if way == "solver" and solver is None:
            people.print("highspy is not installed: rules only", highlight=False)
            continue
        for name, loads in CASES.items():
            timing = measure(loads, runs=runs, solver=used, method=method.planning)
            if loads and solver is not None:
                beyond = beyond_bound_eur(loads, runs=min(runs, 20), with_solver=used is not None, solver=solver)
                timing = replace(timing, beyond_bound_eur=beyond)
            found.setdefault(way, {})[name] = timing
    if json is not None:
        plain = {way: {name: asdict(one) for name, one in rows.items()} for way, rows in found.items()}
        result = {"bench": "plan", "runs": runs, "plans": plain, "method": as_table(method)}
        json.write_text(json_text.dumps(result, indent=2) + "\n", encoding="utf-8")
    _show(found, runs)


def _show(found: dict[str, dict[str, Timing]], runs: int) -> None:
    table = Table(title=f"plan · 96 steps · {runs} days each")
    for heading in ("", "with", "median ms", "worst ms", "processor ms", "EUR above bound"):
        table.add_column(heading, justify="left" if heading in ("", "with") else "right")
    for way, rows in found.items():
        for name, one in rows.items():
            beyond = "" if one.beyond_bound_eur is None else f"{one.beyond_bound_eur:.3f}"
            times = (f"{one.median_ms:.1f}", f"{one.worst_ms:.1f}", f"{one.processor_ms:.1f}")
            table.add_row(name, way, *times, beyond)
    Console().print(table)
