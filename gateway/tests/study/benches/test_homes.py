"""Published figures: pierre-haessig/solarhome-control-bench, and the French home at 30 minutes."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.cli.bench.app import app
from gateway.core.planning.method import Method
from gateway.study.benches.homes import home, solarhome
from gateway.study.replay.case import Case
from gateway.study.replay.limit import perfect_eur
from gateway.study.replay.outcome import compare
from gateway.study.replay.slots import cost_eur, replay, rule, step_costs_eur, stored_after
from gateway.study.replay.zen import seen, zen

COLUMNS = ("none", "rule", "perfect")


def figures(case: Case) -> list[float]:
    ways = (cost_eur(case, np.zeros(case.steps)), cost_eur(case, replay(case, rule(case))), perfect_eur(case))
    return [eur / case.days for eur in ways]


def test_the_solar_home_costs_what_was_published(solarhome_file: Path) -> None:
    case = solarhome(solarhome_file, start=date(2011, 11, 29), days=30)
    assert [round(eur, 4) for eur in figures(case)] == [1.6247, 0.5633, 0.3537]


@pytest.mark.parametrize(
    ("start", "published"), [(date(2024, 5, 1), [0.594, -0.061, -0.098]), (date(2024, 8, 1), [0.149, -0.429, -0.429])]
)
def test_the_french_home_costs_what_was_published(home_file: Path, start: date, published: list[float]) -> None:
    found = figures(home(home_file, start=start, days=28))
    assert found == pytest.approx(published, abs=0.0006)


def test_nothing_of_the_future_reaches_a_decision(solarhome_file: Path) -> None:
    """The record behind the step is turned into noise: the levels stay the same to the last digit."""
    case = solarhome(solarhome_file, start=date(2011, 11, 29), days=1)
    step = case.first + 20
    load, pv = case.usable.load_w.copy(), case.usable.pv_w.copy()
    load[step + 1 :], pv[step + 1 :] = 9999.0, -9999.0
    other = replace(case, usable=replace(case.usable, load_w=load, pv_w=pv))
    assert zen(case, Method())(step, 4000.0) == zen(other, Method())(step, 4000.0)
    assert seen(case, step, days=5).end_s == case.record.start_s + step * 1800.0


def test_no_way_beats_the_limit_and_the_gateway_beats_the_rule_in_november(solarhome_file: Path) -> None:
    case = solarhome(solarhome_file, start=date(2011, 11, 20), days=5)
    found = compare(case, Method())
    assert found.perfect <= min(found.zen, found.rule, found.none)
    assert found.zen < found.rule < found.none


def test_energy_is_conserved_and_limits_hold_in_a_replay(solarhome_file: Path) -> None:
    case = solarhome(solarhome_file, start=date(2011, 11, 29), days=4)
    powers = replay(case, zen(case, Method()))
    energy = case.start_wh
    for power in powers.tolist():
        energy = stored_after(case, energy, power)
        assert 0.0 <= energy <= 8000.0
    assert energy == pytest.approx(case.start_wh + powers.sum() * case.hours, abs=1e-6)  # no losses here
    assert (case.net_w + powers).max() <= 3000.0 + 1e-6
    assert step_costs_eur(case, powers).sum() == pytest.approx(cost_eur(case, powers))


def test_the_bench_prints_and_writes_its_figures(solarhome_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    options = ["--data", str(solarhome_file), "--start", "2011-11-29", "--days", "1", "--json", str(out), "--by-day"]
    done = CliRunner().invoke(app, ["solarhome", *options])
    assert done.exit_code == 0, done.output
    result = json.loads(out.read_text())
    assert set(result["eur_per_day"]) == {"none", "rule", "zen", "perfect"}
    assert set(result["S"]) == {"rule", "zen"}
    assert result["method"]["planning"]["energy_points"] == Method().planning.energy_points
    assert "mixing_per_half_hour" in done.output
    assert set(result["less_than_rule"]) == {"mean", "low", "high"}
    assert f"{result['zen_daily_eur'][0]:.4f}" in done.output.split("2011-11-29")[-1]  # the row of the only day


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "il faut une colonne time_utc"),
        ("time_utc,load_w\n2024-01-01T00:00Z,1\n", "il faut une colonne pv_w"),
        ("time_utc,load_w,pv_w\nyesterday,1,2\n", "ligne 2 : « yesterday »"),
        ("time_utc,load_w,pv_w\n2024-01-01T00:00Z,1,2\n", "1 lignes"),
        ("time_utc,load_w,pv_w\n2024-01-01T01:00Z,1,2\n2024-01-01T00:00Z,1,2\n", "2024-01-01 01:00 vient après"),
        ("time_utc,load_w,pv_w\n2024-01-01T00:00Z,,\n2024-01-01T01:00Z,1,\n2024-01-01T02:00Z,1,\n", "seuls 0 %"),
        ("time_utc,load_w,pv_w\n2023-12-31T23:00Z,1,0\n2024-01-01T00:00Z,1,0\n", "2024-01-01 + 28 d"),
    ],
)
def test_a_bad_file_is_reported_in_one_sentence_of_the_terminal_s_language(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    done = CliRunner().invoke(app, ["home", "--data", str(path), "--start", "2024-01-01"], env={"LC_ALL": "fr_FR"})
    assert done.exit_code == 2
    assert says in done.output.replace("\N{NO-BREAK SPACE}", " ")
    assert "Traceback" not in done.output
