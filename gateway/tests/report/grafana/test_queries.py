"""Every panel's and every alert's query on a real database, over weeks with a day of 25 hours and one of 23."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.database.account_rows import account_rows
from gateway.database.tags import RowOrigin
from gateway.ports import Row
from gateway.report.grafana.files import files
from gateway.rig.database import Database
from gateway.rig.part import Part
from gateway.tests.report.grafana import asked, day_rows, days

pytestmark = [pytest.mark.parts, pytest.mark.asyncio(loop_scope="module")]
PARIS = asked.PARIS
AUTUMN, SPRING = date(2026, 10, 12), date(2027, 3, 22)
RAW_FROM = date(2026, 10, 24)
NOW = datetime(2026, 10, 25, 18, 0, tzinfo=PARIS)  # on the day of 25 hours
BOARDS = {name: json.loads(text) for name, text in files().items() if "/dashboards/" in name and name.endswith("json")}
RULES = {name: json.loads(text) for name, text in files().items() if name.endswith("rules.yaml")}
GOLD = RowOrigin(site="gold", building="gold", roles={"meter": "grid"})


def golden(first: date, count: int) -> list[Row]:
    """A building that imports 1 kW, always."""
    flat = replace(next(days.quarters(first, 1)), loads={}, flows=None, curtailed_wh=None)
    found = []
    begin, end = days.local(first), days.local(date.fromordinal(first.toordinal() + count))
    for start_s in range(round(begin), round(end), 900):
        energy = replace(flat.devices["meter"], drawn_wh=0.0, given_wh=250.0)
        found += account_rows(replace(flat, start_s=start_s, devices={"meter": energy}, used_wh=250.0), GOLD)
    return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def database(influxd: Part, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("boards")
    async with asked.scratch(influxd, folder, port) as found:
        raw_from_s, now_s = days.local(RAW_FROM), NOW.timestamp()
        assert await asked.fill(found, day_rows.rows(AUTUMN, 16, raw_from_s=raw_from_s, now_s=now_s)) > 60_000
        await asked.fill(found, [row for one in days.quarters(SPRING, 8) for row in account_rows(one, ORIGIN)])
        await asked.fill(found, [*golden(date(2026, 10, 23), 4), *golden(date(2027, 3, 26), 4)])
        yield found


ORIGIN = RowOrigin(site="lens", building="lens", roles=days.ROLES)


def values(result: Mapping[str, Any]) -> list[Any]:
    """All values of an answer but the times."""
    return [
        value for one in result.get("series", []) for row in one["values"] for value in row[1:] if value is not None
    ]


@pytest.mark.parametrize("name", sorted(BOARDS))
async def test_no_panel_is_empty_and_no_answer_is_an_error(database: Database, name: str) -> None:
    board = BOARDS[name]
    found = await asked.answers(database, board, NOW)
    titles = {panel["id"]: panel["title"] for panel in board["panels"]}
    empty = [(titles[number], ref) for number, refs in found.items() for ref, one in refs.items() if not values(one)]
    assert empty == []
    assert len(found) >= 5


@pytest.mark.parametrize("name", sorted(RULES))
async def test_every_rule_has_numbers_of_each_building(database: Database, name: str) -> None:
    for rule in RULES[name]["groups"][0]["rules"]:
        question = rule["data"][0]
        model, now_ms = question["model"], round(NOW.timestamp() * 1000)
        span = asked.Span(start_ms=now_ms - 1000 * question["relativeTimeRange"]["from"], end_ms=now_ms)
        if rule["uid"] == "zen-alarm":  # the alarm of this building ended in the morning
            span = replace(span, start_ms=now_ms - 12 * 3_600_000)
        result = await asked.ask(database, question["datasourceUid"], asked.filled(model["query"], {}, span, 60_000))
        assert values(result), rule["title"]
        assert {one["tags"]["building"] for one in result["series"]} == {"lens"}, rule["title"]


async def days_of(database: Database, panel: int, board: str, now: datetime, building: str) -> dict[str, float]:
    """The bars of the first series of a panel: local day -> value, over the month of `now`."""
    shown = {**BOARDS[f"en/dashboards/{board}.json"], "time": {"from": "now/M", "to": "now/M"}}
    found = await asked.answers(database, shown, now, building)
    rows = found[panel]["A"]["series"][0]["values"]
    return {datetime.fromtimestamp(t / 1000, PARIS).date().isoformat(): value for t, value in rows if value is not None}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 28, tzinfo=PARIS), {"2026-10-24": 24_000, "2026-10-25": 25_000, "2026-10-26": 24_000}),
        (datetime(2027, 3, 30, tzinfo=PARIS), {"2027-03-27": 24_000, "2027-03-28": 23_000, "2027-03-29": 24_000}),
    ],
)
async def test_a_day_has_23_24_or_25_hours(database: Database, now: datetime, expected: dict[str, float]) -> None:
    board = BOARDS["en/dashboards/fleet.json"]
    [panel] = [one for one in board["panels"] if one["title"] == "Energy used"]
    span = asked.Span(start_ms=round((now.timestamp() - 6 * 86400) * 1000), end_ms=round(now.timestamp() * 1000))
    text = asked.filled(panel["targets"][0]["query"], {"tz": "Europe/Paris"}, span, 3_600_000)
    result = await asked.ask(database, "zen-quarters", text)
    [gold] = [one for one in result["series"] if one["tags"]["building"] == "gold"]
    found = {datetime.fromtimestamp(t / 1000, PARIS).date().isoformat(): value for t, value in gold["values"]}
    assert {day: found[day] for day in expected} == expected


async def test_figures_are_the_sums_of_the_accounts(database: Database) -> None:
    """The board of a month beside the same sums taken in Python from the accounts."""
    board = {**BOARDS["en/dashboards/energy.json"], "time": {"from": "now/M", "to": "now/M"}}
    found = await asked.answers(database, board, NOW)
    accounts = [one for one in days.quarters(AUTUMN, 16) if one.start_s + 900 <= NOW.timestamp()]
    bought = sum((one.devices["meter"].given_wh or 0.0) / 1000 * one.price.buy for one in accounts if one.price)
    sold = sum((one.devices["meter"].drawn_wh or 0.0) / 1000 * one.price.sell for one in accounts if one.price)
    used = sum(one.used_wh or 0.0 for one in accounts)
    own = sum(one.flows.pv_to_load_wh + one.flows.battery_to_load_wh for one in accounts if one.flows)
    numbers = {
        panel["title"]: values(found[panel["id"]]["A"])[0] for panel in board["panels"] if panel["type"] == "stat"
    }
    assert numbers["Cost of import"] == pytest.approx(bought)
    assert numbers["Revenue of export"] == pytest.approx(sold)
    assert numbers["Energy bill"] == pytest.approx(bought - sold)
    assert numbers["Self-sufficiency"] == pytest.approx(100 * own / used)
    by_day = await days_of(database, 301 - 100, "energy", NOW, "lens")
    first = [one.flows.pv_to_load_wh for one in days.quarters(AUTUMN, 1) if one.flows]
    assert by_day["2026-10-12"] == pytest.approx(sum(first))


async def test_overrides_by_name_meet_a_series_that_comes(database: Database) -> None:
    for name, board in BOARDS.items():
        found = await asked.answers(database, board, NOW)
        for panel in board["panels"]:
            names = set(_names(panel, found.get(panel["id"], {})))
            for one in panel.get("fieldConfig", {}).get("overrides", []):
                assert one["matcher"]["options"] in names, (name, panel["title"], one["matcher"], names)


def _names(panel: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Of series by their alias, of columns as they are renamed."""
    if panel["type"] == "table":
        renamed = panel["transformations"][0]["options"]["renameByName"]
        columns = [column for one in found["A"]["series"] for column in [*one.get("tags", {}), *one["columns"]]]
        return [renamed.get("Time" if column == "time" else column, column) for column in columns]
    return [target.get("alias", "") for target in panel.get("targets", []) if found[target["refId"]].get("series")]


@pytest.mark.parametrize(
    ("change", "meets"),
    [
        (('"import_wh"', '"imported_wh"'), "empty"),
        (('"account"', '"accounts"'), "empty"),
        (("$timeFilter", "$timefilter"), "a macro is left"),
        (('sum("import_wh")', 'sum("import_wh"'), "expected \\)"),
        (("sum(", "summe("), "undefined function"),
    ],
)
async def test_a_mistake_in_a_query_is_found(database: Database, change: tuple[str, str], meets: str) -> None:
    board = json.loads(json.dumps(BOARDS["en/dashboards/building.json"]))
    [panel] = [one for one in board["panels"] if one["title"] == "Imported today"]
    panel["targets"][0]["query"] = panel["targets"][0]["query"].replace(*change)
    board["panels"] = [panel]
    if meets == "empty":
        found = await asked.answers(database, board, NOW)
        assert values(found[panel["id"]]["A"]) == []
    else:
        with pytest.raises(ValueError, match=meets):
            await asked.answers(database, board, NOW)
