"""Devices and links: how fresh readings are, what failed, how long it takes, and what wears out."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import EACH, query
from gateway.report.grafana.panels import Panels, option, wide
from gateway.report.grafana.texts import Speaker

WAITING = ((None, "green"), (1_000.0, "orange"), (100_000.0, "red"))
COUNT = ((None, "green"), (1.0, "orange"))


def devices(say: Speaker) -> GrafanaBoard:
    """Whether a device is failing."""
    make = Panels(say)
    board = GrafanaBoard("devices", say, since="now-24h").choose_building().row("devices.row")
    quality = [query("device", 'last("quality")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.states("devices.quality", quality, mappings.qualities(say)), width=24, height=7)
    select = ", ".join(
        f'last("{field}") AS "{name}"'
        for name, field in (("age", "age_s"), ("good", "is_good"), ("answer", "answer_ms"), ("writes", "writes_left"))
    )
    found = query("device", select, by=("device", "role"), is_table=True)
    columns = {
        "device": "column.device",
        "role": "column.role",
        "good": "column.good",
        "age": "column.age",
        "answer": "column.answer",
        "writes": "column.writes",
    }
    good = [option("mappings", mappings.switch(say("quality.good"), say("quality.bad")))]
    options = {
        "device": [wide(110)],
        "role": [wide(75)],
        "good": [*good, option("custom.cellOptions", {"type": "color-text"}), wide(95)],
        "age": [option("unit", "s"), option("decimals", 0), wide(90)],
        "answer": [option("unit", "ms"), option("decimals", 0), wide(100)],
        "writes": [option("decimals", 0), wide(110)],
    }
    board.add(make.rows("devices.table", found, columns, hidden=("Time",), options=options), width=12, height=8)
    errors = [
        query(
            "device",
            f'non_negative_difference(last("{name}"))',
            by=("time(1h)", "device"),
            alias=f"$tag_device, {say(f'series.{name}')}",
        )
        for name in ("timeouts", "errors")
    ]
    board.add(make.bars("devices.errors", errors, unit="short"), width=12, height=8)
    missing = query(
        "health", '"device", "p_w_why", "order_by", "order_why"', tail="ORDER BY time DESC LIMIT 100", is_table=True
    )
    names = {
        "Time": "column.time",
        "device": "column.device",
        "p_w_why": "column.absent",
        "order_by": "column.order",
        "order_why": "column.refused",
    }
    board.add(
        make.rows("devices.health", missing, names, options={"Time": [option("custom.width", 170)]}), width=24, height=8
    )
    return _links(board.row("links.row"), make, say)


def _links(board: GrafanaBoard, make: Panels, say: Speaker) -> GrafanaBoard:
    """What waits for the database, and how late the gateway is."""
    for key, field, unit, steps in (
        ("links.waiting", "waiting", "short", WAITING),
        ("links.dropped", "dropped", "short", COUNT),
        ("links.refused", "refused", "short", COUNT),
        ("links.memory", "memory_mb", "mbytes", ((None, "text"),)),
    ):
        number = make.number(key, query("gateway", f'last("{field}")'), unit=unit, steps=steps, decimals=0)
        board.add(number, width=6, height=4)
    late = [
        query("gateway", f'max("{name}_ms")', by=(EACH,), alias=say(f"series.{name}")) for name in ("late", "latency")
    ]
    colours = {say("series.late"): "plan", say("series.latency"): "load"}
    board.add(make.lines("links.late", late, unit="ms", colours=colours, every="1m", decimals=0), width=12, height=7)
    share = [query("gateway", 'max("import_share_pct")', by=(EACH,), alias=say("series.import_share"))]
    shown = {say("series.import_share"): "grid"}
    return board.add(make.lines("links.import", share, unit="percent", colours=shown, every="1m"), width=12, height=7)
