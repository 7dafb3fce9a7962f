"""The page of benchmarks: tables, pictures and targets from given results, and the runner that makes them."""

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from gateway.cli.bench.app import app
from gateway.study.benches.report import targets
from gateway.study.benches.report.bars import Bar, Mark, picture
from gateway.study.benches.report.benches import BENCHES, HOME_STARTS, Bench
from gateway.study.benches.report.page import texts
from gateway.study.benches.report.pictures import pictures
from gateway.study.benches.report.results import Results, ResultsError, read
from gateway.study.benches.report.run import Account, run, write_account
from gateway.study.benches.report.sections import SECTIONS
from gateway.study.benches.report.targets import TARGETS

DOCS = Path(__file__).parents[4] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
METHOD = {"planning": {"energy_points": 41}}
HOME = {
    "eur_per_day": {"none": 2.0, "rule": 1.3, "zen": 1.1, "perfect": 1.0},
    "S": {"rule": 0.7, "zen": 0.9},
    "method": METHOD,
}
SOLARHOME = {
    "eur_per_day": {"none": 1.6247, "rule": 0.5633, "zen": 0.5422, "perfect": 0.3537},
    "S": {"rule": 0.835, "zen": 0.8517},
    "method": METHOD,
}
PEERS = {
    "days": 28,
    "absent": {},
    "windows": [
        {
            "start": "2024-05-01",
            "eur_per_day": {"none": 0.594, "zen": -0.066, "emhass_simple_0.5": -0.013},
            "S": {"zen": 0.955, "emhass_simple_0.5": 0.875},
        }
    ],
    "times": {
        "ways": {
            "zen": {"median_ms": 7.6, "worst_ms": 9.1, "cpu_ms": 7.0, "ratio": 1.0, "plans": 39},
            "solph": {"median_ms": 45.5, "worst_ms": 60.0, "cpu_ms": 7.0, "ratio": 6.0, "plans": 39},
            "highs": {"median_ms": 3.1, "worst_ms": 4.0, "cpu_ms": 7.0, "ratio": 0.41, "plans": 39},
        }
    },
    "method": METHOD,
}
LOOP = {
    "scenarios": {"kettle": {}, "clouds": {}},
    "mean": {
        "avoidable_import_wh": {"zen": 100.0, "integral_1s": 600.0},
        "avoidable_export_wh": {"zen": 110.0, "integral_1s": 570.0},
    },
    "not_worse": {"avoidable_or_travel": {"integral_1s": 2}},
}
CITYLEARN = {
    "rule": {"price": 0.796, "emission": 0.938, "grid": 1.006, "mean": 0.913},
    "ours": {"price": 0.684, "emission": 0.845, "grid": 0.891, "mean": 0.807},
}
STUDY = {"steps": 525600, "wall_s": 17.23, "processor_s": 22.2, "cores": 2, "method": METHOD}
MINUTE = {"S": {"rule": 0.994, "zen": 0.996}, "delay_s": 1.2}


def results(found: dict[str, Any]) -> Results:
    benches = {name: {"status": "done", "why": "", "command": f"zen bench {name}", "took_s": 1.0} for name in found}
    benches["absent"] = {"status": "no_data", "why": "x.csv", "command": "zen bench absent", "took_s": 0.0}
    for told in benches.values():
        told["date"] = "2026-01-02"
    account = {
        "date": "2026-01-02",
        "machine": "a processor, 2 cores",
        "versions": {"zen-e-ville": "0.1.0"},
        "configuration": "[planning]\nenergy_points = 41\n",
        "benches": benches,
    }
    return Results(found=found, account=account)


FULL = results(
    {
        "solarhome": SOLARHOME,
        "peers": PEERS,
        "closed-loop": LOOP,
        "citylearn": CITYLEARN,
        "minute-2021-04-12": MINUTE,
        "minute-2021-09-20": MINUTE,
        "study": STUDY,
        **{f"home-{start}": HOME for start in HOME_STARTS},
    }
)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


def page(found: Results) -> str:
    return texts(found, DOCS)[DOCS / "benchmarks.md"]


