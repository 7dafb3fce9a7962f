"""What tests of the store share: one with a past, and the life of a gateway with it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.adapters.node.ledger import BootSnapshot, Ledger, LedgerSnapshot
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.quarters import Quarter
from gateway.ports import Row

LEDGER = LedgerSnapshot(
    boots=[BootSnapshot(boot=6, upto=9, beyond=[(11, 12)]), BootSnapshot(boot=7, upto=3, beyond=[])],
    received=3,
    duplicated=0,
    lost=0,
)


def row(i: int) -> Row:
    return Row(measurement="m", tags={}, fields={"v": float(i), "text": "x" * 60}, time_ms=i)


def in_file(path: Path) -> tuple[int, int]:
    """(waiting, refused) as another program counts them."""
    with closing(sqlite3.connect(path)) as database:
        [waiting] = database.execute("SELECT COUNT(*) FROM lines").fetchone()
        [refused] = database.execute("SELECT COUNT(*) FROM quarantine").fetchone()
    return waiting, refused


def told(path: Path) -> int:
    """Lines that tell of what was dropped, as another program counts them."""
    with closing(sqlite3.connect(path)) as database:
        sql = "SELECT line FROM lines UNION ALL SELECT line FROM quarantine"
        return sum(text.startswith("gap") for (text,) in database.execute(sql))


async def begun(path: Path) -> None:
    """A store with something in each of its tables."""
    with closing(Outbox(path, max_mb=10)) as outbox:
        past = HistoryStore(outbox)
        outbox.instance()
        outbox.next_session(1000)
        outbox.save_table("cellar", 5, "{}")
        outbox.table_number("cellar", 5, 1)
        await outbox.save_trusted(5, {"grid"})
        await outbox.save([row(i) for i in range(400)], {"cellar": LEDGER})
        await outbox.quarantine([(number, text, "no") for number, text in await outbox.oldest(3)])
        await past.save_quarters([Quarter(start_s=900 * i, load_w=1.0, pv_w=2.0, grid_w=3.0) for i in range(300)])
        await past.save_note("lasting", "{}")
        for i in range(100):
            await past.save_trend(10 * i, {"pv_w": 1.0})


async def live_on(path: Path) -> Outbox:
    """All that a gateway does with its store in a start and a few cycles."""
    outbox = Outbox(path, max_mb=10)
    past = HistoryStore(outbox)
    assert len(outbox.instance()) > 0
    assert outbox.next_session(100) >= 100
    Ledger.restored(outbox.ledger("cellar"))
    outbox.trusted(5)
    outbox.save_table("cellar", 6, "{}")
    assert outbox.table_number("cellar", 6, 1) >= 1
    past.note("lasting")
    assert all(isinstance(value, (float, int, type(None))) for step in past.trend(0) for value in step)
    for i in range(3):
        await outbox.save([row(1000 + i)], {"cellar": LEDGER})
        await past.quarters(900 * 300, 28)
        await past.save_trend(10_000, {"pv_w": 1.0})
        await past.save_note("lasting", "{}")
        lines = await outbox.oldest(50)
        await outbox.forget([number for number, _ in lines[:3]])
        await outbox.quarantine([(number, text, "no") for number, text in lines[3:5]])
    return outbox
