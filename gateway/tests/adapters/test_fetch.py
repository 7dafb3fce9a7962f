"""One GET within bounds, against servers that are slow, huge, cut off or no web servers at all."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from gateway.adapters.feeds.fetch import FetchError, fetch, without_query
from gateway.rig.web_server import WebServer, web_server
from gateway.tests.adapters.outside_answers import SUNNY


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as one:
        yield one


@pytest.mark.parametrize("url", ["http://127.0.0.1:1:2/", "http://[bad/", "http://127.0.0.1:99999/"])
async def test_an_address_that_is_none_is_an_absence_too(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        await fetch(url, limit_s=5)
    assert caught.value.why in ("garbled", "offline")


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


async def test_leaving_does_not_wait_for_a_server(server: WebServer) -> None:
    server.drip(60.0)
    running = asyncio.create_task(fetch(server.url, limit_s=60))
    assert await asyncio.to_thread(server.was_asked.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [thread.name for thread in threading.enumerate() if not thread.daemon and thread.name == "fetch"] == []


@pytest.mark.parametrize(
    ("url", "logged"),
    [
        ("https://h.example/v1?key=secret&latitude=50.43", "https://h.example/v1"),
        ("http://me:secret@h.example:81/v1", "http://h.example:81/v1"),
        ("http://h.example?key=secret", "http://h.example"),
    ],
)
def test_logs_do_not_tell_keys_and_places(url: str, logged: str) -> None:
    assert without_query(url) == logged
