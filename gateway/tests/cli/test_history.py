"""`zen history SITE.toml export` beside an archive that a gateway may have open."""

import asyncio
import csv
import io
import json
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway.adapters.archive.archive import Archive
from gateway.cli import app
from gateway.paths import config_folder
from gateway.tests.adapters.archive.made_up import realistic

PARIS = ZoneInfo("Europe/Paris")
BEGIN_S = int(datetime(2026, 10, 25, tzinfo=PARIS).timestamp())
DAY = ("--from", "2026-10-25", "--to", "2026-10-26")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text((config_folder() / "demo" / "site.toml").read_text())
    return path


def zen(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["history", *words], env={"LC_ALL": "en_XX.UTF-8", "COLUMNS": "200"})
    return done.exit_code, done.stdout, done.stderr


def test_a_day_is_written_out_as_a_table_and_as_json_while_the_gateway_runs(site: Path) -> None:
    with closing(Archive(site.parent / "store-history.sqlite", zone=PARIS)) as archive:
        archive.save_accounts(list(realistic(BEGIN_S, 100, devices=2)))
        assert asyncio.run(archive.flush())
        code, table, _ = zen(str(site), "export", *DAY, "--csv")
        assert code == 0
        code, text, _ = zen(str(site), "export", *DAY)
        assert code == 0
        code, _, said = zen(str(site), "export", *DAY, "--what", "days", "--csv", "--out", str(site.parent / "d.csv"))
        assert (code, "d.csv" in said) == (0, True)
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == 100
    assert [float(row["used_wh"]) for row in rows] == json.loads(text)["used_wh"]
    [day] = csv.DictReader((site.parent / "d.csv").read_text().splitlines())
    assert (day["day"], day["quarters"], day["expected"]) == ("2026-10-25", "100", "100")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--from", "x", "--to", "2026-10-26"), 2, "--from: found x"),
        (("--from", "2026-10-26", "--to", "2026-10-25"), 2, "later than --from"),
        (("--from", "2020-10-26", "--to", "2026-10-25"), 2, "at most 370 days"),
        ((*DAY, "--out", "/no/such/folder/x.csv"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_is_told(site: Path, words, code: int, says: str) -> None:
    found, _, said = zen(str(site), "export", *words)
    assert (found, says in said) == (code, True)


def test_a_history_of_no_use_is_named_and_never_changed(site: Path) -> None:
    path = site.parent / "store-history.sqlite"
    code, text, _ = zen(str(site), "export", *DAY)
    assert (code, json.loads(text)["t"], path.exists()) == (0, [], False)
    path.write_bytes(b"spoiled" * 1000)
    code, _, said = zen(str(site), "export", *DAY)
    assert (code, "cannot be read" in said) == (1, True)
    assert path.read_bytes() == b"spoiled" * 1000
