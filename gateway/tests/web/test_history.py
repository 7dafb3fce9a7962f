"""The history over a real socket: an archive on disk, its periods, bounds, tags, and tables."""

import asyncio
import csv
import io
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.adapters.archive.archive import Archive
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.tests.adapters.archive.made_up import realistic
from gateway.tests.web.fake_view import FakeView
from gateway.view.archive import ArchiveView
from gateway.web import create_app, serve

PARIS = ZoneInfo("Europe/Paris")
BEGIN_S = int(datetime(2026, 10, 24, tzinfo=PARIS).timestamp())  # the next day has 25 hours
LONG_DAY = "from=2026-10-25&to=2026-10-26"


def local_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "h.sqlite"
    with closing(Archive(path, zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(BEGIN_S, 96 + 100 + 96, devices=3)))
        archive.save_decisions(
            [
                Decision(
                    device="battery",
                    since_s=BEGIN_S + 60.0 * i,
                    until_s=BEGIN_S + 60.0 * i + 60,
                    mode="control",
                    code="kept",
                    power_w=-100.0,
                    numbers={"kept_wh": 3100.0, "name": "HP"},
                )
                for i in range(5100)
            ]
        )
        archive.save_events([HistoryEvent(kind="device_silent", since_s=BEGIN_S + 9.0, until_s=None, device="roof")])
        assert asyncio.run(archive.flush())
    return path


@pytest.fixture
async def client(path: Path):
    app = create_app(FakeView(), history=ArchiveView(path, time_zone="Europe/Paris"))
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
    ):
        yield client


async def test_a_local_day_has_all_its_quarter_hours(client) -> None:
    found = (await client.get(f"/api/history/quarters?{LONG_DAY}")).json()
    assert len(found["t"]) == 100
    assert (found["t"][0], found["t"][-1]) == (local_s("2026-10-25"), local_s("2026-10-26") - 900)
    columns = [found["used_wh"], *found["flows"].values(), found["devices"]["device-1"]["given_wh"]]
    assert {len(column) for column in columns} == {100}
    day = (await client.get(f"/api/history/days?{LONG_DAY}")).json()
    assert (day["day"], day["quarters"], day["expected"]) == (["2026-10-25"], [100], [100])
    assert day["used_wh"][0] == pytest.approx(sum(found["used_wh"]))


@pytest.mark.parametrize(
    ("begin", "end", "count"),
    [
        ("2026-10-24T22:00Z", "2026-10-24T22:15Z", 1),
        ("2026-10-25T00:00%2B02:00", "2026-10-25T01:00%2B02:00", 4),
        ("2026-10-25T00:00+02:00", "2026-10-25T01:00+02:00", 4),  # as a person types it
        ("2026-10-25T00:01", "2026-10-25T00:31", 2),
        ("2020-01-01", "2020-01-02", 0),
    ],
)
async def test_a_period_ends_before_its_second_moment(client, begin: str, end: str, count: int) -> None:
    found = (await client.get(f"/api/history/quarters?from={begin}&to={end}")).json()
    assert len(found["t"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        ("from=2026-10-25", "to"),
        ("from=yesterday&to=2026-10-26", "from"),
        ("from=2026-10-26&to=2026-10-26", "to"),
        ("from=2026-10-27&to=2026-10-26", "to"),
        ("from=2026-01-01&to=2026-12-31", "to"),
        ("from=0001-01-01&to=2026-12-31", "to"),
        ("from=2026-10-25&to=2026-10-26&to=2026-10-27", "to"),
        ("from=2026-10-25&to=2026-10-26&hours=1", "hours"),
    ],
)
async def test_a_bad_period_gets_what_was_found_and_what_is_allowed(client, query: str, field: str) -> None:
    answer = await client.get(f"/api/history/quarters?{query}")
    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (400, "bad_query", field)
    assert answer.json()["allowed"]


async def test_what_has_not_changed_is_not_sent_again(client) -> None:
    first = await client.get(f"/api/history/days?{LONG_DAY}")
    again = await client.get(f"/api/history/days?{LONG_DAY}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/api/history/days?from=2026-10-24&to=2026-10-25")
    assert other.headers["etag"] != first.headers["etag"]


async def test_a_table_has_the_same_figures(client) -> None:
    shown = (await client.get(f"/api/history/quarters?{LONG_DAY}")).json()
    by_ending = await client.get(f"/api/history/quarters.csv?{LONG_DAY}")
    by_header = await client.get(f"/api/history/quarters?{LONG_DAY}", headers={"accept": "text/csv"})
    assert by_ending.content == by_header.content
    assert by_ending.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(by_ending.text)))
    assert len(rows) == 100
    assert rows[0]["begin_utc"] == "2026-10-24T22:00:00Z"
    for name, column in (
        ("used_wh", shown["used_wh"]),
        ("devices.device-1.given_wh", None),
        ("period", shown["period"]),
    ):
        expected = shown["devices"]["device-1"]["given_wh"] if column is None else column
        assert [row[name] for row in rows] == [str(value) for value in expected]


async def test_decisions_and_events_are_told_one_by_one_and_whether_these_are_all(client) -> None:
    found = (await client.get("/api/history/decisions?from=2026-10-24&to=2026-11-01")).json()
    assert (len(found["decisions"]), found["is_all"]) == (5000, False)
    assert found["decisions"][0] == {
        "device": "battery", "since_s": BEGIN_S, "until_s": BEGIN_S + 60, "mode": "control", "code": "kept",
        "power_w": -100, "numbers": {"kept_wh": 3100, "name": "HP"}, "more": 0,
    }  # fmt: skip
    table = await client.get("/api/history/decisions.csv?from=2026-10-24&to=2026-10-24T00:02")
    first = next(csv.DictReader(io.StringIO(table.text)))
    assert (first["since_utc"], first["until_utc"]) == ("2026-10-23T22:00:00Z", "2026-10-23T22:01:00Z")
    assert first["numbers"] == '{"kept_wh": 3100, "name": "HP"}'
    events = (await client.get(f"/api/history/events?{LONG_DAY}")).json()
    assert events == {
        "events": [{"kind": "device_silent", "since_s": BEGIN_S + 9, "until_s": None, "device": "roof", "numbers": {}}],
        "is_all": True,
    }


async def test_a_history_that_cannot_be_read_is_told_and_the_page_lives(tmp_path: Path) -> None:
    (tmp_path / "h.sqlite").write_bytes(b"spoiled" * 1000)
    app = create_app(FakeView(), history=ArchiveView(tmp_path / "h.sqlite", time_zone="Europe/Paris"))
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
    ):
        answer = await client.get(f"/api/history/days?{LONG_DAY}")
        assert (answer.status_code, answer.json()["error"].startswith("history_unusable: damaged")) == (503, True)
        assert (await client.get("/api/state")).status_code == 200


async def test_without_a_history_there_is_no_address(site) -> None:
    client, _, _ = site
    assert (await client.get(f"/api/history/days?{LONG_DAY}")).status_code == 404
