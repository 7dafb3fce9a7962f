"""Server-sent events (WHATWG HTML, 9.2): one event `state` per cycle, a comment while nothing changes."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from gateway.view.schema.encoder import json_text
from gateway.web.hosts import is_local

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.web.source import ViewSource

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in front must not collect events
]


class LiveStreams:
    """The open live streams of a page, as one ASGI endpoint.

    A stream asks for the state when its client is ready for it: a slow client misses cycles, it never queues them.
    """

    def __init__(
        self,
        view: "ViewSource",
        *,
        limit: int = 32,
        limit_of_one: int = 12,
        heartbeat_s: float = 10.0,
        send_s: float = 20.0,
    ) -> None:
        """`limit`: streams at once; `limit_of_one`: to one address, but for this machine's, where a proxy may be.

        `send_s`: a client that takes nothing for so long is dropped.
        """
        self._view = view
        self._limit = limit
        self._limit_of_one = limit_of_one
        self._heartbeat_s = heartbeat_s
        self._send_s = send_s
        self._open: dict[asyncio.Timeout, str] = {}  # the client's address
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """Ends all streams and accepts no other."""
        self._closed = True
        for life in self._open:
            _end(life)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """One stream, from its first event to its end; 503 when there are too many."""
        client = scope.get("client")
        address = client[0] if client else ""
        limit = self._limit if is_local(address) else self._limit_of_one
        found = [one for one in self._open.values() if limit == self._limit or one == address]
        if self._closed or len(found) >= limit or len(self._open) >= self._limit:
            refusal = {"error": "too_many_streams", "found": len(found), "allowed": limit}
            await JSONResponse(refusal, 503, headers={"retry-after": "5"})(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "GET":
            await self._stream(receive, send, address)
        with suppress(TimeoutError):  # a client that reads nothing cannot be sent the end either
            async with asyncio.timeout(1.0):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, receive: "Receive", send: "Send", address: str) -> None:
        """Sends events until the client leaves or stalls, or the page closes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as life:
                self._open[life] = address
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(_watch(receive, life), name="live-watch")
                        group.create_task(self._events(send, life), name="live-events")
                finally:
                    self._open.pop(life, None)

    async def _events(self, send: "Send", life: asyncio.Timeout) -> None:
        after: int | None = None
        body = b"retry: 2000\n\n"
        while await self._sent(send, body):
            if after is not None and not await self._changed(after):
                body = b": nothing new\n\n"
                continue
            state = self._view.state()
            after = state.cycle
            body = f"id: {after}\nevent: state\ndata: {json_text(state)}\n\n".encode()
        _end(life)

    async def _changed(self, after: int) -> bool:
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._view.changed(after)
        except TimeoutError:
            return False
        return True

    async def _sent(self, send: "Send", body: bytes) -> bool:
        try:
            async with asyncio.timeout(self._send_s):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            return False
        return True


async def _watch(receive: "Receive", life: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _end(life)


def _end(life: asyncio.Timeout) -> None:
    if not life.expired():  # it may end for two reasons at once
        life.reschedule(asyncio.get_running_loop().time())
