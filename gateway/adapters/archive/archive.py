"""The archive: what is given to it is on disk soon, and whoever gives it never waits.

One thread writes. While nothing can be written (no room, no right, locked) all waits in memory within bounds, and is
written as soon as that can be; a file that is damaged is put aside, and a new one begun with what can be read of it.
Quarter hours are written at once; decisions and events each minute, so that a card is not worn out: a power cut costs a
minute of them.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

from gateway.adapters.archive import days, writing
from gateway.adapters.archive.archive_file import open_archive
from gateway.adapters.archive.names import Names
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.adapters.store import files
from gateway.adapters.store.files import OF_NO_USE, UnusableError
from gateway.adapters.store.store import Trouble
from gateway.core.accounts.quarter_account import QuarterAccount

K = TypeVar("K")
V = TypeVar("V")
_log = logging.getLogger(__name__)

EACH_S = 60.0  # between two writes of decisions and events
AGAIN_S = 30.0  # after a file that could not be written
ALIVE_S = 300.0  # between two notes of when this gateway was alive
AWAY_S = 120.0  # a shorter time without a gateway is no event: it was restarted
KEPT_S = (10 * 365.25 + 31) * 86400  # ten years and a month
ACCOUNTS_KEPT = 31 * 96  # in memory while nothing can be written: a month
MOMENTS_KEPT = 20_000  # decisions, and events, likewise
CLOSE_S = 5.0  # what the last write may take
AWAY = "gateway_away"  # kind of the event that nothing was recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What is to be written in one transaction."""

    accounts: Mapping[int, QuarterAccount]
    decisions: Mapping[tuple[str, float], Decision]
    events: Mapping[tuple[str, str, float], HistoryEvent]
    alive_s: float | None

    @property
    def is_any(self) -> bool:
        return bool(self.accounts or self.decisions or self.events)


