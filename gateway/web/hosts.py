"""Under which names the page answers: its own.

A name of somebody else that leads here is how a web page elsewhere would read ours through the browser of a person at
home ("DNS rebinding").
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Names of networks at home, which no one else can have: RFC 6761, 6762, 8375, 9476, and those that routers give.
HOME = ("local", "lan", "home", "home.arpa", "internal", "localdomain")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
MISDIRECTED = 421  # RFC 9110, 15.5.20


def own_names(*more: str) -> frozenset[str]:
    """This machine's names, and more of them."""
    machine = socket.gethostname().lower().partition(".")[0]
    named = {machine, socket.gethostname().lower(), *(f"{machine}.{home}" for home in HOME)} if machine else set()
    return frozenset({"localhost", *named, *(_plain(name) for name in more if name)})


def is_local(host: str) -> bool:
    """Whether an address, or a name of one, is this machine's for itself alone."""
    try:
        return ipaddress.ip_address(_plain(host)).is_loopback
    except ValueError:
        return _plain(host) == "localhost"


class HostCheck:
    """Refuses requests for a name that is not ours; the address that a request came to is always ours."""

    def __init__(self, app: "ASGIApp", names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """One request."""
        if scope["type"] == "http" and not self._is_ours(scope):
            found = b", ".join(value for name, value in scope["headers"] if name == b"host").decode("latin-1")[:200]
            refusal = {"error": "foreign_host", "found": found, "allowed": "a name in [page] names of the site file"}
            await JSONResponse(refusal, MISDIRECTED)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: "Scope") -> bool:
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if found is None:
            return False
        host = _plain(found[1])
        address = scope["server"][0] if scope.get("server") else ""
        return host in self._names or host == _plain(address)


def _plain(name: str) -> str:
    """One spelling for each name and address."""
    name = name.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
