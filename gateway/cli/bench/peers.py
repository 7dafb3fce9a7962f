"""`zen bench peers`: the same home under EMHASS, and the time a plan takes beside other planners."""

import json as json_text
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.cli.bench.common import DataOption, DaysOption, JsonOption, people, plain_errors, refuse, title
from gateway.cli.language import say
from gateway.core.planning.method import Method
from gateway.paths import cache_folder
from gateway.planning.method_file import as_table, read_method
from gateway.study.benches.peers import study
from gateway.study.benches.peers.environment import Environment
from gateway.study.benches.peers.peer import EMHASS, SOLPH, Peer, PeerError

WINDOWS = [datetime(2024, 5, 1), datetime(2024, 8, 1)]  # noqa: DTZ001 - days of the record's own clock
StartsOption = Annotated[
    list[datetime], typer.Option("--start", formats=["%Y-%m-%d"], help="First counted day; may be given again.")
]
PlansOption = Annotated[int, typer.Option(help="Timed plans of 96 steps of each planner.", min=2, max=1000)]


def peers(
    data: DataOption,
    start: StartsOption = WINDOWS,
    days: DaysOption = 7,
    plans: PlansOption = 40,
    json: JsonOption = None,
) -> None:
    """EMHASS and oemof.solph beside the gateway: same home, same days, same forecasts, one run.

    Each gets its own environment in the user's cache the first time.
    """
    with plain_errors(), _plain_peers():
        method = read_method()
        absent: dict[str, str] = {}
        pythons = study.Pythons(emhass=_python(EMHASS, absent), solph=_python(SOLPH, absent))
        result = _watched(data, [moment.date() for moment in start], days, plans, method, pythons)
        result["absent"] = absent
        if json is not None:
            json.write_text(json_text.dumps(result, indent=2) + "\n", encoding="utf-8")
    _show(result)


@contextmanager
def _plain_peers() -> Iterator[None]:
    try:
        yield
    except PeerError as error:
        refuse(in_words(error))


def in_words(error: PeerError) -> str:
    """What happened to a peer and what to do, in the terminal's language."""
    peer = error.peer
    return say(f"bench.peers.{error.code}", name=f"{peer.name} {peer.version}", why=error.why)


def _python(peer: Peer, absent: dict[str, str]) -> Path | None:
    """The peer's interpreter; made when it is not there. None, with a message and a note, when it cannot be made."""
    environment = Environment(peer=peer, root=cache_folder() / "peers")
    try:
        if not environment.is_ready:
            _installed(environment)
    except PeerError as error:
        absent[peer.name] = in_words(error)
        _print_error(absent[peer.name])
        return None
    return environment.python


def _installed(environment: Environment) -> None:
    peer = environment.peer
    people.print(
        say("bench.peers.making", name=f"{peer.name} {peer.version}", size=peer.size, folder=str(environment.folder)),
        highlight=False,
        soft_wrap=True,
    )
    with people.status("") as status:
        environment.make(status.update)


def _watched(
    data: Path, starts: list[date], days: int, plans: int, method: Method, pythons: study.Pythons
) -> dict[str, Any]:
    with Progress(console=people, transient=True) as progress:
        task = progress.add_task("peers", total=study.ticks(starts, days, plans, pythons))

        def tick() -> None:
            progress.advance(task)

        windows = [
            study.window(data, start=start, days=days, method=method, python=pythons.emhass, tick=tick)
            for start in starts
        ]
        times = study.times(data, start=starts[0], days=days, plans=plans, method=method, pythons=pythons, tick=tick)
    return {
        "bench": "peers",
        "data": data.name,
        "days": days,
        "versions": {peer.name: peer.version for peer in (EMHASS, SOLPH)},
        "windows": windows,
        "times": times,
        "method": as_table(method),
    }


def _show(result: dict[str, Any]) -> None:
    console = Console()
    for window in result["windows"]:
        table = Table(title=title("peers", result["data"], window["start"], result["days"]))
        for heading in ("", say("bench.eur_per_day"), "S"):
            table.add_column(heading, justify="right" if heading else "left")
        for way, eur in window["eur_per_day"].items():
            score = window["S"].get(way, {"none": 0.0, "perfect": 1.0}.get(way))
            table.add_row(say(f"bench.way.{way}"), f"{eur:.4f}", "" if score is None else f"{score:.4f}")
        console.print(table)
    table = Table(title=say("bench.peers.times", steps=str(result["times"]["steps"])))
    for heading in ("", "median", "worst", "processor", "ratio"):
        table.add_column(say(f"bench.peers.{heading}") if heading else "", justify="right" if heading else "left")
    for way, row in result["times"]["ways"].items():
        figures = (row[key] for key in ("median_ms", "worst_ms", "cpu_ms", "ratio"))
        table.add_row(say(f"bench.way.{way}"), *(f"{figure:.1f}" for figure in figures))
    console.print(table)


def _print_error(text: str) -> None:
    people.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
