"""Nodes: are they there, do they keep up, what do they run."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import EACH, query
from gateway.report.grafana.panels import Panels, option
from gateway.report.grafana.texts import Speaker


def nodes(say: Speaker) -> GrafanaBoard:
    """All nodes of a building."""
    make = Panels(say)
    board = GrafanaBoard("nodes", say, since="now-24h").choose_building().row("nodes.row")
    up = [query("node", 'last("is_up")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.states("nodes.up", up, mappings.switch(say("node.up"), say("node.down"))), width=24, height=6)
    select = ", ".join(
        f'last("{name}") AS "{name}"' for name in ("age_s", "uptime_s", "waiting", "lost", "restarts", "memory_kb")
    )
    figures = query("node", select, by=("device",), is_table=True)
    columns = {
        "device": "column.node",
        "age_s": "column.age",
        "uptime_s": "column.uptime",
        "waiting": "column.waiting",
        "lost": "column.lost",
        "restarts": "column.restarts",
        "memory_kb": "column.memory",
    }
    units = {"age_s": "s", "uptime_s": "s", "memory_kb": "kbytes"}
    options = {name: [option("unit", unit), option("decimals", 0)] for name, unit in units.items()}
    board.add(make.rows("nodes.table", figures, columns, hidden=("Time",), options=options), width=24, height=6)
    says = query(
        "node",
        '"device", "fw", "mode", "why", "refused", "test"',
        where='"fw" =~ /./',
        tail="ORDER BY time DESC LIMIT 50",
        is_table=True,
    )
    names = {
        "Time": "column.time",
        "device": "column.node",
        "fw": "column.release",
        "mode": "column.mode",
        "why": "column.restart",
        "refused": "column.table_refused",
        "test": "column.test",
    }
    board.add(make.rows("nodes.news", says, names, options={"Time": [option("custom.width", 170)]}), width=24, height=7)
    for key, field, unit in (("nodes.waiting", "waiting", "short"), ("nodes.memory", "memory_kb", "kbytes")):
        found = [query("node", f'max("{field}")', by=(EACH, "device"), alias="$tag_device")]
        board.add(make.lines(key, found, unit=unit, every="1m", decimals=0), width=12, height=7)
    return board
