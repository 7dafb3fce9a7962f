"""`zen outbox` beside a store that a gateway may have open: its counts stay true, and what was refused comes back."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.store.outbox import Outbox
from gateway.cli import app
from gateway.paths import config_folder
from gateway.ports import Row
from gateway.tests.adapters.stores import in_file

T = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text((config_folder() / "demo" / "site.toml").read_text())
    return path


def zen(*words: str, language: str = "en", **more) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words], env={"LC_ALL": f"{language}_XX.UTF-8", "COLUMNS": "200"}, **more)
    return done.exit_code, done.output


async def refused(outbox: Outbox) -> None:
    """Three values of the meter and one of the roof are in quarantine, one line waits."""
    rows = [Row(measurement="meter", tags={"site": "s"}, fields={"p_w": 1.0}, time_ms=T + 1000 * i) for i in range(3)]
    await outbox.save([*rows, Row(measurement="pv", tags={}, fields={"u_v": 2.0}, time_ms=T)], {})
    await outbox.quarantine([(number, text, "already exists as integer") for number, text in await outbox.oldest(4)])
    await outbox.save([Row(measurement="pv", tags={}, fields={"u_v": 3.0}, time_ms=T)], {})


async def test_list_shows_what_was_refused_and_why(site: Path) -> None:
    with closing(Outbox(site.parent / "store.sqlite", max_mb=10)) as outbox:
        await refused(outbox)
        code, printed = zen("outbox", "list", str(site))
    assert code == 0
    assert "waiting for the database: 1; refused by it: 4; dropped for lack of room: 0" in printed
    row = next(re.split(r"\s*│\s*", line) for line in printed.splitlines() if "meter" in line)
    assert row[1:7] == [
        "meter", "p_w", "3", "2023-11-14 22:13:20", "2023-11-14 22:13:22", "already exists as integer",
    ]  # fmt: skip
    code, printed = zen("outbox", "list", str(site), language="fr")
    assert "refusées par elle : 4" in printed.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("options", "back"),
    [
        ((), 4),
        (("--measurement", "meter"), 3),
        (("--field", "u_v"), 1),
        (("--measurement", "meter", "--field", "u_v"), 0),
    ],
)
async def test_retry_brings_back_what_is_meant_and_a_running_gateway_counts_it(site: Path, options, back: int) -> None:
    with closing(Outbox(site.parent / "store.sqlite", max_mb=10)) as outbox:
        await refused(outbox)
        code, printed = zen("outbox", "retry", str(site), *options)
        assert (code, f"{back} wait for the database again" in printed) == (0, True)
        lines = await outbox.oldest(100)
        assert len(lines) == 1 + back
        assert (outbox.waiting, outbox.refused) == in_file(site.parent / "store.sqlite") == (1 + back, 4 - back)
        await outbox.forget([number for number, _ in lines])
        assert (outbox.waiting, outbox.dropped) == (0, 0)


async def test_drop_asks_and_counts_what_it_gives_up(site: Path) -> None:
    with closing(Outbox(site.parent / "store.sqlite", max_mb=10)) as outbox:
        await refused(outbox)
        code, _ = zen("outbox", "drop", str(site), input="n\n")
        assert (code, outbox.refused) == (1, 4)
        code, printed = zen("outbox", "drop", str(site), "--measurement", "meter", input="y\n")
        assert (code, "3 are given up" in printed) == (0, True)
        await outbox.oldest(1)
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (2, 1, 3)  # the gap waits, too
        code, _ = zen("outbox", "drop", str(site), "--yes")
        await outbox.oldest(1)
        assert (outbox.refused, outbox.dropped) == (0, 4)


async def test_list_tells_what_waits_what_is_missing_and_refusals_in_words(site: Path) -> None:
    path = site.parent / "store.sqlite"
    why = 'input field "p_w" on measurement "meter" is type float, already exists as type integer'
    with closing(Outbox(path, max_mb=1)) as outbox:
        await outbox.save([Row(measurement="event", tags={"site": "s"}, fields={"n": 1.0}, time_ms=T)], {})
        for i in range(20):
            rows = [
                Row(measurement="pv", tags={"site": "s"}, fields={"t": "x" * 400}, time_ms=T + i) for _ in range(500)
            ]
            await outbox.save(rows, {})
        await outbox.quarantine([(0, f"meter,site=s p_w=1.0 {T}", why)])
        code, printed = zen("outbox", "list", str(site))
        [gap] = await outbox.known_gaps()
    assert code == 0
    table = [re.split(r"\s*│\s*", line)[1:4] for line in printed.splitlines() if "│" in line]
    assert ["event", "goes last", "1"] in table
    assert ["2023-11-14 22:13:20", "2023-11-14 22:13:20", str(gap.lines)] in table
    assert "p_w of meter: the database has it as a whole number" in printed


async def test_what_was_put_aside_is_listed(site: Path) -> None:
    (site.parent / "store.sqlite").write_text("spoiled" * 1000)
    with closing(Outbox(site.parent / "store.sqlite", max_mb=10)) as outbox:
        code, printed = zen("outbox", "list", str(site))
        assert (code, str(outbox.aside[0]) in printed.replace("\n", "")) == (0, True)


@pytest.mark.parametrize("command", [("list",), ("retry",), ("drop", "--yes")])
def test_a_store_that_cannot_be_used_is_named_and_never_made_or_changed(site: Path, command) -> None:
    path = site.parent / "store.sqlite"
    code, printed = zen("outbox", command[0], str(site), *command[1:])
    assert (code, "cannot be used" in printed, path.exists()) == (1, True, False)
    path.write_text("spoiled" * 1000)
    assert zen("outbox", command[0], str(site), *command[1:])[0] == 1
    assert path.read_text() == "spoiled" * 1000
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE dashboards (id)")
    before = path.read_bytes()
    assert zen("outbox", command[0], str(site), *command[1:])[0] == 1
    assert path.read_bytes() == before
