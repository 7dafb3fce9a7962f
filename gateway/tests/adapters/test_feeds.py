"""What comes from outside: used while it is young enough, absent with a reason, and never waited for."""

import asyncio
import json
import math
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from gateway.adapters.feeds import open_meteo, points
from gateway.adapters.feeds.feed import Feed, FeedAnswer
from gateway.core.model.weather import Weather
from gateway.core.pricing.point_series import PointSeries
from gateway.rig.web_server import WebServer, web_server
from gateway.tests.adapters.outside_answers import CSV, HOUR, START, SUNNY, HandClock


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as one:
        yield one


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def weather_feed(
    server: WebServer, clock: HandClock, tmp_path: Path, *, path: str = "/v1", limit_s: float = 5.0
) -> Feed[Weather]:
    return Feed(
        source=server.url + path,
        parse=open_meteo.parse,
        cache=tmp_path / "weather.json",
        clock=clock,
        every_s=3600.0,
        good_s=86400.0,
        limit_s=limit_s,
    )


async def test_a_forecast_is_read_with_its_hours_and_units(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    feed = weather_feed(server, clock, tmp_path)
    assert await feed.refresh() == 3600.0
    answer = feed.answer()
    assert (answer.age_s, answer.is_stale, answer.why) == (0.0, False, None)
    weather = answer.value
    assert weather is not None
    assert (weather.start_s, weather.step_s) == (START - HOUR, HOUR)  # radiation is that of the hour before its time
    assert weather.irradiance_w_m2[0, :3].tolist() == [0.0, 120.0, 340.0]
    assert math.isnan(weather.irradiance_w_m2[0, 3])
    assert weather.temp_c.tolist() == [2.0, 3.0, 6.0, 7.0]


@pytest.mark.parametrize(
    ("status", "headers", "why", "pause_s"),
    [
        (500, {}, "refused", 60.0),
        (404, {}, "refused", 60.0),
        (429, {}, "busy", 60.0),
        (429, {"Retry_After": "1200"}, "busy", 1200.0),
        (503, {"Retry_After": "9" * 30}, "busy", 86400.0),
        (503, {"Retry_After": "soon"}, "busy", 60.0),
        (302, {"Location": "file:///etc/hostname"}, "refused", 60.0),
        (302, {"Location": "ftp://127.0.0.1/x"}, "offline", 60.0),
    ],
)
async def test_a_server_that_refuses_is_left_in_peace(
    server: WebServer, clock: HandClock, tmp_path: Path, status: int, headers: dict[str, str], why: str, pause_s: float
) -> None:
    server.serve(b"no", status, **headers)
    feed = weather_feed(server, clock, tmp_path)
    assert await feed.refresh() == pause_s
    assert feed.answer() == FeedAnswer(value=None, age_s=None, is_stale=True, why=why)


async def test_a_date_to_come_back_is_kept(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(b"", 503, Retry_After=formatdate(time.time() + 1000, usegmt=True))
    assert 990 < await weather_feed(server, clock, tmp_path).refresh() <= 1000


async def test_pauses_double_up_to_the_usual_one_and_end_with_the_first_answer(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(b"", 500)
    feed = weather_feed(server, clock, tmp_path)
    assert [await feed.refresh() for _ in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    server.serve(json.dumps(SUNNY).encode())
    assert await feed.refresh() == 3600.0
    server.serve(b"", 500)
    assert await feed.refresh() == 60.0


async def test_without_internet_there_is_an_absence_and_no_error(clock: HandClock, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    feed = Feed(  # nobody listens there any more
        source=f"http://127.0.0.1:{port}/", parse=open_meteo.parse, cache=tmp_path / "w.json",
        clock=clock, every_s=3600.0, good_s=86400.0,
    )  # fmt: skip
    await feed.refresh()
    assert feed.answer().why == "offline"


@pytest.mark.parametrize("pause_s", [0.02, 60.0], ids=["drop by drop", "silent"])
async def test_a_slow_server_is_left_when_the_time_is_over(
    server: WebServer, clock: HandClock, tmp_path: Path, pause_s: float
) -> None:
    server.drip(pause_s)
    began_s = time.monotonic()
    feed = weather_feed(server, clock, tmp_path, limit_s=0.3)
    await feed.refresh()
    assert feed.answer().why == "timeout"
    assert time.monotonic() - began_s < 5


async def test_an_old_answer_is_used_and_says_its_age_until_it_is_too_old(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    feed = weather_feed(server, clock, tmp_path)
    await feed.refresh()
    server.serve(b"", 500)
    table = [(1800, False, True), (3600 * 3, True, True), (86400, True, True), (86401, True, False)]
    for age_s, is_stale, is_used in table:
        clock.now_s = START + age_s
        await feed.refresh()
        answer = feed.answer()
        assert (answer.age_s, answer.is_stale, answer.value is not None, answer.why) == (
            age_s,
            is_stale,
            is_used,
            "refused",
        )


async def test_an_answer_outlives_a_restart(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    await weather_feed(server, clock, tmp_path).refresh()
    server.serve(b"", 500)
    clock.now_s += 7000
    answer = weather_feed(server, clock, tmp_path).answer()
    assert answer.value is not None
    assert (answer.age_s, answer.why, len(server.asked)) == (7000.0, None, 1)
    clock.now_s -= 6000
    assert weather_feed(server, clock, tmp_path).due_s() == 2600.0  # fetched 1000 s ago, wanted every 3600 s
    other_place = weather_feed(server, clock, tmp_path, path="/elsewhere")
    assert (other_place.answer().value, other_place.due_s()) == (None, 0.0)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"source": 1}',
        b'{"source": "%s", "got_s": "x", "body": ""}',
        b"\xff\xff",
        b"[" * 99_999,
    ],
    ids=["empty", "cut", "list", "null", "lacking", "kinds", "bytes", "deep"],
)
async def test_a_damaged_cache_is_no_cache(server: WebServer, clock: HandClock, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "weather.json").write_bytes(damage)
    feed = weather_feed(server, clock, tmp_path)
    assert feed.answer() == FeedAnswer(value=None, age_s=None, is_stale=True, why="no_data")


async def test_what_was_kept_under_a_wrong_clock_is_not_used(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    clock.now_s += 86400 * 400
    await weather_feed(server, clock, tmp_path).refresh()
    clock.now_s -= 86400 * 400
    assert weather_feed(server, clock, tmp_path).answer().value is None


async def test_a_cache_that_cannot_be_written_costs_nothing_else(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    (tmp_path / "file").write_text("")
    feed = weather_feed(server, clock, tmp_path / "file")
    await feed.refresh()
    assert feed.answer().value is not None


async def test_a_feed_that_runs_fetches_what_is_missing(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    came = asyncio.Event()

    def parse(body: bytes) -> Weather:
        came.set()
        return open_meteo.parse(body)

    feed = Feed(source=server.url, parse=parse, cache=tmp_path / "w.json", clock=clock, every_s=3600.0, good_s=86400.0)
    running = asyncio.create_task(feed.run())
    await asyncio.wait_for(came.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert feed.answer().value is not None


async def test_neither_log_nor_cache_holds_what_the_address_holds(
    server: WebServer, clock: HandClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="gateway")
    feed = weather_feed(server, clock, tmp_path, path="/v1?key=secret")
    server.serve(b"", 500)
    await feed.refresh()
    server.serve(json.dumps(SUNNY).encode())
    await feed.refresh()
    assert len(caplog.records) == 2
    assert "secret" not in caplog.text + (tmp_path / "weather.json").read_text()
    assert server.asked == ["/v1?key=secret"] * 2


async def test_prices_can_come_from_a_file_beside_the_site_file(clock: HandClock, tmp_path: Path) -> None:
    source = tmp_path / "prices.csv"
    feed: Feed[PointSeries] = Feed(
        source=str(source), parse=points.parse_prices, cache=tmp_path / "cache.json",
        clock=clock, every_s=600.0, good_s=86400.0,
    )  # fmt: skip
    await feed.refresh()
    assert feed.answer().why == "offline"
    source.write_bytes(CSV)
    await feed.refresh()
    assert feed.answer().value == points.parse_prices(CSV)
