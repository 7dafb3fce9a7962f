"""`zen outbox`: what waits for the database, and what it refused."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.store import gaps, quarantine, waiting
from gateway.adapters.store.counts import count
from gateway.adapters.store.files import Cause, UnusableError, files_aside
from gateway.adapters.store.gaps import Gap
from gateway.adapters.store.line_protocol import fields, measurement
from gateway.adapters.store.quarantine import RefusedGroup
from gateway.adapters.store.refusals import explained
from gateway.adapters.store.waiting import WaitingGroup
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
    """What waits, what was dropped for lack of room, and what the database refused, with its reasons in words."""
    path = store_path(read(site, may_lack_prices=True))
    with _store(path, writes=False) as db:
        counts, refused = count(db), quarantine.groups(db)
        waits, missing = waiting.groups(db), gaps.all_of(db)
    console = Console()
    console.print(
        say("outbox.counts", waiting=counts.waiting, refused=counts.refused, dropped=counts.dropped), markup=False
    )
    if waits:
        console.print(_waiting(waits))
    if missing:
        console.print(_missing(missing))
    if refused:
        console.print(_refused(refused))
        for said in dict.fromkeys(map(_in_words, refused)):
            console.print(said, markup=False)
        console.print(say("outbox.next"), markup=False)
    for file in sorted(files_aside(path, Cause.DAMAGED, Cause.FOREIGN)):
        console.print(say("outbox.aside", file=str(file)), markup=False)


def _waiting(groups: Iterable[WaitingGroup]) -> Table:
    """What waits, the last to be dropped first."""
    table = _table("waiting", "measurement", "importance", "lines", "from", "to")
    for one in groups:
        rank = say(f"outbox.importance.{one.importance.name.lower()}")
        _add(table, one.measurement, rank, str(one.count), _moment(one.first_ms), _moment(one.last_ms))
    return table


def _missing(found: Iterable[Gap]) -> Table:
    """What will never be in the database."""
    table = _table("missing", "from", "to", "lines", "measurement")
    for gap in found:
        _add(table, _moment(gap.from_ms), _moment(gap.to_ms), str(gap.lines), ", ".join(sorted(gap.counts)))
    return table


def _refused(groups: Iterable[RefusedGroup]) -> Table:
    """What the database did not take."""
    table = _table("refused", "measurement", "fields", "count", "from", "to", "why")
    for one in groups:
        moments = (_moment(one.first_ms), _moment(one.last_ms))
        _add(table, one.measurement, ", ".join(one.fields), str(one.count), *moments, one.why)
    return table


def _in_words(group: RefusedGroup) -> str:
    """What a refusal means, and what can be done about it."""
    refusal = explained(group.why)
    if refusal.code != "type":
        return say(f"refused.{refusal.code}", measurement=group.measurement)
    kinds = {name: say(f"refused.kind.{refusal.names[name]}") for name in ("ours", "theirs")}
    return say("refused.type", **{**refusal.names, "measurement": group.measurement, **kinds})


def _table(title: str, *headings: str) -> Table:
    table = Table(title=Text(say(f"outbox.{title}")), title_justify="left")
    for heading in headings:
        table.add_column(say(f"outbox.{heading}"), overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))


@app.command()
def retry(site: SiteArgument, measurement: MeasurementOption = None, field: FieldOption = None) -> None:
    """Bring back what the database refused: it is offered again with what comes."""
    with _store(store_path(read(site, may_lack_prices=True))) as db:
        back = quarantine.bring_back(db, _meant(measurement, field))
    Console().print(say("outbox.brought_back", count=back), markup=False)


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
        gone = quarantine.give_up(db, is_meant)
    Console().print(say("outbox.given_up", count=gone), markup=False)


@contextmanager
def _store(path: Path, *, writes: bool = True) -> Iterator[Connection]:
    """The store, or why it cannot be used on the screen and exit code 1."""
    try:
        with quarantine.opened(path, writes=writes) as db:
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
