"""What `zen node` shows: tables, bars, the label, and faults in plain words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.adapters.boards import BoardsError
from gateway.adapters.node.batches import FLAG_NAMES, WRONG_HEADER
from gateway.cli.check import show_mistakes
from gateway.cli.language import language, say
from gateway.commission.faults import CommissionError
from gateway.release import ReleaseError
from gateway.site.file.site_file import SiteFileError
from gateway.words import WordError
from gateway.words.figures import figure

people = Console()
NO_TABLE = "table.json"  # what a node without devices says
HEADER_FLAG = "05"  # of a WRONG_REPLY: what did not fit was the header
_PLACES = {
    "application": -3,
    "files": -2,
    "interpreter": -1,
    "unit": 1,
    "block": 2,
    "found": 2,
    "broker": 3,
    "order": 4,
}


@contextmanager
def plain_faults() -> Iterator[None]:
    """Faults as sentences on the error screen; exit code 2 for files, 1 for the rest."""
    errors = Console(stderr=True)
    try:
        yield
    except (SiteFileError, BoardsError) as error:
        show_mistakes(error)
        raise typer.Exit(2) from error
    except CommissionError as error:
        errors.print(say(f"node.fault.{error.word}", **error.numbers), style="red", markup=False)
        raise typer.Exit(1) from error
    except ReleaseError as error:
        errors.print(say(f"node.release.{error.word}", why=str(error)), style="red", markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        errors.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


def not_ours(line: str) -> None:
    """A log line while something else is shown."""
    if line:
        people.print(line, style="dim", markup=False, highlight=False)


def bars() -> Progress:
    """A bar for each thing that takes time."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=people,
    )


def info_table(info: Mapping[str, Any]) -> Table:
    """Who is at the other end of the cable."""
    table = Table(box=None, show_header=False)
    node = f"{info['site']}/{info['node']}" if info.get("node") else say("node.nobody")
    rows = {"uid": info["uid"], "board": info.get("board"), "node": node, "firmware": info.get("fw")}
    for name, value in (rows | {"python": info["python"]}).items():
        table.add_row(say(f"node.info.{name}"), Text(str(value or "—")))
    return table


def show_label(uid: str, code: str) -> None:
    """What belongs on the board, for the one who comes without a computer."""
    text = Text(f"zen-{uid[-6:]}\n{code}", style="bold", justify="center")
    people.print(Panel(text, title=say("node.label"), subtitle="http://192.168.4.1", expand=False))


def test_table(rows: Sequence[Mapping[str, Any]], table: Mapping[str, Any]) -> Table:
    """The self-test, one line for each device and each of its reads."""
    shown = Table(title=say("node.test.title"))
    for heading in ("node.test.what", "node.test.result", "node.test.detail"):
        shown.add_column(say(heading), overflow="fold")
    for row in sorted(rows, key=lambda row: _order(row, table)):
        well = Text("✓ " + say("node.test.good"), style="green") if row["ok"] else Text("✗", style="red")
        if not row["ok"]:
            well.append(" " + _bad(row["step"]))
        shown.add_row(_what(row, table), well, _detail(row))
    return shown


def scan_table(bus: str, found: Sequence[Sequence[Any]]) -> Table:
    """The units that gave a sign of life."""
    shown = Table(title=say("node.scan.title", bus=bus, count=len(found)))
    for heading in ("node.scan.baud", "node.scan.unit", "node.scan.function", "node.scan.answer"):
        shown.add_column(say(heading), justify="right")
    for baud, unit, function, flag in found:
        word = "answers" if flag == 0 else "refuses" if flag == 3 else "noise"
        shown.add_row(str(baud or "—"), str(unit), str(function), say(f"node.scan.{word}"))
    return shown


def monitor_picture(
    info: Mapping[str, Any], health: Mapping[str, Any], table: str | None, lines: Sequence[str]
) -> RenderableType:
    """A node now: numbers, devices, last words."""
    state = Table(title=f"{info['site']}/{info['node']} · {info['uid']}", box=None, show_header=False)
    for name in ("uptime_s", "heap_free", "clock"):
        if name in health:
            state.add_row(say(f"node.monitor.{name}"), figure(language(), name, health[name]))
    ring = health.get("ring", {})
    if ring:
        state.add_row(say("node.monitor.waiting"), str(ring["next"] - ring["oldest"]))
        state.add_row(say("node.monitor.lost"), str(ring["lost"]))
    units = Table()
    for name in ("unit", "ok", "timeouts", "bad", "exceptions", "median_ms"):
        units.add_column(say(f"node.monitor.{name}"), justify="left" if name == "unit" else "right")
    for number, counts in enumerate(health.get("units", ())):
        place = _what({"step": "unit", "n": number}, json.loads(table or "{}"))
        units.add_row(place, *map(str, counts[:5]))
    return Group(state, units, Text("\n".join(lines), style="dim"))


def _order(row: Mapping[str, Any], table: Mapping[str, Any]) -> tuple[int, int, int]:
    """The board itself, devices with their reads behind them, the lines, then the broker, then the orders."""
    step, number = row["step"], row["n"]
    if step == "block" and number < len(table.get("blocks", ())):
        return (1, table["blocks"][number]["u"], 1 + number)
    return (_PLACES.get(step, 0), number, 0)


def _what(row: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    step, number = row["step"], row["n"]
    try:
        if step == "unit":
            unit = table["units"][number]
            bus = table["buses"][unit["bus"]]
            return say("node.test.unit", unit=str(unit["id"]), bus=bus.get("host") or bus.get("port"))
        if step == "block":
            block = table["blocks"][number]
            place = f"{block['a']}" if "m" not in block else f"{block['m']} + {block['a']}"
            return "  " + say("node.test.model" if "m" in block else "node.test.block", place=place, count=block["n"])
        if step == "found":
            return say("node.test.found", bus=table["buses"][number]["port"])
    except (KeyError, IndexError):
        return say("node.test.no_table") if row.get("text", NO_TABLE) == NO_TABLE else f"{step} {number}"
    try:
        return say(f"node.test.{step}")
    except WordError:  # a newer node tests more
        return str(step)


def _bad(step: str) -> str:
    try:
        return say(f"node.test.{step}.bad")
    except WordError:
        return ""


def _detail(row: Mapping[str, Any]) -> str:
    text = str(row["text"])
    if row["step"] == "block" and row["ok"]:
        words = [text[i : i + 4] for i in range(0, len(text), 4)]
        return " ".join(words[:8]) + (" …" if len(words) > 8 else "")
    if row["step"] == "unit":
        return "" if row["ok"] else _flag(text)
    if row["step"] == "block":
        return _flag(text)
    if row["step"] == "broker":
        return f"{text} ms" if row["ok"] else ""
    if row["step"] in ("files", "flash", "memory") and row["ok"]:
        return say(f"node.test.{row['step']}.good", count=text)
    return say("node.test.refused", count=text) if row["step"] == "order" else text


def _flag(text: str) -> str:
    """A flag of the records; with a 0 in front the header did not fit (`firmware/node/selftest.py`)."""
    if not text.isdigit():
        return say("node.test.no_table")
    return say(f"why.{WRONG_HEADER if text == HEADER_FLAG else FLAG_NAMES[int(text)]}")
