"""`zen bill`: what a building's energy cost, line by line, and which quarter hours are behind it."""

import csv
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from gateway.adapters.archive.reader import ArchiveReader
from gateway.adapters.store.files import UnusableError
from gateway.adapters.taxes import TaxesError
from gateway.cli.check import SiteArgument, read
from gateway.cli.language import say
from gateway.core.accounts.bill import Bill, BillLine, Use, bill, use_of
from gateway.site.assembly.building import core_site
from gateway.site.assembly.contract import contract
from gateway.site.assembly.parts import archive_path
from gateway.site.file.site_file import SiteFile

people = Console(stderr=True)  # stdout is for the bill
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
MOST_WH = 1e9  # of a quarter hour: a column in another unit is found
COLUMNS = ("time", "import_wh")  # that a file of quarter hours must have


def bill_command(
    site: SiteArgument,
    *,
    quarters: Annotated[
        Path | None,
        typer.Option(
            help="CSV: time (with its zone), import_wh, export_wh, period. Without it: what the gateway kept."
        ),
    ] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month.", metavar="YYYY-MM")] = None,
    first: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First local day.")] = None,
    last: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last local day, itself in.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For programs: the lines as CSV.")] = False,
) -> None:
    """What the energy of a time cost: each line with its kWh and price, what of it is tax, and what is not known."""
    file = read(site)
    begin, end = _days(month, first, last)
    try:
        agreed = contract(file, days={})
        uses = _kept(file, begin, end) if quarters is None else list(_uses(quarters))
        found = bill(uses, agreed, begin, end)
    except (TaxesError, _BadQuarters) as error:
        people.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    if as_csv:
        _write(found)
    else:
        _show(found)


class _BadQuarters(Exception):  # noqa: N818 - private: a sentence for the screen
    """A file of quarter hours that cannot be used."""


