"""The file of the archive: opened, or put aside when it is of no use and begun anew with all that can be read of it."""

import logging
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from gateway.adapters.archive.schema import TABLES, ArchiveSchemaError, check, complete
from gateway.adapters.store import files
from gateway.adapters.store.files import OF_NO_USE, Cause, UnusableError

_log = logging.getLogger(__name__)

AT_ONCE = 1000  # rows that are brought out of a damaged file in one step


def open_archive(path: Path) -> sqlite3.Connection:
    """The archive, made if there is none. One that is of no use is put aside. Raises UnusableError for all else."""
    try:
        return _opened(path)
    except UnusableError as error:
        if error.cause not in OF_NO_USE:
            raise
        aside = files.put_aside(path, error.cause, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
        _log.error("the archive %s is of no use (%s): it is kept as %s, and a new one is begun", path, error, aside)
    db = _opened(path)
    if _was_damaged(aside):
        _log.warning("%d rows of %s could be read and are in the new archive", salvage(aside, db), aside.name)
    return db


def _was_damaged(aside: Path) -> bool:
    """Whether a file was put aside for damage: one of somebody else has nothing of ours in it."""
    return f".{Cause.DAMAGED}-" in aside.name


def salvage(source: Path, target: sqlite3.Connection) -> int:
    """Bring all rows over that can be read, from both ends of each table up to the damage; how many there are then."""
    try:
        old = files.open_to_read(source)
    except UnusableError:
        return 0
    count = 0
    with closing(old):
        for table in TABLES:
            for way in ("ASC", "DESC"):
                if _copied(old, target, table, way):
                    break
            with suppress(sqlite3.Error):
                count += int(target.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours
    return count


def _copied(old: sqlite3.Connection, target: sqlite3.Connection, table: str, way: str) -> bool:
    """Whether all rows could be read. Each step is a transaction of its own: a full disk keeps what came before."""
    names = [str(row[1]) for row in target.execute(f"PRAGMA table_info({table})")]
    keys = [str(row[1]) for row in target.execute(f"PRAGMA table_info({table})") if row[5]]
    order = ", ".join(f"{name} {way}" for name in keys)
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names are ours
    is_whole = True
    rows: list[tuple[object, ...]] = []
    try:
        for row in old.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}"):  # noqa: S608 - ours
            rows.append(row)
            if len(rows) >= AT_ONCE:
                _insert(target, insert, rows)
    except files.ERRORS as error:
        _log.debug("%s of the archive: %s", table, error)
        is_whole = False
    _insert(target, insert, rows)
    return is_whole


def _insert(target: sqlite3.Connection, sql: str, rows: list[tuple[object, ...]]) -> None:
    target.execute("BEGIN")
    target.executemany(sql, rows)
    target.execute("COMMIT")
    rows.clear()


def _opened(path: Path) -> sqlite3.Connection:
    """Raises UnusableError."""
    files.make_file(path)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=files.BUSY_S)
    try:
        check(db)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("BEGIN IMMEDIATE")
        complete(db)
        db.execute("COMMIT")
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0] if _is_small(path) else "ok"
    except files.ERRORS as error:
        db.close()
        raise UnusableError(files.cause_of(error, path), str(error)) from error
    except ArchiveSchemaError as error:
        db.close()
        raise UnusableError(Cause.FOREIGN, str(error)) from error
    if found != "ok":
        db.close()
        raise UnusableError(Cause.DAMAGED, str(found))
    return db


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= files.CHECKED_BYTES
