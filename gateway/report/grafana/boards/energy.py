"""Energy and money: days, months and years, from the accounts of quarter hours."""

from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import DAY, query
from gateway.report.grafana.panels import Panels, option, wide
from gateway.report.grafana.texts import Speaker

SHARE = ((None, "orange"), (30.0, "yellow"), (60.0, "green"))


def energy(say: Speaker) -> GrafanaBoard:
    """The board for a manager's month."""
    make = Panels(say)
    board = GrafanaBoard("energy", say, since="now-30d/d", until="now", refresh="15m").choose_building().periods()
    board.row("money.row")
    euros = (
        ("money.net", 'sum("cost_eur") - sum("revenue_eur")'),
        ("money.cost", 'sum("cost_eur")'),
        ("money.revenue", 'sum("revenue_eur")'),
        ("money.battery", 'sum("battery_eur")'),
    )
    for key, select in euros:
        panel = make.number(key, query("account", select), unit="currencyEUR", decimals=2)
        board.add(panel, width=6, height=4)
    sun = query("account", '100 * (sum("pv_to_load_wh") + sum("battery_to_load_wh")) / sum("used_wh")')
    own = query("account", '100 * (sum("pv_to_load_wh") + sum("pv_to_battery_wh")) / sum("pv_wh")')
    board.add(make.number("share.own", sun, unit="percent", steps=SHARE), width=6, height=4)
    board.add(make.number("share.used", own, unit="percent", steps=SHARE), width=6, height=4)
    co2 = query("account", 'sum("co2_g")')
    board.add(make.number("share.co2", co2, unit="massg"), width=6, height=4)
    lost = query("account", 'sum("curtailed_wh")')
    board.add(make.number("share.curtailed", lost, unit="watth"), width=6, height=4)
    used = (
        ("pv_to_load", "pv", 'sum("pv_to_load_wh")'),
        ("battery_to_load", "battery", 'sum("battery_to_load_wh")'),
        ("grid_to_load", "grid", 'sum("grid_to_load_wh")'),
    )
    given = (
        ("pv_to_load", "load", 'sum("pv_to_load_wh")'),
        ("pv_to_battery", "battery", 'sum("pv_to_battery_wh")'),
        ("pv_to_grid", "export", 'sum("pv_to_grid_wh")'),
    )
    paid = (("cost", "grid", 'sum("cost_eur")'), ("revenue", "pv", '-1 * sum("revenue_eur")'))
    stored = (
        ("charge", "battery", 'sum("charge_wh")'),
        ("discharge", "load", '-1 * sum("discharge_wh")'),
    )
    board.row("days.row")
    for key, series, unit in (
        ("days.used", used, "watth"),
        ("days.pv", given, "watth"),
        ("days.money", paid, "currencyEUR"),
        ("days.battery", stored, "watth"),
    ):
        queries = [query("account", select, by=(DAY,), alias=say(f"series.{name}")) for name, _, select in series]
        colours = {say(f"series.{name}"): colour for name, colour, _ in series}
        board.add(make.bars(key, queries, unit=unit, colours=colours), width=12, height=8)
    return board.row("loads.row").add(loads_table(make), width=12, height=8).add(_prices(say, make), width=12, height=8)


def loads_table(make: Panels) -> object:
    """Which load used most, with what it cost."""
    select = (
        'sum("used_wh") AS "used", 100 * sum("of_sun_wh") / sum("used_wh") AS "sun", '
        '100 * sum("of_battery_wh") / sum("used_wh") AS "battery", sum("cost_eur") AS "cost"'
    )
    found = query("account_load", select, by=("device",), is_table=True)
    columns = {
        "device": "column.load",
        "used": "column.used",
        "sun": "column.sun",
        "battery": "column.battery",
        "cost": "column.cost",
    }
    units = {"used": "watth", "sun": "percent", "battery": "percent", "cost": "currencyEUR"}
    options = {
        name: [option("unit", unit), option("decimals", 1 if unit != "currencyEUR" else 2), wide(110)]
        for name, unit in units.items()
    }
    options["device"] = [wide(110)]
    return make.rows("loads.table", found, columns, hidden=("Time",), options=options, sort=("used", True))


def _prices(say: Speaker, make: Panels) -> object:
    queries = [
        query("price", f'last("{name}_eur_per_kwh")', by=("time(15m)",), alias=say(f"series.{name}"))
        for name in ("buy", "sell")
    ]
    colours = {say("series.buy"): "grid", say("series.sell"): "pv"}
    unit = "suffix:€/kWh"
    return make.lines("days.price", queries, unit=unit, colours=colours, steps=True, decimals=3, fill=0, every="15m")
