"""The outbox: everything that must not be lost, in one SQLite file, until the database has it.

WAL with synchronous=FULL: what `save` has returned for survives a power cut. The file is capped, because a full disk
could not even be emptied (in WAL mode DELETE needs space too); at the cap the oldest lines go, and are counted.
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.adapters.node.ledger import BootSnapshot, LedgerSnapshot
from gateway.ports import FieldValue, Row

T = TypeVar("T")

DROP_AT_ONCE = 5000  # lines dropped when the cap is reached: space for about a quarter of an hour
TABLES_KEPT = 8  # former poll tables of a node: records that refer to an older one cannot be read any more

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine (line TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (node TEXT PRIMARY KEY, boot INTEGER NOT NULL, upto INTEGER NOT NULL,
    received INTEGER NOT NULL, duplicated INTEGER NOT NULL, lost INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS boots (node TEXT PRIMARY KEY, boots TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS proven (node_table INTEGER NOT NULL, device TEXT NOT NULL,
    PRIMARY KEY (node_table, device));
CREATE TABLE IF NOT EXISTS tables (id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL,
    identity INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (node, identity));
CREATE TABLE IF NOT EXISTS numbers (node TEXT PRIMARY KEY, identity INTEGER NOT NULL, number INTEGER NOT NULL);
"""


class OutboxError(OSError):
    """The file cannot be used, or not now: says which and why."""


