"""`zen bench citylearn`: the CityLearn Challenge 2022."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.language import say
from gateway.core.model.levels import Floats
from gateway.planning.method_file import read_section
from gateway.study.benches.citylearn.control import controlled
from gateway.study.benches.citylearn.district import District, Score, read, score, shipped_rule
from gateway.study.benches.citylearn.grid_goal import GridMethod


def citylearn(
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder with building_NN.csv, buildings.csv, price_carbon.csv.")
    ],
    buildings: Annotated[str, typer.Option(help="Numbers of the homes, with commas.")] = "1,2,3,4,5",
    hours: Annotated[int | None, typer.Option(min=2, help="Only the first hours; else all of them.")] = None,
    inside_hour: Annotated[
        bool, typer.Option("--inside-hour", help="The battery holds a grid set-point in the hour, as our loop does.")
    ] = False,
    file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Score of the planner on homes of the CityLearn Challenge 2022 (battery and score as in version 1.3.6).

    Each home is planned alone, knowing only what has been.
    """
    method = read_section(GridMethod, "grid_goal")
    try:
        district = read(folder, [int(number) for number in buildings.split(",")])
    except (OSError, KeyError, ValueError) as error:
        typer.echo(say("bench.citylearn.unreadable", error=f"{type(error).__name__}: {error}"), err=True)
        raise typer.Exit(2) from error
    district = district.first(hours or district.load_kwh.shape[1])
    grid = controlled(district, method, inside_hour=inside_hour, progress=_print_progress)
    scores = {
        "rule": score(district, shipped_rule(district)),
        "ours_inside" if inside_hour else "ours": score(district, grid),
    }
    Console().print(_table(scores, buildings, district))
    if file is not None:
        file.write_text(json.dumps(_figures(scores, buildings, grid, method), indent=2) + "\n", encoding="utf-8")


def _print_progress(done: int, hours: int) -> None:
    typer.echo(say("bench.citylearn.progress", done=str(done), hours=str(hours)), file=sys.stderr)


def _table(scores: dict[str, Score], buildings: str, district: District) -> Table:
    hours = district.load_kwh.shape[1]
    table = Table(title=say("bench.citylearn.title", homes=buildings, hours=str(hours)))
    for heading in ("controller", "price", "emission", "grid", "mean"):
        table.add_column(say(f"bench.citylearn.{heading}"))
    for name, one in scores.items():
        table.add_row(say(f"bench.citylearn.{name}"), *(f"{figure:.4f}" for figure in (*one, one.mean)))
    return table


def _figures(scores: dict[str, Score], buildings: str, grid: Floats, method: GridMethod) -> dict[str, object]:
    return {
        "homes": [int(number) for number in buildings.split(",")],
        "hours": grid.shape[1],
        "method": asdict(method),
        **{name: {**one._asdict(), "mean": one.mean} for name, one in scores.items()},
    }
