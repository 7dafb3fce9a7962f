"""`zen trial SCENARIO.toml`: a building, its faults and what is expected, tried."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.check import show_mistakes
from gateway.cli.interrupts import interrupts
from gateway.cli.language import language, say
from gateway.cli.trial_table import verdict_table
from gateway.mistakes import MistakesError
from gateway.release import ReleaseError
from gateway.rig.chain import PartsMissingError
from gateway.rig.processes import ProgramError
from gateway.trial import bench, chain_run, virtual_run
from gateway.trial.outcome import Trial, judged, write_csv, write_json
from gateway.trial.picture import svg
from gateway.trial.progress import Tell
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.events import Runner
from gateway.trial.scenario.expectation import Row
from gateway.trial.scenario.scenario_file import Scenario

MISTAKE, MISSED = 2, 1  # exit codes


def trial(
    scenario: Annotated[Path, typer.Argument(help="The scenario file (TOML).", metavar="SCENARIO.toml")],
    virtual: Annotated[bool, typer.Option("--virtual", help="In virtual time, without real parts.")] = False,
    bench_file: Annotated[
        Path | None, typer.Option("--bench", help="On a wired bench: where it answers.", metavar="BENCH.toml")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write verdicts and seconds here.")] = None,
    svg_file: Annotated[Path | None, typer.Option("--svg", help="Draw the run here.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write a line for each second here.")] = None,
) -> None:
    """Try a building with its faults on real parts, and tell whether all that is expected holds."""
    if virtual and bench_file is not None:
        raise typer.BadParameter("--virtual and --bench: one of both")
    for option, path in (("--json", json_file), ("--csv", csv_file), ("--svg", svg_file)):
        if path is not None and not os.access(path.absolute().parent, os.W_OK):
            raise typer.BadParameter(f"{option} {path}: its folder cannot be written; name one that can")
    people = Console(stderr=True)
    try:
        result = _tried(people, scenario, "virtual" if virtual else "bench" if bench_file else "chain", bench_file)
    except MistakesError as error:
        show_mistakes(error)
        raise typer.Exit(MISTAKE) from error
    except asyncio.CancelledError as stopped:
        raise typer.Exit(MISTAKE) from stopped
    except (PartsMissingError, ProgramError, ReleaseError, chain_run.HouseRefusedError, OSError) as error:
        people.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(MISTAKE) from error
    if json_file is not None:
        write_json(result, json_file)
    if csv_file is not None:
        write_csv(result, csv_file)
    if svg_file is not None:
        svg_file.write_text(svg(result, title=result.scenario.title[language()]), encoding="utf-8")
    people.print(verdict_table(result))
    held = sum(verdict.held for verdict in result.verdicts)
    people.print(say("trial.count", held=held, count=len(result.verdicts)), style="green" if result.held else "red")
    raise typer.Exit(0 if result.held else MISSED)


def _tried(people: Console, path: Path, runner: Runner, bench_file: Path | None) -> Trial:
    found = scenario_file.read(path, runner=runner)
    wired = None if bench_file is None else bench.read_bench(bench_file)
    title = say(f"trial.{runner}", title=found.title[language()], page=wired.page if wired else None)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=people) as progress:
        task = progress.add_task(title, total=found.run.seconds)
        rows = _rows(found, wired, runner, lambda second: progress.update(task, completed=second))
    return judged(found, rows, runner=runner)


def _rows(found: Scenario, wired: bench.Bench | None, runner: Runner, progress: Tell) -> list[Row]:
    if runner == "virtual":
        return virtual_run.run(found, progress)
    try:
        with tempfile.TemporaryDirectory(prefix="zen-trial-") as folder:
            return asyncio.run(_lived(found, wired, Path(folder), progress))
    except ExceptionGroup as several:  # of tasks that ran side by side: the first says it
        first: BaseException = several
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from several


async def _lived(found: Scenario, wired: bench.Bench | None, folder: Path, progress: Tell) -> list[Row]:
    """On real parts, which end when we are asked to end."""
    with interrupts(asyncio.current_task().cancel):  # type: ignore[union-attr]  # there is one: this
        if wired is not None:
            return await bench.run(found, wired, progress)
        return await chain_run.run(found, folder, progress)
