"""What the database refused, beside a gateway that may be running: looked through, brought back, or given up."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.store import counts, files, gaps, schema
from gateway.adapters.store.files import UnusableError
from gateway.adapters.store.importance import importance
from gateway.adapters.store.line_protocol import fields, measurement, moment_ms

PATIENCE_S = 10.0  # for a gateway that writes
ALL = "SELECT rowid, CAST(line AS TEXT) FROM quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedGroup:
    """Values that were refused of one kind for one reason; their moments as in line protocol (ms since 1970)."""

    measurement: str
    fields: tuple[str, ...]
    why: str
    count: int
    first_ms: int
    last_ms: int


@contextmanager
def opened(path: Path, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
    """The store at this path in one transaction; it is not made. Raises UnusableError.

    A transaction that only reads does not hold up the gateway, however long it takes.
    """
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=PATIENCE_S)
        try:
            schema.check(db)
            db.execute("BEGIN IMMEDIATE")
            schema.complete(db)  # one of an older version
            if not writes:
                db.execute("COMMIT")
                db.execute("BEGIN")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()
    except files.ERRORS as error:
        raise UnusableError(files.cause_of(error, path), str(error)) from error
    except schema.SchemaError as error:
        raise UnusableError(files.Cause.FOREIGN, str(error)) from error


def groups(db: sqlite3.Connection) -> list[RefusedGroup]:
    """What is in quarantine, the most frequent first."""
    found: dict[tuple[str, tuple[str, ...], str], list[int]] = {}
    for text, why in db.execute("SELECT CAST(line AS TEXT), CAST(why AS TEXT) FROM quarantine"):
        found.setdefault((measurement(text), fields(text), why), []).append(moment_ms(text))
    return sorted(
        (
            RefusedGroup(
                measurement=name, fields=names, why=why, count=len(times), first_ms=min(times), last_ms=max(times)
            )
            for (name, names, why), times in found.items()
        ),
        key=lambda group: (-group.count, group.measurement, group.fields),
    )


def bring_back(db: sqlite3.Connection, is_meant: Callable[[str], bool]) -> int:
    """Let those that are meant wait for the database again; how many."""
    meant = [(rowid, text) for rowid, text in db.execute(ALL) if is_meant(text)]
    db.executemany(counts.INSERT, [(text, importance(text)) for _, text in meant])
    db.executemany("DELETE FROM quarantine WHERE rowid = ?", [(rowid,) for rowid, _ in meant])
    return len(meant)


def give_up(db: sqlite3.Connection, is_meant: Callable[[str], bool]) -> int:
    """Delete those that are meant, and count them as dropped; how many."""
    meant = [(rowid, text) for rowid, text in db.execute(ALL) if is_meant(text)]
    db.executemany("DELETE FROM quarantine WHERE rowid = ?", [(rowid,) for rowid, _ in meant])
    counts.give_up(db, gaps.of_lines([text for _, text in meant]))
    return len(meant)
