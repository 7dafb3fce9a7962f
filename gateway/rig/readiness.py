"""When a started program counts as ready: a port that answers, a line it printed, a page that is served."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.rig.exchange import exchange


class Ready(Protocol):
    """Something that becomes true of a program once it is of use."""

    async def holds(self, output: Path) -> bool:
        """Whether it is true now. `output` is the file with the program's standard output."""
        ...

    def __str__(self) -> str:
        """In words, to follow "waiting for"."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """For a program that shows nothing outside: it was started."""

    async def holds(self, output: Path) -> bool:  # noqa: ARG002 - the protocol's
        """True at once."""
        return True

    def __str__(self) -> str:
        return "the program to start"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOpen:
    """A TCP connection is accepted."""

    host: str
    port: int

    async def holds(self, output: Path) -> bool:  # noqa: ARG002 - the protocol's
        """One attempt to connect."""
        try:
            async with asyncio.timeout(1.0):
                _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:  # refused, or too late: TimeoutError is an OSError
            return False
        writer.close()
        return True

    def __str__(self) -> str:
        return f"port {self.port} on {self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServed:
    """HTTP status 200."""

    address: str

    async def holds(self, output: Path) -> bool:  # noqa: ARG002 - the protocol's
        """One request."""
        try:
            return (await exchange(self.address, within_s=2.0)).status == 200
        except OSError:
            return False

    def __str__(self) -> str:
        return f"200 from {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLine:
    """A complete line of JSON on standard output whose `key` is true."""

    key: str

    async def holds(self, output: Path) -> bool:
        """Reads the whole output: it is short until the program is ready."""
        return bool(self.read(output))

    def read(self, output: Path) -> dict[str, object]:
        """The line as an object; empty while it has not come."""
        for line in output.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                reported = json.loads(line)
                if reported.get(self.key) is True:
                    return dict(reported)
        return {}

    def __str__(self) -> str:
        return f'a line {{"{self.key}": true, …}} on standard output'
