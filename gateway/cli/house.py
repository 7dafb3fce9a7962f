"""`zen house HOUSE.toml`: the simulated building alone."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from gateway.simulator.run import Ready, run_house
from gateway.simulator.settings.house_file import load_house
from gateway.simulator.settings.mistakes import HouseFileError, HouseLinkError
from gateway.simulator.simulation import Simulation

app = typer.Typer(add_completion=False)
people = Console(stderr=True)  # stdout is for programs


def house(
    house_file: Annotated[
        Path, typer.Argument(help="The house file, for example config/demo/house.toml.", metavar="HOUSE.toml")
    ],
    watch: Annotated[bool, typer.Option(help="Show the building live on the terminal.")] = False,
) -> None:
    """Run a simulated building: real registers on a serial line and on Modbus TCP, until Ctrl-C."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        settings = load_house(house_file)
        if not watch:
            asyncio.run(run_house(settings, ready=_print_ready))
            return
        with Live(console=people, auto_refresh=False) as live:
            asyncio.run(
                run_house(settings, ready=_print_ready, watch=lambda now: live.update(picture(now), refresh=True))
            )
    except HouseFileError as error:
        for mistake in error.mistakes:
            people.print(str(mistake), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    except HouseLinkError as error:
        people.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def picture(simulation: Simulation) -> Table:
    """The building now, for people: production as a positive number."""
    state = simulation.state
    table = Table(title=None, box=None, pad_edge=False)
    loads = [name.replace("_", " ") for name in state.loads_w]
    for name in ("load", *loads, "PV", "battery", "grid", "charge", "battery mode", "faults"):
        table.add_column(name, justify="right")
    table.add_row(
        f"{state.base_load_w:.0f} W",
        *(f"{power_w:.0f} W" for power_w in state.loads_w.values()),
        f"{max(-state.pv_w, 0.0):.0f} W",
        f"{state.battery_w:+.0f} W",
        f"{state.grid_w:+.0f} W",
        f"{100.0 * state.soc:.1f} %",
        state.battery_mode if state.setpoint_w is None else f"{state.battery_mode} {state.setpoint_w:+.0f} W",
        ", ".join(simulation.faults.names()) or "none",
    )
    return table


def _print_ready(where: Ready) -> None:
    print(json.dumps(where.as_dict()), flush=True)


app.command()(house)

if __name__ == "__main__":
    app()