class Archive:
    """Takes accounts (port AccountSink), decisions and events. Without a path nothing is kept.

    `trouble`: why nothing is on disk, None while it is; `lost`: how many could not be kept in memory until it was.
    """

    def __init__(self, path: Path | None, *, zone: tzinfo) -> None:
        """The file is opened by the first write, in its own thread."""
        self.path = path
        self.zone = zone
        self.trouble: Trouble | None = None
        self.lost = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")
        self._db: sqlite3.Connection | None = None
        self._names: Names | None = None
        self._accounts: dict[int, QuarterAccount] = {}  # by their start
        self._decisions: dict[tuple[str, float], Decision] = {}  # by device and begin
        self._events: dict[tuple[str, str, float], HistoryEvent] = {}  # by kind, device and begin
        self._alive_s: float | None = None  # the newest cycle (UTC)
        self._noted_s = 0.0  # when that was written last (UTC)
        self._has_begun = False  # whether a write of this run has told when it began
        self._due = asyncio.Event()

    def save_accounts(self, accounts: Sequence[QuarterAccount]) -> None:
        """Finished quarter hours; one that was given before is replaced. Never waits."""
        if self.path is not None:
            self._accounts |= {account.start_s: account for account in accounts}
            self._due.set()
            self.lost += _cut(self._accounts, ACCOUNTS_KEPT)

    def save_decisions(self, decisions: Sequence[Decision]) -> None:
        """Decisions, as they begin and again as they end. Never waits."""
        if self.path is not None:
            self._decisions |= {(one.device, one.since_s): one for one in decisions}
            self.lost += _cut(self._decisions, MOMENTS_KEPT)

    def save_events(self, events: Sequence[HistoryEvent]) -> None:
        """Events, as they begin and again as they end. Never waits."""
        if self.path is not None:
            self._events |= {(one.kind, one.device, one.since_s): one for one in events}
            self.lost += _cut(self._events, MOMENTS_KEPT)

    def is_alive(self, utc_s: float) -> None:
        """There was a cycle at that moment."""
        self._alive_s = utc_s

    async def run(self) -> None:
        """Write for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EACH_S if self.trouble is None else AGAIN_S):
                    await self._due.wait()
            self._due.clear()
            if not await self.flush():
                await asyncio.sleep(AGAIN_S)
                self._due.set()

    async def flush(self) -> bool:
        """Write now what waits; whether it is on disk."""
        if self.path is None:
            return True
        waits = self._waiting()
        is_written = await asyncio.get_running_loop().run_in_executor(self._thread, self._written, self.path, waits)
        if is_written:
            _settle(self._accounts, waits.accounts)
            _settle(self._decisions, waits.decisions)
            _settle(self._events, waits.events)
        return is_written

    def close(self) -> None:
        """Write what waits, within a time, and close the file."""
        if self.path is not None:
            with suppress(TimeoutError):
                self._thread.submit(self._written, self.path, self._waiting())
                self._thread.submit(self._close).result(timeout=CLOSE_S)
        self._thread.shutdown(wait=False)

    def _waiting(self) -> "_Waiting":
        """What waits now. What comes while it is written waits for the next time."""
        return _Waiting(
            accounts={**self._accounts}, decisions={**self._decisions}, events={**self._events}, alive_s=self._alive_s
        )

    def _written(self, path: Path, waits: "_Waiting") -> bool:
        """Whether it is on disk. On the thread."""
        try:
            self._write(path, waits)
        except (UnusableError, *files.ERRORS) as error:
            self._report(path, error)
            return False
        if self.trouble is not None:
            _log.warning("the archive %s is on disk again", path)
            self.trouble = None
        return True

    def _write(self, path: Path, waits: "_Waiting") -> None:
        is_first, alive_s = self._db is None, waits.alive_s
        is_alive_due = alive_s is not None and not self._noted_s <= alive_s < self._noted_s + ALIVE_S
        if not (is_first or waits.is_any or is_alive_due):
            return
        if self._db is None:
            self._db, self._names = open_archive(path), None
        db, self._names = self._db, self._names or Names(self._db)
        db.execute("BEGIN IMMEDIATE")
        try:
            if is_first:
                _begin(db, self._names, self.zone, alive_s, is_new_run=not self._has_begun)
            self._put(db, self._names, waits)
            db.execute("COMMIT")
        except BaseException:
            self._names = None  # numbers may be in it that were rolled back
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        self._has_begun = self._has_begun or alive_s is not None
        self._noted_s = self._noted_s if alive_s is None else alive_s

    def _put(self, db: sqlite3.Connection, names: Names, waits: "_Waiting") -> None:
        writing.write_accounts(db, names, waits.accounts.values())
        days.make_days(db, {days.day_of(start_s, self.zone) for start_s in waits.accounts}, self.zone)
        writing.write_decisions(db, names, waits.decisions.values())
        writing.write_events(db, names, waits.events.values())
        if waits.alive_s is not None:
            _note(db, "alive", str(waits.alive_s))
            if days.day_of(self._noted_s, self.zone) != days.day_of(waits.alive_s, self.zone):
                writing.forget_before(db, waits.alive_s - KEPT_S)

    def _report(self, path: Path, error: Exception) -> None:
        """Once for each trouble; the file is opened anew next time."""
        self._close()
        cause = error.cause if isinstance(error, UnusableError) else files.cause_of(error, path)
        if self.trouble is None:
            _log.error("the archive %s cannot be written (%s: %s): what comes waits in memory", path, cause, error)
        if self.trouble is None or self.trouble.cause != cause or cause in OF_NO_USE:
            self.trouble = Trouble(cause=cause, text=str(error), since_s=time.time())

    def _close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = self._names = None


def _begin(db: sqlite3.Connection, names: Names, zone: tzinfo, alive_s: float | None, *, is_new_run: bool) -> None:
    """The file is new to us: what the run before left open ends, and days are those of this zone."""
    known = {str(name): str(text) for name, text in db.execute("SELECT name, value FROM archive")}
    last_s = _moment(known.get("alive"))
    if last_s is not None and is_new_run:
        writing.end_open(db, last_s)
        if alive_s is not None and alive_s - last_s > AWAY_S:
            writing.write_events(db, names, [HistoryEvent(kind=AWAY, since_s=last_s, until_s=alive_s)])
    if known.get("zone") != str(zone):
        days.make_all(db, zone)
        _note(db, "zone", str(zone))


def _note(db: sqlite3.Connection, name: str, text: str) -> None:
    db.execute("INSERT OR REPLACE INTO archive VALUES (?, ?)", (name, text))


def _moment(text: str | None) -> float | None:
    with suppress(TypeError, ValueError):
        return float(text or "")
    return None


def _cut(kept: dict[K, V], most: int) -> int:
    """Forget the oldest beyond so many; how many."""
    too_many = len(kept) - most
    for key in list(kept)[: max(0, too_many)]:
        del kept[key]
    return max(0, too_many)


def _settle(mine: dict[K, V], written: Mapping[K, V]) -> None:
    """Forget what is on disk, but not what has changed meanwhile."""
    for key, one in written.items():
        if mine.get(key) is one:
            del mine[key]
