"""While the file cannot be used all goes on in memory, and comes back by itself."""

import os
import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.store import files, schema
from gateway.adapters.store.files import Cause
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox, OutboxError
from gateway.tests.adapters.own_disk import live
from gateway.tests.adapters.stores import in_file, row


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


async def test_a_file_that_is_spoiled_while_it_cannot_be_used_is_counted_as_lost(
    tmp_path: Path, good: Path, soon: None
) -> None:
    path = tmp_path / "a.sqlite"
    shutil.copy(good, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox = Outbox(path, max_mb=10)
        await outbox.save([row(1)], {})
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (398, 3, 0)
    files.delete_sides(path)
    path.write_text("spoiled" * 1000)
    for _ in range(2):
        await outbox.save([row(2)], {})
    assert outbox.trouble is None
    assert (outbox.waiting, outbox.refused) == in_file(path) == (3 + 1, 0)
    assert outbox.dropped == 397 + 3
    assert [gap.counts for gap in await outbox.known_gaps()] == [{"unknown": 397 + 3}]
    outbox.close()


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
