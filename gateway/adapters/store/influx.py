"""From the outbox to InfluxDB, in order, one awaited call at a time. The only module that imports influxdb_client.

The client's own batching is not used: it keeps points in memory and drops them when the server stays away.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol, cast

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

_log = logging.getLogger(__name__)

BATCH = 2000  # lines in one call; InfluxDB recommends up to 5000
TIMEOUT_MS = 10_000  # of one call: a server that compacts its files may take seconds
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0  # asking costs nothing, and the page should soon show it again
IDLE_S = 1.0  # between looks when little waits
UNACCEPTABLE = frozenset({400, 413, 422})  # malformed, too large; of a wrong type or outside of the retention
MILLISECONDS = cast("WritePrecision", WritePrecision.MS)  # the client annotates its own constants wrongly

Line = tuple[int, str]


class Lines(Protocol):
    """Where the lines wait."""

    async def oldest(self, limit: int) -> list[Line]:
        """The first ones."""
        ...

    async def forget(self, numbers: Sequence[int]) -> None:
        """They are in the database."""
        ...

    async def quarantine(self, refused: Sequence[tuple[int, str, str]]) -> None:
        """The database will never take this one."""
        ...


class Forwarder:
    """Feeds one bucket. `error` is the last failure in words, None while all is well."""

    def __init__(self, *, url: str, org: str, bucket: str, token: str, lines: Lines) -> None:
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=TIMEOUT_MS, enable_gzip=True)
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._org = org
        self._bucket = bucket
        self._lines = lines
        self.error: str | None = None
        self.written = 0

    async def run(self) -> None:
        """Forward for ever; a database that is away is asked again with growing pauses, and nothing is dropped."""
        pause_s = FIRST_PAUSE_S
        while True:
            lines = await self._lines.oldest(BATCH)
            try:
                await self._forward(lines)
            except (ApiException, HTTPError, OSError) as error:
                self._report(_words(error))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            self._report(None)
            pause_s = FIRST_PAUSE_S
            if len(lines) < BATCH:
                await asyncio.sleep(IDLE_S)

    def close(self) -> None:
        """Release the connection."""
        self._api.close()  # type: ignore[no-untyped-call]  # the client's own annotations are incomplete
        self._client.close()  # type: ignore[no-untyped-call]

    async def _forward(self, lines: Sequence[Line]) -> None:
        """Write lines and forget them; a refused batch is halved until the bad line stands alone."""
        if not lines:
            return
        try:
            await asyncio.to_thread(self._write, [text for _, text in lines])
        except ApiException as error:
            if error.status not in UNACCEPTABLE:
                raise
            await self._divide(lines, str(error.message or error.reason))
            return
        self.written += len(lines)
        await self._lines.forget([number for number, _ in lines])

    async def _divide(self, lines: Sequence[Line], why: str) -> None:
        if len(lines) == 1:
            _log.warning("the database refuses a line: %s: %s", why, lines[0][1])
            await self._lines.quarantine([(*lines[0], why)])
            return
        middle = len(lines) // 2
        await self._forward(lines[:middle])
        await self._forward(lines[middle:])

    def _write(self, texts: list[str]) -> None:
        self._api.write(self._bucket, self._org, texts, write_precision=MILLISECONDS)

    def _report(self, error: str | None) -> None:
        if error != self.error:
            _log.log(logging.WARNING if error else logging.INFO, "database: %s", error or "takes lines again")
        self.error = error


def _words(error: Exception) -> str:
    """What to show to a person."""
    if isinstance(error, ApiException) and error.status == 401:
        return "the database refuses the token: check ZEN_INFLUX_TOKEN"
    if isinstance(error, ApiException) and error.status == 404:
        return f"the database does not know the bucket or organisation: {error.message}"
    if isinstance(error, ApiException) and error.status:
        return f"the database answers {error.status}: {error.message or error.reason}"
    return "the database does not answer"
