"""Clients that hold connections and give nothing back, on real sockets: others get in, control keeps descriptors."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.tests.web.fake_view import FakeView
from gateway.web import connections, create_app, serve
from gateway.web.connections import Connections

CROWD = 1200


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * CROWD:
        pytest.skip(f"a process may open {hard} files here: too few for a crowd")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * CROWD), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def crowd(address, count: int = CROWD, *, says: bytes = b"", host: str = "127.0.0.1", receive: int | None = None):
    """So many connections that are opened, say so much, and read nothing."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            if receive is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            one.bind((host, 0))
            one.setblocking(False)
            one.connect_ex((address.host, address.port))
            opened.append(one)
        if says:
            for one in opened:
                try:
                    one.send(says)
                except OSError:
                    continue
        yield opened


async def get(address, path: str = "/api/state") -> int:
    async with httpx.AsyncClient(base_url=address.url, timeout=30) as client:
        return (await client.get(path)).status_code


async def until(holds, *, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("says", [b"", b"GET /api/state HTTP/1.1\r\nHost: ", b"GE"])
async def test_a_crowd_that_asks_nothing_keeps_nobody_out_and_takes_few_descriptors(says: bytes, caplog) -> None:
    app = create_app(FakeView())
    async with serve(app, host="127.0.0.1", port=0) as address:
        before = descriptors()
        with crowd(address, says=says) as opened:
            for _ in range(5):
                assert await get(address) == 200
            assert len(app.state.connections) <= connections.MOST
            assert descriptors() - before - len(opened) <= connections.MOST + 40
        assert await get(address) == 200
    assert len(caplog.records) < 10


async def test_a_crowd_of_one_address_leaves_places_to_others(monkeypatch) -> None:
    monkeypatch.setattr(connections, "is_local", lambda _address: False)  # no machine of ours has others
    app = create_app(FakeView(), connections=Connections(most=20, most_of_one=5))
    async with serve(app, host="127.0.0.1", port=0) as address:
        asks = b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with crowd(address, 40, host="127.0.0.9", says=asks):
            await until(lambda: app.state.connections.refused + app.state.connections.ended >= 35)
            assert len(app.state.connections) <= 5
            assert await get(address) == 200


@pytest.mark.parametrize("path", ["/", "/api/live"])
async def test_clients_that_read_nothing_are_dropped_and_cost_nobody_his_place(monkeypatch, path: str) -> None:
    monkeypatch.setattr(connections, "STALL_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)
    view = FakeView()
    app = create_app(view, connections=Connections(most=20))
    asks = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * (1 if path == "/api/live" else 40)
    async with serve(app, host="127.0.0.1", port=0) as address:
        with crowd(address, 20, says=asks, receive=2048):
            await until(lambda: len(app.state.connections) > 0)
            async with asyncio.timeout(30):
                while len(app.state.connections) or app.state.live:
                    view.publish()
                    await asyncio.sleep(0.001)
            assert app.state.connections.ended > 0
            assert await get(address) == 200


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"", b""),  # says nothing
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-%d: 1\r\n"),  # a header line now and then
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999\r\n\r\n", b"%d"),  # a body without an end
    ],
    ids=["silence", "headers", "body"],
)
async def test_who_never_ends_a_request_is_ended(monkeypatch, first: bytes, more: bytes) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)
    app = create_app(FakeView())
    async with serve(app, host="127.0.0.1", port=0) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(first)
        number = 0
        async with asyncio.timeout(30):
            while True:
                try:
                    async with asyncio.timeout(0.05):
                        if not await reader.read(65536):
                            break
                except TimeoutError:
                    number += 1
                    writer.write(more % number if more else b"")
                except ConnectionError:
                    break
        writer.close()
        await until(lambda: len(app.state.connections) == 0)


async def test_an_answer_that_never_ends_is_ended(monkeypatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)
    app = create_app(FakeView())
    asks = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 40
    async with serve(app, host="127.0.0.1", port=0) as address:
        with crowd(address, 1, says=asks, receive=2048) as [client]:
            await until(lambda: len(app.state.connections) == 1)
            async with asyncio.timeout(30):
                while len(app.state.connections):
                    try:
                        client.recv(16)  # a little is taken all the time
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        break
                    await asyncio.sleep(0.005)


async def test_where_all_places_are_used_the_next_one_is_told_so() -> None:
    view = FakeView()
    app = create_app(view, connections=Connections(most=3))
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
        client.stream("GET", "/api/live"),
        client.stream("GET", "/api/live"),
        client.stream("GET", "/api/live"),
    ):
        answer = await httpx.AsyncClient(timeout=30).get(f"{address.url}api/state")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert app.state.connections.refused == 1


async def test_one_address_has_its_share_of_the_streams() -> None:
    app = create_app(FakeView())
    live = app.state.live
    live._open.update({asyncio.timeout(None): "192.168.1.9" for _ in range(12)})
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "client": ("192.168.1.9", 1), "headers": []}
    await live(scope, None, send)
    assert sent[0]["status"] == 503


def test_the_page_leaves_most_descriptors_to_control() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        for limit, most in ((20, 8), (256, 64), (1024, 128)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            assert connections.most_connections() == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
