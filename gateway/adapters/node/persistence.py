"""Rows and records onto the disk, and `heard` to the nodes for what is there. Fits the port Persistence."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from gateway.adapters.broker import Broker
from gateway.adapters.node.held_rows import HeldRows
from gateway.adapters.node.ledger import LedgerSnapshot
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.store.outbox import Outbox, OutboxError
from gateway.ports import Clock, Row
from gateway.wire import topics

_log = logging.getLogger(__name__)

ROWS_KEPT = 20_000  # rows that wait in memory for a disk that cannot be written: an hour at five a second
SAVE_S = 2.0  # how long one cycle waits for the disk: a card that hangs must not hold up control
SLOW_S = 5.0  # a card that tidies itself up takes seconds now and then, and that is no trouble


class NodePersistence:
    """What the nodes sent is stored before it is acknowledged; until then they keep their records and send them again.

    `error`: why the disk cannot be written, None while it can.
    """

    def __init__(
        self,
        *,
        site_id: str,
        clock: Clock,
        broker: Broker,
        presence: Presence,
        sessions: Mapping[str, NodeSession],
        outbox: Outbox,
        is_dated: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_dated`: whether the clock may be believed; until then nothing is stored, and nothing acknowledged."""
        self._site_id = site_id
        self._clock = clock
        self._broker = broker
        self._presence = presence
        self._sessions = sessions
        self._outbox = outbox
        self.error: str | None = None
        self._held = HeldRows(clock, is_dated)
        self._given_up = 0
        self._waiting: list[Row] = []
        self._saving: asyncio.Future[bool] | None = None
        self._saved = 0  # rows that are on their way to the disk: the first ones that wait
        self._since_s = 0.0  # when that was begun (monotonic)
        self._trusted = {node: set(session.trusted) for node, session in sessions.items()}  # as stored
        self._stored: dict[str, LedgerSnapshot] = {}  # by node, in the store's present database …
        self._changed: dict[str, LedgerSnapshot] = {}  # … and on their way there
        self._database = outbox.databases

    @property
    def waiting(self) -> Sequence[Row]:
        """Rows that are not on disk yet."""
        return self._waiting

    @property
    def rows_cut(self) -> int:
        """Rows given up because they could not be stored, or not be dated, for too long."""
        return self._given_up + self._held.cut

    def add(self, rows: Iterable[Row]) -> None:
        """Rows for the next time that is saved."""
        self._waiting += self._held.taken(rows)

    async def save(self, rows: Sequence[Row]) -> None:
        """Rows and all records taken in so far onto the disk, then `heard` to the nodes (port Persistence).

        A disk that cannot be written does not stop control: nothing is `heard`, the nodes keep their records, and the
        rows wait in memory within bounds. A gateway that only looks stores nothing.
        """
        self.add(rows)
        if not self._presence.writes:
            self._waiting.clear()
            self._held.clear()
            return
        if len(self._held):
            return
        ledgers = {node: session.ledger for node, session in self._sessions.items()}
        snapshots = {node: found for node, ledger in ledgers.items() if (found := ledger.snapshot()) is not None}
        unanswered = {node: ledgers[node].take_unanswered() for node in snapshots}
        if await self._commit(snapshots):
            await self._say_heard(snapshots, unanswered)
        else:
            for node, boots in unanswered.items():
                ledgers[node].unanswered |= boots

    async def renumber(self, node: str, identity: int, now: int) -> int | None:
        """A higher number for a node's table, at least `now` (seconds since 2000); None when it cannot be stored."""
        try:
            async with asyncio.timeout(SAVE_S):
                return await self._outbox.renumber(node, identity, now)
        except (OutboxError, TimeoutError) as error:
            self.error = str(error)
            return None

    async def take_session(self, least: int) -> int:
        """A session for us of at least this number, kept over a restart if it can be stored."""
        try:
            async with asyncio.timeout(SAVE_S):
                return await self._outbox.take_session(least)
        except (OutboxError, TimeoutError) as error:
            self.error = str(error)
            return least

    async def _commit(self, snapshots: Mapping[str, LedgerSnapshot]) -> bool:
        """Whether all rows so far are on disk. Whoever cancels us may find them written twice, which is harmless."""
        try:
            if self._saving is not None and not await self._is_saved(self._saving, 0.0):  # begun by an earlier cycle
                return False
            if not await self._is_written(snapshots):
                return False
            await self._save_trusted()
        except OutboxError as error:
            if self.error is None:
                _log.error("%s", error)
            self.error = str(error)
            self._cut()
            return False
        self.error = None
        return self._outbox.trouble is None

    async def _is_written(self, snapshots: Mapping[str, LedgerSnapshot]) -> bool:
        """Whether the rows that wait now and what has changed in the ledgers are written within SAVE_S."""
        if self._outbox.databases != self._database:
            self._database, self._stored = self._outbox.databases, {}
        changed = {node: found for node, found in snapshots.items() if found != self._stored.get(node)}
        if not self._waiting and not changed and self._outbox.trouble is None:
            return True
        self._saved, self._since_s, self._changed = len(self._waiting), self._clock.monotonic_s(), changed
        self._saving = asyncio.ensure_future(self._outbox.save(self._waiting[: self._saved], changed))
        return await self._is_saved(self._saving, SAVE_S)

    async def _is_saved(self, saving: "asyncio.Future[bool]", wait_s: float) -> bool:
        """Whether that is done within a time. Raises OutboxError."""
        await asyncio.wait({saving}, timeout=wait_s)
        if not saving.done():
            waited_s = self._clock.monotonic_s() - self._since_s
            if waited_s > SLOW_S and self.error is None:
                self.error = f"the disk of the store has not answered for {waited_s:.0f} s"
                _log.error("%s", self.error)
            self._cut()
            return False
        self._saving, count, self._saved = None, self._saved, 0
        saving.result()
        self._stored |= self._changed
        del self._waiting[:count]
        return True

    def _cut(self) -> None:
        """No more rows than memory has room for; those on their way to the disk stay."""
        too_many = max(0, len(self._waiting) - ROWS_KEPT)
        self._given_up += too_many
        del self._waiting[self._saved : self._saved + too_many]

    async def _save_trusted(self) -> None:
        """A change of which devices are trusted: rare, so that a restart begins with what was known."""
        for node, session in self._sessions.items():
            if session.trusted != self._trusted.get(node):
                await self._outbox.save_trusted(session.table.identity, session.trusted)
                self._trusted[node] = set(session.trusted)

    async def _say_heard(
        self, snapshots: Mapping[str, LedgerSnapshot], unanswered: Mapping[str, AbstractSet[int]]
    ) -> None:
        """Up to which sequence each boot is stored; only the gateway that commands sends this."""
        if self._presence.rival(self._clock.monotonic_s()) is not None:
            return
        for node, snapshot in snapshots.items():
            for boot in snapshot.boots:
                if boot.boot in unanswered[node]:
                    heard = json.dumps({"boot": boot.boot, "seq": boot.upto}).encode()
                    await self._broker.publish(topics.topic(self._site_id, node, topics.HEARD), heard)
