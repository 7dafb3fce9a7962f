"""`zen history`: what is kept for years on this gateway, written out."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from gateway.cli.check import SiteArgument, read
from gateway.cli.language import say
from gateway.site.assembly.parts import archive_path
from gateway.view.archive import ArchiveView
from gateway.view.schema.encoder import json_text
from gateway.view.schema.history import HistoryError
from gateway.view.schema.table import csv_text

app = typer.Typer(help="What is kept for years on this gateway; also while it runs.", no_args_is_help=True)

MOST_DAYS = 370  # in one export: a year of quarter hours is in memory at once
DAY_S = 86_400


class HistoryKind(StrEnum):
    """What is written out."""

    QUARTERS = "quarters"
    DAYS = "days"
    DECISIONS = "decisions"
    EVENTS = "events"


@app.callback()
def history(context: typer.Context, site: SiteArgument) -> None:
    """What is kept for years on this gateway; also while it runs."""
    context.obj = site


@app.command()
def export(
    context: typer.Context,
    begin: Annotated[str, typer.Option("--from", help="First moment: a date, or a moment as 2026-10-25T14:00Z.")],
    end: Annotated[str, typer.Option("--to", help="The moment after the last one.")],
    what: Annotated[HistoryKind, typer.Option(help="Which part of the history.")] = HistoryKind.QUARTERS,
    csv: Annotated[bool, typer.Option("--csv", help="As a table (CSV) instead of JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Into this file instead of onto the screen.")] = None,
) -> None:
    """Write out a period: quarter hours, days, decisions or events."""
    file = read(context.obj, may_lack_prices=True)
    zone = ZoneInfo(file.site.time_zone)
    period = (_moment(begin, "--from", zone), _moment(end, "--to", zone))
    if not 0 < period[1] - period[0] <= (MOST_DAYS * DAY_S if what is not HistoryKind.DAYS else 10 * MOST_DAYS * DAY_S):
        _refuse("history.period", most=10 * MOST_DAYS if what is HistoryKind.DAYS else MOST_DAYS)
    view = ArchiveView(archive_path(file), time_zone=file.site.time_zone)
    try:
        shown = getattr(view, what.value)(*period)
    except HistoryError as error:
        _refuse("history.unusable", path=str(archive_path(file)), said=str(error), code=1)
    text = csv_text(shown) if csv else json_text(shown) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        _refuse("history.unwritten", path=str(out), said=error.strerror or str(error), code=1)
    Console(stderr=True).print(say("history.written", path=str(out)), markup=False)


def _moment(text: str, name: str, zone: ZoneInfo) -> float:
    """Dates, and moments without an offset, are local ones."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        _refuse("history.moment", option=name, found=text)


def _refuse(key: str, *, code: int = 2, **facts: str | float) -> NoReturn:
    """Say why not, and leave."""
    Console(stderr=True).print(say(key, **facts), style="red", markup=False)
    raise typer.Exit(code)
