"""The file of the store on disk: opened, or put aside when it is of no use, so that the building is controlled anyway.

A file that is put aside stays beside the store under a name that says why and when. Of damaged ones the newest are
kept; one that is somebody else's database is never deleted.
"""

import errno
import logging
import os
import sqlite3
import stat
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from gateway.adapters.store.schema import SchemaError, check, complete

_log = logging.getLogger(__name__)

BUSY_S = 0.5  # how long another program may hold the file before we give up
DAMAGED_KEPT = 3  # files that were put aside: each may be as large as the store
CHECKED_BYTES = 32 * 2**20  # of a store that is looked through before it is used: a second for a small computer
SLACK_PAGES = 1024  # beyond the size at which the oldest lines go: a store that is full can still be tidied up
ROOM = 2**18  # bytes that must be free for a file to be used: what an empty store and its log take
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # when people are at home can be read from the power they draw
SIDES = ("-wal", "-shm")  # files of SQLite that belong to a database in WAL mode


class Cause(StrEnum):
    """Why the file of the store cannot be used."""

    DAMAGED = "damaged"
    FOREIGN = "foreign"
    FULL = "full"
    READ_ONLY = "read_only"
    DENIED = "denied"
    LOCKED = "locked"
    LOST = "lost"
    BROKEN = "broken"


CAUSE_MEANING = {
    Cause.DAMAGED: "what is in it is no database any more, or contradicts itself",
    Cause.FOREIGN: "it is a database of another program",
    Cause.FULL: "there is no room on the disk",
    Cause.READ_ONLY: "the disk, or the file, can only be read",
    Cause.DENIED: "this user may not write there, or it is no file",
    Cause.LOCKED: "another program holds it",
    Cause.LOST: "the file was taken away while it was in use",
    Cause.BROKEN: "the disk fails",
}
ERRORS = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite quotes the damage in its own words
OF_NO_USE = frozenset({Cause.DAMAGED, Cause.FOREIGN})  # time does not mend it: put it aside
_CAUSES = {  # of the primary result codes of SQLite (sqlite.org/rescode.html); DAMAGED is all that is not here
    sqlite3.SQLITE_BUSY: Cause.LOCKED,
    sqlite3.SQLITE_LOCKED: Cause.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Cause.LOCKED,
    sqlite3.SQLITE_FULL: Cause.FULL,
    sqlite3.SQLITE_READONLY: Cause.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Cause.DENIED,
    sqlite3.SQLITE_PERM: Cause.DENIED,
    sqlite3.SQLITE_AUTH: Cause.DENIED,
    sqlite3.SQLITE_IOERR: Cause.BROKEN,
    sqlite3.SQLITE_NOLFS: Cause.BROKEN,
    sqlite3.SQLITE_NOMEM: Cause.BROKEN,
    sqlite3.SQLITE_INTERRUPT: Cause.BROKEN,
}

_CAUSES_OF_SYSTEM = {  # DENIED is all that is not here
    errno.ENOSPC: Cause.FULL,
    errno.EDQUOT: Cause.FULL,
    errno.EFBIG: Cause.FULL,
    errno.EROFS: Cause.READ_ONLY,
    errno.EIO: Cause.BROKEN,
}


class UnusableError(Exception):
    """The file cannot be used: `cause` says why in one word, the text in the system's own words."""

    def __init__(self, cause: Cause, text: str) -> None:
        super().__init__(text)
        self.cause = cause


def cause_of(error: Exception, path: Path) -> Cause:
    """What an error of SQLite says about the file at this path."""
    cause = _CAUSES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, Cause.DAMAGED)
    # Where there is no room, SQLite may say that it cannot make or map one of its files.
    return Cause.FULL if cause in (Cause.BROKEN, Cause.DENIED) and free_bytes(path) < ROOM else cause


def open_file(path: Path, *, max_mb: int) -> sqlite3.Connection:
    """The store at this path, made if there is none, for its owner alone. Raises UnusableError."""
    make_file(path)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=BUSY_S)
    try:
        set_up(db, max_mb=max_mb)
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0] if path.stat().st_size <= CHECKED_BYTES else "ok"
    except ERRORS as error:
        _close(db)
        raise UnusableError(cause_of(error, path), str(error)) from error
    except SchemaError as error:
        _close(db)
        raise UnusableError(Cause.FOREIGN, str(error)) from error
    if found != "ok":
        _close(db)
        raise UnusableError(Cause.DAMAGED, str(found))
    return db


