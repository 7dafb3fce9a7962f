"""`zen check`: the mistakes of a site file."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.node.poll_tables import NodeTable
from gateway.cli.language import say
from gateway.mistakes import MistakesError
from gateway.site.assembly.building import load_devices
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.credentials import Credentials
from gateway.site.file import cautions, site_file
from gateway.site.file.site_file import SiteFile, SiteFileError
from gateway.web.hosts import is_local
from gateway.wire.table import TableError

SiteArgument = Annotated[Path, typer.Argument(help="The site file (TOML).", metavar="SITE.toml")]


def check(site: SiteArgument) -> None:
    """Tell every mistake of a site file at once: its place, what was found, what is allowed."""
    file = read(site)
    tables = poll_tables(file)
    blocks = sum(len(table.blocks) for table in tables.values())
    numbers = {"devices": len(file.devices), "nodes": len(file.nodes), "blocks": blocks}
    addresses = {"page": f"{file.page.host}:{file.page.port}", "time": f"{file.time.host}:{file.time.port}"}
    Console().print(f"✓ {site}: {say('check.good', **numbers, **addresses)}", style="green", markup=False)
    for line in (*_loads(file), *_reversions(file, tables)):
        Console().print(f"  {line}", markup=False)
    for line in _remarks(file):
        Console().print(f"! {line}", style="yellow", markup=False)


def _remarks(file: SiteFile) -> Iterator[str]:
    """What is allowed, and should be meant."""
    if not is_local(file.page.host):
        yield say("check.page_open", page=f"{file.page.host}:{file.page.port}")
    for text, names in cautions.of_broker(file.broker):
        yield say(text, **names)


def _loads(file: SiteFile) -> Iterator[str]:
    """Each load, and whether it is commanded, measured, or planned and shown only."""
    commanded = {load.id for load in load_devices(file) if load.takes_orders}
    for id_, section in file.loads.items():
        names = {"name": id_, "kind": say(f"load.{section.kind}"), "device": section.device}
        if section.device is None:
            yield say("check.load_shown", **names)
        else:
            is_commanded = id_ in commanded
            yield say("check.load_commanded" if is_commanded else "check.load_metered", **names)


def _reversions(file: SiteFile, tables: Mapping[str, NodeTable]) -> Iterator[str]:
    """What becomes of the set-point of each device that is commanded when its node is lost."""
    for device in (device for table in tables.values() for device in table.actuators):
        setpoint = file.profiles[device].setpoint
        assert setpoint is not None  # noqa: S101 - it has an actuator
        reverts_s = setpoint.device_timeout_s
        numbers = {} if reverts_s is None else {"reverts_s": reverts_s}
        yield say(f"check.reverts_{setpoint.reversion}", device=device, **numbers)


def read(path: Path, *, may_lack_prices: bool = False) -> SiteFile:
    """The site file, or the mistakes on the screen and exit code 2.

    With `may_lack_prices` those about price lists are shown, too, but do not end the program.
    """
    try:
        file = site_file.read(path, may_lack_prices=may_lack_prices)
        poll_tables(file)
    except SiteFileError as error:
        show_mistakes(error)
    except TableError as error:
        Console(stderr=True).print(f"{path}: {error}", style="red", markup=False)
    else:
        if file.lists.mistakes:
            show_mistakes(SiteFileError(path, file.lists.mistakes))
        return file
    raise typer.Exit(2)


def read_credentials(file: SiteFile) -> Credentials:
    """The secrets of a site from the environment, or what is missing on the screen and exit code 2."""
    try:
        return Credentials.read(file, os.environ)
    except SiteFileError as error:
        show_mistakes(error)
    raise typer.Exit(2)


def show_mistakes(error: MistakesError) -> None:
    """All mistakes of a file as a table."""
    console = Console(stderr=True)
    title = say("check.mistakes", path=str(error.path), count=len(error.mistakes))
    table = Table(title=Text(title), show_lines=True)
    for heading in ("check.place", "check.found", "check.allowed"):
        table.add_column(say(heading), overflow="fold")
    for mistake in error.mistakes:
        table.add_row(Text(mistake.path), Text(mistake.found), Text(mistake.allowed))
    console.print(table)
