"""`zen bench plan`: how long plans of a day take with flexible loads, and what their schedules leave."""

import json as json_text
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.adapters.solver import installed
from gateway.cli.bench.common import JsonOption, people, plain_errors
from gateway.cli.language import language, say
from gateway.planning.method_file import as_table, read_method
from gateway.study.benches.plan_time import CASES, Timing, beyond_bound_eur, measure
from gateway.words.figures import number

RunsOption = Annotated[int, typer.Option(help="Different days for each case.", min=1, max=1000)]


def plan(runs: RunsOption = 40, json: JsonOption = None) -> None:
    """96 steps of 15 minutes, 24 scenarios; the bound is a program in which loads take any share at any time."""
    with plain_errors():
        method = read_method()
    solver = installed()
    found: dict[str, dict[str, Timing]] = {}
    for way, used in (("solver", solver), ("rules", None)):
        if way == "solver" and solver is None:
            people.print(say("bench.plan.no_solver"), highlight=False)
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
    table = Table(title=say("bench.plan.title", days=str(runs)))
    for heading in ("parts", "with", "median", "worst", "processor", "beyond"):
        table.add_column(say(f"bench.plan.{heading}"), justify="left" if heading in ("parts", "with") else "right")
    for way, rows in found.items():
        for name, one in rows.items():
            beyond = "" if one.beyond_bound_eur is None else number(language(), one.beyond_bound_eur, 3)
            times = (number(language(), ms, 1) for ms in (one.median_ms, one.worst_ms, one.processor_ms))
            parts = ", ".join(say(f"bench.plan.{part.replace(' ', '_')}") for part in name.split(", "))
            table.add_row(parts, say(f"bench.plan.{way}"), *times, beyond)
    Console().print(table)
