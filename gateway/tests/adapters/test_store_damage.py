"""Whatever is damaged in the file of the store: the gateway starts and goes on, and nothing is thrown away."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.store import files
from gateway.adapters.store.files import Cause
from gateway.adapters.store.outbox import Outbox
from gateway.tests.adapters.stores import in_file, live_on, row


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
        assert outbox.waiting + outbox.dropped == waiting + 3 + 10 + 1  # the three that had been refused, and the gap
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


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def aside(path: Path, cause: Cause) -> list[Path]:
    return files.files_aside(path, cause)
