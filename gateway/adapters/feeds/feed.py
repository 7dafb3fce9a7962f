"""What comes from the internet: fetched when due, cached on disk, used while it is young enough, and never waited for.

A feed always answers at once: the newest value with its age, or an absence with its reason. The last good answer is
used although it is old (`is_stale`), until it is older than its `good_s`.
"""

import asyncio
import hashlib
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from gateway.adapters.feeds.fetch import FetchError, fetch, without_query
from gateway.ports import Clock

_log = logging.getLogger(__name__)

Value = TypeVar("Value")

FIRST_PAUSE_S = 60.0  # after a failure; a server in trouble is not asked more often
LONGEST_PAUSE_S = 3600.0  # the period of what is asked for: nothing is older for having failed
CLOCK_S = 300.0  # an answer from further ahead than this was cached under a wrong clock


class ContentError(Exception):
    """An answer that came and cannot be used: `why` is a reason of an absence."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(f"{why}: {text}")
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAnswer(Generic[Value]):
    """What a feed knows now. `why` is the last failure, also beside a value that is still used."""

    value: Value | None
    age_s: float | None  # None when nothing was ever fetched
    is_stale: bool  # at least one fetch was missed, or there is no value
    why: str | None  # a word of `why.*`


class Feed(Generic[Value]):
    """One address (or file). `parse` makes a value of the body, or raises ContentError.

    `every_s`: how often it is fetched; `good_s`: how long an answer may be used; `cache`: where the last good body
    outlives a restart.
    """

    def __init__(
        self,
        *,
        source: str,
        parse: Callable[[bytes], Value],
        cache: Path,
        clock: Clock,
        every_s: float,
        good_s: float,
        limit_s: float = 20.0,
    ) -> None:
        self._source = source
        self._place = without_query(source) if is_address(source) else source  # for logs
        self._parse = parse
        self._cache = cache
        self._clock = clock
        self._every_s = every_s
        self._good_s = good_s
        self._limit_s = limit_s
        self._value: Value | None = None
        self._got_s = 0.0
        self._why: str | None = "no_data"
        self._failures = 0
        self._restore()

    def answer(self) -> FeedAnswer[Value]:
        """What is known now."""
        if self._value is None:
            return FeedAnswer(value=None, age_s=None, is_stale=True, why=self._why)
        age_s = max(self._clock.utc_s() - self._got_s, 0.0)
        if age_s > self._good_s:
            return FeedAnswer(value=None, age_s=age_s, is_stale=True, why=self._why or "stale")
        return FeedAnswer(value=self._value, age_s=age_s, is_stale=age_s > 2 * self._every_s, why=self._why)

    def due_s(self) -> float:
        """Seconds until what is known should be renewed; 0 when there is nothing."""
        age_s = self.answer().age_s
        return 0.0 if age_s is None else max(self._every_s - age_s, 0.0)

    async def refresh(self) -> float:
        """Fetch once; the seconds until the next time: `every_s`, or a pause that doubles with each failure."""
        try:
            body = await self._body()
            value = self._parse(body)
        except (FetchError, ContentError) as error:
            self._failures += 1
            _log.log(logging.WARNING if error.why != self._why else logging.DEBUG, "%s", error)
            self._why = error.why
            asked_s = error.wait_s if isinstance(error, FetchError) else None
            doubled_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10)
            return max(asked_s or 0.0, min(doubled_s, LONGEST_PAUSE_S, self._every_s))
        if self._failures:
            _log.info("%s answers again after %d failures", self._place, self._failures)
        self._value, self._got_s, self._why, self._failures = value, self._clock.utc_s(), None, 0
        await asyncio.to_thread(self._save, body)
        return self._every_s

    async def run(self) -> None:
        """Fetch for ever; what was cached is not fetched again before it is due."""
        pause_s = self.due_s()
        while True:
            await asyncio.sleep(pause_s * random.uniform(1.0, 1.2))  # noqa: S311 - not all gateways at one moment
            pause_s = await self.refresh()

    async def _body(self) -> bytes:
        if is_address(self._source):
            return await fetch(self._source, limit_s=self._limit_s)
        try:
            return await asyncio.to_thread(Path(self._source).read_bytes)
        except OSError as error:
            raise FetchError("offline", f"{self._source}: {error.strerror or error}") from error

    def _save(self, body: bytes) -> None:
        """On disk as a whole or not at all; a full disk costs the cache and nothing else."""
        cached = {"source": _digest(self._source), "got_s": self._got_s, "body": body.decode("utf-8", "replace")}
        part = self._cache.with_suffix(".part")
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(cached), encoding="utf-8")
            part.replace(self._cache)
        except OSError as error:
            _log.warning("%s is not written: %s", self._cache, error)

    def _restore(self) -> None:
        """Take up what was cached; a file that cannot be read, or is of another address, counts as none."""
        try:
            cached = json.loads(self._cache.read_text(encoding="utf-8"))
            got_s = float(cached["got_s"])
            if cached["source"] != _digest(self._source) or not got_s <= self._clock.utc_s() + CLOCK_S:
                return
            self._value, self._got_s, self._why = self._parse(cached["body"].encode()), got_s, None
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ContentError) as error:
            _log.warning("%s is not used: %r", self._cache, error)


def is_address(source: str) -> bool:
    """Whether a source is on the network; others are files."""
    return source.startswith(("http://", "https://"))


def _digest(source: str) -> str:
    """Tells one address from another on disk, without what its query may hold."""
    return hashlib.sha256(source.encode()).hexdigest()
