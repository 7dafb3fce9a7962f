"""What one database knows, brought into another: out of a file that is damaged or away, and back onto the disk."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from gateway.adapters.store import gaps
from gateway.adapters.store.files import ERRORS
from gateway.adapters.store.schema import KNOWN, LAST_NUMBER, WAITING, columns, columns_of, number

_log = logging.getLogger(__name__)

Row = tuple[object, ...]


def carry(source: sqlite3.Connection, target: sqlite3.Connection, *, lines: int | None) -> None:
    """Copy all that is known, and the newest waiting lines (None: all), as far as the source can be read.

    What the target has under the same key is replaced, but for the name of this gateway. To be called in a transaction
    of the target; raises what the target raises.
    """
    for table in KNOWN:
        _copy(source, target, table, most=None)
    for table in WAITING:
        _copy(source, target, table, most=lines)
    gaps.forget_older_lines(target)
    sql = "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'lines'"
    target.execute(sql, (_last_number(source),))  # also where the clock has fallen: see `first_number`
    for name, value in _meta(source).items():
        if name == "instance":
            target.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
        elif name == "session" and number(value) > number(_meta(target).get(name)):
            target.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _meta(db: sqlite3.Connection) -> dict[str, str]:
    """As much as can be read."""
    with suppress(*ERRORS):
        return {str(name): str(value) for name, value in db.execute("SELECT name, value FROM meta")}
    return {}


def _last_number(db: sqlite3.Connection) -> int:
    """The highest that a line was given; 0 where that cannot be read."""
    with suppress(*ERRORS):
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'lines'").fetchone()
        return row[0] if row and isinstance(row[0], int) and row[0] < LAST_NUMBER else 0
    return 0


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str, *, most: int | None) -> None:
    names = _names(source, table)
    marks = ", ".join("?" * len(names))
    sql = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names are ours
    for row in _rows(source, table, names, most=most):
        with suppress(sqlite3.IntegrityError):  # a row that breaks a rule of its table is damage, and left out
            target.execute(sql, row)


def _names(source: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """The columns of an older store are fewer; where they cannot be read there are no rows either."""
    with suppress(*ERRORS):
        return columns_of(source, table)
    return columns(table)


def _rows(source: sqlite3.Connection, table: str, names: Sequence[str], *, most: int | None) -> list[Row]:
    """The newest rows, the oldest of them first; where reading breaks off, what can be read from the other end too."""
    newest: list[Row] = []
    if _read(source, table, names, "DESC", most, newest):
        return newest[::-1]
    oldest: list[Row] = []
    _read(source, table, names, "ASC", None if most is None else most - len(newest), oldest)
    return [*oldest, *newest[::-1]]


def _read(
    source: sqlite3.Connection, table: str, names: Sequence[str], way: str, most: int | None, rows: list[Row]
) -> bool:
    """Append rows one by one; whether all that were wanted could be read."""
    sql = f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid {way} LIMIT ?"  # noqa: S608 - names are ours
    try:
        for row in source.execute(sql, (-1 if most is None else most,)):
            rows.append(row)  # noqa: PERF402 - what came before an error is kept
    except ERRORS as error:
        _log.debug("%s of the store: %s", table, error)
        return False
    return True