class Outbox:
    """One writer thread owns the file; every call is awaited through it and may raise OutboxError.

    `waiting` lines are not in the database yet; `dropped` ones never will be.
    """

    def __init__(self, path: Path, *, max_mb: int) -> None:
        """Open or create. Raises OutboxError."""
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1.0)
            page_size = self._db.execute("PRAGMA page_size").fetchone()[0]
            for pragma in ("journal_mode=WAL", "synchronous=FULL", f"max_page_count={max_mb * 2**20 // page_size}"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?)", (secrets.token_hex(4),))
            self.waiting = int(self._db.execute("SELECT COUNT(*) FROM lines").fetchone()[0])
            self.dropped = int(self._meta("dropped") or 0)
        except (sqlite3.Error, OSError) as error:
            raise OutboxError(
                f"the store {path} cannot be opened: {error}; give a folder that can be written"
            ) from error

    def instance(self) -> str:
        """The name of this gateway, kept for as long as its store is."""
        return str(self._meta("instance"))

    def next_session(self, now: int) -> int:
        """A number for this run, above those of all runs before, whatever the clock says."""
        session = max(now, int(self._meta("session") or 0) + 1)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('session', ?)", (str(session),))
        return session

    def ledger(self, node: str) -> LedgerSnapshot | None:
        """The ledger of a node as it was stored last; None for a node that was never heard."""
        sql = "SELECT boot, upto, received, duplicated, lost FROM ledger WHERE node = ?"
        row = self._db.execute(sql, (node,)).fetchone()
        if row is None:
            return None
        boot, upto, received, duplicated, lost = row
        boots = [BootSnapshot(boot=boot, upto=upto)]
        stored = self._db.execute("SELECT boots FROM boots WHERE node = ?", (node,)).fetchone()
        if stored is not None:  # a store of version 0.1 knows the newest one only
            boots = [
                BootSnapshot(boot=b, upto=u, beyond=[(first, last) for first, last in s])
                for b, u, s in json.loads(stored[0])
            ]
        return LedgerSnapshot(boots=boots, received=received, duplicated=duplicated, lost=lost)

    def trusted(self, table: int) -> set[str]:
        """Devices that fitted their profile under this poll table when the gateway last ran."""
        rows = self._db.execute("SELECT device FROM proven WHERE node_table = ?", (table,)).fetchall()
        return {str(device) for (device,) in rows}

    def save_table(self, node: str, identity: int, text: str) -> dict[int, str]:
        """Store the table that a node gets now; gives the texts of its former ones by identity. For the start only."""
        self._db.execute(
            "INSERT OR REPLACE INTO tables (node, identity, text) VALUES (?, ?, ?)", (node, identity, text)
        )
        sql = "SELECT id, identity, text FROM tables WHERE node = ? ORDER BY id DESC"
        rows = self._db.execute(sql, (node,)).fetchall()
        self._db.executemany("DELETE FROM tables WHERE id = ?", [(row[0],) for row in rows[TABLES_KEPT + 1 :]])
        return {int(row[1]): str(row[2]) for row in rows[1 : TABLES_KEPT + 1]}

    def table_number(self, node: str, identity: int, now: int) -> int:
        """How new the node's table is: it rises with each change, whatever the clock says. For the start only."""
        stored = self._numbered(node)
        return stored[1] if stored[0] == identity else self._number(node, identity, now)

    async def renumber(self, node: str, identity: int, now: int) -> int:
        """A higher number for the same table: the node has met a newer one."""
        return await self._do(lambda: self._number(node, identity, now))

    async def save_trusted(self, table: int, devices: AbstractSet[str]) -> None:
        """What `trusted` shall give from now on."""
        rows = [(table, device) for device in sorted(devices)]

        def write() -> None:
            self._db.execute("DELETE FROM proven WHERE node_table = ?", (table,))
            self._db.executemany("INSERT INTO proven VALUES (?, ?)", rows)

        await self._do(lambda: self._transaction(write))

    async def save(self, rows: Sequence[Row], ledgers: Mapping[str, LedgerSnapshot]) -> None:
        """Rows and ledgers in one transaction: both are on disk when this returns, or neither is."""
        lines = [(line(row),) for row in rows if row.fields]

        def write() -> None:
            self._db.executemany("INSERT INTO lines (line) VALUES (?)", lines)
            self._db.executemany(
                "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (node, p.boots[-1].boot, p.boots[-1].upto, p.received, p.duplicated, p.lost)
                    for node, p in ledgers.items()
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO boots VALUES (?, ?)",
                [(node, json.dumps([(b.boot, b.upto, b.beyond) for b in p.boots])) for node, p in ledgers.items()],
            )

        await self._do(lambda: self._transaction(write))
        self.waiting += len(lines)

    async def oldest(self, limit: int) -> list[tuple[int, str]]:
        """The first lines that wait, with their numbers."""
        sql = "SELECT id, line FROM lines ORDER BY id LIMIT ?"
        return await self._do(lambda: self._db.execute(sql, (limit,)).fetchall())

    async def forget(self, numbers: Iterable[int]) -> None:
        """These lines are in the database."""
        gone = [(number,) for number in numbers]
        await self._do(lambda: self._transaction(lambda: self._delete(gone)))

    async def quarantine(self, number: int, text: str, why: str) -> None:
        """The database will never take this line: put it aside with the reason, so that it blocks no other."""

        def move() -> None:
            self._db.execute("INSERT INTO quarantine VALUES (?, ?)", (text, why))
            self._delete([(number,)])

        await self._do(lambda: self._transaction(move))

    def at_start(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it at once: before the cycle begins, when nothing waits for it."""
        return work(self._db)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What other tables of the file say."""
        return await self._do(lambda: work(self._db))

    async def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Change other tables of the file, all or nothing."""
        await self._do(lambda: self._transaction(lambda: work(self._db)))

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._thread.shutdown(wait=True)
        self._db.close()

    def _numbered(self, node: str) -> tuple[int, int]:
        """(identity, number) of the newest table of a node; zeros without one."""
        row = self._db.execute("SELECT identity, number FROM numbers WHERE node = ?", (node,)).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def _number(self, node: str, identity: int, now: int) -> int:
        number = max(now, self._numbered(node)[1] + 1)
        self._db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)", (node, identity, number))
        return number

    def _meta(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise OutboxError(f"the store {self._path} cannot be written: {error}") from error

    def _transaction(self, work: Callable[[], object]) -> None:
        """All or nothing; at the cap the oldest lines are dropped, once."""
        try:
            self._attempt(work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self._attempt(self._drop_oldest)
            self._attempt(work)

    def _attempt(self, work: Callable[[], object]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _drop_oldest(self) -> None:
        sql = "DELETE FROM lines WHERE id IN (SELECT id FROM lines ORDER BY id LIMIT ?)"
        gone = self._db.execute(sql, (DROP_AT_ONCE,)).rowcount
        self.waiting -= gone
        self.dropped += gone
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('dropped', ?)", (str(self.dropped),))

    def _delete(self, gone: Sequence[tuple[int]]) -> None:
        self.waiting -= self._db.executemany("DELETE FROM lines WHERE id = ?", gone).rowcount


def line(row: Row) -> str:
    """Line protocol (InfluxDB 2, "Line protocol"): milliseconds; numbers are always floats, so types never clash."""
    tags = "".join(f",{_key(k)}={_key(v)}" for k, v in sorted(row.tags.items()) if v)
    fields = ",".join(f"{_key(k)}={_value(v)}" for k, v in sorted(row.fields.items()))
    return f"{_key(row.measurement)}{tags} {fields} {row.time_ms}"


def _key(text: str) -> str:
    for mark in ("\\", ",", "=", " "):
        text = text.replace(mark, f"\\{mark}")
    return text


def _value(value: FieldValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(float(value))
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
