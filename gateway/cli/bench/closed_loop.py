"""`zen bench closed-loop`: how well the loop holds the grid, beside the simple laws of others."""

import json as json_text
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.cli.bench.common import JsonOption, people, refuse
from gateway.cli.language import say
from gateway.study.benches.closed_loop import bench as study
from gateway.study.benches.closed_loop.scenarios import SCENARIOS

SeedsOption = Annotated[int, typer.Option(help="Seeds of weather and appliances.", min=1, max=100)]
OnlyOption = Annotated[str, typer.Option(help="Only scenarios whose name holds this.")]


def closed_loop(seeds: SeedsOption = 5, only: OnlyOption = "", json: JsonOption = None) -> None:
    """30 buildings in virtual time, 20 minutes each: late meters, clouds, kettles, two batteries, car and boiler."""
    scenarios = [scenario for scenario in SCENARIOS if only in scenario.name]
    if not scenarios:
        refuse(say("bench.closed_loop.none", name=only))
    found: dict[str, dict[str, dict[str, float]]] = {}
    with Progress(console=people, transient=True) as progress:
        task = progress.add_task("closed-loop", total=len(scenarios))
        for scenario in scenarios:
            found |= study.bench([scenario], range(1, seeds + 1))
            progress.advance(task)
    result = {"bench": "closed-loop", "seeds": seeds, "scenarios": found, **study.summary(found)}
    if json is not None:
        json.write_text(json_text.dumps(result, indent=2) + "\n", encoding="utf-8")
    _show(result)


def _show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"closed loop · {len(result['scenarios'])} buildings, {result['seeds']} seeds; less is better")
    table.add_column("")
    for name in (*study.LAWS, study.PERFECT):
        table.add_column(name, justify="right")
    for metric, row in result["mean"].items():
        table.add_row(metric, *(f"{number:.1f}" for number in row.values()))
    table.add_section()
    for metric, row in result["ratio"].items():
        table.add_row(f"zen / law: {metric}", "1", *(_ratio(row[name]) for name in study.LAWS[1:]))
    table.add_section()
    for metric, row in result["not_worse"].items():
        shares = (f"{row[name]}" for name in study.LAWS[1:])
        table.add_row(f"buildings where zen is not worse: {metric}", "", *shares)
    console.print(table)


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3f}"
