"""`zen bench`: how good the control is, on public problems beside others."""

import typer

from gateway.cli import bench_citylearn

app = typer.Typer(help="Public problems with the figures of others beside ours.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""


app.command("citylearn")(bench_citylearn.citylearn)
