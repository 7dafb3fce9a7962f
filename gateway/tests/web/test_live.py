"""The stream of states, over a real socket and with clients that do not keep up."""

import asyncio
import json

import httpx
import pytest

from gateway.tests.web.fake_view import SUNNY, FakeView
from gateway.view.schema.encoder import json_text
from gateway.web import create_app, serve
from gateway.web.live import LiveStreams


async def events(answer):
    """Blocks of a stream of server-sent events as they come."""
    block = []
    async for line in answer.aiter_lines():
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


async def test_the_live_stream_sends_each_cycle_as_an_event(site):
    client, view, _ = site
    async with client.stream("GET", "/api/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = events(answer)
        assert await anext(blocks) == ["retry: 2000"]
        for cycle in (1, 2, 3):
            number, kind, data = await anext(blocks)
            assert (number, kind) == (f"id: {cycle}", "event: state")
            assert json.loads(data.removeprefix("data: ")) == {**SUNNY, "cycle": cycle}
            view.publish()


async def test_the_live_stream_says_that_it_lives_while_nothing_changes():
    view = FakeView()
    app = create_app(view, live=LiveStreams(view, heartbeat_s=0.05))
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
        client.stream("GET", "/api/live") as answer,
    ):
        blocks = events(answer)
        seen = [(await anext(blocks))[0] for _ in range(4)]
        view.publish()
        seen += [(await anext(blocks))[0] for _ in range(6)]
    assert seen[:4] == ["retry: 2000", "id: 1", ": nothing new", ": nothing new"]
    assert "id: 2" in seen[4:]


class SlowClient:
    """An ASGI client that takes one message at a time, when the test says so."""

    def __init__(self):
        self.taken = asyncio.Queue()
        self.may_take = asyncio.Semaphore(0)
        self.gone = asyncio.Event()

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.may_take.acquire()
        self.taken.put_nowait(message.get("body", b""))

    async def take(self):
        self.may_take.release()
        return await self.taken.get()


async def test_a_slow_client_gets_the_newest_state_and_no_queue():
    view, client = FakeView(), SlowClient()
    live = LiveStreams(view)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(live({"type": "http", "method": "GET"}, client.receive, client.send))
        assert [await client.take() for _ in range(3)][1:] == [b"retry: 2000\n\n", client_state(view)]
        for _ in range(500):
            view.publish()
            await asyncio.sleep(0)
        # One state was on its way when the client stopped reading; the next one is already the newest.
        first, second = await client.take(), await client.take()
        assert first.startswith(b"id: 2\n")
        assert second.startswith(b"id: 501\n")
        client.gone.set()
        client.may_take.release()
    assert len(live) == 0


def client_state(view):
    state = view.state()
    return f"id: {state.cycle}\nevent: state\ndata: {json_text(state)}\n\n".encode()


async def test_a_client_that_reads_nothing_is_dropped():
    view, client = FakeView(), SlowClient()
    live = LiveStreams(view, send_s=0.02)
    client.may_take.release()  # the head of the answer, and nothing after it
    async with asyncio.timeout(30):
        await live({"type": "http", "method": "GET"}, client.receive, client.send)
    assert len(live) == 0


async def test_streams_are_limited_and_their_places_come_back():
    view = FakeView()
    app = create_app(view, live=LiveStreams(view, limit=1))
    async with (
        serve(app, host="127.0.0.1", port=0) as address,
        httpx.AsyncClient(base_url=address.url, timeout=30) as client,
    ):
        async with client.stream("GET", "/api/live") as answer:
            await anext(events(answer))
            refused = await client.get("/api/live")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json() == {"error": "too_many_streams", "found": 1, "allowed": 1}
        async with asyncio.timeout(30):
            while (await client.head("/api/live")).status_code == 503:  # until the server saw the client leave
                assert len(app.state.live) == 1
        async with client.stream("GET", "/api/live") as answer:
            assert answer.status_code == 200


async def test_open_streams_end_when_the_page_closes():
    app = create_app(FakeView())
    async with httpx.AsyncClient(timeout=30) as client, asyncio.timeout(30):
        async with serve(app, host="127.0.0.1", port=0) as address:
            request = client.build_request("GET", f"{address.url}api/live")
            answer = await client.send(request, stream=True)
            blocks = events(answer)
            await anext(blocks)
        left = [block async for block in blocks]
        assert len(left) <= 1
        with pytest.raises(httpx.ConnectError):
            await client.get(address.url)
