"""One HTTP request to a program on this machine. Nothing here follows redirects, keeps connections or retries."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON. ValueError when it is none."""
        return json.loads(self.body)


async def exchange(
    address: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    within_s: float = 5.0,
) -> Answer:
    """Ask `http://host:port/path?query`. OSError when there is no answer, or none that is HTTP."""
    return await asyncio.to_thread(_exchange, address, method, body, dict(headers), within_s)


def _exchange(address: str, method: str, body: bytes | None, headers: dict[str, str], within_s: float) -> Answer:
    url = urlsplit(address)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = HTTPConnection(url.hostname or "", url.port or 80, timeout=within_s)
    try:
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(status=response.status, body=response.read())
    except HTTPException as error:
        raise ConnectionError(f"{address}: {error!r}") from error
    finally:
        connection.close()
