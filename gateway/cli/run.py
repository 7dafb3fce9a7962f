"""`zen run`: control a building until it is stopped."""

import asyncio
import json
import os
import resource
import sys
from typing import Annotated

import typer
from rich.console import Console

from gateway.adapters.clock import SystemClock
from gateway.adapters.sntp import TimeAddressError
from gateway.app import Gateway, stop_on_signals
from gateway.cli.check import SiteArgument, read, read_credentials
from gateway.cli.language import say
from gateway.cli.log import RepeatFilter, set_up_log, tell_counts
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.web.server import AddressError

OffsetOption = Annotated[float, typer.Option(help="Shift the clock by so many seconds (demonstrations).", hidden=True)]

DESCRIPTORS = 4096


def run(site: SiteArgument, clock_offset_s: OffsetOption = 0.0) -> None:
    """Control the building of a site file. Ctrl-C gives every device back before leaving."""
    os.umask(0o077)  # whatever is written from here on is for this user alone
    repeats = set_up_log()
    _use_more_descriptors()
    file = read(site, may_lack_prices=True)
    credentials = read_credentials(file)
    try:
        asyncio.run(_run(file, credentials, SystemClock(offset_s=clock_offset_s), repeats))
    except (AddressError, TimeAddressError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


async def _run(file: SiteFile, credentials: Credentials, clock: SystemClock, repeats: RepeatFilter) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    counting = asyncio.create_task(tell_counts(repeats), name="log")
    gateway = Gateway(file, credentials, clock=clock)
    try:
        await gateway.run(stop, _ready)
    finally:
        gateway.close()
        counting.cancel()


def _use_more_descriptors() -> None:
    """More open files and connections than systems give to a program that serves nobody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if 0 <= soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _ready(url: str) -> None:
    """One line for programs on a pipe, a sentence for people on a terminal."""
    if sys.stdout.isatty():
        Console().print(say("run.ready", url=url))
    else:
        sys.stdout.write(json.dumps({"ready": True, "page": url}) + "\n")
        sys.stdout.flush()
