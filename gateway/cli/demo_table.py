"""The live table of `zen demo`: the building now, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.cli.language import language, say
from gateway.words.figures import figure

_COLOURS = {"good": "green", "assumed": "green", "stale": "yellow", "absent": "red"}


def picture(state: Mapping[str, Any], page: str) -> RenderableType:
    """The state payload of the page for a terminal; production as a positive number."""
    return Group(_flow(state), _devices(state), _why(state), Text(say("demo.page", url=page), style="dim"))


def _flow(state: Mapping[str, Any]) -> Table:
    flow = state["flow"]
    local = datetime.fromisoformat(state["time"]).astimezone(ZoneInfo(state["site"]["time_zone"]))
    table = Table(title=f"{state['site']['name']} · {local:%Y-%m-%d %H:%M:%S}", expand=False)
    rows = {
        "demo.pv": None if flow["pv_w"] is None else -flow["pv_w"],
        "demo.load": flow["load_w"],
        "demo.battery": flow["battery_w"],
        "demo.grid": flow["grid_w"],
    }
    for heading in (*rows, "demo.soc"):
        table.add_column(say(heading), justify="right", min_width=10)
    soc = figure(language(), "soc", state["soc"])
    table.add_row(*(figure(language(), "p_w", power) for power in rows.values()), soc)
    return table


def _devices(state: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    for device in state["devices"]:
        quality = Text(say(f"quality.{device['quality']}"), style=_COLOURS[device["quality"]])
        why = say(f"why.{device['why']}") if device["why"] else ""
        table.add_row(device["id"], device["title"], quality, figure(language(), "age_s", device["age_s"]), why)
    return table


def _why(state: Mapping[str, Any]) -> Text:
    setpoint = state["setpoint"]
    if setpoint is None:
        return Text("")
    reason = setpoint["reason"]
    power = figure(language(), "p_w", setpoint["power_w"])
    return Text(f"{power} — {say('reason.' + reason['code'], **reason['numbers'])}", style="bold")
