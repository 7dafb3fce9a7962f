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
    assert found["eur_per_kwh"] == {"buy": {"least": 0.1589, "most": 0.2142}, "sell": {"least": 0.04, "most": 0.04}}
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


def site_file(folder: Path, sections: str) -> Path:
    """The demo's site file with another tariff."""
    demo = (Path(__file__).parents[4] / "config" / "demo" / "site.toml").read_text()
    for heading in (r"\[\[tariff\.off_peak\]\]", r"\[tariff\]"):
        demo = re.sub(rf"(?ms)^{heading}.*?(?=^\[|\Z)", "", demo)
    site = folder / "site.toml"
    site.write_text(demo + "\n" + sections)
    return site


def figures_of(home: Path, folder: Path, *options: str | Path) -> dict:
    out = folder / "out.json"
    done = study("--load", home, *OPTIONS, "--days", "3", *options, "--json", out)
    assert done.exit_code == 0, done.output
    return json.loads(out.read_text())


def test_a_site_file_gives_the_prices(home: Path, tmp_path: Path) -> None:
    site = site_file(tmp_path, '[tariff]\nfile = "edf_base"\nsurplus_price = 0.1\nprices = { BASE = 0.3 }\n')
    found = figures_of(home, tmp_path, "--tariff", site)
    assert found["eur_per_kwh"]["buy"] == {"least": 0.3, "most": 0.3}
    assert found["goals"] is None


def test_a_site_file_gives_the_goals_and_an_option_goes_before_them(home: Path, tmp_path: Path) -> None:
    site = site_file(tmp_path, '[tariff]\nfile = "edf_base"\n[goals]\nco2_eur_per_t = 100\n')
    found = figures_of(home, tmp_path, "--tariff", site, "--goal-self-consumption", "0.05")
    assert found["goals"] == {"cost": 1.0, "self_consumption_eur_per_kwh": 0.05, "co2_eur_per_t": 100.0}
    account = found["none"]["all"]
    # --co2 60: 100 EUR/t are 0.006 EUR/kWh
    told = account["cost_eur"] + 0.006 * account["import_kwh"] + 0.05 * account["export_kwh"]
    assert account["weighed_eur"] == pytest.approx(told, abs=2e-4)


