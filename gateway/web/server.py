import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from gateway.web.connections import HEADER_BYTES, Connections, PageConnection

if TYPE_CHECKING:
    from starlette.applications import Starlette

log = logging.getLogger(__name__)

STOP_S = 5.0
BACKLOG = 32  # connections that are taken in at once, before it is seen whether there is a place for them
MAX_PORT = 65535


class AddressError(Exception):
    """The page cannot have the address it was given. For the configuration to mend."""

    def __init__(self, *, address: str, reason: str, remedy: str) -> None:
        super().__init__(f"page address {address}: {reason}; {remedy}")
        self.address = address
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the page really listens; the port is never 0."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """An address for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


@asynccontextmanager
async def serve(app: "Starlette", *, host: str, port: int) -> AsyncIterator[Address]:
    """Serves the page inside the running loop while the context is open; signals stay the caller's.

    Port 0 takes any free port. Raises AddressError when the address cannot be had. A page that breaks is logged and
    never ends the caller: control does not need it.
    """
    listener = await _listen(host, port)  # it listens from here on: early clients wait in its backlog
    bound = listener.getsockname()
    connections: Connections = app.state.connections
    server = _Server(_configure(app, connections))
    # Not in a TaskGroup: that would end the body of the context together with the page.
    task = asyncio.create_task(_run(server, listener), name="page")
    watch = asyncio.create_task(connections.watch(), name="page-watch")
    try:
        yield Address(host=bound[0], port=bound[1])
    finally:
        app.state.live.close()
        server.should_exit = True
        await asyncio.wait({task}, timeout=STOP_S)
        task.cancel()
        watch.cancel()
        listener.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves SIGINT and SIGTERM to the gateway, which releases the set-points first."""
        yield


def _configure(app: "Starlette", connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(PageConnection, connections=connections),  # type: ignore[arg-type]  # makes one, as a class does
        h11_max_incomplete_event_size=HEADER_BYTES,
        backlog=BACKLOG,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )


async def _run(server: _Server, listener: socket.socket) -> None:
    try:
        await server.serve(sockets=[listener])
    except Exception:
        log.exception("the page stopped; control goes on without it")


async def _listen(host: str, port: int) -> socket.socket:
    address = f"{host}:{port}"
    if not 0 <= port <= MAX_PORT:  # some systems would quietly take it modulo 65536
        remedy = f"choose one from 1 to {MAX_PORT}, or 0 for any free one"
        raise AddressError(address=address, reason="there is no such port", remedy=remedy)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, target = found[0]
        return socket.create_server(target, family=family, backlog=BACKLOG)
    except OSError as error:
        reason, remedy = _explain(error)
        raise AddressError(address=address, reason=reason, remedy=remedy) from error


def _explain(error: OSError) -> tuple[str, str]:
    """What is wrong with an address, and what to do about it."""
    if isinstance(error, socket.gaierror):
        return "the host name is unknown here", "use an address of this machine, or 0.0.0.0 for all of them"
    known = {
        errno.EADDRINUSE: ("another program listens there", "stop it or choose another port (0: any free one)"),
        errno.EACCES: ("this user may not listen there", "choose a port above 1023"),
        errno.EADDRNOTAVAIL: ("this machine has no such address", "use one of its own, or 0.0.0.0 for all of them"),
    }
    return known.get(error.errno or 0, (str(error), "choose another host or port"))
