"""The connections of the page: few enough that control always has descriptors left, none of them held for nothing.

A connection that waits (for its first request, for the rest of one, for the next one) gives its place to a new one:
whoever only opens connections, or sends a byte now and then, keeps nobody out.
"""

import asyncio
import resource
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.web.hosts import is_local

MOST = 128  # a browser opens six, and one of them stays
MOST_OF_ONE = 48  # from one address, but for those of this machine: a proxy brings everybody's
LEAST = 8
SHARE = 4  # a quarter of this program's descriptors is the page's: the rest is for the broker, the store and plans
REQUEST_S = 10.0  # for a request to come in
STALL_S = 20.0  # for a client to take something of its answer
ANSWER_S = 60.0  # for all of it, but for the live stream
LOOK_S = 1.0
SEND_BYTES = 32_768  # that the system holds for a client which reads nothing, and as much here
HEADER_BYTES = 16_384
LIVE = "/api/live"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def most_connections() -> int:
    """As many as leave enough descriptors for control."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(LEAST, min(MOST, soft // SHARE if soft > 0 else MOST))


@dataclass(kw_only=True)
class Connections:
    """All that are open. `most` at once, `most_of_one` from one address; `refused` counts who found no place."""

    most: int = field(default_factory=most_connections)
    most_of_one: int = MOST_OF_ONE
    refused: int = 0
    ended: int = 0  # because they held a place for nothing
    _open: set["PageConnection"] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, new: "PageConnection") -> bool:
        """Whether there is a place for it, if need be that of the one that has waited longest."""
        same = [one for one in self._open if one.address == new.address]
        if len(same) >= self.most_of_one and not is_local(new.address):
            is_in = self._end_one(same)
        else:
            is_in = len(self._open) < self.most or self._end_one(self._open)
        if is_in:
            self._open.add(new)
        else:
            self.refused += 1
        return is_in

    def forget(self, gone: "PageConnection") -> None:
        """It is closed."""
        self._open.discard(gone)

    async def watch(self) -> None:
        """End what holds a place for nothing, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            for one in [one for one in self._open if one.is_overdue()]:
                self._end(one)

    def _end_one(self, among: Iterable["PageConnection"]) -> bool:
        waiting = [one for one in among if not one.is_answered]
        if waiting:
            self._end(min(waiting, key=lambda one: one.since_s))
        return bool(waiting)

    def _end(self, one: "PageConnection") -> None:
        self.ended += 1
        self._open.discard(one)
        one.transport.abort()


class PageConnection(H11Protocol):
    """One connection, with what must be known to judge it."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:
        super().__init__(*args, **more)
        self._connections = connections
        self.address = ""
        self.since_s = self.loop.time()  # it waits, or is answered, since then
        self._moved_s = self.since_s  # when the client last took something
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Refused at once where there is no place."""
        raw = transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        transport.set_write_buffer_limits(high=SEND_BYTES)
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if not self._connections.admit(self):
            transport.write(BUSY)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Its place is free."""
        self._connections.forget(self)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """From now on it waits for the next request."""
        self.since_s = self.loop.time()
        super().on_response_complete()

    def handle_events(self) -> None:
        """A request that is complete is answered from now on."""
        was_answered = self.is_answered
        super().handle_events()
        if self.is_answered and not was_answered:
            self.since_s = self._moved_s = self.loop.time()

    @property
    def is_answered(self) -> bool:
        """Whether a request has come in, and its answer is not complete."""
        return self.cycle is not None and not self.cycle.response_complete

    def is_overdue(self) -> bool:
        """Whether it holds its place for nothing."""
        now_s, unsent = self.loop.time(), self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._moved_s, self._unsent = now_s, unsent
        if now_s - self._moved_s > STALL_S:
            return True
        if not self.is_answered:
            return unsent == 0 and now_s - self.since_s > REQUEST_S
        return self.scope["path"] != LIVE and now_s - self.since_s > ANSWER_S
