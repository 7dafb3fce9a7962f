"""Loads and comfort: what each load draws, what it was planned to, and how warm it is."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.boards.energy import loads_table
from gateway.report.grafana.influxql import DAY, EACH, query
from gateway.report.grafana.panels import Panels
from gateway.report.grafana.texts import Speaker


def loads(say: Speaker) -> GrafanaBoard:
    """All loads that are metered or planned."""
    make = Panels(say)
    board = GrafanaBoard("loads", say, since="now-24h", until="now+12h").choose_building().row("loads.row")
    power = [query("load", 'mean("p_w")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.lines("loads.power", power, unit="watt"), width=12, height=8)
    planned = [query("load_plan", 'mean("p_w")', by=("time(15m)", "device"), alias="$tag_device")]
    board.add(make.lines("loads.plan", planned, unit="watt", steps=True, every="15m"), width=12, height=8)
    temps = [query("load", 'mean("temp_c")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.lines("loads.temp", temps, unit="celsius", fill=0), width=12, height=8)
    reasons = [query("decision", 'last("reason")', by=(EACH, "device"), where="\"role\" = 'load'", alias="$tag_device")]
    board.add(make.states("loads.reasons", reasons, mappings.reasons(say)), width=12, height=8)
    board.row("loads.days.row")
    days = [query("account_load", 'sum("used_wh")', by=(DAY, "device"), alias="$tag_device")]
    panel = make.bars("loads.days", days, unit="watth").time_from("30d")
    return board.add(panel, width=12, height=8).add(loads_table(make).time_from("30d"), width=12, height=8)  # type: ignore[attr-defined]
