"""`zen bench closed-loop`, `zen bench minute` and `zen bench study` as a user starts them."""

import json
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app


def test_closed_loop_writes_scores_ratios_and_who_is_better(tmp_path: Path) -> None:
    out = tmp_path / "loop.json"
    command = ["bench", "closed-loop", "--seeds", "1", "--only", "kettle, meter 3 s", "--json", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["ratio"]["avoidable_import_wh"]["round_robin_30s"] < 0.5
    assert found["not_worse"]["avoidable_or_travel"] == {"integral_1s": 1, "ten_seconds": 1, "round_robin_30s": 1}


def test_closed_loop_without_a_scenario_says_so() -> None:
    assert CliRunner().invoke(app, ["bench", "closed-loop", "--only", "submarine"]).exit_code == 2


def written(folder: Path) -> list[str]:
    """Three days of minutes and a sun of hours, as options."""
    load, pv = folder / "load.csv", folder / "pv.csv"
    rows = [f"2021-04-{10 + m // 1440}T{m // 60 % 24:02}:{m % 60:02},{200 + 2000 * (m % 97 < 4)}" for m in range(4320)]
    load.write_text("time_local,load_w\n" + "\n".join(rows))
    suns = [(d, h, 600 * max(0, 6 - abs(h - 12)) / 6) for d in range(10, 13) for h in range(24)]
    pv.write_text("time_utc,pv_w_per_kwp\n" + "\n".join(f"2021-04-{d}T{h:02}:00,{w}" for d, h, w in suns))
    return ["--load", str(load), "--pv", str(pv)]


def test_minute_scores_rule_and_plan_beside_the_limit(tmp_path: Path) -> None:
    out = tmp_path / "minute.json"
    command = ["bench", "minute", *written(tmp_path), "--start", "2021-04-11", "--days", "1"]
    result = CliRunner().invoke(app, [*command, "--json", str(out)])
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert 0.5 < found["S"]["zen"] <= 1.0
    assert 0.5 < found["S"]["rule"] <= 1.0
    assert found["delay_s"] == 1.2


def test_minute_names_a_file_that_is_none(tmp_path: Path) -> None:
    command = ["bench", "minute", "--load", str(tmp_path / "no.csv"), "--pv", str(tmp_path / "no.csv")]
    result = CliRunner().invoke(app, [*command, "--start", "2021-04-11"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_study_is_timed_from_files_to_figures(tmp_path: Path) -> None:
    out = tmp_path / "study.json"
    command = ["bench", "study", *written(tmp_path), "--days", "1", "--json", str(out)]
    result = CliRunner().invoke(app, command, env={"LC_ALL": "en_GB.UTF-8"})
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["steps"] == 1440
    assert found["sizes_kwh"] == [2.5, 5.0, 10.0, 15.0]
    assert found["processor_s"] > 0.0
    assert found["wall_s"] > 0.0
    assert "1,440" in result.output


def test_study_reports_what_stood_in_its_way(tmp_path: Path) -> None:
    load, pv = written(tmp_path)[1::2]
    Path(load).write_text("time_local,load_w\n2021-04-10T00:00,100\n")
    result = CliRunner().invoke(app, ["bench", "study", "--load", load, "--pv", pv])
    assert result.exit_code == 2
    assert "load.csv" in result.output
    assert "Traceback" not in result.output
