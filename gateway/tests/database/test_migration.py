"""Rows of release 0.1.0 in a real database, copied to their new names: once, cut short, and again."""

import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.adapters.store.line_protocol import line
from gateway.adapters.store.old_rows import DatabasePlace, MigrationError, migrate
from gateway.database.measurements import mistakes
from gateway.database.migration import migrated
from gateway.database.schema import Bucket
from gateway.database.tags import RowOrigin
from gateway.ports import Row
from gateway.rig.database import Database
from gateway.rig.exchange import exchange
from gateway.rig.part import Part
from gateway.tests.report.grafana import asked

T = 1_718_964_000_000  # 2024-06-21 10:00 UTC
ORIGIN = RowOrigin(
    site="lens",
    building="lens",
    roles={"grid": "grid", "east": "pv", "west": "pv", "battery": "battery", "car": "load"},
)


def old(measurement: str, at_s: int = 0, device: str | None = None, **fields: float | str | bool) -> Row:
    tags = {"site": "lens"} | ({"device": device} if device else {})
    return Row(measurement=measurement, tags=tags, fields=fields, time_ms=T + 1000 * at_s)


def node(at_s: int, **fields: float | str | bool) -> Row:
    return Row(measurement="health", tags={"site": "lens", "node": "cellar"}, fields=fields, time_ms=T + 1000 * at_s)


# Each old row, and what it is now: written out by hand from the table in gateway/database/migration.py.
CASES = [
    (old("meter", device="grid", p_w=500.0, e_import_wh=7.0), [("grid", {"p_w": 500.0, "e_import_wh": 7.0})]),
    (old("meter", device="car", p_w=3680.0), [("load", {"p_w": 3680.0})]),
    (
        old("meter", device="grid", p_l1_w=1.0, p_l2_w=2.0, u_l1_v=230.0),
        [("phase", {"p_w": 1.0, "u_v": 230.0}), ("phase", {"p_w": 2.0})],
    ),
    (old("battery", device="battery", soc_pct=50.0, p_w=-5.0), [("battery", {"soc_pct": 50.0, "p_w": -5.0})]),
    (
        old("state", grid_w=100.0, east_w=-300.0, west_w=-200.0, battery_w=50.0, car_w=9.0, load_w=541.0),
        [
            (
                "site",
                {"grid_w": 100.0, "pv_w": -500.0, "battery_w": 50.0, "loads_w": 9.0, "load_w": 541.0},
            )
        ],
    ),
    (old("state", grid_w=1.0, east_w=-3.0, unknown="west"), [("site", {"grid_w": 1.0, "unknown": "west"})]),
    (
        old("control", device="battery", mode="control", reason="full", why_soc_pct=100.0, p_set_w=0.0),
        [("control", {"mode": "control", "reason": "full", "why_soc_pct": 100.0, "p_set_w": 0.0})],
    ),
    (old("health", device="east", p_w_why="timeout"), [("health", {"p_w_why": "timeout"})]),
    (
        old("health", device="grid", e_import_wh_event="changed", e_import_wh_before=5.0, e_import_wh_after=1.0),
        [("event", {"code": "changed", "point": "e_import_wh", "before_wh": 5.0, "after_wh": 1.0})],
    ),
    (
        node(0, node_up=True, node_build=12.0, node_why="power", node_mode="run"),
        [("node", {"is_up": 1.0, "build": 12.0, "why": "power", "mode": "run"})],
    ),
    (old("meter", device="gone", p_w=1.0), []),
]


@pytest.mark.parametrize(("row", "expected"), CASES)
def test_an_old_row_is_these_new_ones(row: Row, expected: list[tuple[str, dict[str, Any]]]) -> None:
    found = list(migrated(row, ORIGIN))
    assert [(one.measurement, dict(one.fields)) for one in found] == expected
    assert list(mistakes(found)) == []
    assert {one.time_ms for one in found} <= {row.time_ms}


@pytest_asyncio.fixture
async def database(influxd: Part, tmp_path: Path) -> AsyncIterator[Database]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with asked.scratch(influxd, tmp_path, port) as found:
        yield found


def place(database: Database, token: str | None = None) -> DatabasePlace:
    buckets = {Bucket.RAW: "zen", Bucket.QUARTERS: "zen-quarters"}
    return DatabasePlace(url=database.url, org=database.org, token=token or database.token, buckets=buckets)


async def count(database: Database, measurement: str, field: str, source: str = "zen-raw") -> int:
    text = f'SELECT count("{field}") FROM "{measurement}" WHERE "building" = \'lens\''  # noqa: S608 - ours
    series = (await asked.ask(database, source, text)).get("series")
    return 0 if series is None else int(series[0]["values"][0][1])


@pytest.mark.parts
async def test_a_migration_that_is_cut_short_goes_on_and_doubles_nothing(database: Database, tmp_path: Path) -> None:
    rows = [old("meter", i, "grid", p_w=float(i), e_import_wh=float(i)) for i in range(0, 4 * 3600, 60)]
    rows += [old("pv", i, "east", p_w=-1.0) for i in range(0, 3600, 60)]
    rows += [old("state", i, grid_w=1.0, load_w=2.0) for i in range(0, 3600, 60)]
    rows += [old("meter", 0, "gone", p_w=1.0)]
    rows += [row for row, _ in CASES[6:10]]
    new = [f"pv,site=lens,building=lens,device=east,role=pv p_w=-2 {T + 10_000_000}"]  # of this release, beside them
    for texts in ([line(row) for row in rows], new):
        answer = await exchange(
            f"{database.url}/api/v2/write?org=zen&bucket=zen&precision=ms",
            method="POST",
            body="\n".join(texts).encode(),
            headers={"Authorization": f"Token {database.token}"},
        )
        assert answer.status == 204, answer.body
    progress = tmp_path / "progress.json"
    begun = migrate(place(database), ORIGIN, progress)
    first = [next(begun), next(begun)]
    begun.close()  # cut short within the meter's hours
    assert [(one.measurement, one.read) for one in first] == [
        ("meter", 61),
        ("meter", 60),
    ]  # with the row of the device that is gone
    assert json.loads(progress.read_text()) != {}
    rest = list(migrate(place(database), ORIGIN, progress))
    assert (rest[0].measurement, rest[0].hour_ms) == ("meter", T + 3_600_000)  # the hour that nobody had noted yet
    left = Counter[str]()
    for one in (*first, *rest):
        left[one.measurement] += one.left
    assert dict(left + Counter()) == {"meter": 1}
    for measurement, field, expected in (("grid", "p_w", 240), ("pv", "p_w", 61), ("site", "load_w", 60)):
        assert await count(database, measurement, field) == expected
    assert await count(database, "event", "code", "zen-quarters") == 1
    again = list(migrate(place(database), ORIGIN, tmp_path / "another.json"))
    assert sum(one.read for one in again) == len(rows)
    assert await count(database, "grid", "p_w") == 240
    old_ones = await asked.ask(database, "zen-raw", 'SELECT count("p_w") FROM "meter"')
    assert old_ones["series"][0]["values"][0][1] == 241  # still readable under their old name


@pytest.mark.parts
async def test_a_refused_token_is_said(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="401"):
        list(migrate(place(database, "wrong"), ORIGIN, tmp_path / "progress.json"))


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        away = Database(url=f"http://127.0.0.1:{held.getsockname()[1]}", org="o", bucket="b", token="t")  # noqa: S106
        with pytest.raises(MigrationError, match="does not answer"):
            list(migrate(place(away), ORIGIN, tmp_path / "progress.json"))
