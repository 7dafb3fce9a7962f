"""What goes first when there is no more room, and that what is missing is told: how many, of what, since when."""

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.adapters.store import counts, gaps, waiting
from gateway.adapters.store.importance import IMPORTANCE, Importance, importance
from gateway.adapters.store.line_protocol import measurement, moment_ms, tag
from gateway.adapters.store.outbox import Outbox, line
from gateway.adapters.store.quarantine import opened
from gateway.ports import Row

T = 1_700_000_000_000
HOUR_MS = 3_600_000
NAMES = ("meter", "battery", "account", "event")


def row(name: str, i: int, *, site: str = "s", width: int = 400) -> Row:
    return Row(measurement=name, tags={"site": site}, fields={"text": "x" * width}, time_ms=T + 1000 * i)


async def held(outbox: Outbox) -> list[str]:
    return [text for _, text in await outbox.oldest(10**6)]


async def test_fine_readings_go_before_quarter_hours_and_these_before_events(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        await outbox.save([row(name, i) for i in range(100) for name in ("event", "account")], {})
        for i in range(100, 12_000, 500):
            await outbox.save([row("meter", i + k) for k in range(500)], {})
        left = Counter(measurement(text) for text in await held(outbox))
        assert (left["event"], left["account"], left["gap"]) == (100, 100, 1)
        assert 0 < left["meter"] < 3000
        for i in range(12_000, 16_000, 500):  # nothing fine is left to be dropped
            await outbox.save([row("account", i + k) for k in range(500)], {})
        left = Counter(measurement(text) for text in await held(outbox))
        assert (left["event"], left["meter"]) == (100, 0)
        assert 0 < left["account"] < 3000


@settings(
    max_examples=12, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(1, 400), st.sampled_from(("a", "b"))), min_size=8, max_size=24
    )
)
def test_each_line_waits_or_is_in_exactly_one_gap(tmp_path: Path, saves) -> None:
    for one in tmp_path.glob("a.sqlite*"):
        one.unlink()

    async def life() -> None:
        saved: list[str] = []
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
            for i, (name, count, site) in enumerate(saves):
                rows = [row(name, 1000 * i + k, site=site, width=600) for k in range(count)]
                await outbox.save(rows, {})
                saved += map(line, rows)
            left = [text for text in await held(outbox) if measurement(text) != "gap"]
            told = await outbox.known_gaps()
        gone = Counter(saved) - Counter(left)
        assert Counter(left) - Counter(saved) == Counter()
        assert sum(gap.lines for gap in told) == outbox.dropped == sum(gone.values())
        by_kind = Counter((tag(text, "site"), measurement(text)) for text in gone)
        assert (
            sum((Counter({(gap.site, name): n for name, n in gap.counts.items()}) for gap in told), Counter())
            == by_kind
        )
        for text in gone:  # each lies within one that names it
            assert any(
                gap.from_ms <= moment_ms(text) <= gap.to_ms and measurement(text) in gap.counts
                for gap in told
                if gap.site == tag(text, "site")
            )
        # What is more important than all that came after it is there.
        if gone and left:
            assert max(map(importance, gone)) <= max(map(importance, left))

    asyncio.run(life())


