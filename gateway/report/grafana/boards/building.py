"""Building now: what flows, what the day has brought so far, and what needs a person."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import DAY, EACH, query
from gateway.report.grafana.panels import Panels, option
from gateway.report.grafana.texts import Speaker

GRID = ((None, "green"), (6_000.0, "orange"), (9_000.0, "red"))
CHARGE = ((None, "orange"), (20.0, "green"))


def building(say: Speaker) -> GrafanaBoard:
    """The board that stays open on a wall."""
    make = Panels(say)
    board = GrafanaBoard("building", say, since="now-24h", refresh="10s").choose_building()
    board.row("now.row")
    for key, select, steps in (
        ("now.grid", 'last("grid_w")', GRID),
        ("now.pv", '-1 * last("pv_w")', ((None, "yellow"),)),
        ("now.load", 'last("load_w")', ((None, "blue"),)),
        ("now.loads", 'last("loads_w")', ((None, "blue"),)),
        ("now.battery", 'last("battery_w")', ((None, "green"),)),
    ):
        board.add(make.number(key, query("site", select), unit="watt", steps=steps), width=4, height=4)
    soc = query("site", 'last("soc_pct")')
    board.add(make.number("now.soc", soc, unit="percent", steps=CHARGE, decimals=0), width=4, height=4)
    names = {name: say(f"series.{name}") for name in ("grid", "pv", "load", "loads", "battery")}
    selects = {name: f'mean("{name}_w")' for name in names} | {"pv": '-1 * mean("pv_w")'}
    power = [query("site", selects[name], by=(EACH,), alias=alias) for name, alias in names.items()]
    colours = {alias: name for name, alias in names.items()}
    board.add(make.lines("now.power", power, unit="watt", colours=colours), width=16, height=9)
    charge = [
        query("site", 'mean("soc_pct")', by=(EACH,), alias=say("series.soc")),
        query("plan", 'last("soc_pct")', by=(EACH,), alias=say("series.soc_plan")),
    ]
    shown = {say("series.soc"): "battery", say("series.soc_plan"): "plan"}
    board.add(make.lines("now.charge", charge, unit="percent", colours=shown, decimals=0), width=8, height=9)
    doing = [query("control", 'last("mode")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.states("now.modes", doing, mappings.modes(say)), width=24, height=6)
    board.row("today.row")
    for key, field in (
        ("today.import", "import_wh"),
        ("today.export", "export_wh"),
        ("today.pv", "pv_wh"),
        ("today.used", "used_wh"),
    ):
        found = query("account", f'sum("{field}")', by=(DAY,))
        board.add(make.number(key, found, unit="watth", since="now/d"), width=5, height=4)
    cost = query("account", 'sum("cost_eur") - sum("revenue_eur")', by=(DAY,))
    board.add(make.number("today.cost", cost, unit="currencyEUR", decimals=2, since="now/d"), width=4, height=4)
    alarms = query("alarm", '"is_on", "device", "sentence"', tail="ORDER BY time DESC LIMIT 50", is_table=True)
    columns = {"Time": "column.time", "is_on": "column.is_on", "device": "column.device", "sentence": "column.what"}
    state = [
        option("mappings", mappings.switch(say("alarm.on"), say("alarm.off"), on_colour="red", off_colour="green"))
    ]
    sizes = {"Time": [option("custom.width", 170)], "device": [option("custom.width", 140)]}
    state += [option("custom.width", 130), option("custom.cellOptions", {"type": "color-text"})]
    return board.add(
        make.rows("now.alarms", alarms, columns, options={**sizes, "is_on": state}, sort=("Time", True)),
        width=24,
        height=7,
    )
