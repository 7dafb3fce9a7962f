"""`zen bill`: the bill computed by hand in docs/bill.md, through files and the command."""

import asyncio
import csv
import io
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway.adapters.archive.archive import Archive
from gateway.cli import app
from gateway.core.accounts.quarter_account import DeviceEnergy, EnergySource, QuarterAccount
from gateway.paths import config_folder

PARIS = ZoneInfo("Europe/Paris")
TARIFF = """
[tariff]
file = "edf_hphc"
subscribed_kva = 6
network = "CU4"

[[tariff.off_peak]]
hours = ["22:00-06:00"]
end = 2025-08-11

[[tariff.off_peak]]
hours = ["02:00-07:00", "13:00-16:00"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The demo's building with the tariff of the bill by hand, and limits that its 6 kVA bear."""
    whole = (config_folder() / "demo" / "site.toml").read_text()
    sections = whole.split("\n[")
    kept = [one for one in sections if not one.lstrip("[").startswith("tariff")]
    text = "\n[".join(kept).replace("import_limit_w = 9000", "import_limit_w = 6000")
    path = tmp_path / "site.toml"
    path.write_text(text + TARIFF)
    return path


@pytest.fixture
def quarters(tmp_path: Path) -> Path:
    """0.1 kWh in each quarter hour, 1 kWh in those from 13:00 to 15:00."""
    path, at_s = tmp_path / "quarters.csv", int(datetime(2025, 7, 21, tzinfo=PARIS).timestamp())
    end_s = int(datetime(2025, 8, 21, tzinfo=PARIS).timestamp())
    rows = ["time,import_wh,export_wh"]
    for start_s in range(at_s, end_s, 900):
        local = datetime.fromtimestamp(start_s, PARIS)
        rows.append(f"{local.isoformat()},{1000 if local.hour in (13, 14) else 100},0")
    path.write_text("\n".join(rows) + "\n")
    return path


def zen(*words: str, language: str = "en") -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words], env={"LC_ALL": f"{language}_XX.UTF-8", "COLUMNS": "200"})
    return done.exit_code, done.output


DAYS = ("--first", "2025-07-21", "--last", "2025-08-20")


def test_the_bill_is_the_one_computed_by_hand(site: Path, quarters: Path) -> None:
    code, printed = zen("bill", str(site), "--quarters", str(quarters), *DAYS, "--csv")
    assert code == 0, printed
    rows = list(csv.DictReader(io.StringIO(printed)))
    amounts = {(row["line"], row["period"], row["first"]): row["amount_eur"] for row in rows}
    assert amounts == {
        ("subscription", "", "2025-07-21"): "4.98",
        ("subscription", "", "2025-08-01"): "10.15",
        ("energy", "HP", "2025-07-21"): "32.10",
        ("energy", "HC", "2025-07-21"): "5.97",
        ("energy", "HP", "2025-08-01"): "41.62",
        ("energy", "HC", "2025-08-01"): "22.24",
        ("of_which_network_fixed", "", "2025-07-21"): "8.46",
        ("of_which_network_energy", "", "2025-07-21"): "7.64",
        ("of_which_levy", "", "2025-07-21"): "1.86",
        ("of_which_excise", "", "2025-07-21"): "16.30",
        ("of_which_vat", "", "2025-07-21"): "18.94",
        ("total", "", "2025-07-21"): "117.06",
    }


def test_the_bill_of_what_the_gateway_kept_is_the_same(site: Path, quarters: Path) -> None:
    """The same quarter hours as accounts in the history: the day's meter is the grid."""
    accounts = [
        QuarterAccount(
            start_s=int(datetime.fromisoformat(row["time"]).timestamp()),
            devices={"grid": DeviceEnergy(drawn_wh=0.0, given_wh=float(row["import_wh"]), source=EnergySource.COUNTER)},
            loads={},
            used_wh=float(row["import_wh"]),
            flows=None,
            curtailed_wh=0.0,
        )
        for row in csv.DictReader(quarters.read_text().splitlines())
    ]
    with closing(Archive(site.parent / "store-history.sqlite", zone=PARIS)) as archive:
        archive.save_accounts(accounts)
        assert asyncio.run(archive.flush())
        of_file, of_history = (zen("bill", str(site), *more, *DAYS) for more in (("--quarters", str(quarters)), ()))
    assert of_history == of_file
    code, said = zen("bill", str(site), "--month", "2026-03")
    assert (code, "nothing was kept from 2026-03-01 to 2026-03-31" in said.replace("\n", " ")) == (2, True)


@pytest.mark.parametrize(("language", "total"), [("en", "117.06"), ("fr", "117,06")])
def test_people_are_told_in_their_language(site: Path, quarters: Path, language: str, total: str) -> None:
    code, printed = zen("bill", str(site), "--quarters", str(quarters), *DAYS, language=language)
    assert code == 0
    assert total in printed
    assert "2976" in printed


def test_a_month_that_is_not_in_the_file_is_missing_and_not_free(site: Path, quarters: Path) -> None:
    code, printed = zen("bill", str(site), "--quarters", str(quarters), "--month", "2025-08")
    assert code == 0
    assert "1056 quarter hours are not known, the first at 2025-08-20T22:00Z" in printed


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2025-07-21T00:00,100,0", "line 2"),  # without its zone
        ("2025-07-21T00:07+02:00,100,0", "line 2"),
        ("2025-07-21T00:15+02:00,-1,0", "line 2"),
        ("2025-07-21T00:15+02:00,much,0", "line 2"),
        ("2025-07-21T00:15+02:00,nan,0", "line 2"),
    ],
)
def test_a_wrong_row_is_named(site: Path, tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "quarters.csv"
    path.write_text(f"time,import_wh,export_wh\n{row}\n")
    code, printed = zen("bill", str(site), "--quarters", str(path), *DAYS)
    assert code == 2
    assert why in printed


@pytest.mark.parametrize(
    "words", [("--month", "2025-13"), ("--first", "2025-08-20"), ("--month", "2025-08", *DAYS), ()]
)
def test_days_that_are_none_are_refused(site: Path, quarters: Path, words: tuple[str, ...]) -> None:
    assert zen("bill", str(site), "--quarters", str(quarters), *words)[0] == 2


def test_a_file_without_its_columns_is_refused(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "quarters.csv"
    path.write_text("when,what\n1,2\n")
    code, printed = zen("bill", str(site), "--quarters", str(path), *DAYS)
    assert (code, "time, import_wh" in printed) == (2, True)
