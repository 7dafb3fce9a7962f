"""`zen study` from files to table, JSON and page; what is wrong is one sentence and exit code 2."""

import json
import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.tests.study.small import written
from gateway.words.figures import number

OPTIONS = ("--battery", "0,4,8", "--co2", "60", "--replan", "360", "--workers", "1")


def study(*options: str | Path, language: str = "en") -> Result:
    return CliRunner().invoke(app, ["study", *map(str, options), "--language", language], env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("study") / "home.csv", days=8, step_min=30)


@pytest.fixture(scope="module")
def outcome(home: Path) -> tuple[dict, str, str]:
    """The figures, the page and what the terminal shows."""
    figures, page = home.with_suffix(".json"), home.with_suffix(".html")
    done = study("--load", home, *OPTIONS, "--start", "2025-04-02", "--json", figures, "--page", page, language="fr")
    assert done.exit_code == 0, done.output
    return json.loads(figures.read_text()), page.read_text(), done.stdout


def test_figures_say_what_they_depend_on(outcome: tuple[dict, str, str]) -> None:
    found = outcome[0]
    assert [size["kwh"] for size in found["sizes"]] == [4.0, 8.0]
    assert [size["kw"] for size in found["sizes"]] == [2.0, 4.0]  # full in two hours
    assert found["start"] == "2025-04-02T00:00+02:00"
    assert found["plan_every_s"] == 6 * 3600.0
    assert found["eur_per_kwh"] == {"buy": {"least": 0.1635, "most": 0.2081}, "sell": {"least": 0.04, "most": 0.04}}
    assert found["method"]["planning"]["energy_points"] == 41
    for size in found["sizes"]:
        whole = size["ways"]["zen"]["all"]
        assert whole["co2_kg"] == pytest.approx(0.06 * whole["import_kwh"], abs=1e-3)
        assert whole["cost_eur"] == pytest.approx(sum(m["cost_eur"] for m in size["ways"]["zen"]["months"]), abs=1e-3)


def test_the_terminal_and_the_page_tell_the_same_figures(outcome: tuple[dict, str, str]) -> None:
    found, page, shown = outcome
    for size in found["sizes"]:
        for way in ("rule", "zen", "perfect"):
            for value in (size["gain_eur"][way], size["ways"][way]["all"]["cost_eur"]):
                assert number("fr", value, 2) in page
                assert number("fr", value, 2) in shown
    assert "Autoconso. : part du PV" in shown.replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_asks_nothing_of_any_network(outcome: tuple[dict, str, str]) -> None:
    page = outcome[1]
    assert '<html lang="fr">' in page
    assert "home.csv : du 2025-04-02 au 2025-04-09." in page.replace("\N{NO-BREAK SPACE}", " ")
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert not re.search(r"url\((?!data:)|@import|\bfetch\(|^import ", page, flags=re.MULTILINE)
    assert set(re.findall(r"https?://[\w./-]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "https://github.com/leeoniya/uPlot",
    }


def test_a_name_cannot_end_the_data_of_the_page(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "a<script>b.csv"
    file.write_text(home.read_text())
    page = tmp_path / "page.html"
    assert study("--load", file, *OPTIONS, "--days", "3", "--page", page).exit_code == 0
    assert "a<script>" not in page.read_text()


def test_a_site_file_gives_the_prices(home: Path, tmp_path: Path) -> None:
    demo = Path(__file__).parents[4] / "config" / "demo" / "site.toml"
    site = tmp_path / "site.toml"
    section = '[tariff]\nfile = "edf_base"\nsurplus_price = 0.1\nprices = { BASE = 0.3 }\n'
    text = re.sub(
        r"(?ms)^\[tariff\].*?(?=^\[|\Z)",
        "",
        re.sub(r"(?ms)^\[\[tariff\.off_peak\]\].*?(?=^\[|\Z)", "", demo.read_text()),
    )
    site.write_text(text + "\n" + section)
    figures = tmp_path / "out.json"
    done = study("--load", home, *OPTIONS, "--days", "3", "--tariff", site, "--json", figures)
    assert done.exit_code == 0, done.output
    assert json.loads(figures.read_text())["eur_per_kwh"]["buy"] == {"least": 0.3, "most": 0.3}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--battery", "big"), "with commas between them"),
        (("--battery", "5,nan"), "with commas between them"),
        (("--battery", "0"), "with commas between them"),
        (("--tariff", "edf_tempo"), "only the meter knew"),
        (("--tariff", "mine"), "edf_base, edf_hphc"),
        (("--off-peak", "25:00-26:00"), "22:00-06:00"),
        (("--zone", "Mars/Base"), "Europe/Paris"),
        (("--start", "2026-01-01"), "2025-04-01 – 2025-04-09"),
        (("--days", "99"), "--days"),
        (("--kwp", "4"), "rating of pv_w is not known"),
        (("--pv-column", "roof"), "there is no column roof"),
        (("--pv", "nowhere.csv"), "nowhere.csv"),
        (("--co2", "nowhere.csv"), "nowhere.csv"),
        (("--tariff", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(home: Path, options: tuple[str, ...], says: str) -> None:
    done = study("--load", home, *options)
    assert done.exit_code == 2
    assert says in done.output
    assert "Traceback" not in done.output
