"""`zen database`: what is done once to the database of a building."""

import os
from typing import Annotated

import typer
from rich.console import Console

from gateway.adapters.store.old_rows import DatabasePlace, MigrationError, migrate
from gateway.cli.check import SiteArgument, read
from gateway.cli.language import say
from gateway.database.schema import Bucket
from gateway.site.assembly.building import origin_of
from gateway.site.assembly.parts import store_path

app = typer.Typer(help="What is done once to the database of a building.", no_args_is_help=True)
PROGRESS = "database-migration.json"  # beside the store

AgainOption = Annotated[bool, typer.Option("--again", help="From the beginning, even where it is done.")]


@app.callback()
def database() -> None:
    """Keeps `migrate` a command of its own beside those to come."""


@app.command("migrate")
def migrate_command(site: SiteArgument, again: AgainOption = False) -> None:
    """Copy what older releases wrote to the names of this one; the old rows stay. Goes on where it was cut short."""
    file = read(site, may_lack_prices=True)
    section, token = file.database, os.environ.get("ZEN_INFLUX_TOKEN", "")
    if section is None or not token:
        Console(stderr=True).print(say("database.none"), style="red", markup=False)
        raise typer.Exit(1)
    buckets = {Bucket.RAW: section.bucket, Bucket.QUARTERS: section.quarters_bucket or section.bucket}
    place = DatabasePlace(url=section.url, org=section.org, token=token, buckets=buckets)
    progress = store_path(file).parent / PROGRESS
    if again:
        progress.unlink(missing_ok=True)
    read_count = written = left = 0
    console = Console()
    try:
        with console.status(say("database.begins")) as status:
            for hour in migrate(place, origin_of(file), progress):
                read_count, written, left = read_count + hour.read, written + hour.written, left + hour.left
                status.update(say("database.goes_on", measurement=hour.measurement, count=read_count))
    except MigrationError as error:
        Console(stderr=True).print(say("database.failed", said=str(error)), style="red", markup=False)
        raise typer.Exit(1) from error
    console.print(say("database.done", count=read_count, written=written, left=left), markup=False)