@pytest.mark.parametrize(
    "line",
    [
        "| solar home, EUR/day: below the best published method | ≤ 0.5086 | 0.5422 | **no** |",
        "| French home, S of the worst window | ≥ 0.88 | 0.900 | yes |",
        "| French home, S of the worst window May to August | ≥ 0.95 | 0.900 | **no** |",
        "| French home, least lead of S over the plain rule | ≥ -0.02 | 0.200 | yes |",
        "| French home, least lead of S over the best EMHASS of the window | ≥ 0 | 0.080 | yes |",
        "| plan of 96 steps, processor time of the fastest peer library as a multiple of ours | ≥ 1 | 6.0 | yes |",
        "| model-predictive control, 24 h | 0.5086 | published: the same |",
        "| 2024-03-15 | 2.0000 | 1.3000 | 1.1000 | 1.0000 | 0.700 | 0.900 |",
        "| EMHASS naive-mpc, simple forecasts, end half full | -0.0130 | 0.875 | 0.878 |",
        "| 2021-04-12 | 1.2 | 0.994 | 0.996 |",
        "| 2021-11-08 | – | – | – |",
        "| avoidable_import_wh | 100.0 | 600.0 |",
        "| **Zen-e-Ville**, power fixed before each hour | 0.684 | 0.845 | 0.891 | 0.807 | this run |",
        "| oemof.solph | 45.5 | 60.0 | 7.0 | 6.0 | this run, 39 plans |",
        "| `zen bench absent` | left out: x.csv is not in the folder of data | 2026-01-02 |  |",
        "2026-01-02; a processor, 2 cores; zen-e-ville 0.1.0.",
        "energy_points = 41",
        "| study of a year at one minute, four sizes, from CSV to page, s | ≤ 60 | 17.2 | yes |",
        "A study of 525600 steps from CSV to figures and page: 17.2 s by the clock on 2 cores, 22.2 s of their time.",
    ],
)
def test_the_page_has_the_figures_it_was_given(line: str) -> None:
    assert line in page(FULL).splitlines()


def test_a_missed_target_stands_with_its_note_or_says_that_there_is_none() -> None:
    text = page(FULL)
    assert "below the best published method: what is missing is information." in text
    assert "May to August: nothing has been written about it yet." in text


def test_without_any_result_the_page_says_not_run_and_claims_nothing() -> None:
    text = page(results({}))
    assert "| yes |" not in text
    assert "**no**" not in text
    assert text.count("| not run |") == len(TARGETS)
    assert all(">not run<" in svg for svg in pictures(results({}), {}).values())


def test_results_of_two_configurations_are_reported() -> None:
    other = {**HOME, "method": {"planning": {"energy_points": 81}}}
    text = page(results({"solarhome": SOLARHOME, "home-2024-05-01": other}))
    assert "**Not one configuration**: home-2024-05-01" in text
    assert "**Not one" not in page(FULL)


def test_every_section_has_its_picture_and_every_picture_its_section() -> None:
    assert {one.drawing for one in SECTIONS} == set(pictures(FULL, {}))


@pytest.mark.parametrize(("figure", "reached"), [(0.5, True), (0.505, True), (0.5051, False)])
def test_a_target_is_reached_at_its_bound(figure: float, *, reached: bool) -> None:
    target = next(one for one in TARGETS if one.name == "solarhome-target")
    assert target.reached(results({"solarhome": {"eur_per_day": {"zen": figure}}})) is reached


def test_a_worst_of_what_did_not_all_run_is_not_known() -> None:
    assert targets.worst([0.9, None]) is None
    assert targets.worst([]) is None
    assert targets.worst([0.9, 0.7]) == 0.7


def test_bars_are_as_long_as_their_values_and_start_at_zero() -> None:
    bars = [Bar(label="a", value=2.0, kind="ours"), Bar(label="b <&> c", value=-1.0), Bar(label="c", value=None)]
    drawn = parsed(picture("T", bars, [Mark(label="limit", value=1.0)]))
    first, second = drawn.findall(f"{SVG}rect")
    axis, mark = drawn.findall(f"{SVG}line")
    zero = float(axis.get("x1", ""))
    assert float(first.get("width", "")) == pytest.approx(2.0 * float(second.get("width", "")), abs=0.2)
    assert float(first.get("x", "")) == zero
    assert float(second.get("x", "")) + float(second.get("width", "")) == pytest.approx(zero, abs=0.2)
    assert float(mark.get("x1", "")) == pytest.approx(zero + float(first.get("width", "")) / 2.0, abs=0.2)
    written = [text.text for text in drawn.findall(f"{SVG}text")]
    assert {"b <&> c", "not run", "2.000", "limit 1.000"} <= set(written)


