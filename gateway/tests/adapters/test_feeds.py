"""What comes from outside: good answers, every kind of bad one, and a gateway that works on without any."""

import asyncio
import copy
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import open_meteo, points
from gateway.adapters.feeds import Answer, ContentError, Feed
from gateway.adapters.fetch import FetchError, fetch, without_query
from gateway.core.point_series import PointSeries
from gateway.core.weather import Weather
from gateway.tests.adapters.web_server import WebServer, web_server

HOUR = 3600
START = 1_767_222_000  # 2025-12-31T23:00Z
# The shape of an answer of Open-Meteo with unix times; the figures are made here.
SUNNY = {
    "latitude": 50.42,
    "longitude": 2.84,
    "generationtime_ms": 0.06,
    "utc_offset_seconds": 0,
    "timezone": "GMT",
    "timezone_abbreviation": "GMT",
    "elevation": 38.0,
    "hourly_units": {"time": "unixtime", "shortwave_radiation": "W/m²", "temperature_2m": "°C"},
    "hourly": {
        "time": [START + HOUR * n for n in range(4)],
        "shortwave_radiation": [0.0, 120.0, 340.0, None],
        "temperature_2m": [2.0, 4.0, 8.0, 6.0],
    },
}


@dataclass
class HandClock:
    now_s: float = float(START)

    def utc_s(self) -> float:
        return self.now_s

    def monotonic_s(self) -> float:
        return self.now_s


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


def changed(**hourly: object) -> bytes:
    return json.dumps({**SUNNY, "hourly": {**SUNNY["hourly"], **hourly}}).encode()


async def test_a_forecast_is_read_with_its_hours_and_units(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    feed = weather_feed(server, clock, tmp_path)
    assert await feed.turn() == 3600.0
    answer = feed.answer()
    assert (answer.age_s, answer.is_stale, answer.why) == (0.0, False, None)
    weather = answer.value
    assert weather is not None
    assert (weather.start_s, weather.step_s) == (START - HOUR, HOUR)  # radiation is that of the hour before its time
    assert weather.irradiance_w_m2[0, :3].tolist() == [0.0, 120.0, 340.0]
    assert math.isnan(weather.irradiance_w_m2[0, 3])
    assert weather.temp_c.tolist() == [2.0, 3.0, 6.0, 7.0]


def test_members_of_an_ensemble_are_rows() -> None:
    told = {
        "hourly_units": {"time": "unixtime", **dict.fromkeys(("a", "b"), ""), "temperature_2m": "°C"}
        | {f"global_tilted_irradiance{m}": "W/m²" for m in ("", "_member01", "_member02")},
        "hourly": {
            "time": [START, START + HOUR],
            "temperature_2m": [1.0, 3.0],
            "temperature_2m_member01": [3.0, 5.0],
            "global_tilted_irradiance": [10, 20],
            "global_tilted_irradiance_member01": [11, 21],
            "global_tilted_irradiance_member02": [12, 22],
        },
    }
    told["hourly_units"]["temperature_2m_member01"] = "°C"
    weather = open_meteo.parse(json.dumps(told).encode())
    assert weather.irradiance_w_m2.tolist() == [[10, 20], [11, 21], [12, 22]]
    assert weather.temp_c.tolist() == [2.0, 3.0]


def test_what_is_asked_for_names_the_roof_and_no_more_of_the_place_than_needed() -> None:
    url = open_meteo.address(
        "http://h/v1", latitude=50.43127, longitude=2.8312, tilt_deg=30, azimuth_deg=-10, model="icon_seamless"
    )
    assert url == (
        "http://h/v1?latitude=50.43&longitude=2.83&hourly=global_tilted_irradiance%2Ctemperature_2m&timeformat=unixtime"
        "&timezone=GMT&forecast_days=3&tilt=30&azimuth=-10&models=icon_seamless"
    )
    assert "shortwave_radiation" in open_meteo.address("http://h", latitude=1, longitude=2)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "garbled"),
        (b"<html>Login</html>", "garbled"),
        (b"[]", "garbled"),
        (b"\xff\xfe\x00", "garbled"),
        (b"[" * 100_000, "garbled"),
        (json.dumps(SUNNY).encode()[:200], "garbled"),
        (b'{"error": true, "reason": "Daily API request limit exceeded"}', "garbled"),
        (changed(shortwave_radiation=[1.0]), "garbled"),
        (changed(shortwave_radiation=[None] * 4), "garbled"),
        (changed(shortwave_radiation=["bright"] * 4), "garbled"),
        (changed(shortwave_radiation=[-5.0, 9000.0, None, True]), "garbled"),  # nothing possible is left
        (changed(time=[START, START + HOUR, START + HOUR, START + 2 * HOUR]), "garbled"),
        (changed(time=["2026-01-01T00:00"] * 4), "garbled"),
        (json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "temperature_2m": "°F"}}).encode(), "units"),
        (
            json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "shortwave_radiation": "MJ/m²"}}).encode(),
            "units",
        ),
        (json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "time": "iso8601"}}).encode(), "units"),
        (json.dumps({**SUNNY, "hourly_units": None}).encode(), "garbled"),
    ],
)
def test_an_answer_that_is_no_forecast_is_refused_with_a_reason(body: bytes, why: str) -> None:
    with pytest.raises(ContentError) as caught:
        open_meteo.parse(body)
    assert caught.value.why == why


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
    assert await feed.turn() == pause_s
    assert feed.answer() == Answer(value=None, age_s=None, is_stale=True, why=why)


