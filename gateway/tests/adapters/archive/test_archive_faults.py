"""A file that is damaged, somebody else's, or cannot be written: control goes on, and what can be kept is."""

import asyncio
import os
import random
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.archive import archive as archive_module
from gateway.adapters.archive.archive import Archive
from gateway.adapters.archive.reader import ArchiveReader
from gateway.adapters.archive.records import Decision, HistoryEvent
from gateway.adapters.store.files import Cause, UnusableError, files_aside
from gateway.tests.adapters.archive.made_up import realistic
from gateway.tests.adapters.own_disk import live

PARIS = ZoneInfo("Europe/Paris")
ALL = (0.0, 4e9)
START_S = 1_784_066_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive of two days, closed in good order."""
    path = tmp_path / "h.sqlite"
    with closing(Archive(path, zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(START_S, 192)))
        archive.save_decisions([decision(i) for i in range(500)])
        assert asyncio.run(archive.flush())
    return path


def decision(i: int) -> Decision:
    numbers = {"net_w": 1.5 * i, "target_w": 0.0}
    return Decision(
        device="b", since_s=START_S + i, until_s=None, mode="control", code="x", power_w=1.0, numbers=numbers
    )


def test_a_damaged_archive_is_put_aside_and_what_can_be_read_of_it_is_in_the_new_one(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    with closing(Archive(path, zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(START_S + 192 * 900, 1)))
        assert asyncio.run(archive.flush())
        assert archive.trouble is None
    assert len(files_aside(path, Cause.DAMAGED)) == 1
    found = ArchiveReader(path).quarters(*ALL)
    assert found[-1].start_s == START_S + 192 * 900
    assert len(found) > 100
    before = {one.start_s: one for one in realistic(START_S, 193)}
    for one in found[:-1]:  # what is there is true
        assert one.used_wh is not None
        assert abs(one.used_wh - (before[one.start_s].used_wh or 0)) <= 0.0501


@pytest.mark.parametrize("seed", range(12))
def test_whatever_bytes_are_spoiled_nothing_trips_up_and_new_quarters_are_kept(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with path.open("r+b") as file:
        for _ in range(rng.choice((1, 3, 40))):
            file.seek(rng.randrange(path.stat().st_size))
            file.write(rng.randbytes(rng.choice((1, 16, 4096))))
        if seed % 4 == 3:
            file.truncate(rng.randrange(path.stat().st_size))
    reader = ArchiveReader(path)
    for read in (reader.quarters, reader.days, reader.decisions, reader.events):
        with suppress(UnusableError):
            read(*ALL)
    new = list(realistic(START_S + 86400 * 10, 3))
    with closing(Archive(path, zone=PARIS)) as archive:
        for _ in range(3):  # the damage may show late, and costs one more attempt
            archive.save_accounts(new)
            archive.is_alive(START_S + 86400 * 10 + 1800)
            if asyncio.run(archive.flush()):
                break
        assert archive.trouble is None
    kept = {one.start_s for one in ArchiveReader(path).quarters(START_S + 86400 * 10, 4e9)}
    assert kept >= {one.start_s for one in new}


def test_the_database_of_somebody_else_is_kept_untouched(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE dashboards (id)")
    before = path.read_bytes()
    with closing(Archive(path, zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(START_S, 1)))
        assert asyncio.run(archive.flush())
    [aside] = files_aside(path, Cause.FOREIGN)
    assert aside.read_bytes() == before
    assert len(ArchiveReader(path).quarters(*ALL)) == 1


def test_a_locked_archive_is_written_when_it_is_free_with_what_changed_meanwhile(path: Path) -> None:
    with closing(Archive(path, zone=PARIS)) as archive:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            archive.save_decisions([replace(decision(1000), until_s=None)])
            assert asyncio.run(archive.flush()) is False
            assert archive.trouble is not None
            assert archive.trouble.cause is Cause.LOCKED
            archive.save_decisions([replace(decision(1000), until_s=START_S + 2000.0)])
        assert asyncio.run(archive.flush()) is True
        assert archive.trouble is None
    assert ArchiveReader(path).decisions(START_S + 1000, 4e9)[-1].until_s == START_S + 2000


def test_memory_is_bounded_while_nothing_can_be_written_and_what_goes_is_counted(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(archive_module, "MOMENTS_KEPT", 100)
    monkeypatch.setattr(archive_module, "ACCOUNTS_KEPT", 10)
    (tmp_path / "h.sqlite").mkdir()
    with closing(Archive(tmp_path / "h.sqlite", zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(START_S, 30)))
        for i in range(150):
            archive.save_decisions([decision(i)])
            archive.save_events([HistoryEvent(kind="k", since_s=float(i), until_s=None)])
        assert asyncio.run(archive.flush()) is False
        assert archive.lost == 20 + 50 + 50
        (tmp_path / "h.sqlite").rmdir()
        assert asyncio.run(archive.flush()) is True
    reader = ArchiveReader(tmp_path / "h.sqlite")
    assert [one.start_s for one in reader.quarters(*ALL)] == [START_S + 900 * i for i in range(20, 30)]
    assert (len(reader.decisions(*ALL)), len(reader.events(*ALL))) == (100, 100)


def test_a_full_disk_of_two_megabytes_is_lived_through(tmp_path: Path) -> None:
    found = live("archive_on_a_full_disk", tmp_path, size="2m")
    assert found["while_full"] == {"trouble": "full", "readable": found["before"]}
    assert found["then"] == {"trouble": None, "quarters": found["given"], "days": found["days"]}


def test_a_card_that_can_only_be_read_is_lived_through_and_still_read(tmp_path: Path) -> None:
    found = live("archive_on_a_read_only_card", tmp_path, size="2m")
    assert found["while_read_only"]["trouble"] in ("read_only", "denied")
    assert found["while_read_only"]["readable"] == 10
    assert found["then"] == {"trouble": None, "quarters": 20}
