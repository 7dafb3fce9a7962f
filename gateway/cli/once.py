"""`zen once`: look at a building for one cycle; nothing is commanded and nothing is stored."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.clock import SystemClock
from gateway.app import Gateway
from gateway.cli.check import SiteArgument, read, read_credentials
from gateway.cli.language import language, say
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.view.schema.cycle import CycleView
from gateway.words.figures import figure

WaitOption = Annotated[float, typer.Option(help="Longest wait for the devices' reports.", min=1, max=120)]


def once(site: SiteArgument, wait_s: WaitOption = 15.0) -> None:
    """Read everything once, decide once, and print it as a table."""
    file = read(site)
    credentials = read_credentials(file)
    state, error_text = asyncio.run(_look(replace(file, database=None), credentials, wait_s))
    if error_text:
        Console(stderr=True).print(
            say("once.no_broker", url=f"{file.broker.host}:{file.broker.port}"), style="red", markup=False
        )
        raise typer.Exit(1)
    _print(state)


async def _look(file: SiteFile, credentials: Credentials, wait_s: float) -> tuple[CycleView, str | None]:
    gateway = Gateway(file, credentials, clock=SystemClock(), writes=False)
    connection = asyncio.create_task(gateway.nodes.broker.run(gateway.nodes.link.receive), name="broker")
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await _all_reported(gateway, set(file.devices))
        await gateway.loop.cycle(commands=False)
        return gateway.view.state(), None if gateway.nodes.broker.is_up else gateway.nodes.broker.error
    finally:
        connection.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connection
        gateway.close()


async def _all_reported(gateway: Gateway, devices: set[str]) -> None:
    """Wait until each device has reported every point once, and a power that may be used."""
    wanted = {(device, point.name) for device in devices for point in gateway.file.profiles[device].points}
    while True:
        state = gateway.nodes.measurements.state()
        is_known = all(
            state.reading(device, "p_w").value is not None for device in devices if (device, "p_w") in wanted
        )
        if is_known and all(state.reading(device, point).measured_s > 0 for device, point in wanted):
            return
        await gateway.nodes.measurements.sample(1.0)


def _print(state: CycleView) -> None:
    console = Console()
    table = Table(title=Text(f"{state.site.name} · {state.time}"))
    for heading in ("once.device", "once.point", "once.value", "once.age", "once.quality"):
        table.add_column(say(heading), justify="right" if heading in ("once.value", "once.age") else "left")
    for device in state.devices:
        for i, point in enumerate(device.points):
            value = figure(language(), point.name, point.value)
            age = "" if point.age_s is None else f"{point.age_s:.1f} s"
            quality = say(f"why.{point.why}") if point.why else say(f"quality.{device.quality}")
            table.add_row(device.id if i == 0 else "", point.name, value, age, quality)
        table.add_section()
    console.print(table)
    setpoint = state.setpoint
    if setpoint is not None:
        reason = say(f"reason.{setpoint.reason.code}", **setpoint.reason.numbers)
        console.print(f"{setpoint.device}: {figure(language(), 'p_w', setpoint.power_w)} - {reason}", markup=False)