async def test_a_date_to_come_back_is_kept(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(b"", 503, Retry_After=formatdate(time.time() + 1000, usegmt=True))
    assert 990 < await weather_feed(server, clock, tmp_path).turn() <= 1000


async def test_pauses_double_up_to_the_usual_one_and_end_with_the_first_answer(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(b"", 500)
    feed = weather_feed(server, clock, tmp_path)
    assert [await feed.turn() for _ in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    server.serve(json.dumps(SUNNY).encode())
    assert await feed.turn() == 3600.0
    server.serve(b"", 500)
    assert await feed.turn() == 60.0


async def test_without_internet_there_is_an_absence_and_no_error(clock: HandClock, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    feed = Feed(  # nobody listens there any more
        source=f"http://127.0.0.1:{port}/", parse=open_meteo.parse, cache=tmp_path / "w.json",
        clock=clock, every_s=3600.0, good_s=86400.0,
    )  # fmt: skip
    await feed.turn()
    assert feed.answer().why == "offline"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1:2/", "http://[bad/", "http://nowhere.invalid:99999/"])
async def test_an_address_that_is_none_is_an_absence_too(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        await fetch(url, limit_s=5)
    assert caught.value.why in ("garbled", "offline")


def dripping(server: WebServer, pause_s: float) -> None:
    def play(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.gone.wait(pause_s):
            request.wfile.write(b" ")

    server.play = play


@pytest.mark.parametrize("pause_s", [0.02, 60.0], ids=["drop by drop", "silent"])
async def test_a_slow_server_is_left_when_the_time_is_over(
    server: WebServer, clock: HandClock, tmp_path: Path, pause_s: float
) -> None:
    dripping(server, pause_s)
    began_s = time.monotonic()
    feed = weather_feed(server, clock, tmp_path, limit_s=0.3)
    await feed.turn()
    assert feed.answer().why == "timeout"
    assert time.monotonic() - began_s < 5


async def test_a_huge_answer_is_not_read_to_its_end(server: WebServer) -> None:
    def play(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(10_000):  # 650 MB
            request.wfile.write(b" " * 65_000)

    server.play = play
    with pytest.raises(FetchError, match="more than 300000 bytes") as caught:
        await fetch(server.url, limit_s=20, most_bytes=300_000)
    assert caught.value.why == "too_large"


async def test_half_an_answer_is_none(server: WebServer) -> None:
    server.serve(json.dumps(SUNNY).encode(), Content_Length="100000")

    def cut(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"40\r\n{")

    for play in (server.play, cut):
        server.play = play
        with pytest.raises(FetchError) as caught:
            await fetch(server.url, limit_s=5)
        assert caught.value.why == "garbled"


async def test_no_http_at_all_is_garbled(server: WebServer) -> None:
    server.play = lambda request: request.wfile.write(b"220 smtp ready\r\n") and None
    with pytest.raises(FetchError) as caught:
        await fetch(server.url, limit_s=5)
    assert caught.value.why == "garbled"


async def test_an_old_answer_is_used_and_says_its_age_until_it_is_too_old(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    feed = weather_feed(server, clock, tmp_path)
    await feed.turn()
    server.serve(b"", 500)
    table = [(1800, False, True), (3600 * 3, True, True), (86400, True, True), (86401, True, False)]
    for age_s, is_stale, is_used in table:
        clock.now_s = START + age_s
        await feed.turn()
        answer = feed.answer()
        assert (answer.age_s, answer.is_stale, answer.value is not None, answer.why) == (
            age_s,
            is_stale,
            is_used,
            "refused",
        )


async def test_an_answer_outlives_a_restart(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    await weather_feed(server, clock, tmp_path).turn()
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
    assert feed.answer() == Answer(value=None, age_s=None, is_stale=True, why="no_data")


async def test_what_was_kept_under_a_wrong_clock_is_not_used(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    clock.now_s += 86400 * 400
    await weather_feed(server, clock, tmp_path).turn()
    clock.now_s -= 86400 * 400
    assert weather_feed(server, clock, tmp_path).answer().value is None


async def test_a_cache_that_cannot_be_written_costs_nothing_else(
    server: WebServer, clock: HandClock, tmp_path: Path
) -> None:
    server.serve(json.dumps(SUNNY).encode())
    (tmp_path / "file").write_text("")
    feed = weather_feed(server, clock, tmp_path / "file")
    await feed.turn()
    assert feed.answer().value is not None


async def test_a_feed_that_runs_fetches_what_is_missing(server: WebServer, clock: HandClock, tmp_path: Path) -> None:
    server.serve(json.dumps(SUNNY).encode())
    came = asyncio.Event()

    def parse(body: bytes) -> Weather:
        came.set()
        return open_meteo.parse(body)

    feed = Feed(source=server.url, parse=parse, cache=tmp_path / "w.json", clock=clock, every_s=3600.0, good_s=86400.0)
    running = asyncio.create_task(feed.run())
    await asyncio.wait_for(came.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert feed.answer().value is not None


async def test_leaving_does_not_wait_for_a_server(server: WebServer) -> None:
    dripping(server, 60.0)
    running = asyncio.create_task(fetch(server.url, limit_s=60))
    assert await asyncio.to_thread(server.was_asked.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [thread.name for thread in threading.enumerate() if not thread.daemon and thread.name == "fetch"] == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://h.example/v1?key=secret&latitude=50.43", "https://h.example/v1"),
        ("http://me:secret@h.example:81/v1", "http://h.example:81/v1"),
        ("http://h.example?key=secret", "http://h.example"),
    ],
)
def test_logs_do_not_tell_keys_and_places(url: str, told: str) -> None:
    assert without_query(url) == told


async def test_neither_log_nor_cache_holds_what_the_address_holds(
    server: WebServer, clock: HandClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="gateway")
    feed = weather_feed(server, clock, tmp_path, path="/v1?key=secret")
    server.serve(b"", 500)
    await feed.turn()
    server.serve(json.dumps(SUNNY).encode())
    await feed.turn()
    assert len(caplog.records) == 2
    assert "secret" not in caplog.text + (tmp_path / "weather.json").read_text()
    assert server.asked == ["/v1?key=secret"] * 2


def outcome(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """The value, or why there is none; other errors are ours."""
    try:
        return parse(body)
    except ContentError as error:
        return error.why


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(["hourly", "hourly_units", "time", "shortwave_radiation", "temperature_2m", ""]))
def test_whatever_a_weather_server_says_is_a_forecast_or_refused(value: object, place: str) -> None:
    told = copy.deepcopy(SUNNY)
    if place in told["hourly"]:
        told["hourly"][place] = value
    else:
        told[place] = value
    found = outcome(open_meteo.parse, json.dumps(told).encode())
    assert found in ("garbled", "units") or found.temp_c.shape == (4,)


@given(st.lists(st.tuples(anything | st.datetimes().map(lambda t: f"{t.isoformat()}+01:00"), anything), max_size=4))
def test_whatever_a_price_server_says_is_a_series_or_refused(rows: list[tuple[object, object]]) -> None:
    told = {"unit": "EUR/kWh", "points": [{"time": time_, "value": value} for time_, value in rows]}
    found = outcome(points.parse_prices, json.dumps(told).encode())
    assert found in ("garbled", "time_zone", "implausible") or 0 < len(found.values) <= len(rows)


@given(st.binary(max_size=200))
def test_bytes_are_a_series_or_refused(body: bytes) -> None:
    for start in (b"", b"time,price_eur_per_kwh\n"):
        with pytest.raises(ContentError):
            points.parse_prices(start + body)


CSV = b"time,price_eur_per_kwh\n2026-03-29T00:00+01:00,0.10\n2026-03-29T01:00+01:00,0.12\n2026-03-29T03:00+02:00,0.14\n"


def test_prices_across_a_change_of_clock_are_an_hour_apart() -> None:
    series = points.parse_prices(CSV)
    assert [later - one for one, later in zip(series.times_s, series.times_s[1:], strict=False)] == [3600.0, 3600.0]
    assert series.values == (0.10, 0.12, 0.14)


@pytest.mark.parametrize(
    "body",
    [
        (
            b'{"unit": "EUR/MWh", "points": [{"time": "2026-01-15T00:15+01:00", "value": -5},'
            b' {"time": "2026-01-14T23:00Z", "value": 83.1}]}'
        ),
        b"time,price_eur_per_mwh\r\n2026-01-15T00:00+01:00,83.1\r\n2026-01-14T23:15Z,-5\r\n\r\n",
        b"\xef\xbb\xbftime,price_eur_per_kwh\n2026-01-15T00:00:00+01:00,0.0831\n2026-01-15T00:15:00+01:00,-0.005\n",
    ],
)
def test_the_same_prices_in_other_forms_are_the_same(body: bytes) -> None:
    series = points.parse_prices(body)
    assert series.times_s == (1_768_431_600.0, 1_768_432_500.0)  # 2026-01-14T23:00Z
    assert series.values == (pytest.approx(0.0831), pytest.approx(-0.005))
    assert series.step_s == 900.0


def test_co2_is_told_in_grams() -> None:
    assert points.parse_co2(b"time,co2_g_per_kwh\n2026-01-15T00:00Z,62\n").values == (62.0,)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (CSV.replace(b"price_eur_per_kwh", b"price"), "units"),
        (CSV.replace(b"price_eur_per_kwh", b"co2_g_per_kwh"), "units"),
        (b'{"unit": "ct/kWh", "points": []}', "units"),
        (b'{"unit": "EUR/kWh", "points": []}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": "2026-01-15T00:00Z", "value": "0.1"}]}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": "2026-01-15T00:00Z", "value": NaN}]}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": 7, "value": 1}]}', "garbled"),
        (CSV.replace(b"0.12", b"83.1"), "implausible"),  # EUR/MWh under the heading of kWh
        (CSV.replace(b"+01:00", b""), "time_zone"),
        (CSV.replace(b"0.12", b"abc"), "garbled"),
        (CSV.replace(b",0.12", b""), "garbled"),
        (CSV.replace(b"time,", b"when,"), "garbled"),
        (b"time,price_eur_per_kwh\n", "garbled"),
        (b"", "garbled"),
        (b"\xff", "garbled"),
        (b"{" * 5000, "garbled"),
    ],
)
def test_prices_that_leave_something_to_guess_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(ContentError) as caught:
        points.parse_prices(body)
    assert caught.value.why == why


async def test_prices_can_come_from_a_file_beside_the_site_file(clock: HandClock, tmp_path: Path) -> None:
    source = tmp_path / "prices.csv"
    feed: Feed[PointSeries] = Feed(
        source=str(source), parse=points.parse_prices, cache=tmp_path / "cache.json",
        clock=clock, every_s=600.0, good_s=86400.0,
    )  # fmt: skip
    await feed.turn()
    assert feed.answer().why == "offline"
    source.write_bytes(CSV)
    await feed.turn()
    assert feed.answer().value == points.parse_prices(CSV)
