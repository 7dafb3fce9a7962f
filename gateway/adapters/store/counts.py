"""How many lines there are, and the room that they may take: at the cap some go, and are counted.

What goes first: what the database refused; then what waits, the least important first, the oldest of it first.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.adapters.store import gaps
from gateway.adapters.store.gaps import Gap
from gateway.adapters.store.importance import Importance, importance
from gateway.adapters.store.schema import number

DROP_AT_ONCE = 5000  # lines dropped when the cap is reached: space for about a quarter of an hour
LINE_BYTES = 44  # of a line in its table, beside its text: number, length, class, and pages that are not quite full
INSERT = "INSERT INTO lines (line, importance) VALUES (?, ?)"
REFUSED = "SELECT rowid, CAST(line AS TEXT) FROM quarantine ORDER BY rowid LIMIT ?"
WAITING = "SELECT id, CAST(line AS TEXT) FROM lines WHERE importance <= ? ORDER BY id LIMIT ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Lines that wait for the database, that will never be in it, and that it refused and that are kept."""

    waiting: int = 0
    dropped: int = 0
    refused: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Both together; counts may be changes, too."""
        return Counts(
            waiting=self.waiting + other.waiting,
            dropped=self.dropped + other.dropped,
            refused=self.refused + other.refused,
        )


def count(db: sqlite3.Connection) -> Counts:
    """What a store holds."""
    waiting, refused = (
        int(db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - names are ours
        for table in ("lines", "quarantine")
    )
    return Counts(waiting=waiting, dropped=dropped(db), refused=refused)


def dropped(db: sqlite3.Connection) -> int:
    """The lines that were ever dropped; 0 where that is not known."""
    row = db.execute("SELECT value FROM meta WHERE name = 'dropped'").fetchone()
    return number(row[0]) if row else 0


def count_dropped(db: sqlite3.Connection, more: int) -> Counts:
    """Write down that so many more will never be in the database; the change by it. To be called in a transaction."""
    if more:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('dropped', ?)", (str(dropped(db) + more),))
    return Counts(dropped=more)


def give_up(db: sqlite3.Connection, lost: Iterable[Gap]) -> Counts:
    """Count lines that are gone already, and note the gaps; the change by it. To be called in a transaction."""
    change = Counts()
    for gap in lost:
        if gap.lines:
            change += count_dropped(db, gap.lines) + Counts(waiting=gaps.note(db, gap))
    return change


def drop_refused(db: sqlite3.Connection, most: int) -> Counts:
    """Drop so many of the oldest that the database refused. To be called in a transaction."""
    texts = _deleted(db, "quarantine", db.execute(REFUSED, (most,)).fetchall())
    return Counts(refused=-len(texts)) + give_up(db, gaps.of_lines(texts))


def make_room(db: sqlite3.Connection, needed: int, most: int, *, of: Importance = Importance.EVENT) -> Counts:
    """Drop in the order above until so many bytes fit below the cap of `most` bytes, for lines of this importance.

    What is more important stays, and there may be no room then. To be called in the transaction that fills the room.
    """
    change, gone = Counts(), list[str]()
    while room(db, most) < needed and (texts := _deleted(db, "quarantine", _oldest(db, REFUSED))):
        change, gone = change + Counts(refused=-len(texts)), gone + texts
    for one in Importance:
        while one <= of and room(db, most) < needed and (texts := _deleted(db, "lines", _oldest(db, WAITING, one))):
            change, gone = change + Counts(waiting=-len(texts)), gone + texts
    return change + give_up(db, gaps.of_lines(gone))


def add(db: sqlite3.Connection, texts: Sequence[str], most: int) -> Counts:
    """Let lines wait, the most important first, below the cap of `most` bytes; the change by it.

    To be called in a transaction.
    """
    change, lost = Counts(), list[str]()
    for one in reversed(Importance):
        lines = [text for text in texts if importance(text) is one]
        fit = fitting(lines, most // 2)
        change += make_room(db, size(fit), most, of=one) if fit else Counts()
        fit = fitting(fit, max(0, room(db, most)))
        db.executemany(INSERT, [(text, one) for text in fit])
        change += Counts(waiting=len(fit))
        lost += lines[: len(lines) - len(fit)]
    return change + give_up(db, gaps.of_lines(lost))


def size(texts: Sequence[str]) -> int:
    """Bytes that such lines take at most: a long one has pages of its own, the last of them not full."""
    return sum(len(text.encode()) * 5 // 4 + LINE_BYTES for text in texts)


def fitting(texts: Sequence[str], most: int) -> Sequence[str]:
    """The last ones, as many as fit into so many bytes."""
    if size(texts) <= most:
        return texts
    return fitting(texts[-(len(texts) // 2) :], most) if len(texts) > 1 else ()


def _oldest(db: sqlite3.Connection, sql: str, *more: int) -> list[tuple[int, str]]:
    return db.execute(sql, (*more, DROP_AT_ONCE)).fetchall()


def _deleted(db: sqlite3.Connection, table: str, rows: Sequence[tuple[int, str | None]]) -> list[str]:
    """The texts of rows that are in the table no more."""
    numbers = [(row[0],) for row in rows]
    db.executemany(f"DELETE FROM {table} WHERE rowid = ?", numbers)  # noqa: S608 - names are ours
    return [text or "" for _, text in rows]


def room(db: sqlite3.Connection, most: int) -> int:
    """Bytes that fit in; below 0 where there is too much."""
    size, pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    return most - size * (pages - free)
