"""The store: one SQLite file, and memory for as long as the file cannot be used.

WAL with synchronous=FULL: what was written survives a power cut. The building is controlled whatever becomes of the
file. One that is damaged, or of somebody else, is put aside, and a new one begun with all that can still be read of it.
While nothing can be written (no room, no right, locked at the start) all goes on in memory, begun with what the file
says; what came meanwhile is brought into the file as soon as it can be used again.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.adapters.store import files
from gateway.adapters.store.carry import carry
from gateway.adapters.store.counts import Counts, count, count_dropped, give_up, make_room
from gateway.adapters.store.files import OF_NO_USE, Cause, UnusableError
from gateway.adapters.store.gaps import of_nothing_known

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_log = logging.getLogger(__name__)

MEMORY_MB = 32  # of a store in memory: half a day of lines at five a second
SALVAGED = 50_000  # newest lines that are brought out of a damaged file: a few seconds of work for a small computer
AGAIN_S = 5.0  # between two attempts to use the file again
LOOK_S = 5.0  # between two looks whether the file is still the one that was opened
YOUNG_S = 600.0  # a file that is of no use again so soon after it was begun is not the file's fault


class OutboxError(OSError):
    """The store cannot be used now: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why nothing is on disk, and since when (UTC, s)."""

    cause: Cause
    text: str
    since_s: float


class Store:
    """One writer thread owns the database; every call is awaited through it and may raise OutboxError.

    `trouble`: why all is in memory, None while it is on disk; `databases`: how many were used so far, one after the
    other; `aside`: files that this run has put aside and that are still there.
    """

    def __init__(self, path: Path | None, *, max_mb: int) -> None:
        """Open or create, or begin in memory. Without a path there is no file, and no trouble about it."""
        self._path = path
        self._max_mb = max_mb
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self.trouble: Trouble | None = None
        self.databases = 0
        self.aside: tuple[Path, ...] = ()
        self._due_s = 0.0  # of the next look at the file (monotonic)
        self._begun_s = -YOUNG_S  # when the file was begun anew
        self._inode: int | None = None
        self._version = 0  # changes when another program changes the file
        self._away = Counts()  # what is in a file that cannot be used, as far as that is known
        self._counts = Counts()  # what is in the database that is used
        self._db = files.open_memory(max_mb=MEMORY_MB)
        if path is not None:
            self._open(path)

    @property
    def counts(self) -> Counts:
        """Of all that is committed, here and in a file that cannot be used now."""
        return self._counts + self._away

    @property
    def most_bytes(self) -> int:
        """The cap: when more is in, the oldest lines go."""
        return 2**20 * (self._max_mb if self._path and not self.trouble else min(self._max_mb, MEMORY_MB))

    def at_start(self, work: Work[T]) -> T:
        """Do it at once: before the cycle begins, when nothing waits for it."""
        return self._done(work, waits=False)

    async def read(self, work: Work[T]) -> T:
        """What the database says."""
        return await self._on_thread(lambda: self._done(work))

    async def write(self, work: Work[object]) -> None:
        """Change it, all or nothing."""
        await self.change(lambda db: (work(db), Counts())[1])

    async def change(self, work: Work[Counts]) -> None:
        """Change it, all or nothing, and the counts by what the work says."""
        await self._on_thread(lambda: self._done(lambda db: self._changed(db, work)))

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._thread.shutdown(wait=True)
        _close(self._db)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _done(self, work: Work[T], *, waits: bool = True) -> T:
        """The work, in the file where that can be used, else in memory. `waits`: it may be done later as well."""
        try:
            self._look()
            return work(self._db)
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise  # a mistake of ours
        except files.ERRORS as error:
            if self._path is None or self.trouble is not None:
                raise self._error(error) from error
            cause = files.cause_of(error, self._path)
            if waits and cause is Cause.LOCKED:
                raise self._error(error) from error
            self._leave(self._path, self._db, cause, str(error))
        try:
            return work(self._db)
        except files.ERRORS as error:
            raise self._error(error) from error

    def _changed(self, db: sqlite3.Connection, work: Work[Counts]) -> None:
        with _transaction(db):
            change = work(db)
        self._counts += change

    def _error(self, error: Exception) -> OutboxError:
        return OutboxError(f"the store {self._path or 'in memory'} cannot be used: {error}")

    def _open(self, path: Path) -> None:
        """The first time: what cannot be used is read as far as that goes."""
        try:
            self._use(path, *_opened(path, max_mb=self._max_mb))
        except UnusableError as error:
            try:
                old = files.open_to_read(path)
                with suppress(*files.ERRORS):
                    self._counts = count(old)
            except (sqlite3.Error, UnusableError):
                old = files.open_memory(max_mb=1)
            self._leave(path, old, error.cause, str(error))

    def _use(self, path: Path, db: sqlite3.Connection, counts: Counts) -> None:
        self._db, self._counts, self._away, self.trouble = db, counts, Counts(), None
        self.databases += 1
        self._inode, self._version = files.inode(path), _version(db)
        self._due_s = time.monotonic() + LOOK_S

    def _look(self) -> None:
        """Now and then: whether the file can be used again, or is another; each time: whether others changed it."""
        if self._path is None:
            return
        if time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + LOOK_S
            self.aside = tuple(one for one in self.aside if one.exists())
            if self.trouble is not None:
                self._come_back(self._path, self.trouble)
            elif files.inode(self._path) != self._inode:
                self._leave(self._path, self._db, Cause.LOST, "it was taken away while it was in use")
        if self.trouble is None and _version(self._db) != self._version:
            self._version, self._counts = _version(self._db), count(self._db)

    def _leave(self, path: Path, old: sqlite3.Connection, cause: Cause, text: str) -> None:
        """Go on in memory with what the old database knows; at once in a new file where the old one is of no use."""
        known, moves = self._counts, cause in OF_NO_USE or cause is Cause.LOST
        memory = files.open_memory(max_mb=MEMORY_MB)
        if cause is not Cause.FOREIGN:
            with suppress(*files.ERRORS), _transaction(memory):
                carry(old, memory, lines=SALVAGED if moves else 0)
        _close(old)
        if cause is Cause.LOST:
            files.delete_sides(path)
        self._db, self._counts, self._away = memory, count(memory), known
        self.databases += 1
        if moves:
            lost = max(0, known.waiting + known.refused - self._counts.waiting - self._counts.refused)
            with _transaction(memory):
                count_dropped(memory, known.dropped)
                give_up(memory, [of_nothing_known(lost)])
            self._counts, self._away = count(memory), Counts()
        self.trouble = Trouble(cause=cause, text=text, since_s=time.time())
        _log.error("the store %s cannot be used (%s: %s): what comes is kept in memory until it can", path, cause, text)
        if moves:
            self._come_back(path, self.trouble)

    def _come_back(self, path: Path, trouble: Trouble) -> None:
        """Bring all that is in memory into the file, if that can be used now."""
        self._due_s = time.monotonic() + AGAIN_S
        if trouble.cause is Cause.FULL and files.free_bytes(path) < files.ROOM:
            return
        lost = Counts()
        try:
            if trouble.cause in OF_NO_USE:
                self._put_aside(path, trouble)
                lost = self._away
            db, _ = _opened(path, max_mb=self._max_mb)
        except UnusableError as error:
            self.trouble = Trouble(cause=error.cause, text=str(error), since_s=trouble.since_s)
            return
        try:
            with _transaction(db):
                make_room(db, self._bytes(), 2**20 * self._max_mb)
                carry(self._db, db, lines=None)
                count_dropped(db, self._counts.dropped + lost.dropped)
                give_up(db, [of_nothing_known(lost.waiting + lost.refused)])
            counts = count(db)
        except files.ERRORS as error:
            _close(db)
            self.trouble = Trouble(cause=files.cause_of(error, path), text=str(error), since_s=trouble.since_s)
            return
        came = self._counts.waiting
        _close(self._db)
        self._use(path, db, counts)
        _log.warning("the store %s is on disk again: %d lines were brought there", path, came)

    def _put_aside(self, path: Path, trouble: Trouble) -> None:
        """Raises UnusableError where that cannot be, or would not help."""
        if time.monotonic() - self._begun_s < YOUNG_S:
            raise UnusableError(Cause.BROKEN, f"a new file is of no use either: {trouble.text}")
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        if path.exists():
            aside = files.put_aside(path, trouble.cause, now)
            self.aside = (*self.aside, aside)
            _log.error(
                "the store %s is of no use (%s): it is kept as %s, and a new one is begun", path, trouble.text, aside
            )
        self._begun_s = time.monotonic()

    def _bytes(self) -> int:
        size, pages = (int(self._db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count"))
        return size * pages


def _opened(path: Path, *, max_mb: int) -> tuple[sqlite3.Connection, Counts]:
    """The file and what is in it. Raises UnusableError."""
    db = files.open_file(path, max_mb=max_mb)
    try:
        return db, count(db)
    except files.ERRORS as error:
        _close(db)
        raise UnusableError(files.cause_of(error, path), str(error)) from error


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _close(db: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        db.close()