def test_pictures_are_readable_on_light_and_dark_pages() -> None:
    for svg in pictures(FULL, {}).values():
        assert parsed(svg).tag == f"{SVG}svg"
        assert "prefers-color-scheme: dark" in svg
        assert "background" not in svg


def test_benches_have_names_of_their_own_and_commands_that_can_be_named() -> None:
    assert len({bench.name for bench in BENCHES}) == len(BENCHES)
    assert BENCHES[0].arguments(Path("D")) == [
        "solarhome",
        "--data",
        str(Path("D/solarhome_bench/load_pv_2011-10-29_2011-12-31.csv")),
    ]


BENCH = Bench(name="one", words=("home", "--data", Path("a.csv")))
WRITES = "import sys; open(sys.argv[-1], 'w').write('{\"S\": 1}')"
FAILS = "import sys; sys.exit('no good file')"


@pytest.mark.parametrize(
    ("known", "has_data", "program", "status", "why"),
    [
        (["home"], True, WRITES, "done", ""),
        ([], True, WRITES, "no_command", "home"),
        (["home"], False, WRITES, "no_data", "a.csv"),
        (["home"], True, FAILS, "failed", "no good file"),
        (["home"], True, "pass", "failed", "exit 0"),  # a success without a result is none
    ],
)
def test_a_bench_is_run_or_left_out_with_a_reason(
    tmp_path: Path, known: list[str], *, has_data: bool, program: str, status: str, why: str
) -> None:
    (tmp_path / "one.json").write_text("{}")  # of an earlier run: must not pass for new
    if has_data:
        (tmp_path / "a.csv").touch()
    account = run(BENCH, data=tmp_path, out=tmp_path, known=known, zen=(sys.executable, "-c", program))
    assert (account.status, account.why) == (status, why)
    assert account.command == "zen bench home --data DATA/a.csv"
    assert (tmp_path / "one.json").exists() is (status == "done")


def test_what_ran_before_is_kept_beside_what_ran_now(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"S": 1}')
    write_account(tmp_path, {"one": Account(status="done", command="zen bench one")}, "a = 1")
    write_account(tmp_path, {"two": Account(status="no_data", command="zen bench two", why="b.csv")}, "a = 1")
    found = read(tmp_path)
    assert found.number("one", "S") == 1.0
    assert found.number("two", "S") is None
    assert found.status("two") == ("no_data", "b.csv")
    assert found.status("three") == ("not_run", "")


def test_a_broken_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"run\.json"):
        read(tmp_path)
    (tmp_path / "one.json").write_text("[]")
    write_account(tmp_path, {"one": Account(status="done", command="zen bench one")}, "")
    with pytest.raises(ResultsError, match=r"one\.json: list, no object"):
        read(tmp_path)


def test_the_commands_write_results_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en")
    out, docs = tmp_path / "out", tmp_path / "docs"
    (docs / "benchmarks").mkdir(parents=True)
    for name in ("notes.toml", "published.toml"):
        (docs / "benchmarks" / name).write_text((DOCS / "benchmarks" / name).read_text(encoding="utf-8"), "utf-8")
    nowhere = str(tmp_path / "nowhere")
    ran = CliRunner().invoke(app, ["all", "--data", nowhere, "--out", str(out), "--only", "solarhome"])
    assert ran.exit_code == 0, ran.output
    assert "solarhome: left out" in ran.output
    assert nowhere in ran.output.replace("\n", "")
    assert json.loads((out / "run.json").read_text())["benches"]["solarhome"]["status"] == "no_data"
    made = CliRunner().invoke(app, ["page", "--results", str(out), "--docs", str(docs)])
    assert made.exit_code == 0, made.output
    assert "# Benchmarks" in (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert len(list((docs / "benchmarks").glob("*.svg"))) == len(SECTIONS)


def test_a_page_without_results_and_a_name_without_bench_are_reported(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["page", "--results", str(tmp_path)])
    assert made.exit_code == 2
    assert "Traceback" not in made.output
    assert CliRunner().invoke(app, ["all", "--only", "submarine", "--out", str(tmp_path)]).exit_code == 2
