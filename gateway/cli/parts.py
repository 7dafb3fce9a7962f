"""`zen parts`: the programs of the chain that are not ours, found or fetched."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from gateway.rig import influxd
from gateway.rig.part import Machine, Missing, Part
from gateway.rig.parts import FETCHERS, find_all, find_or_fetch

app = typer.Typer(
    help="The programs of the chain that are not ours: found, fetched or missing.", invoke_without_command=True
)
USUAL = ("mosquitto", "micropython")


@app.callback()
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
) -> None:
    """Which broker, interpreter, database and browser this machine has, and how to get those it lacks."""
    if context.invoked_subcommand is not None:
        return
    found = find_all(Machine())
    if as_json:
        typer.echo(json.dumps([_row(part) for part in found], indent=2))
    else:
        Console().print(_table(found))


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Of: {', '.join(FETCHERS)}. Without a name: {' and '.join(USUAL)}.")
    ] = None,
    if_possible: Annotated[
        bool,
        typer.Option("--if-possible", help="Missing parts are listed and no error; influxd only where it compiles."),
    ] = False,
) -> None:
    """Fetch parts into the user's cache, without root and without installing anything."""
    wanted = names or list(USUAL)
    unknown = [name for name in wanted if name not in FETCHERS]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: to be fetched are {', '.join(FETCHERS)}")
    if if_possible and not influxd.can_compile():
        wanted = [name for name in wanted if name != influxd.NAME]
    results = [find_or_fetch(name, Machine(), _say) for name in wanted]
    for result in results:
        _say(_sentence(result))
    if not if_possible and any(isinstance(result, Missing) for result in results):
        raise typer.Exit(1)


def _say(line: str) -> None:
    # For the one who waits: standard output is left to answers.
    typer.echo(line, file=sys.stderr)


def _sentence(result: Part | Missing) -> str:
    if isinstance(result, Missing):
        return f"{result.name}: missing: {result.why}. To have it: {result.remedy}"
    bits = f", {result.bits} bits" if result.bits else ""
    return f"{result.name} {result.version}{bits}: {result.path} ({result.how})"


def _row(result: Part | Missing) -> dict[str, object]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(result).items()}


def _table(found: list[Part | Missing]) -> Table:
    table = Table("part", "version", "bits", Column("where and how", overflow="fold"))
    for result in found:
        if isinstance(result, Part):
            bits = str(result.bits or "")
            table.add_row(result.name, result.version, bits, f"{result.path}\n[dim]{result.how}[/dim]")
        else:
            table.add_row(result.name, "[red]missing[/red]", "", f"{result.why}\n[dim]{result.remedy}[/dim]")
    return table


if __name__ == "__main__":
    app()
