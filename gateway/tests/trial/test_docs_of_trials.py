"""The examples of docs/trial.md hold, and the list of faults leaves none out."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.trial import bench, virtual_run
from gateway.trial.matrix import LIST, SCENARIOS, listed
from gateway.trial.outcome import judged
from gateway.trial.picture import svg
from gateway.trial.scenario import scenario_file

ROOT = Path(__file__).parents[3]
EXAMPLES = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "trial.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES[:3], ids=["first", "second", "third"])
def test_an_example_holds(text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(text, encoding="utf-8")
    scenario = scenario_file.read(file, runner="virtual")
    trial = judged(scenario, virtual_run.run(scenario), runner="virtual")
    assert [verdict.plain() for verdict in trial.verdicts if not verdict.held] == []


def test_the_bench_of_the_docs_is_one(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(EXAMPLES[3], encoding="utf-8")
    assert bench.read_bench(file).page == "http://192.168.1.21:8080"


def test_a_run_is_drawn_with_its_faults_and_all_its_seconds(tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(EXAMPLES[1], encoding="utf-8")
    scenario = scenario_file.read(file, runner="virtual")
    trial = judged(scenario, virtual_run.run(scenario), runner="virtual")
    drawn = ET.fromstring(svg(trial, title='<"&>'))  # noqa: S314 - our own
    lines = [line.get("points", "").split() for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in lines] == [150] * 4
    assert {"MeterGone", '<"&>', "150 s"} <= {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}


def test_each_fault_of_the_list_is_a_scenario_or_has_a_test_and_a_reason() -> None:
    found = listed(ROOT)
    assert [fault.number for fault in found] == list(range(1, 65))
    for fault in found:
        if fault.scenarios:
            assert fault.test is None, fault.number
            continue
        assert fault.why, fault.number
        path, _, name = str(fault.test).partition("::")
        assert re.search(rf"^(async )?def {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), fault


def test_the_page_of_faults_has_a_line_for_each() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (?:`|\[(\w+)\])", page, re.MULTILINE)
    names = {row["number"]: row["name"] for row in tomllib.loads((ROOT / LIST).read_text(encoding="utf-8"))["fault"]}
    assert {int(number): name for number, name, _ in rows} == names
    shown = {path.stem for fault in listed(ROOT) for path in fault.scenarios}
    assert {scenario for _, _, scenario in rows if scenario} == shown
    assert all((ROOT / SCENARIOS / f"{name}.toml").exists() for name in shown)
