"""`zen outbox`: what waits for the database, and what it refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.store import quarantine
from gateway.adapters.store.files import Cause, UnusableError, files_aside
from gateway.adapters.store.line_protocol import fields, measurement
from gateway.cli.check import SiteArgument, read
from gateway.cli.language import say
from gateway.site.assembly.parts import store_path

app = typer.Typer(
    help="What waits for the database, and what it refused; also while the gateway runs.", no_args_is_help=True
)

MeasurementOption = Annotated[str | None, typer.Option(help="Only of this measurement.")]
FieldOption = Annotated[str | None, typer.Option(help="Only of this field.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Without asking.")]


@app.command("list")
def show(site: SiteArgument) -> None:
    """How much waits, and what the database refused, with its reasons."""
    path = store_path(read(site, may_lack_prices=True))
    with _store(path) as db:
        counts, groups = quarantine.counts(db), quarantine.groups(db)
    console = Console()
    console.print(
        say("outbox.counts", waiting=counts.waiting, refused=counts.refused, dropped=counts.dropped), markup=False
    )
    if groups:
        table = Table()
        for heading in ("measurement", "fields", "count", "from", "to", "why"):
            table.add_column(say(f"outbox.{heading}"), overflow="fold")
        for group in groups:
            moments = (_moment(group.first_ms), _moment(group.last_ms))
            cells = (group.measurement, ", ".join(group.fields), str(group.count), *moments, group.why)
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
        console.print(say("outbox.next"), markup=False)
    for file in sorted(files_aside(path, Cause.DAMAGED, Cause.FOREIGN)):
        console.print(say("outbox.aside", file=str(file)), markup=False)


@app.command()
def retry(site: SiteArgument, measurement: MeasurementOption = None, field: FieldOption = None) -> None:
    """Bring back what the database refused: it is offered again with what comes."""
    with _store(store_path(read(site, may_lack_prices=True))) as db:
        count = quarantine.bring_back(db, _meant(measurement, field))
    Console().print(say("outbox.brought_back", count=count), markup=False)


@app.command()
def drop(
    site: SiteArgument, measurement: MeasurementOption = None, field: FieldOption = None, yes: YesOption = False
) -> None:
    """Give up for good what the database refused."""
    path = store_path(read(site, may_lack_prices=True))
    is_meant = _meant(measurement, field)
    if not yes:
        typer.confirm(say("outbox.sure"), abort=True)
    with _store(path) as db:
        count = quarantine.give_up(db, is_meant)
    Console().print(say("outbox.given_up", count=count), markup=False)


@contextmanager
def _store(path: Path) -> Iterator[Connection]:
    """The store, or why it cannot be used on the screen and exit code 1."""
    try:
        with quarantine.opened(path) as db:
            yield db
    except UnusableError as error:
        Console(stderr=True).print(say("outbox.unusable", path=str(path), said=str(error)), style="red", markup=False)
        raise typer.Exit(1) from error


def _meant(wanted: str | None, field: str | None) -> Callable[[str], bool]:
    def is_meant(text: str) -> bool:
        return (wanted is None or measurement(text) == wanted) and (field is None or field in fields(text))

    return is_meant


def _moment(ms: int) -> str:
    """UTC, to the second."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    except (OverflowError, ValueError, OSError):
        return "?"
