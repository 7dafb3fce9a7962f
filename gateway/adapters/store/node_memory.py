"""What the store knows of this gateway and of each node: names, numbers, ledgers, poll tables.

Every function works in a database of the store. What is spoiled counts as not known: all of it can be found anew.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gateway.adapters.node.ledger import BootSnapshot, LedgerSnapshot
from gateway.adapters.store import schema

TABLES_KEPT = 8  # former poll tables of a node: records that refer to an older one cannot be read any more


def instance(db: sqlite3.Connection) -> str:
    """The name of this gateway, given at the first time."""
    db.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?)", (secrets.token_hex(4),))
    return _meta(db, "instance")


def rename(db: sqlite3.Connection, instance: str) -> None:
    """What `instance` shall give from now on."""
    db.execute("INSERT OR REPLACE INTO meta VALUES ('instance', ?)", (instance,))


def next_session(db: sqlite3.Connection, now: int) -> int:
    """A number for this run, above those of all runs before, whatever the clock says."""
    session = max(now, _count(_meta(db, "session")) + 1)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('session', ?)", (str(session),))
    return session


def ledger(db: sqlite3.Connection, node: str) -> LedgerSnapshot | None:
    """As it was stored last; None for a node that was never heard."""
    sql = "SELECT boot, upto, received, duplicated, lost FROM ledger WHERE node = ?"
    row = db.execute(sql, (node,)).fetchone()
    if row is None or not all(isinstance(number, int) for number in row):
        return None
    boot, upto, received, duplicated, lost = row
    boots = [BootSnapshot(boot=boot, upto=upto)]
    stored = db.execute("SELECT boots FROM boots WHERE node = ?", (node,)).fetchone()
    if stored is not None:  # a store of version 0.1 knows the newest one only
        boots = _boots(stored[0]) or boots
    return LedgerSnapshot(boots=boots, received=received, duplicated=duplicated, lost=lost)


def save_ledgers(db: sqlite3.Connection, ledgers: Mapping[str, LedgerSnapshot]) -> None:
    """What `ledger` shall give from now on."""
    for node, one in ledgers.items():
        newest = one.boots[-1]
        row = (node, newest.boot, newest.upto, one.received, one.duplicated, one.lost)
        db.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)", row)
        boots = json.dumps([(boot.boot, boot.upto, boot.beyond) for boot in one.boots])
        db.execute("INSERT OR REPLACE INTO boots VALUES (?, ?)", (node, boots))


def trusted(db: sqlite3.Connection, table: int) -> set[str]:
    """Devices that fitted their profile under this poll table when the gateway last ran."""
    rows = db.execute("SELECT device FROM proven WHERE node_table = ?", (table,)).fetchall()
    return {str(device) for (device,) in rows}


def save_trusted(db: sqlite3.Connection, table: int, devices: AbstractSet[str]) -> None:
    """What `trusted` shall give from now on."""
    db.execute("DELETE FROM proven WHERE node_table = ?", (table,))
    db.executemany("INSERT INTO proven VALUES (?, ?)", [(table, device) for device in sorted(devices)])


def save_table(db: sqlite3.Connection, node: str, identity: int, text: str) -> dict[int, str]:
    """Store the table that a node gets now; gives the texts of its former ones by identity."""
    db.execute("INSERT OR REPLACE INTO tables (node, identity, text) VALUES (?, ?, ?)", (node, identity, text))
    sql = "SELECT id, identity, text FROM tables WHERE node = ? ORDER BY id DESC"
    rows = db.execute(sql, (node,)).fetchall()
    db.executemany("DELETE FROM tables WHERE id = ?", [(row[0],) for row in rows[TABLES_KEPT + 1 :]])
    return {row[1]: str(row[2]) for row in rows[1 : TABLES_KEPT + 1] if isinstance(row[1], int)}


def table_number(db: sqlite3.Connection, node: str, identity: int, now: int) -> int:
    """How new the node's table is: it rises with each change, whatever the clock says."""
    stored = _numbered(db, node)
    return stored[1] if stored[0] == identity else renumber(db, node, identity, now)


def renumber(db: sqlite3.Connection, node: str, identity: int, now: int) -> int:
    """A higher number for the same table."""
    number = max(now, _numbered(db, node)[1] + 1)
    db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)", (node, identity, number))
    return number


def _boots(text: object) -> list[BootSnapshot]:
    """What `save_ledgers` wrote; empty where it cannot be that."""
    try:
        return [
            BootSnapshot(boot=_u32(boot), upto=_u32(upto), beyond=[(_u32(first), _u32(last)) for first, last in beyond])
            for boot, upto, beyond in json.loads(str(text))
        ]
    except (TypeError, ValueError, RecursionError):
        return []


def _numbered(db: sqlite3.Connection, node: str) -> tuple[int, int]:
    """(identity, number) of the newest table of a node; zeros without one."""
    row = db.execute("SELECT identity, number FROM numbers WHERE node = ?", (node,)).fetchone()
    return (_count(row[0]), _count(row[1])) if row else (0, 0)


def _meta(db: sqlite3.Connection, name: str) -> str:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return "" if row is None else str(row[0])


def _u32(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise ValueError(f"{value!r} is no count")
    return value


def _count(value: object) -> int:
    """A number that goes over the wire as u32; 0 for all else."""
    found = schema.number(value)
    return found if found < 2**32 - 2 else 0
