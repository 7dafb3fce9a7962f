"""Why it did that: the plan beside what came of it, and the reasons as sentences."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import EACH, query
from gateway.report.grafana.panels import Panels, option
from gateway.report.grafana.texts import Speaker

QUARTER = "time(15m)"


def why(say: Speaker) -> GrafanaBoard:
    """From twelve hours ago to twelve hours ahead."""
    make = Panels(say)
    board = GrafanaBoard("why", say, since="now-12h", until="now+12h").choose_building().row("why.row")
    reasons = [query("decision", 'last("reason")', by=(EACH, "device"), alias="$tag_device")]
    board.add(make.states("why.reasons", reasons, mappings.reasons(say)), width=24, height=6)
    sentences = query("decision", '"device", "sentence", "p_set_w"', tail="ORDER BY time DESC LIMIT 200", is_table=True)
    columns = {"Time": "column.time", "device": "column.device", "p_set_w": "column.p_set", "sentence": "column.why"}
    options = {
        "Time": [option("custom.width", 170)],
        "device": [option("custom.width", 130)],
        "p_set_w": [option("unit", "watt"), option("custom.width", 110)],
    }
    board.add(make.rows("why.sentences", sentences, columns, options=options, sort=("Time", True)), width=24, height=9)
    return _plan_slots(_plan_lines(board.row("plan.row"), make, say), make)


def _plan_lines(board: GrafanaBoard, make: Panels, say: Speaker) -> GrafanaBoard:
    """Plan and forecasts beside what came of them."""
    charge = (
        ("soc", "battery", "site", 'mean("soc_pct")', EACH),
        ("soc_plan", "plan", "plan", 'last("soc_pct")', QUARTER),
    )
    load = (
        ("load", "load", "site", 'mean("load_w")', QUARTER),
        ("load_low", "band", "plan", 'last("load_low_w")', QUARTER),
        ("load_mid", "plan", "plan", 'last("load_mid_w")', QUARTER),
        ("load_high", "band", "plan", 'last("load_high_w")', QUARTER),
    )
    pv = (
        ("pv", "pv", "site", '-1 * mean("pv_w")', QUARTER),
        ("pv_low", "band", "plan", '-1 * last("pv_low_w")', QUARTER),
        ("pv_mid", "plan", "plan", '-1 * last("pv_mid_w")', QUARTER),
        ("pv_high", "band", "plan", '-1 * last("pv_high_w")', QUARTER),
    )
    price = (
        ("buy", "grid", "price", 'last("buy_eur_per_kwh")', QUARTER),
        ("sell", "pv", "price", 'last("sell_eur_per_kwh")', QUARTER),
        ("value", "plan", "plan", 'last("value_eur_per_kwh")', QUARTER),
    )
    for key, series, unit, steps in (
        ("plan.charge", charge, "percent", False),
        ("plan.price", price, "suffix:€/kWh", True),
        ("plan.load", load, "watt", True),
        ("plan.pv", pv, "watt", True),
    ):
        queries = [
            query(measurement, select, by=(every,), alias=say(f"series.{name}"))
            for name, _, measurement, select, every in series
        ]
        colours = {say(f"series.{name}"): colour for name, colour, *_ in series}
        decimals = 3 if "€" in unit else 0
        lines = make.lines(key, queries, unit=unit, colours=colours, fill=0, steps=steps, decimals=decimals)
        board.add(lines, width=12, height=8)
    return board


def _plan_slots(board: GrafanaBoard, make: Panels) -> GrafanaBoard:
    """Each quarter hour of the plan with its sentence."""
    select = '"soc_pct", "net_w", "value_eur_per_kwh", "sentence"'
    slots = query("plan", select, tail="ORDER BY time DESC LIMIT 300", is_table=True)
    names = {
        "Time": "column.slot",
        "soc_pct": "column.soc",
        "net_w": "column.net",
        "value_eur_per_kwh": "column.value",
        "sentence": "column.why",
    }
    settings = {
        "Time": [option("custom.width", 170)],
        "soc_pct": [option("unit", "percent"), option("decimals", 0), option("custom.width", 110)],
        "net_w": [option("unit", "watt"), option("custom.width", 110)],
        "value_eur_per_kwh": [option("unit", "suffix:€/kWh"), option("decimals", 3), option("custom.width", 140)],
    }
    return board.add(make.rows("plan.table", slots, names, options=settings, sort=("Time", False)), width=24, height=9)
