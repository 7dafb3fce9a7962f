"""TCP connections, plain or inside TLS, in which every wait ends; node/tcp_connect.py opens them."""

import asyncio
import errno

from micropython import const
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    import socket
    from typing import Any

_STEP_MS = const(5)
_SEND_MS = const(5000)  # without one byte taken


class Connection:
    def __init__(self, sock: "socket.socket", stream: "Any") -> None:
        self.sock = sock
        self.stream = asyncio.StreamReader(stream)
        self.got = 0

    def close(self) -> None:
        self.stream.s.close()
        self.sock.close()  # which a failed handshake has let go of, but not closed

    async def send(self, view: memoryview) -> None:
        """All bytes of a memoryview; OSError when the other side takes none for too long."""
        end = after(_SEND_MS)
        while view:
            try:
                taken = self.stream.s.write(view)
            except ValueError as error:  # of a certificate; why is a sentence
                raise OSError(str(error).strip())
            if taken:
                view = view[taken:]
                end = after(_SEND_MS)
            elif left(end) < 0:
                raise OSError(errno.ETIMEDOUT)
            else:
                await asyncio.sleep_ms(_STEP_MS)

    async def fill(self, view: memoryview) -> None:
        """Fills a memoryview from `got` on, which survives a time-out; OSError at the end of the connection."""
        while self.got < len(view):
            more = await self.stream.readinto(view[self.got :])
            if more == 0:
                raise OSError(errno.ECONNRESET)
            self.got += more or 0
