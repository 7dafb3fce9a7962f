"""What a board's radio is in front of: all its TCP connections to the broker go through here, and end when it is away.

The fake station (port/network.py) reads the file `wifi.away`; what it would say of sockets is done here.
"""

import asyncio
from pathlib import Path


class Wlan:
    """Carries from `port` to the broker's while the network is there; `async with` it."""

    def __init__(self, broker_port: int, directory: Path):
        self.broker_port = broker_port
        self.file = directory / "wifi.away"
        self.there = asyncio.Event()
        self.there.set()
        self.writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc):
        self.come_back()
        self.server.close()

    def go_away(self) -> None:
        """Nothing comes through any more, and nobody says so; a new connection leads nowhere."""
        self.file.touch()
        self.there.clear()

    def come_back(self) -> None:
        """The old connections are gone."""
        self.file.unlink(missing_ok=True)
        for writer in self.writers:
            writer.transport.abort()
        self.there.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.there.is_set():
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.broker_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self.writers |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, far_writer))
                tasks.create_task(self._carry(far_reader, writer))
        except* (OSError, EOFError):
            pass
        finally:
            self.writers -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            piece = await reader.read(4096)
            if not piece:
                raise EOFError
            await self.there.wait()
            writer.write(piece)
            await writer.drain()
