"""How many lines there are, and the room that they may take: at the cap the oldest go, and are counted."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.adapters.store.schema import number

DROP_AT_ONCE = 5000  # lines dropped when the cap is reached: space for about a quarter of an hour
LINE_BYTES = 40  # of a line in its table, beside its text: number, length, and pages that are not quite full


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


def drop(db: sqlite3.Connection, *, waiting: int = 0, refused: int = 0, unseen: int = 0) -> Counts:
    """Delete so many of the oldest, and write down that they will never be in the database; the change by it.

    `unseen`: lines that are gone already. To be called in a transaction.
    """
    gone = [
        # Names are ours.
        db.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} ORDER BY rowid LIMIT ?)",  # noqa: S608
            (most,),
        ).rowcount
        for table, most in (("lines", waiting), ("quarantine", refused))
    ]
    more = sum(gone) + unseen
    if more:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('dropped', ?)", (str(dropped(db) + more),))
    return Counts(waiting=-gone[0], dropped=more, refused=-gone[1])


def make_room(db: sqlite3.Connection, needed: int, most: int) -> Counts:
    """Drop the oldest until so many bytes fit below the cap of `most` bytes: first what was refused, then what waits.

    To be called in the transaction that fills the room.
    """
    change = Counts()
    for table in ("refused", "waiting"):
        while _room(db, most) < needed:
            step = drop(db, **{table: DROP_AT_ONCE})
            change += step
            if not step.dropped:
                break
    return change


def size(texts: Sequence[str]) -> int:
    """Bytes that such lines take at most: a long one has pages of its own, the last of them not full."""
    return sum(len(text.encode()) * 5 // 4 + LINE_BYTES for text in texts)


def fitting(texts: Sequence[str], most: int) -> Sequence[str]:
    """The last ones, as many as fit into so many bytes."""
    if size(texts) <= most:
        return texts
    return fitting(texts[-(len(texts) // 2) :], most) if len(texts) > 1 else ()


def _room(db: sqlite3.Connection, most: int) -> int:
    """Bytes that fit in; below 0 where there is too much."""
    size, pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    return most - size * (pages - free)
