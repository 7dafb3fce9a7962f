"""Fleet of sites: all buildings beside each other, each a link to its own board."""

from gateway.report.grafana import mappings
from gateway.report.grafana.board import GrafanaBoard
from gateway.report.grafana.influxql import DAY, query
from gateway.report.grafana.panels import Panels, option, wide
from gateway.report.grafana.texts import Speaker

TO_BUILDING = [
    {"title": "", "url": "/d/zen-building?var-site=${__data.fields.site}&var-building=${__data.fields.building}"}
]


def fleet(say: Speaker) -> GrafanaBoard:
    """Every building that writes into this database."""
    make = Panels(say)
    board = GrafanaBoard("fleet", say, since="now-7d/d", until="now").clock().row("fleet.row")
    link = [{**TO_BUILDING[0], "title": say("board.building")}]
    place = {"site": "column.site", "building": "column.building"}
    tags = ("site", "building")
    now = query(
        "site",
        ", ".join(f'last("{name}") AS "{name}"' for name in ("grid_w", "pv_w", "load_w", "soc_pct")),
        by=tags,
        everywhere=True,
        is_table=True,
    )
    columns = {**place, "grid_w": "column.grid", "pv_w": "column.pv", "load_w": "column.base", "soc_pct": "column.soc"}
    options = {name: [option("unit", "watt"), option("decimals", 1)] for name in ("grid_w", "pv_w", "load_w")}
    options |= {"soc_pct": [option("unit", "percent"), option("decimals", 0)], "site": [option("links", link)]}
    board.add(make.rows("fleet.now", now, columns, hidden=("Time",), options=options), width=24, height=7)
    _sums(board, make, place, tags)
    _days(board.row("fleet.days.row"), make)
    return _alarms(board, make, say)


def _sums(board: GrafanaBoard, make: Panels, place: dict[str, str], tags: tuple[str, ...]) -> None:
    """What each building used and paid in the time that is shown."""
    select = (
        'sum("used_wh") AS "used", 100 * (sum("pv_to_load_wh") + sum("battery_to_load_wh")) / sum("used_wh") AS "own", '
        'sum("cost_eur") - sum("revenue_eur") AS "net", sum("battery_eur") AS "battery", mean("seen_pct") AS "seen"'
    )
    sums = query("account", select, by=tags, everywhere=True, is_table=True)
    names = {
        **place,
        "used": "column.used",
        "own": "column.own",
        "net": "column.net_cost",
        "battery": "column.battery_gain",
        "seen": "column.seen",
    }
    units = {
        "used": ("watth", 1),
        "own": ("percent", 0),
        "net": ("currencyEUR", 2),
        "battery": ("currencyEUR", 2),
        "seen": ("percent", 1),
    }
    settings = {name: [option("unit", unit), option("decimals", count)] for name, (unit, count) in units.items()}
    board.add(
        make.rows("fleet.sums", sums, names, hidden=("Time",), options=settings, sort=("net", True)), width=24, height=7
    )


def _days(board: GrafanaBoard, make: Panels) -> None:
    """The same day by day."""
    used = [query("account", 'sum("used_wh")', by=(DAY, "building"), everywhere=True, alias="$tag_building")]
    board.add(make.bars("fleet.used", used, unit="watth"), width=12, height=8)
    paid = [
        query(
            "account",
            'sum("cost_eur") - sum("revenue_eur")',
            by=(DAY, "building"),
            everywhere=True,
            alias="$tag_building",
        )
    ]
    board.add(make.bars("fleet.cost", paid, unit="currencyEUR"), width=12, height=8)


def _alarms(board: GrafanaBoard, make: Panels, say: Speaker) -> GrafanaBoard:
    """What a person should look at, of all of them."""
    alarms = query(
        "alarm",
        '"building", "device", "is_on", "sentence"',
        everywhere=True,
        tail="ORDER BY time DESC LIMIT 100",
        is_table=True,
    )
    said = {
        "Time": "column.time",
        "building": "column.building",
        "device": "column.device",
        "is_on": "column.is_on",
        "sentence": "column.what",
    }
    state = mappings.switch(say("alarm.on"), say("alarm.off"), on_colour="red", off_colour="green")
    shown = option("custom.cellOptions", {"type": "color-text"})
    from_alarm = {"Time": [wide(170)], "building": [wide(150)], "device": [wide(130)]}
    from_alarm |= {"is_on": [option("mappings", state), shown, wide(130)]}
    return board.add(
        make.rows("fleet.alarms", alarms, said, options=from_alarm, sort=("Time", True)), width=24, height=8
    )