def test_goals_are_reported_on_the_page_and_in_the_terminal(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    options = (*OPTIONS, "--days", "3", "--goal-cost", "0.5", "--goal-co2", "80", "--page", page)
    done = study("--load", home, *options, language="fr")
    assert done.exit_code == 0, done.output
    sentence = "Objectifs : 0,50 × la facture, 0,000 € par kWh non injecté, 80 € par tonne de CO₂."
    assert sentence in " ".join(done.stdout.split())
    assert sentence in " ".join(page.read_text().split())
    assert "les mêmes objectifs auraient fait gagner" in page.read_text()
    assert "n’était possible avec aucune" not in page.read_text()


def test_co2_as_a_goal_is_that_of_the_site_file_where_none_is_given(home: Path, tmp_path: Path) -> None:
    (tmp_path / "co2.csv").write_text("time,co2_g_per_kwh\n2025-04-01T00:00Z,80\n")
    site = site_file(tmp_path, '[tariff]\nfile = "edf_base"\n[goals]\nco2_eur_per_t = 100\n[feeds]\nco2 = "co2.csv"\n')
    out = tmp_path / "out.json"
    done = study("--load", home, "--battery", "4", "--days", "2", "--tariff", site, "--json", out)
    assert done.exit_code == 0, done.output
    account = json.loads(out.read_text())["none"]["all"]
    assert account["co2_kg"] == pytest.approx(0.08 * account["import_kwh"], abs=1e-3)


TEMPO = """[tariff]
file = "edf_tempo"
[tariff.prices]
TEMPO_BLUE_HC = 0.13
TEMPO_BLUE_HP = 0.16
TEMPO_WHITE_HC = 0.15
TEMPO_WHITE_HP = 0.19
TEMPO_RED_HC = 0.16
TEMPO_RED_HP = 0.70
"""


def test_tempo_is_paid_by_the_colours_of_the_days(home: Path, tmp_path: Path) -> None:
    colours = tmp_path / "colours.csv"
    rows = [
        f"2025-{day},{'white' if day == '04-03' else 'blue'}" for day in ("03-31", "04-01", "04-02", "04-03", "04-04")
    ]
    colours.write_text("\n".join(["day,colour", *rows]))
    site = site_file(tmp_path, TEMPO)
    found = figures_of(home, tmp_path, "--tariff", site, "--colours", colours)
    assert found["eur_per_kwh"]["buy"] == {"least": 0.13, "most": 0.19}
    colours.write_text("\n".join(["day,colour", *rows[:3]]))
    done = study("--load", home, *OPTIONS, "--days", "3", "--tariff", site, "--colours", colours)
    assert done.exit_code == 2
    assert "2025-04-03" in done.output
    done = study("--load", home, "--tariff", site)
    assert done.exit_code == 2
    assert "--colours" in done.output


def test_keys_of_a_kind_are_set_on_the_command_line(home: Path, tmp_path: Path) -> None:
    """The record begins on Tuesday 1 April 2025; a Wednesday is off-peak all day where it is the chosen one."""
    options = ("--tariff", "edf_zen_weekend_plus", "--off-peak", "", "--start", "2025-04-02")
    out = tmp_path / "out.json"
    paid = []
    for chosen in ("wednesday", "monday"):
        more = ("--days", "1", "--set", f"chosen_day={chosen}", "--json", out)
        done = study("--load", home, *OPTIONS, *options, *more)
        assert done.exit_code == 0, done.output
        paid.append(json.loads(out.read_text())["eur_per_kwh"]["buy"])
    assert paid == [{"least": 0.1731, "most": 0.1731}, {"least": 0.2314, "most": 0.2314}]


def test_ejp_is_paid_by_the_days_that_were_called(home: Path, tmp_path: Path) -> None:
    march, days = tmp_path / "march.csv", tmp_path / "days.csv"
    march.write_text(home.read_text().replace("2025-04-0", "2026-03-2"))  # from Saturday 21 March 01:00 on
    called = "day,colour\n2026-03-20,normal\n2026-03-21,normal\n2026-03-22,normal\n"
    days.write_text(called + "2026-03-23,pointe\n")
    found = figures_of(march, tmp_path, "--tariff", "edf_ejp", "--colours", days)
    assert found["eur_per_kwh"]["buy"] == {"least": 0.1789, "most": 0.4324}
    days.write_text(called)
    done = study("--load", march, *OPTIONS, "--days", "3", "--tariff", "edf_ejp", "--colours", days)
    assert done.exit_code == 2
    assert "2026-03-23" in done.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--tariff", "edf_ejp"), "only the meter knew"),
        (("--tariff", "edf_zen_weekend", "--set", "chosen_day=sunday"), "'wednesday'"),
        (("--tariff", "edf_base", "--set", "chosen_day=monday"), "chosen_day"),
        (("--set", "chosen_day"), "KEY=VALUE"),
        (("--battery", "big"), "with commas between them"),
        (("--battery", "5,nan"), "with commas between them"),
        (("--battery", "0"), "with commas between them"),
        (("--tariff", "edf_tempo"), "only the meter knew"),
        (("--tariff", "mine"), "edf_base, edf_ejp, edf_hphc"),
        (("--off-peak", "25:00-26:00"), "22:00-06:00"),
        (("--zone", "Mars/Base"), "Europe/Paris"),
        (("--start", "2026-01-01"), "2025-04-01 – 2025-04-09"),
        (("--days", "99"), "--days"),
        (("--kwp", "4"), "rating of pv_w is not known"),
        (("--pv-column", "roof"), "there is no column roof"),
        (("--pv", "nowhere.csv"), "nowhere.csv"),
        (("--co2", "nowhere.csv"), "nowhere.csv"),
        (("--tariff", "nowhere.toml"), "nowhere.toml"),
        (("--tariff", "s21"), "for surplus alone"),
        (("--colours", "nowhere.csv"), "nowhere.csv"),
        (("--goal-co2", "100"), "--co2 FILE"),
        (("--goal-cost", "0"), "No goal is left"),
    ],
)
def test_what_is_wrong_is_reported_in_one_sentence(home: Path, options: tuple[str, ...], says: str) -> None:
    done = study("--load", home, *options)
    assert done.exit_code == 2
    assert says in done.output
    assert "Traceback" not in done.output
