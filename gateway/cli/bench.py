"""`zen bench`: how good the control is, on public problems beside others."""

import typer

from gateway.cli.bench_citylearn import citylearn

app = typer.Typer(
    help="How good the control is: public problems, with the figures of others beside ours.", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""


app.command()(citylearn)
