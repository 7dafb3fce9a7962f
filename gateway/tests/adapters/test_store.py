"""What the store counts is true, whoever changes it and however full it is."""

import asyncio
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.node.ledger import BootSnapshot
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Row
from gateway.tests.adapters.stores import LEDGER, in_file, row, told


async def test_the_counts_are_true_whatever_another_program_does_with_the_file(tmp_path: Path, good: Path) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(Outbox(path, max_mb=10)) as outbox:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DELETE FROM lines WHERE rowid IN (SELECT rowid FROM lines LIMIT 100)")
            other.execute("INSERT INTO lines (line) SELECT line FROM quarantine")
            other.execute("DELETE FROM quarantine")
        await outbox.forget([number for number, _ in await outbox.oldest(10)])
        assert (outbox.waiting, outbox.refused) == in_file(path) == (290, 0)


async def test_a_full_store_takes_new_lines_for_ever_and_its_counts_are_true(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    wide = "x" * 1000
    with closing(Outbox(path, max_mb=10)) as outbox:
        saved = 0
        for _ in range(30):  # 30 MB
            rows = [Row(measurement="m", tags={}, fields={"text": wide}, time_ms=saved + i) for i in range(1000)]
            assert await outbox.save(rows, {}) is True
            saved += 1000
            lines = await outbox.oldest(1000)
            await outbox.quarantine([(number, text, "type conflict") for number, text in lines])
            assert (outbox.waiting, outbox.refused) == in_file(path)
            assert outbox.waiting + outbox.refused + outbox.dropped == saved + told(path)
        assert outbox.dropped > 10_000


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(["save", "forget", "refuse", "big"]), st.integers(0, 300)), max_size=25)
)
def test_counts_are_those_of_the_file_after_any_life(tmp_path: Path, steps) -> None:
    path = tmp_path / "b.sqlite"
    for one in tmp_path.glob("b.sqlite*"):
        one.unlink()

    async def life() -> None:
        saved = gone = 0
        with closing(Outbox(path, max_mb=10)) as outbox:
            for what, count in steps:
                if what in ("save", "big"):
                    size = 20_000 if what == "big" else 10
                    rows = [
                        Row(measurement="m", tags={}, fields={"t": "x" * size}, time_ms=saved + i) for i in range(count)
                    ]
                    await outbox.save(rows, {})
                    saved += count
                elif what == "forget":
                    lines = await outbox.oldest(count)
                    await outbox.forget(2 * [number for number, _ in lines])  # said twice
                    gone += sum(not text.startswith("gap") for _, text in lines)
                else:
                    await outbox.quarantine([(number, text, "no") for number, text in await outbox.oldest(count)])
                assert min(outbox.waiting, outbox.refused, outbox.dropped) >= 0
                assert (outbox.waiting, outbox.refused) == in_file(path)
                assert outbox.waiting + outbox.refused + outbox.dropped + gone == saved + told(path)

    asyncio.run(life())


OLD = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lines (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
CREATE TABLE quarantine (line TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE ledger (node TEXT PRIMARY KEY, boot INTEGER NOT NULL, upto INTEGER NOT NULL,
    received INTEGER NOT NULL, duplicated INTEGER NOT NULL, lost INTEGER NOT NULL);
INSERT INTO meta VALUES ('instance', 'abcd'), ('session', '77'), ('dropped', '5');
INSERT INTO lines (line) VALUES ('m v=1.0 1'), ('m v=1.0 2');
INSERT INTO quarantine VALUES ('m v=1.0 3', 'no');
INSERT INTO ledger VALUES ('cellar', 3, 9, 9, 0, 0);
"""


async def test_a_store_of_an_early_release_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(OLD)
    with closing(Outbox(path, max_mb=10)) as outbox:
        assert (outbox.instance(), outbox.next_session(0)) == ("abcd", 78)
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (2, 1, 5)
        known = outbox.ledger("cellar")
        assert known is not None
        assert known.boots == [BootSnapshot(boot=3, upto=9)]
        await outbox.save([row(1)], {"cellar": LEDGER})
        await outbox.quarantine([(number, text, "no") for number, text in await outbox.oldest(1)])
        assert (outbox.waiting, outbox.refused) == in_file(path) == (2, 2)
        assert (outbox.ledger("cellar"), outbox.aside, outbox.trouble) == (LEDGER, (), None)


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


async def test_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        with closing(Outbox(tmp_path / "new" / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row(1)], {})
            assert modes(tmp_path / "new") == {0o600}
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        (tmp_path / "new" / "a.sqlite").chmod(0o644)  # of an earlier release
        with closing(Outbox(tmp_path / "new" / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save([row(1)], {})
            assert modes(tmp_path / "new") == {0o600}
    finally:
        os.umask(umask)
