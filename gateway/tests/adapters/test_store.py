"""Whatever becomes of the store's file: the gateway starts and goes on, and what it counts is true."""

import asyncio
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.node.ledger import BootSnapshot, Ledger, LedgerSnapshot
from gateway.adapters.store import files, schema, store
from gateway.adapters.store.files import Cause
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox, OutboxError
from gateway.core.model.quarters import Quarter
from gateway.ports import Row
from gateway.tests.adapters.own_disk import live

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


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "a.sqlite"
    asyncio.run(begun(path))
    return path


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is looked at in each cycle."""
    monkeypatch.setattr(store, "AGAIN_S", 0.0)
    monkeypatch.setattr(store, "LOOK_S", 0.0)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE dashboards (id INTEGER, title TEXT)")


def other_lines(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE meta (name, value); CREATE TABLE lines (number INTEGER, words TEXT)")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def no_numbers_left(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'lines'")


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda path: path.write_text("not a database at all" * 100), Cause.DAMAGED),
        (lambda path: path.write_bytes(path.read_bytes()[:100] + bytes(8000)), Cause.DAMAGED),
        (cut, Cause.DAMAGED),
        (no_numbers_left, Cause.DAMAGED),
        (lambda path: (path.unlink(), foreign(path)), Cause.FOREIGN),
        (lambda path: (path.unlink(), other_lines(path)), Cause.FOREIGN),
    ],
    ids=["text", "zeros", "cut", "no-numbers-left", "another-program", "another-schema"],
)
async def test_a_file_of_no_use_is_put_aside_whole_and_a_new_one_is_on_disk_at_once(
    tmp_path: Path, good: Path, caplog: pytest.LogCaptureFixture, spoil, cause: Cause
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    spoil(path)
    content = path.read_bytes()
    with closing(await live_on(path)) as outbox:
        assert outbox.trouble is None
        [kept] = outbox.aside
        assert kept.name.startswith(f"a.sqlite.{cause}-20")
        assert kept.read_bytes() == content
        assert str(kept) in caplog.text
        assert await outbox.save([row(1)], {}) is True
        assert in_file(path) == (outbox.waiting, outbox.refused)


async def test_what_can_be_read_of_a_damaged_file_is_known_to_the_new_one_and_what_cannot_is_counted(
    tmp_path: Path, good: Path
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(Outbox(path, max_mb=10)) as outbox:
        name = outbox.instance()
    cut(path)
    with closing(Outbox(path, max_mb=10)) as outbox:
        assert outbox.instance() == name
        assert outbox.next_session(0) == 1001
        assert outbox.waiting < 397
        assert in_file(path) == (outbox.waiting, outbox.refused)


async def test_damage_that_shows_while_it_runs_is_put_aside_too(tmp_path: Path, good: Path) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(Outbox(path, max_mb=10)) as outbox:
        waiting = outbox.waiting
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        await outbox.read(lambda db: db.execute("PRAGMA shrink_memory"))  # what is in its cache hides the damage
        assert await outbox.save([row(i) for i in range(10)], {}) is True
        assert len(outbox.aside) == 1
        assert in_file(path)[0] == outbox.waiting
        assert outbox.waiting + outbox.dropped == waiting + 3 + 10  # with the three that had been refused
    assert len(aside(path, Cause.DAMAGED)) >= 1


async def test_only_the_newest_damaged_files_are_kept_and_no_foreign_one_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for i in range(6):
        for spoil in (foreign, lambda path: path.write_text("spoiled" * 100)):
            path.unlink(missing_ok=True)
            spoil(path)
            with closing(Outbox(path, max_mb=10)) as outbox:
                assert len(outbox.aside) == 1, i
    assert len(aside(path, Cause.FOREIGN)) == 6
    assert len(aside(path, Cause.DAMAGED)) == files.DAMAGED_KEPT


async def test_a_file_that_is_spoiled_again_at_once_is_not_put_aside_for_ever(tmp_path: Path, soon: None) -> None:
    path = tmp_path / "a.sqlite"
    path.write_text("spoiled" * 1000)
    with closing(Outbox(path, max_mb=10)) as outbox:
        for _ in range(5):
            (tmp_path / "new").write_text("spoiled" * 1000)
            (tmp_path / "new").rename(path)
            await outbox.save([row(1)], {})
            await outbox.save([row(1)], {})
        assert outbox.trouble is not None
        assert outbox.waiting > 0
    assert len(aside(path, Cause.DAMAGED)) == 1


SPOILS = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("write"), st.floats(0, 1), st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("write"), st.floats(0, 1), st.sampled_from([bytes(512), bytes(4096), bytes(20_000)])),
    st.tuples(st.just("page"), st.floats(0, 1), st.binary(min_size=1, max_size=1)),
)


def spoiled(content: bytes, how: str, where: float, what: bytes) -> bytes:
    at = int(where * (len(content) - 1))
    if how == "cut":
        return content[:at]
    if how == "page" and len(content) > 4096:  # one that is good in itself, in the place of another
        page = what[0] * 4096 % (len(content) // 4096 * 4096)
        what, at = content[page : page + 4096], at // 4096 * 4096
    return content[:at] + what + content[at + len(what) :]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoils=st.lists(SPOILS, min_size=1, max_size=4))
def test_no_damage_keeps_the_gateway_from_starting_and_storing(tmp_path: Path, good: Path, spoils) -> None:
    folder = tmp_path / "one"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    content = good.read_bytes()
    for one in spoils:
        content = spoiled(content, *one)
    (folder / "a.sqlite").write_bytes(content)
    with closing(asyncio.run(live_on(folder / "a.sqlite"))) as outbox:
        assert outbox.trouble is None
        assert in_file(folder / "a.sqlite") == (outbox.waiting, outbox.refused)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1))
def test_power_that_fails_during_a_write_costs_only_what_was_not_acknowledged(
    tmp_path: Path, killed: tuple[Path, int], where: float
) -> None:
    path, acknowledged = killed
    folder = tmp_path / "one"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    log = folder / f"{path.name}-wal"
    size = log.stat().st_size
    os.truncate(log, int(where * size))
    with closing(Outbox(folder / path.name, max_mb=10)) as outbox:
        assert outbox.trouble is None
        assert outbox.aside == ()
        lines = [text for _, text in asyncio.run(outbox.oldest(10_000))]
        assert lines == [f"m v={float(i)} {i}" for i in range(len(lines))]  # whole saves, none in between missing
        assert len(lines) <= acknowledged
        if where == 1.0:
            assert len(lines) == acknowledged


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The files of a gateway that was killed after so many lines."""
    path = tmp_path_factory.mktemp("killed") / "k.sqlite"
    code = f"""
import asyncio, os, pathlib
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Row
async def main():
    outbox = Outbox(pathlib.Path({str(path)!r}), max_mb=10)
    for i in range(50):
        await outbox.save([Row(measurement="m", tags={{}}, fields={{"v": float(i)}}, time_ms=i)], {{}})
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    return path, 50


def test_a_full_disk_at_the_start_is_lived_through_and_left_by_itself(tmp_path: Path) -> None:
    found = live("full_at_the_start", tmp_path)
    assert found["full"] == {"cause": "full", "waiting": 10, "dropped": 0}
    assert found["on_disk"] == [False, True]
    assert found["then"] == {"cause": None, "waiting": 11, "dropped": 0}
    assert found["note"] == "new"


def test_a_full_disk_hides_nothing_of_what_was_known(tmp_path: Path) -> None:
    found = live("full_with_a_past", tmp_path)
    assert (found["session"], found["note"]) == (1001, "what control remembers")
    assert found["full"] == {"cause": "full", "waiting": 20, "dropped": 0}
    assert found["on_disk"] == [False, True]
    assert found["then"] == {"cause": None, "waiting": 21, "dropped": 0}
    assert (found["lines"], found["in_order"]) == (21, True)


def test_a_disk_that_fills_up_costs_no_line_and_no_answer_deletes_another_line(tmp_path: Path) -> None:
    found = live("full_while_it_runs", tmp_path)
    assert found["full"] == {"cause": "full", "waiting": found["saved"], "dropped": 0}
    assert found["late"]["waiting"] == found["saved"]  # those five are in the file, and come again
    assert found["gone"] == []
    assert found["then"] == {"cause": None, "waiting": found["saved"] - 5, "dropped": 0}
    assert found["left"] == found["saved"] - 5


def test_a_disk_that_can_only_be_read_is_lived_through(tmp_path: Path) -> None:
    found = live("read_only", tmp_path)
    assert found["session"] == 1001
    assert found["read_only"]["cause"] in ("read_only", "denied")
    assert (found["read_only"]["waiting"], found["on_disk"]) == (11, [False, True])
    assert found["then"] == {"cause": None, "waiting": 12, "dropped": 0}


def test_a_damaged_file_that_cannot_be_renamed_yet_is_put_aside_when_it_can(tmp_path: Path) -> None:
    found = live("read_only_and_damaged", tmp_path)
    assert found == {"on_disk": False, "then": {"cause": None, "waiting": 4, "dropped": 0}, "aside": 1}


async def test_a_limit_on_the_size_of_files_is_lived_through(tmp_path: Path, soon: None) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
        assert await outbox.save([row(1)], {}) is False
        assert outbox.trouble is not None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await outbox.save([row(2)], {}) is True
    outbox.close()
    assert in_file(tmp_path / "a.sqlite") == (2, 0)


@pytest.mark.parametrize("place", ["no/such/folder", "file/inside", "folder", "pipe", "loop"])
async def test_a_place_that_cannot_be_one_is_lived_through_and_taken_up_when_it_can(
    tmp_path: Path, soon: None, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with closing(Outbox(tmp_path / place, max_mb=10)) as outbox:
        on_disk = await outbox.save([row(1)], {})
        assert on_disk is (place == "no/such/folder")
        assert (outbox.trouble is None) is on_disk
        for one in (tmp_path / "file", tmp_path / "pipe", tmp_path / "loop"):
            one.unlink()
        (tmp_path / "folder").rmdir()
        assert await outbox.save([row(2)], {}) is True
    assert in_file(tmp_path / place) == (2, 0)


async def test_a_locked_file_at_the_start_is_known_and_taken_up_when_it_is_free(
    tmp_path: Path, good: Path, soon: None
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox = Outbox(path, max_mb=10)
        assert outbox.trouble is not None
        assert outbox.trouble.cause is Cause.LOCKED
        assert outbox.next_session(0) == 1001
        assert await outbox.save([row(1)], {}) is False
        assert outbox.waiting == 398
    assert await outbox.save([row(2)], {}) is True
    assert (outbox.waiting, outbox.refused) == in_file(path) == (399, 3)
    outbox.close()


async def test_a_file_that_is_taken_away_is_noticed_and_what_it_held_is_written_again(
    tmp_path: Path, good: Path, soon: None
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(Outbox(path, max_mb=10)) as outbox:
        for side in ("", *files.SIDES):
            path.with_name(path.name + side).unlink()
        assert await outbox.save([row(1)], {}) is True
        assert outbox.trouble is None
        assert (outbox.waiting, outbox.refused) == in_file(path) == (398, 3)
        assert HistoryStore(outbox).note("lasting") == "{}"


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
            assert outbox.waiting + outbox.refused + outbox.dropped == saved
        assert outbox.dropped > 10_000


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
                    numbers = [number for number, _ in await outbox.oldest(count)]
                    await outbox.forget(2 * numbers)  # said twice
                    gone += len(numbers)
                else:
                    await outbox.quarantine([(number, text, "no") for number, text in await outbox.oldest(count)])
                assert min(outbox.waiting, outbox.refused, outbox.dropped) >= 0
                assert (outbox.waiting, outbox.refused) == in_file(path)
                assert outbox.waiting + outbox.refused + outbox.dropped + gone == saved

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


async def test_a_clock_that_fell_gives_no_line_the_number_of_another(
    tmp_path: Path, good: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    monkeypatch.setattr(schema, "first_number", lambda: 1)  # 1970
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox = Outbox(path, max_mb=10)
        await outbox.save([row(i) for i in range(5)], {})
    assert await outbox.save([], {}) is True
    assert (outbox.waiting, outbox.refused) == in_file(path) == (402, 3)
    outbox.close()


async def test_a_busy_store_holds_up_nobody_who_asks_it_to_save_for_longer_than_it_says(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")):
        outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutboxError, match="locked"):
            await outbox.save([row(1)], {})
    assert await outbox.save([row(1)], {}) is True
    outbox.close()


def aside(path: Path, cause: Cause) -> list[Path]:
    return files.files_aside(path, cause)


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
