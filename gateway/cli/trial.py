"""`zen trial SCENARIO.toml`: a building, its faults and what is expected, tried."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.check import show_mistakes
from gateway.mistakes import MistakesError
from gateway.trial import virtual_run
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.expectation import judge


def trial(
    scenario: Annotated[Path, typer.Argument(help="The scenario file (TOML).", metavar="SCENARIO.toml")],
    virtual: Annotated[bool, typer.Option("--virtual", help="In virtual time, without real parts.")] = False,
) -> None:
    """Try a building with its faults, and tell whether all that is expected holds."""
    try:
        found = scenario_file.read(scenario, runner="virtual" if virtual else "chain")
    except MistakesError as error:
        show_mistakes(error)
        raise typer.Exit(2) from error
    rows = virtual_run.run(found)
    begun = [one.at_s for one in found.happenings]
    verdicts = [judge(one, rows, faults_at_s=begun) for one in found.expectations]
    for verdict in verdicts:
        typer.echo(verdict.plain())
    raise typer.Exit(0 if all(verdict.held for verdict in verdicts) else 1)
