"""`zen demo`: a living building, controlled in front of you."""

import asyncio
import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.cli.demo_table import picture
from gateway.cli.interrupts import interrupts
from gateway.cli.language import say
from gateway.paths import config_folder
from gateway.release import ReleaseError
from gateway.rig.chain import Chain, ChainSettings, PartsMissingError, open_chain
from gateway.rig.database import USER
from gateway.rig.part import Machine, Missing
from gateway.rig.parts import find_or_fetch
from gateway.rig.processes import ProgramError
from gateway.rig.report import Window, get_json, report
from gateway.rig.run_folder import port_if_free
from gateway.rig.toml_text import merged

PAGE_PORT = 8080
FIRST_YEAR, LAST_YEAR = 2000, 2099  # the wire counts seconds since 2000 in 32 bits
DEMO_START = datetime(2024, 6, 21, 12, 5)  # noqa: DTZ001 - wall clock of the building, zone below
ZONE = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Recordings to live through instead of the generated day; `start` is the building's wall clock."""

    load: Path | None
    pv: Path | None
    kwp: float
    load_scale: float
    start: datetime

    def house(self) -> dict[str, Any]:
        """Changes to the house file."""
        load = {} if self.load is None else {"file": str(self.load.resolve()), "scale": self.load_scale}
        pv = {"kwp": self.kwp} | ({} if self.pv is None else {"file": str(self.pv.resolve())})
        return {"clock": {"start": self.start.isoformat(timespec="seconds")}, "load": load, "pv": pv}

    def clock_offset_s(self) -> float:
        """From this machine's clock to the building's."""
        return (self.start.replace(tzinfo=ZONE) - datetime.now(UTC)).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is shown, and how: live until Ctrl-C (`seconds` None), or without a screen for so many seconds."""

    seconds: float | None
    influx: bool
    loads: bool
    port: int


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Without a screen; ends after --minutes.")] = False,
    minutes: Annotated[float, typer.Option(help="How long (headless).", min=0.05, max=10_000)] = 3.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures of the run here.")] = None,
    load: Annotated[Path | None, typer.Option(help="Recorded load: CSV or Parquet.", exists=True)] = None,
    pv: Annotated[Path | None, typer.Option(help="Recorded PV: CSV or Parquet.", exists=True)] = None,
    kwp: Annotated[float, typer.Option(help="Peak power of the roof.", min=0, max=10_000)] = 5.0,
    load_scale: Annotated[float, typer.Option(help="Factor for the recorded load.", min=0, max=1000)] = 1.0,
    start: Annotated[datetime, typer.Option(help="Wall clock of the building at the start.")] = DEMO_START,
    loads: Annotated[bool, typer.Option("--loads", help="With a car at its charger and hot water.")] = False,
    influx: Annotated[bool, typer.Option("--influx", help="Also start a real InfluxDB and forward to it.")] = False,
    port: Annotated[
        int, typer.Option(help="Port of the page; any free one if it is taken.", min=0, max=65535)
    ] = PAGE_PORT,
) -> None:
    """Start a simulated building, a broker, a node on MicroPython and the gateway, and watch them work."""
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise typer.BadParameter(f"--start {start.isoformat()}: allowed are the years {FIRST_YEAR} to {LAST_YEAR}")
    if json_file is not None and not os.access(json_file.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"--json {json_file}: its folder cannot be written; name one that can")
    replay = Replay(load=load, pv=pv, kwp=kwp, load_scale=load_scale, start=start.replace(tzinfo=None))
    screen = Screen(seconds=60 * minutes if headless else None, influx=influx, loads=loads, port=port)
    people = Console(stderr=True)
    try:
        _fetch_parts(people, influx=influx)
        with tempfile.TemporaryDirectory(prefix="zen-demo-") as folder:
            figures = asyncio.run(_demo(people, Path(folder), replay, screen))
    except (KeyboardInterrupt, asyncio.CancelledError):
        people.print(say("demo.bye"))
        return
    except (PartsMissingError, ProgramError, ReleaseError, OSError) as error:
        people.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    people.print_json(data=figures)
    people.print(say("demo.bye"))


def _fetch_parts(people: Console, *, influx: bool) -> None:
    names = ["mosquitto", "micropython"] + (["influxd"] if influx else [])
    with _progress(people) as progress:
        for name in names:
            task = progress.add_task(say("demo.part", part=name), total=1)
            found = find_or_fetch(name, Machine(), lambda line: progress.console.print(line, style="dim"))
            if isinstance(found, Missing) and name != "mosquitto":
                raise PartsMissingError([found])
            shown = say("demo.embedded") if isinstance(found, Missing) else f"{found.name} {found.version}"
            progress.update(task, completed=1, description=shown)


async def _demo(people: Console, folder: Path, replay: Replay, screen: Screen) -> Mapping[str, Any]:
    more = _loads() if screen.loads else {}
    settings = ChainSettings(
        house=merged(more.get("house", {}), replay.house()),
        site=more.get("site", {}),
        database=screen.influx,
        clock_offset_s=replay.clock_offset_s(),
        page_port=port_if_free(screen.port),
    )
    stop = asyncio.Event()
    with interrupts(asyncio.current_task().cancel):  # type: ignore[union-attr]  # there is one: this
        async with open_chain(settings, machine=Machine(), folder=folder, start=False) as chain:
            with _progress(people) as progress:
                task = progress.add_task(say("demo.starting"), total=1)
                await chain.start_all()
                progress.update(task, completed=1, description=say("demo.started"))
            people.print(say("demo.page", url=chain.page_address), style="bold", markup=False)
            if chain.database is not None:
                base = chain.database
                people.print(say("demo.database", url=base.url, user=USER, password=base.token), markup=False)
            window = await Window.open(chain)
            with interrupts(stop.set):
                await _live(people, chain, stop, screen.seconds)
                return await report(chain, window)


def _loads() -> dict[str, Any]:
    """Changes to both files for a building with flexible loads."""
    return tomllib.loads((config_folder() / "demo" / "loads.toml").read_text(encoding="utf-8"))


async def _live(people: Console, chain: Chain, stop: asyncio.Event, seconds: float | None) -> None:
    """A progress bar for so many seconds, or the live table; until then, until `stop`, or until a part ends."""
    with ExitStack() as screen:
        if seconds is None:
            table = screen.enter_context(Live(console=Console(), auto_refresh=False))
        else:
            progress = screen.enter_context(_progress(people))
            task = progress.add_task(say("demo.running"), total=seconds)
        second = 0
        while not stop.is_set() and (seconds is None or second < seconds):
            chain.need_running()
            if seconds is None:
                state = await get_json(f"{chain.page_address}/api/state")
                table.update(picture(state, chain.page_address), refresh=True)
            else:
                progress.update(task, completed=second)
            second += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)


def _progress(people: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=people,
    )
