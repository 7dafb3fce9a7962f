"""The tables of the archive: whole numbers of a fixed unit, names by their number.

Energies in tenths of a Wh, prices in millionths of a EUR per kWh, CO2 in tenths of a g per kWh, shares in thousandths,
moments of quarters in quarter hours since 1970, of decisions and events in tenths of a second. SQLite writes a whole
number in 1 to 8 bytes, as large as it is.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import fields

from gateway.core.accounts.quarter_account import Flows

FLOWS = tuple(field.name for field in fields(Flows))
TENTHS = 10  # of a Wh, of a second, of a g/kWh
MILLIONTHS = 1_000_000  # of a EUR
THOUSANDTHS = 1000  # of all
QUARTER_S = 900  # one step of `t`

_FLOWS = ", ".join(f"{name} INTEGER" for name in FLOWS)
TABLES: Mapping[str, str] = {
    "archive": "name TEXT PRIMARY KEY, value TEXT NOT NULL",
    "names": "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE",
    "quarters": f"t INTEGER PRIMARY KEY, used INTEGER, {_FLOWS}, curtailed INTEGER, stored INTEGER, seen INTEGER,"
    " period INTEGER, buy INTEGER, sell INTEGER, co2 INTEGER, epochs INTEGER, notes INTEGER",
    "device_quarters": "t INTEGER, device INTEGER, drawn INTEGER, given INTEGER, source INTEGER,"
    " PRIMARY KEY (t, device)",
    "load_quarters": "t INTEGER, load INTEGER, used INTEGER, sun INTEGER, battery INTEGER, PRIMARY KEY (t, load)",
    "days": f"day INTEGER PRIMARY KEY, start INTEGER, until INTEGER, quarters INTEGER, used INTEGER, {_FLOWS},"
    " curtailed INTEGER",
    "device_days": "day INTEGER, device INTEGER, drawn INTEGER, given INTEGER, quarters INTEGER,"
    " PRIMARY KEY (day, device)",
    "load_days": "day INTEGER, load INTEGER, used INTEGER, sun INTEGER, battery INTEGER, quarters INTEGER,"
    " PRIMARY KEY (day, load)",
    "events": "since INTEGER, kind INTEGER, device INTEGER, until INTEGER, shape INTEGER, numbers TEXT,"
    " PRIMARY KEY (since, kind, device)",
    "decisions": "since INTEGER, device INTEGER, until INTEGER, mode INTEGER, code INTEGER, power INTEGER,"
    " shape INTEGER, numbers TEXT, more INTEGER, PRIMARY KEY (since, device)",
}
TIMES = {  # of each table with rows that grow old: its column of time, and how many seconds one step of it is
    "quarters": ("t", QUARTER_S),
    "device_quarters": ("t", QUARTER_S),
    "load_quarters": ("t", QUARTER_S),
    "events": ("since", 1 / TENTHS),
    "decisions": ("since", 1 / TENTHS),
}


class ArchiveSchemaError(Exception):
    """The file is a database, and none of ours."""


def check(db: sqlite3.Connection) -> None:
    """Raises ArchiveSchemaError for the database of somebody else. Only reads."""
    there = _tables(db)
    if there and "archive" not in there:
        raise ArchiveSchemaError(f"it has the tables {', '.join(sorted(there))[:80]}")


def complete(db: sqlite3.Connection) -> None:
    """Make of an empty database, or of an older archive, one of today."""
    there = _tables(db)
    for table, columns in TABLES.items():
        if table not in there:
            db.execute(f"CREATE TABLE {table} ({columns}){' WITHOUT ROWID' if 'PRIMARY KEY (' in columns else ''}")


def _tables(db: sqlite3.Connection) -> set[str]:
    return {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
