"""What `save` returned for is there after a crash; the cap drops the oldest and counts it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.node.ledger import BootSnapshot, LedgerSnapshot
from gateway.adapters.store.outbox import Outbox, OutboxError, line
from gateway.ports import Row


def row(i: int, **fields: float | str) -> Row:
    return Row(measurement="meter", tags={"site": "s"}, fields=fields or {"p_w": float(i)}, time_ms=i)


SNAPSHOT = LedgerSnapshot(
    boots=[BootSnapshot(boot=6, upto=9, beyond=[(11, 12)]), BootSnapshot(boot=7, upto=3, beyond=[])],
    received=3,
    duplicated=0,
    lost=0,
)


async def test_rows_leave_in_order_and_only_when_forgotten(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    await outbox.save([row(1), row(2), row(3)], {"n": SNAPSHOT})
    first = await outbox.oldest(2)
    assert [text for _, text in first] == ["meter,site=s p_w=1.0 1", "meter,site=s p_w=2.0 2"]
    await outbox.forget([number for number, _ in first])
    assert outbox.waiting == 1
    outbox.close()
    again = Outbox(tmp_path / "a.sqlite", max_mb=10)
    assert again.ledger("n") == SNAPSHOT
    assert again.waiting == 1
    again.close()


async def test_a_bad_line_goes_to_quarantine_with_the_reason(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    await outbox.save([row(1)], {})
    [(number, text)] = await outbox.oldest(10)
    await outbox.quarantine([(number, text, "field type conflict")])
    assert outbox.waiting == 0
    outbox.close()
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database:
        found = database.execute("SELECT line, why FROM quarantine").fetchall()
    assert found == [(text, "field type conflict")]


async def test_at_the_cap_the_oldest_lines_go_and_are_counted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    wide = {f"f{i}": float(i) for i in range(100)}
    kept = 0
    while outbox.dropped == 0:
        await outbox.save([row(kept + i, **wide) for i in range(1000)], {"n": SNAPSHOT})
        kept += 1000
        assert kept < 100_000, "the cap was never reached"
    assert outbox.waiting == kept - outbox.dropped + 1  # the gap is a line, too
    newest = [text for _, text in await outbox.oldest(10**6) if not text.startswith("gap")][-1]
    assert newest.endswith(f" {kept - 1}")
    outbox.close()


def test_sessions_rise_even_when_the_clock_falls(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    assert [outbox.next_session(now) for now in (100, 100, 50, 200)] == [100, 101, 102, 200]
    outbox.close()


def test_the_number_of_a_table_rises_with_each_change_over_all_restarts(tmp_path: Path) -> None:
    rows = [  # identity, clock, number
        (7, 100, 100),
        (7, 200, 100),  # the same table at the next start
        (8, 200, 200),
        (7, 150, 201),  # back to the first one, and the clock has fallen
        (7, -5, 201),
        (9, -5, 202),  # without a clock
    ]
    for identity, now, number in rows:
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            assert outbox.table_number("cellar", identity, now) == number
            assert outbox.table_number("attic", 1, 50) == 50
    with closing(Outbox(tmp_path / "new.sqlite", max_mb=10)) as outbox:  # a gateway without a clock, installed anew
        assert outbox.table_number("cellar", 9, -5) == 1


def test_a_kill_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, pathlib
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Row
async def main():
    outbox = Outbox(pathlib.Path({str(tmp_path / "k.sqlite")!r}), max_mb=10)
    for i in range(50):
        await outbox.save([Row(measurement="m", tags={{}}, fields={{"v": float(i)}}, time_ms=i)], {{}})
    print("kept", flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ("kept", -9), done.stderr
    with closing(sqlite3.connect(tmp_path / "k.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT COUNT(*) FROM lines").fetchone() == (50,)


def test_line_protocol_escapes_what_the_database_would_misread() -> None:
    odd = Row(measurement="a b", tags={"k,1": "v=1 2"}, fields={"t": 'say "no"\\', "n": 1, "b": True}, time_ms=5)
    assert line(odd) == 'a\\ b,k\\,1=v\\=1\\ 2 b=true,n=1.0,t="say \\"no\\"\\\\" 5'


async def test_a_locked_store_is_an_error_of_ours_and_keeps_the_count_right(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutboxError, match="locked"):
            await outbox.save([row(1)], {})
    await outbox.save([row(1)], {})
    assert outbox.waiting == 1
    outbox.close()
