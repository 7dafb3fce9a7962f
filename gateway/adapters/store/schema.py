"""The tables of the store."""

import sqlite3
import time
from collections.abc import Mapping
from functools import cache

from gateway.adapters.store.importance import IMPORTANCE, importance

TREND = ("pv_w", "load_w", "battery_w", "grid_w", "soc")  # what a step of the page's chart holds
TABLES: Mapping[str, str] = {
    "meta": "name TEXT PRIMARY KEY, value TEXT NOT NULL",
    "lines": "id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, importance INTEGER NOT NULL DEFAULT 0",
    "quarantine": "line TEXT NOT NULL, why TEXT NOT NULL",
    "ledger": "node TEXT PRIMARY KEY, boot INTEGER NOT NULL, upto INTEGER NOT NULL, received INTEGER NOT NULL,"
    " duplicated INTEGER NOT NULL, lost INTEGER NOT NULL",
    "boots": "node TEXT PRIMARY KEY, boots TEXT NOT NULL",
    "proven": "node_table INTEGER NOT NULL, device TEXT NOT NULL, PRIMARY KEY (node_table, device)",
    "tables": "id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, identity INTEGER NOT NULL, text TEXT NOT NULL,"
    " UNIQUE (node, identity)",
    "numbers": "node TEXT PRIMARY KEY, identity INTEGER NOT NULL, number INTEGER NOT NULL",
    "trend": f"t INTEGER PRIMARY KEY, {', '.join(f'{name} REAL' for name in TREND)}",
    "quarters": "t INTEGER PRIMARY KEY, load_w REAL, pv_w REAL",
    "load_range": "t INTEGER PRIMARY KEY, low_w REAL NOT NULL, high_w REAL NOT NULL",
    "grid": "t INTEGER PRIMARY KEY, grid_w REAL NOT NULL",
    "told": "t INTEGER PRIMARY KEY, irradiance_w_m2 REAL NOT NULL",
    "outdoor": "t INTEGER PRIMARY KEY, temp_c REAL NOT NULL",
    "notes": "name TEXT PRIMARY KEY, text TEXT NOT NULL",
    # What was dropped: of which measurements how many (JSON); `line` is the number of the line that says so.
    "gaps": "site TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, counts TEXT NOT NULL,"
    " line INTEGER NOT NULL, PRIMARY KEY (site, from_ms)",
}
# Columns that came later, beside their table: a store without them is one of ours, and gets them.
ADDED: Mapping[str, frozenset[str]] = {"lines": frozenset({"importance"})}
LAST_NUMBER = 2**62
WAITING = ("lines", "quarantine")  # what waits; all other tables are small, and are what the gateway knows
KNOWN = tuple(name for name in TABLES if name not in (*WAITING, "meta"))


class SchemaError(Exception):
    """The file is a database, and none of ours."""


@cache
def columns(table: str) -> tuple[str, ...]:
    """The columns of a table of ours that mean the same in another file."""
    with sqlite3.connect(":memory:") as made:
        made.execute(f"CREATE TABLE one ({TABLES[table]})")
        found = _columns(made, "one")
    made.close()
    named = tuple(name for name in found if (table, name) != ("tables", "id"))
    return ("rowid", *named) if table == "quarantine" else named


def columns_of(db: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Those of `columns` that a store has, which may be an old one."""
    there = ("rowid", *_columns(db, table))
    return tuple(name for name in columns(table) if name in there)


def check(db: sqlite3.Connection) -> None:
    """Raises SchemaError for the database of somebody else, and sqlite3.DatabaseError for one of ours that is spoiled.

    Only reads.
    """
    there = _tables(db)
    if there and not {"meta", "lines"} <= there:
        raise SchemaError(f"it has the tables {', '.join(sorted(there))[:80]}")
    for table in (table for table in TABLES if table in there):
        there_too = ("rowid", *_columns(db, table), *ADDED.get(table, ()))
        lacking = [name for name in columns(table) if name not in there_too]
        if lacking:
            raise SchemaError(f"its table {table} has no {lacking[0]}")
    if "lines" in there:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'lines'").fetchone()
        if row and not (isinstance(row[0], int) and row[0] < LAST_NUMBER):
            raise sqlite3.DatabaseError("its lines have no numbers left")


def complete(db: sqlite3.Connection) -> None:
    """Make of an empty database a store, or of one of ours, whatever its age, one of today."""
    there = _tables(db)
    if "lines" in there and "importance" not in _columns(db, "lines"):
        _add_importance(db)
    for table in (table for table in TABLES if table not in there):  # the first ones are the least to be cut off
        db.execute(f"CREATE TABLE {table} ({TABLES[table]})")
    if "lines" not in there:
        db.execute("INSERT INTO sqlite_sequence VALUES ('lines', ?)", (first_number(),))


def first_number() -> int:
    """Where a new table begins to number its rows.

    They are numbered on through all files that a gateway ever has, so that what is said of a number of the file before
    never touches another row: microseconds since 1970 rise faster than lines come.
    """
    return time.time_ns() // 1000


def number(text: object) -> int:
    """A number that `meta` holds as text; 0 for what is none, or larger than any that we write."""
    found = str(text)
    return int(found) if found.isascii() and found.isdecimal() and len(found) < len(str(LAST_NUMBER)) else 0


def _add_importance(db: sqlite3.Connection) -> None:
    """To the lines of a store that knew none. Where there is no room for it the store is refused as full."""
    db.execute("ALTER TABLE lines ADD COLUMN importance INTEGER NOT NULL DEFAULT 0")
    for name in IMPORTANCE:
        db.execute("UPDATE lines SET importance = ? WHERE line GLOB ?", (importance(name), f"{name}[, ]*"))


def _tables(db: sqlite3.Connection) -> set[str]:
    return {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
