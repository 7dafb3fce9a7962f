"""The outbox: everything that must not be lost, in the store, until the database has it.

At the cap lines go, and are counted: first what the database refused, then fine readings, at last quarter hours and
events, the oldest of each first. What is missing then is an event of its own.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar

from gateway.adapters.node.ledger import LedgerSnapshot
from gateway.adapters.store import gaps, node_memory, schema
from gateway.adapters.store.counts import Counts, add, drop_refused, make_room, size
from gateway.adapters.store.line_protocol import line
from gateway.adapters.store.store import OutboxError, Store, Trouble
from gateway.ports import Row

__all__ = ["Outbox", "OutboxError", "line"]

T = TypeVar("T")

REFUSED_KEPT = 20_000  # lines that the database refused: what is wrong can be seen of fewer
Refused = tuple[int, str, str]  # number of the line that it was in, the line or what of it was refused, why


class Outbox:
    """Lines, and what is known of the nodes, in one store. Every awaited call may raise OutboxError.

    Lines are `waiting` while they are not in the database yet; `dropped` ones never will be; `refused` ones are kept
    for a person to decide.
    """

    def __init__(self, path: Path | None, *, max_mb: int) -> None:
        """Open or create; in memory while the file cannot be used, and always without a path."""
        self._store = Store(path, max_mb=max_mb)

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is on disk; None while it is."""
        return self._store.trouble

    @property
    def aside(self) -> Sequence[Path]:
        """Files that were of no use and were put aside by this run."""
        return self._store.aside

    @property
    def databases(self) -> int:
        """How many were used so far, one after the other: in a new one may be less than was saved."""
        return self._store.databases

    @property
    def waiting(self) -> int:
        """Lines that are not in the database yet."""
        return self._store.counts.waiting

    @property
    def dropped(self) -> int:
        """Lines that never will be."""
        return self._store.counts.dropped

    @property
    def refused(self) -> int:
        """Lines that the database refused."""
        return self._store.counts.refused

    def instance(self) -> str:
        """The name of this gateway, kept for as long as its store is."""
        return self.at_start(node_memory.instance)

    async def rename(self, instance: str) -> None:
        """Another name for this gateway: the one it had is somebody else's."""
        await self.write(lambda db: node_memory.rename(db, instance))

    def next_session(self, now: int) -> int:
        """A number for this run, above those of all runs before, whatever the clock says."""
        return self.at_start(lambda db: node_memory.next_session(db, now))

    async def take_session(self, least: int) -> int:
        """Another number for this run, at least this one and above those of all runs before."""
        return await self.read(lambda db: node_memory.next_session(db, least))

    def ledger(self, node: str) -> LedgerSnapshot | None:
        """The ledger of a node as it was stored last; None for a node that was never heard."""
        return self.at_start(lambda db: node_memory.ledger(db, node))

    def trusted(self, table: int) -> set[str]:
        """Devices that fitted their profile under this poll table when the gateway last ran."""
        return self.at_start(lambda db: node_memory.trusted(db, table))

    def save_table(self, node: str, identity: int, text: str) -> dict[int, str]:
        """Store the table that a node gets now; gives the texts of its former ones by identity. For the start only."""
        return self.at_start(lambda db: node_memory.save_table(db, node, identity, text))

    def table_number(self, node: str, identity: int, now: int) -> int:
        """How new the node's table is: it rises with each change, whatever the clock says. For the start only."""
        return self.at_start(lambda db: node_memory.table_number(db, node, identity, now))

    async def renumber(self, node: str, identity: int, now: int) -> int:
        """A higher number for the same table: the node has met a newer one."""
        return await self.read(lambda db: node_memory.renumber(db, node, identity, now))

    async def save_trusted(self, table: int, devices: AbstractSet[str]) -> None:
        """What `trusted` shall give from now on."""
        await self.write(lambda db: node_memory.save_trusted(db, table, devices))

    async def save(self, rows: Sequence[Row], ledgers: Mapping[str, LedgerSnapshot]) -> bool:
        """Rows and ledgers in one transaction; whether they are on disk, and not in memory, when this returns."""
        lines = [text for row in rows if (text := line(row))]

        def write(db: sqlite3.Connection) -> Counts:
            change = add(db, lines, self._store.most_bytes)
            node_memory.save_ledgers(db, ledgers)
            return change

        await self._store.change(write)
        return self._store.trouble is None

    async def oldest(self, limit: int) -> list[tuple[int, str]]:
        """The first lines that wait, with their numbers."""
        return await self._lines("ASC", limit)

    async def newest(self, limit: int) -> list[tuple[int, str]]:
        """The last lines that wait, with their numbers."""
        return await self._lines("DESC", limit)

    async def forget(self, numbers: Iterable[int]) -> None:
        """These lines are in the database."""
        gone = [(number,) for number in numbers]
        if not gone:
            return
        await self._store.change(lambda db: _delete(db, gone))

    async def quarantine(self, refused: Sequence[Refused]) -> None:
        """The database does not take these: put them aside with the reason, so that they block no other."""
        if not refused:
            return

        def move(db: sqlite3.Connection) -> Counts:
            first = max(schema.first_number(), 1 + (_one(db, "SELECT MAX(rowid) FROM quarantine") or 0))
            rows = [(first + i, text, why) for i, (_, text, why) in enumerate(refused)]
            change = _delete(db, [(number,) for number, _, _ in refused])  # first: what it frees is needed
            change += make_room(db, size([text + why for _, text, why in refused]), self._store.most_bytes)
            db.executemany("INSERT INTO quarantine (rowid, line, why) VALUES (?, ?, ?)", rows)
            change += Counts(refused=len(rows))
            too_many = (_one(db, "SELECT COUNT(*) FROM quarantine") or 0) - REFUSED_KEPT
            return change + drop_refused(db, max(0, too_many))

        await self._store.change(move)

    async def known_gaps(self) -> Sequence[gaps.Gap]:
        """What was dropped, and from when to when it was, oldest first."""
        return await self.read(gaps.all_of)

    def at_start(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it at once: before the cycle begins, when nothing waits for it."""
        return self._store.at_start(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What other tables of the store say."""
        return await self._store.read(work)

    async def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Change other tables of the store, all or nothing."""
        await self._store.write(work)

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._store.close()

    async def _lines(self, way: str, limit: int) -> list[tuple[int, str]]:
        """As text, whatever damage has made of them."""
        sql = f"SELECT id, COALESCE(CAST(line AS TEXT), '') FROM lines ORDER BY id {way} LIMIT ?"  # noqa: S608 - ours
        return await self.read(lambda db: db.execute(sql, (limit,)).fetchall())


def _delete(db: sqlite3.Connection, gone: Sequence[tuple[int]]) -> Counts:
    return Counts(waiting=-db.executemany("DELETE FROM lines WHERE id = ?", gone).rowcount)


def _one(db: sqlite3.Connection, sql: str) -> int | None:
    found = db.execute(sql).fetchone()[0]
    return None if found is None else int(found)
