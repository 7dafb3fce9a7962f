"""The command `zen`: one module per command."""

from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import database, history, outbox, parts
from gateway.cli.bench.app import app as benches
from gateway.cli.bill import bill_command
from gateway.cli.check import check
from gateway.cli.demo import demo
from gateway.cli.house import house
from gateway.cli.node.app import app as nodes
from gateway.cli.once import once
from gateway.cli.run import run
from gateway.cli.study.command import study
from gateway.cli.trial import trial

app = typer.Typer(
    name="zen",
    help="Zen-e-Ville: the energy controller of a building.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _program(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"zen-e-ville {__version__}")
        raise typer.Exit


app.command()(run)
app.command()(check)
app.command()(once)
app.command()(house)
app.command()(demo)
app.command()(trial)
app.command()(study)
app.command("bill")(bill_command)
app.add_typer(nodes, name="node")
app.add_typer(database.app, name="database")
app.add_typer(outbox.app, name="outbox")
app.add_typer(history.app, name="history")
app.add_typer(parts.app, name="parts")
app.add_typer(benches, name="bench")


def main() -> None:
    """Entry point of `zen`."""
    app()