def _days(month: str | None, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    """The first local day, and the first behind the last."""
    if month is not None:
        if MONTH.fullmatch(month) is None or first is not None or last is not None:
            raise typer.BadParameter(say("bill.bad_month"), param_hint="--month")
        year, number = int(month[:4]), int(month[5:])
        return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
    if first is None or last is None or last < first:
        raise typer.BadParameter(say("bill.bad_days"), param_hint="--first, --last")
    return first.date(), date.fromordinal(last.date().toordinal() + 1)


def _kept(file: SiteFile, begin: date, end: date) -> list[Use]:
    """Of the gateway's own history, from one local day to before another."""
    path, zone = archive_path(file), ZoneInfo(file.site.time_zone)
    moments = [datetime.combine(day, time(), zone).timestamp() for day in (begin, end)]
    try:
        found = ArchiveReader(path).quarters(*moments)
    except UnusableError as error:
        raise _BadQuarters(say("history.unusable", path=str(path), said=str(error))) from error
    if not found:
        raise _BadQuarters(
            say("bill.nothing_kept", path=str(path), first=str(begin), last=str(end - timedelta(days=1)))
        )
    return [use_of(account, core_site(file).grid) for account in found]


def _uses(path: Path) -> Iterator[Use]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise _BadQuarters(say("bill.bad_columns", path=str(path), found=", ".join(missing)))
            for number, row in enumerate(rows, start=2):
                yield _use(path, number, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _BadQuarters(f"{path}: {error}") from error


def _use(path: Path, number: int, row: dict[str, str]) -> Use:
    try:
        moment = datetime.fromisoformat(row["time"])
        energies = _energy(row["import_wh"]), _energy(row.get("export_wh") or "")
        is_right = moment.tzinfo is not None and moment.timestamp() % 900 == 0.0
    except (ValueError, TypeError) as error:
        raise _bad(path, number) from error
    if not is_right or any(wh is not None and not 0.0 <= wh < MOST_WH for wh in energies):
        raise _bad(path, number)
    period = row.get("period") or None
    return Use(start_s=int(moment.timestamp()), import_wh=energies[0], export_wh=energies[1], period=period)


def _bad(path: Path, number: int) -> _BadQuarters:
    return _BadQuarters(say("bill.bad_row", path=str(path), line=str(number)))


def _energy(text: str) -> float | None:
    """Wh; None for an empty cell. Raises ValueError."""
    return float(text) if text.strip() else None


def _show(found: Bill) -> None:
    console = Console()
    console.print(say("bill.title", first=str(found.first), last=str(found.last)), markup=False)
    table = Table()
    for heading in ("line", "from", "to", "quantity", "price", "amount"):
        right = heading in ("quantity", "price", "amount")
        table.add_column(say(f"bill.{heading}"), justify="right" if right else "left")
    for line in found.lines:
        unit = say("bill.unit_month" if line.what == "subscription" else "bill.unit_kwh")
        price = say("bill.mean") if line.price is None else _number(line.price)
        table.add_row(
            _name(line),
            str(line.first),
            str(line.last),
            f"{_number(line.quantity)} {unit}",
            price,
            _number(line.amount),
        )
    table.add_row(say("bill.total"), "", "", "", "", _number(found.total), style="bold")
    console.print(table)
    for text in (*_parts(found), *_remarks(found)):
        console.print(text, markup=False, highlight=False)


def _name(line: BillLine) -> str:
    name = say(f"bill.line.{line.what}")
    marks = f" ({say('bill.assumed')})" if line.is_assumed else "" if line.is_confirmed else f" ({say('bill.late')})"
    return f"{name} {say(f'price.{line.period}') if line.period else ''}".strip() + marks


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.replace(".", ",") if say("bill.decimal") == "," else text


def _parts(found: Bill) -> Iterator[str]:
    """What of the total is network and tax."""
    parts = found.parts
    if parts is None:
        return
    yield say("bill.of_which", day=str(parts.known_until))
    for name in ("network_fixed", "network_energy", "levy", "excise", "vat"):
        amount = getattr(parts, name)
        value = say("bill.unknown") if amount is None else f"{_number(amount)} EUR"
        yield f"  {say(f'bill.part.{name}')}: {value}"


def _remarks(found: Bill) -> Iterator[str]:
    """What a reader must know, and the way back to the quarter hours."""
    expected = (found.end_s - found.start_s) // 900
    moments = [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%MZ") for each in (found.start_s, found.end_s)]
    yield say(
        "bill.trail", count=str(expected - len(found.missing)), expected=str(expected), begin=moments[0], end=moments[1]
    )
    if found.missing:
        first = datetime.fromtimestamp(found.missing[0], UTC).strftime("%Y-%m-%dT%H:%MZ")
        yield say("bill.missing", count=str(len(found.missing)), first=first)
    if any(not line.is_confirmed for line in found.lines):
        yield say("bill.unconfirmed")
    if any(line.is_assumed for line in found.lines):
        yield say("bill.dearest")
    if found.lacks_subscription:
        yield say("bill.no_subscription")
    if found.shared_wh >= 0.5:
        yield say("bill.shared", energy_wh=found.shared_wh)


def _write(found: Bill) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("line", "period", "first", "last", "quantity", "price_eur", "amount_eur", "assumed", "confirmed"))
    for line in found.lines:
        cells = (line.first, line.last, line.quantity, "" if line.price is None else line.price, line.amount)
        writer.writerow((line.what, line.period, *cells, int(line.is_assumed), int(line.is_confirmed)))
    if found.parts is not None:
        for name in ("network_fixed", "network_energy", "levy", "excise", "vat"):
            amount = getattr(found.parts, name)
            empty = (found.first, found.last, "", "")
            writer.writerow((f"of_which_{name}", "", *empty, "" if amount is None else amount, "", ""))
    writer.writerow(("total", "", found.first, found.last, "", "", found.total, "", int(found.is_confirmed)))