async def test_a_gap_that_goes_on_is_one_event_that_waits_like_all_others(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        for i in range(0, 20_000, 500):
            await outbox.save([row("meter", i + k) for k in range(500)], {})
        [gap] = await outbox.known_gaps()
        assert gap.counts == {"meter": outbox.dropped}
        assert (gap.from_ms, gap.to_ms) == (T, T + 1000 * (outbox.dropped - 1))
        [text] = [text for text in await held(outbox) if measurement(text) == "gap"]
        assert text == (
            f"gap,site=s duration_s={float(outbox.dropped - 1)!r},lines={float(outbox.dropped)!r},"
            f'measurements="meter {outbox.dropped}" {T}'
        )


async def test_a_gap_that_was_delivered_and_grows_is_delivered_again_under_its_moment(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        taken: list[str] = []
        for i in range(0, 20_000, 500):
            await outbox.save([row("meter", i + k) for k in range(500)], {})
            for number, text in await outbox.oldest(10**6):
                if measurement(text) == "gap":
                    taken.append(text)
                    await outbox.forget([number])
        assert len(taken) > 1
        assert {moment_ms(text) for text in taken} == {T}
        [gap] = await outbox.known_gaps()
        assert gap.lines == outbox.dropped


async def test_what_is_dropped_an_hour_later_is_another_gap(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        for from_s, to_s in ((0, 60), (60 + 3600, 4000), (4000 + 3601, 9000)):
            gap = gaps.Gap(site="s", from_ms=1000 * from_s, to_ms=1000 * to_s, counts={"meter": 5})
            await outbox.write(lambda db, gap=gap: gaps.note(db, gap))
        assert [(gap.from_ms, gap.to_ms, gap.lines) for gap in await outbox.known_gaps()] == [
            (0, 4_000_000, 10),
            (7_601_000, 9_000_000, 5),
        ]


async def test_lines_that_do_not_fit_at_all_are_told_too(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        await outbox.save([row("meter", i) for i in range(6000)], {})
        [gap] = await outbox.known_gaps()
        assert gap.lines == outbox.dropped == 6000 + 1 - outbox.waiting
        assert gap.from_ms == T


OLD = "CREATE TABLE lines (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL)"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store of the version before: its lines have no class, and it knows no gaps."""
    path = tmp_path / "a.sqlite"
    with closing(Outbox(path, max_mb=10)) as outbox:
        outbox.instance()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE lines")
        db.execute("DROP TABLE gaps")
        db.execute(OLD)
        lines = [line(row(name, i)) for i, name in enumerate(NAMES)]
        db.executemany("INSERT INTO lines (line) VALUES (?)", [(text,) for text in lines])
        db.commit()
    return path


async def test_a_store_of_an_older_version_opens_with_all_its_lines_in_their_class(old: Path) -> None:
    with closing(Outbox(old, max_mb=10)) as outbox:
        assert (outbox.trouble, outbox.waiting, outbox.aside) == (None, 4, ())
        found = await outbox.read(lambda db: db.execute("SELECT line, importance FROM lines ORDER BY id").fetchall())
    assert [(measurement(text), rank) for text, rank in found] == [(name, importance(name)) for name in NAMES]


def test_the_command_opens_an_older_store_too(old: Path) -> None:
    with opened(old, writes=False) as db:
        found = waiting.groups(db)
        assert [(one.measurement, one.importance, one.count) for one in found] == [
            ("event", Importance.EVENT, 1), ("account", Importance.QUARTER, 1),
            ("battery", Importance.FINE, 1), ("meter", Importance.FINE, 1),
        ]  # fmt: skip
        assert [one.first_ms for one in found] == [T + 3000, T + 2000, T + 1000, T]
        assert gaps.all_of(db) == []


async def test_an_older_store_that_cannot_be_written_is_carried_into_memory_and_back(old: Path, soon: None) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox = Outbox(old, max_mb=10)
        assert outbox.trouble is not None
        assert await outbox.save([row("meter", 9)], {}) is False
    assert await outbox.save([row("event", 10)], {}) is True
    assert sorted(map(measurement, await held(outbox))) == sorted([*NAMES, "meter", "event"])
    outbox.close()


async def test_damage_in_the_table_of_gaps_hides_no_other(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=1)) as outbox:
        rows = [("s", 1, 2, json.dumps({"meter": 3}), 1), ("s", "x", 2, "{}", 2), ("s", 5, 6, "spoiled", 3)]
        sql = "INSERT INTO gaps (site, from_ms, to_ms, counts, line) VALUES (?, ?, ?, ?, ?)"
        await outbox.write(lambda db: db.executemany(sql, rows))
        assert [gap.lines for gap in await outbox.known_gaps()] == [3]
        await outbox.write(lambda db: counts.give_up(db, [gaps.of_nothing_known(7)]))
        assert sum(gap.lines for gap in await outbox.known_gaps()) == 10


def test_each_class_but_the_fine_one_has_measurements() -> None:
    assert {Importance.FINE, *IMPORTANCE.values()} == set(Importance)
