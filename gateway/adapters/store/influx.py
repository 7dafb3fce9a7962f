"""From the outbox to InfluxDB, one awaited call at a time. The only module that imports influxdb_client.

The newest lines go first, so that people see the present soon after an outage; then the past is filled in, backwards.

The client's own batching is not used: it keeps points in memory and drops them when the server stays away.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from gateway.adapters.store.delivery import Delivery, Lines, RefusesAllError
from gateway.adapters.store.line_protocol import measurement
from gateway.adapters.store.store import OutboxError
from gateway.database.measurements import bucket_of
from gateway.database.schema import Bucket

_log = logging.getLogger(__name__)

BATCH = 2000  # lines in one call; InfluxDB recommends up to 5000
LEAST_BATCH = 100  # where the answer does not come in time: a slow link, a slow server
TIMEOUT_MS = 10_000  # of one call: a server that compacts its files may take seconds
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0  # asking costs nothing, and the page should soon show it again
IDLE_S = 1.0  # between looks when little waits
# Not about the lines: token, right, bucket, proxy, time, load. Every other 4xx is: they are malformed, too large, of a
# wrong type, outside of the retention.
NOT_THE_LINES = frozenset({401, 403, 404, 407, 408, 425, 429})
AWAY = frozenset({502, 503, 504})  # it is not there, or starts
STUBBORN = 4  # times the same other 5xx, and it is asked which lines it means: an answer may never change by itself
MILLISECONDS = cast("WritePrecision", WritePrecision.MS)  # the client annotates its own constants wrongly
MOST_LETTERS = 300  # of what a server says

TROUBLES = {  # what some answers mean, and what can be done
    401: ("database_token", "the database refuses the token: check ZEN_INFLUX_TOKEN"),
    403: ("database_forbidden", "the database does not let this token write to the bucket: give it the right"),
    404: ("database_unknown", "the database does not know the bucket or organisation: check [database] bucket and org"),
}

Numbers = Mapping[str, float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseTrouble:
    """Why lines wait: a code of `trouble.*` in the words, its numbers, and the same in English for the log."""

    code: str
    text: str
    numbers: Numbers = field(default_factory=dict)


class Forwarder:
    """Feeds one bucket, or two: each line goes where its measurement belongs.

    `trouble` is the last failure, `error` the same in words; None while all is well.
    """

    def __init__(
        self, *, url: str, org: str, bucket: str, token: str, lines: Lines, quarters_bucket: str | None = None
    ) -> None:
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=TIMEOUT_MS, enable_gzip=True)
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._org = org
        self._buckets = {Bucket.RAW: bucket, Bucket.QUARTERS: quarters_bucket or bucket}
        self._lines = lines
        self._delivery = Delivery(write=self._offer, lines=lines)
        self._batch = BATCH
        self._failed = (0, 0)  # the last 5xx, and how often it came one after the other
        self.trouble: DatabaseTrouble | None = None
        self.error: str | None = None

    @property
    def written(self) -> int:
        """Lines that the database took since the start."""
        return self._delivery.taken

    async def run(self) -> None:
        """Forward for ever; a database that is away is asked again with growing pauses, and nothing is dropped."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                lines = await self._lines.newest(self._batch)
                if lines:
                    await self._delivery.deliver(lines)
            except OutboxError as error:  # the store tells of its own trouble
                _log.debug("%s", error)
                await asyncio.sleep(FIRST_PAUSE_S)
                continue
            except (ApiException, HTTPError, OSError, RefusesAllError) as error:
                self._learn(error)
                self._report(_trouble(error))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            self._report(None)
            is_all = len(lines) < self._batch
            pause_s, self._batch, self._failed = FIRST_PAUSE_S, min(2 * self._batch, BATCH), (0, 0)
            if is_all:
                await asyncio.sleep(IDLE_S)

    def close(self) -> None:
        """Release the connection."""
        self._api.close()  # type: ignore[no-untyped-call]  # the client's own annotations are incomplete
        self._client.close()  # type: ignore[no-untyped-call]

    async def _offer(self, texts: Sequence[str]) -> str | None:
        """None when they were taken, or why they were refused; those of the other bucket may have been taken then."""
        parts: dict[str, list[str]] = {}
        for text in texts:
            parts.setdefault(self._buckets[bucket_of(measurement(text))], []).append(text)
        try:
            for bucket, part in parts.items():
                await asyncio.to_thread(self._api.write, bucket, self._org, part, write_precision=MILLISECONDS)
        except ApiException as error:
            if self._means_the_lines(int(error.status or 0)):
                return _said(error)
            raise
        return None

    def _means_the_lines(self, status: int) -> bool:
        """Whether an answer is one that some lines may have caused, and others would not."""
        if status == self._failed[0] and self._failed[1] >= STUBBORN:
            return True
        return 400 <= status < 500 and status not in NOT_THE_LINES

    def _learn(self, error: Exception) -> None:
        """From a failure: to offer less where no answer comes, to look closer where the same one always comes."""
        status = int(error.status or 0) if isinstance(error, ApiException) else 0
        if not isinstance(error, ApiException | RefusesAllError):
            self._batch = max(self._batch // 2, LEAST_BATCH)
        is_stubborn = status >= 500 and status not in AWAY
        self._failed = (status, self._failed[1] + 1 if status == self._failed[0] else 1) if is_stubborn else (0, 0)

    def _report(self, trouble: DatabaseTrouble | None) -> None:
        if trouble != self.trouble:
            text = trouble.text if trouble else "takes lines again"
            _log.log(logging.WARNING if trouble else logging.INFO, "database: %s", text)
        self.trouble, self.error = trouble, trouble.text if trouble else None


def _trouble(error: Exception) -> DatabaseTrouble:
    """What to show to a person, and what can be done."""
    if isinstance(error, RefusesAllError):
        text = f"the database refuses every line: {error}; is [database] url an InfluxDB 2?"
        return DatabaseTrouble(code="database_refuses", text=text, numbers={"said": str(error)})
    if isinstance(error, ApiException) and error.status:
        code, text = TROUBLES.get(error.status, ("database_answers", f"the database answers {error.status}"))
        numbers = {"status": str(error.status), "said": _said(error)}
        return DatabaseTrouble(code=code, text=f"{text}: {numbers['said']}", numbers=numbers)
    if isinstance(error, SSLError) or (isinstance(error, MaxRetryError) and isinstance(error.reason, SSLError)):
        return DatabaseTrouble(code="database_certificate", text="the certificate of the database cannot be trusted")
    return DatabaseTrouble(code="database_silent", text="the database does not answer")


def _said(error: ApiException) -> str:
    """The server's own words, on one line."""
    return " ".join(str(error.message or error.reason or error.status).split())[:MOST_LETTERS]