def make_file(path: Path) -> None:
    """A file for its owner alone, where there is none, and its folder. Raises UnusableError."""
    try:
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        _create(path)
    except OSError as error:
        raise UnusableError(_cause_of_system(error), error.strerror or str(error)) from error


def open_memory(*, max_mb: int) -> sqlite3.Connection:
    """A store that lives as long as this program."""
    db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    set_up(db, max_mb=max_mb)
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """The file as it is, never changed, also where its end is missing. Raises UnusableError.

    What is not yet in its main part cannot be seen where nothing can be written.
    """
    try:
        _must_be_file(path)
    except OSError as error:
        raise UnusableError(Cause.DENIED, str(error)) from error
    for how in ("mode=ro", "mode=ro&immutable=1"):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False, timeout=BUSY_S)
        db.text_factory = _text
        try:
            db.execute("PRAGMA writable_schema=ON")  # or a file that is too short is refused as a whole
            db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except ERRORS as error:
            _close(db)
            text = str(error)
        else:
            return db
    raise UnusableError(Cause.DAMAGED, text)


def set_up(db: sqlite3.Connection, *, max_mb: int) -> None:
    """Make it a store of today that keeps what it says it keeps, and does not grow for ever."""
    db.text_factory = _text
    check(db)
    page_size, pages = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
    most = max(max_mb * 2**20 // page_size, pages) + SLACK_PAGES
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"max_page_count={most}"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN IMMEDIATE")
    try:
        complete(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def put_aside(path: Path, cause: Cause, now: str) -> Path:
    """Rename the file, and what belongs to it; gives its new name. Raises UnusableError where nothing can be renamed.

    `now`: a moment as it may stand in a name.
    """
    aside = _free_name(path.with_name(f"{path.name}.{cause}-{now}"))
    try:
        for side in SIDES:  # first: see `delete_sides`
            with suppress(FileNotFoundError):
                path.with_name(path.name + side).rename(aside.with_name(aside.name + side))
        path.rename(aside)
    except OSError as error:
        raise UnusableError(_cause_of_system(error), error.strerror or str(error)) from error
    for old in sorted(files_aside(path, Cause.DAMAGED))[:-DAMAGED_KEPT]:
        _log.warning("%s is deleted: %d newer ones are kept", old, DAMAGED_KEPT)
        delete_sides(old)
        with suppress(OSError):
            old.unlink()
    return aside


def delete_sides(path: Path) -> None:
    """Beside another file of this name they would be taken for its own."""
    for side in SIDES:
        with suppress(OSError):
            path.with_name(path.name + side).unlink()


def files_aside(path: Path, *causes: Cause) -> list[Path]:
    """What was put aside for any of these causes and is still there."""
    found = [one for cause in causes for one in path.parent.glob(f"{path.name}.{cause}-*")]
    return [one for one in found if not one.name.endswith(SIDES)]


def free_bytes(path: Path) -> int:
    """Room on the disk of this path for this user; plenty where that cannot be told."""
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return 2**62
    return room.f_bavail * room.f_frsize


def inode(path: Path) -> int | None:
    """What tells a file from another of the same name; None without one."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _create(path: Path) -> None:
    """Make the file, readable by its owner alone; one that is there is made so as far as we may."""
    _must_be_file(path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
    for one in (path, *(path.with_name(path.name + side) for side in SIDES)):
        with suppress(OSError):
            if one.stat().st_mode & 0o077:
                one.chmod(PRIVATE_FILE)


def _must_be_file(path: Path) -> None:
    """Raises OSError for a folder, a pipe, a device: to open some of them waits for ever."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(0, "it is no file")


def _cause_of_system(error: OSError) -> Cause:
    return _CAUSES_OF_SYSTEM.get(error.errno or 0, Cause.DENIED)


def _free_name(path: Path) -> Path:
    names = (path if i == 0 else path.with_name(f"{path.name}-{i}") for i in range(10**6))
    return next(name for name in names if not name.exists())


def _close(db: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        db.close()


def _text(value: bytes) -> str:
    """Text of a damaged file may be anything."""
    return value.decode(errors="replace")
