"""Peers behind their pipe: what is asked, what is understood, what is told when they cannot be had."""

import ast
import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.cli.bench.app import app
from gateway.cli.bench.peers import in_words
from gateway.core.planning.method import Method
from gateway.study.benches.peers import problem, speed, speed_loads, study
from gateway.study.benches.peers.environment import Environment
from gateway.study.benches.peers.peer import EMHASS, SOLPH, Peer, PeerError
from gateway.study.benches.peers.pipe import started
from gateway.study.benches.peers.race import driven, emhass, possible_w
from gateway.study.record.errors import InputError
from gateway.study.replay.limit import perfect_eur
from gateway.study.replay.slots import cost_eur, replay, rule
from gateway.tests.study.synthetic_home import STEPS, winter
from gateway.words import LANGUAGES, text

CASE = winter(1)
PLANT = problem.plant(CASE)
PYTHON = Path(sys.executable)
# Stands where EMHASS's script stands: charges with what is left over in the first step, as the rule would.
FOLLOWS = """
import json, sys
plant = json.loads(sys.stdin.readline())
print(json.dumps({"ready": "1"}), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    power = ask["pv_w"][0] - ask["load_w"][0]
    print(json.dumps({"battery_w": [power], "ms": 2.5}), flush=True)
"""
DIES = "import sys; sys.exit('ImportError: no module of that name')"
REFUSES = FOLLOWS.replace('{"battery_w": [power], "ms": 2.5}', '{"error": "Infeasible"}')
HANGS = FOLLOWS.replace("power = ", "sys.stdin.read(); power = ")
BABBLES = FOLLOWS.replace('print(json.dumps({"battery_w": [power], "ms": 2.5}), flush=True)', 'print("?", flush=True)')


@pytest.fixture
def peer(tmp_path: Path) -> Callable[[str], Peer]:
    """A peer whose script is the given text, on our own Python."""

    def make(program: str) -> Peer:
        script = tmp_path / "peer.py"
        script.write_text(program)
        return Peer(name="peer", version="1", packages=(), script=script, size="1 kB", licence="none")

    return make


def test_a_peer_that_says_what_the_rule_would_costs_what_the_rule_costs(peer: Callable[[str], Peer]) -> None:
    with started(peer(FOLLOWS), PYTHON, PLANT) as asked:
        drive = emhass(CASE, asked, problem.simple(CASE), soc_final=0.0, tick=lambda: None)
    assert cost_eur(CASE, drive.powers_w) == pytest.approx(cost_eur(CASE, replay(CASE, rule(CASE))))
    assert drive.plan_ms.tolist() == [2.5] * CASE.steps


@pytest.mark.parametrize(
    ("program", "code", "why"),
    [(DIES, "no_start", "no module"), (REFUSES, "no_plan", "Infeasible"), (BABBLES, "no_plan", r"\?")],
)
def test_a_peer_without_a_plan_is_reported_with_its_last_words(
    peer: Callable[[str], Peer], program: str, code: str, why: str
) -> None:
    def ask() -> None:
        with started(peer(program), PYTHON, PLANT) as asked:
            asked.ask({"load_w": [1.0], "pv_w": [0.0]})

    with pytest.raises(PeerError, match=why) as caught:
        ask()
    assert caught.value.code == code


def test_a_peer_that_does_not_answer_is_ended(peer: Callable[[str], Peer]) -> None:
    with (
        started(peer(HANGS), PYTHON, PLANT) as asked,
        pytest.raises(PeerError, match="no answer"),
    ):
        asked.ask({"load_w": [1.0], "pv_w": [0.0]}, within_s=0.3)


def test_a_python_that_is_not_there_is_reported(peer: Callable[[str], Peer]) -> None:
    with pytest.raises(PeerError, match="no_start"), started(peer(FOLLOWS), Path("/no/python"), PLANT):
        pytest.fail("it started")


@pytest.mark.parametrize(
    ("energy_wh", "wanted_w", "possible"),
    [
        (4000.0, 1000.0, 1000.0),
        (4000.0, 9000.0, 4000.0),  # charger
        (4000.0, -9000.0, -4000.0),
        (7905.0, 4000.0, 200.0),  # 95 Wh of room / 0.95 / 0.5 h
        (100.0, -4000.0, -190.0),  # 100 Wh x 0.95 / 0.5 h
        (0.0, -1.0, 0.0),
    ],
)
def test_a_battery_does_what_it_can_of_what_it_is_sent(energy_wh: float, wanted_w: float, possible: float) -> None:
    assert possible_w(CASE, energy_wh, wanted_w) == pytest.approx(possible)


def test_powers_that_are_driven_stay_inside_the_battery() -> None:
    powers = driven(CASE, lambda step, _energy: 5000.0 * math.sin(step))
    energy = CASE.start_wh + np.cumsum(np.where(powers > 0.0, powers * 0.95, powers / 0.95)) * CASE.hours
    assert energy.min() >= -1e-6
    assert energy.max() <= 8000.0 + 1e-6


def test_simple_forecasts_are_means_of_past_days_and_know_the_first_step() -> None:
    step = CASE.first + 5
    load_w, pv_w = problem.simple(CASE)(step)
    record = CASE.record
    assert len(load_w) == STEPS
    assert (load_w[0], pv_w[0]) == (record.load_w[step], record.pv_w[step])
    later = step + 20
    assert load_w[20] == pytest.approx(sum(record.load_w[later - STEPS * day] for day in range(1, 8)) / 7.0)
    assert pv_w[20] == pytest.approx(sum(record.pv_w[later - STEPS * day] for day in range(1, 4)) / 3.0)


def test_no_forecast_for_a_peer_knows_the_future() -> None:
    step = CASE.first + 5
    load_w, pv_w = CASE.record.load_w.copy(), CASE.record.pv_w.copy()
    load_w[step + 1 :], pv_w[step + 1 :] = 9999.0, -9999.0
    record = replace(CASE.record, load_w=load_w, pv_w=pv_w)
    other = replace(CASE, record=record, usable=record)
    forecasts = [(problem.simple(case), problem.ours(case, Method())) for case in (CASE, other)]
    for one, two in zip(*forecasts, strict=True):
        assert [series.tolist() for series in one(step)] == [series.tolist() for series in two(step)]


def test_forecasts_that_reach_before_the_record_are_refused() -> None:
    with pytest.raises(InputError) as raised:
        problem.simple(CASE)(3 * STEPS)
    assert (raised.value.code, raised.value.facts["days"]) == ("days_before", "7")


def test_a_question_has_the_signs_of_others_and_the_prices_of_its_steps() -> None:
    step = CASE.first
    ask = problem.question(CASE, step, problem.simple(CASE), soc=0.5, soc_final=0.0, call="naive-mpc")
    assert min(ask["pv_w"]) >= 0.0
    assert ask["buy"] == CASE.buy[step : step + STEPS].tolist()
    assert ask["start_s"] == CASE.record.start_s + step * 1800.0


def test_quarters_cost_what_half_hours_cost() -> None:
    fine = speed.in_quarters(CASE)
    assert (fine.steps, fine.record.step_s) == (2 * CASE.steps, 900.0)
    assert cost_eur(fine, np.zeros(fine.steps)) == pytest.approx(cost_eur(CASE, np.zeros(CASE.steps)))
    with pytest.raises(InputError) as raised:
        speed.in_quarters(replace(CASE, record=replace(CASE.record, step_s=1000.0)))
    assert (raised.value.code, raised.value.facts["step"]) == ("quarters", "1000 s")


def test_everyone_plans_the_same_96_steps_and_the_first_turn_is_not_counted() -> None:
    days = speed.days_of(CASE, Method(), 3)
    assert [day.ask("naive-mpc")["soc"] for day in days] == [0.5] * 3
    assert {len(day.ask("dayahead")["load_w"]) for day in days} == {speed.STEPS}
    ways = {
        "zen": speed.ours(Method()),
        "highs": speed.direct,
        "peer": lambda day: speed.Took(ms=float(day.step), cpu_ms=1.0),
    }
    took = speed.timed(days, ways, lambda: None)
    assert [one.ms for one in took["peer"]] == [float(day.step) for day in days[1:]]
    assert all(one.ms > 0.0 and one.cpu_ms > 0.0 for one in took["zen"] + took["highs"])


def test_car_and_tank_ask_for_what_emhass_is_asked() -> None:
    """Energy of the on-off loads: 3.68 kW x 3 h; 2.4 kW x 2 h as drawn heat."""
    car, tank = (job.state for job in speed_loads.jobs(0.0).loads)
    energies = [load["power_w"] * load["hours"] for load in speed_loads.AS_LOADS]
    assert energies == [11_040.0, 4_800.0]
    assert car.requested_wh / speed_loads.CAR.efficiency == pytest.approx(energies[0])
    assert tank.draw_wh.sum() == pytest.approx(energies[1])
    day = speed.days_of(CASE, Method(), 2)[0]
    assert speed_loads.ours(Method())(day).ms > 0.0


def test_the_program_without_library_has_the_cost_of_its_own_plan() -> None:
    """Its optimum is at most the cost of an idle battery, and is the limit of the same day."""
    day = speed.days_of(CASE, Method(), 2)[0]
    case = speed.lp_case(day)
    assert perfect_eur(case) <= cost_eur(case, np.zeros(case.steps))
    assert case.record.load_w == pytest.approx(day.ask("")["load_w"])


def test_times_are_reported_as_median_worst_and_multiple_of_ours() -> None:
    """On the clock and, for the multiple, of the processor."""

    def plans(*clocks: float, share: float) -> list[speed.Took]:
        return [speed.Took(ms=ms, cpu_ms=ms * share) for ms in clocks]

    summary = speed.summary(
        {"zen": plans(4.0, 5.0, 30.0, share=1.0), "peer": plans(10.0, 20.0, 12.5, share=0.8)}, "zen"
    )
    assert summary["zen"] == {"median_ms": 5.0, "worst_ms": 30.0, "cpu_ms": 5.0, "ratio": 1.0, "plans": 3}
    assert summary["peer"] == {"median_ms": 12.5, "worst_ms": 20.0, "cpu_ms": 10.0, "ratio": 2.0, "plans": 3}


def test_ticks_are_as_many_as_plans() -> None:
    with_emhass = study.Pythons(emhass=PYTHON, solph=None)
    days = [date(2024, 5, 1)] * 2
    assert study.ticks(days, 7, 40, with_emhass) == 2 * 7 * 48 * 5 + 40
    assert study.ticks(days, 7, 40, study.Pythons(emhass=None, solph=None)) == 2 * 7 * 48 + 40


@pytest.mark.parametrize("script", [EMHASS.script, SOLPH.script], ids=lambda path: path.name)
def test_a_script_of_a_peer_imports_nothing_of_ours(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert len(names) > 5
    assert [name for name in names if name.startswith("gateway")] == []


# Stands where Python stands: makes a folder for `-m venv`, and says what pip says.
MAKES = """#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; else echo "Collecting thing>=1"; fi
"""


def test_an_environment_is_made_once_and_reported_package_by_package(tmp_path: Path) -> None:
    base = tmp_path / "python"
    base.write_text(MAKES)
    base.chmod(0o755)
    environment = Environment(peer=SOLPH, root=tmp_path / "peers", base=base)
    assert not environment.is_ready
    told: list[str] = []
    environment.make(told.append)
    assert environment.is_ready
    assert environment.folder.name == "oemof.solph-0.6.5"
    assert told == ["thing>=1"]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("#!/bin/sh\necho 'ensurepip is not available'; exit 1\n", "ensurepip is not available"),
        (MAKES.replace('echo "Collecting thing>=1"', "exit 3"), "exit 3"),
    ],
    ids=["no venv", "no pip"],
)
def test_an_environment_that_cannot_be_made_is_not_ready(tmp_path: Path, program: str, why: str) -> None:
    base = tmp_path / "python"
    base.write_text(program)
    base.chmod(0o755)
    environment = Environment(peer=EMHASS, root=tmp_path / "peers", base=base)
    with pytest.raises(PeerError, match=why) as caught:
        environment.make(lambda _: None)
    assert caught.value.code == "no_install"
    assert not environment.is_ready


@pytest.mark.parametrize("code", ["no_install", "no_start", "no_plan"])
def test_what_happened_to_a_peer_is_reported_in_every_language(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in LANGUAGES:
        monkeypatch.setenv("LC_ALL", language)
        words = in_words(PeerError(code, EMHASS, "no route to host"))
        assert words == text(language, f"bench.peers.{code}", name="emhass 0.18.7", why="no route to host")
        assert "no route to host" in words


def test_the_bench_goes_on_without_peers_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache cannot be written: no peer, but our own figures, and the reason in the result."""
    (tmp_path / "zen-e-ville").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "en")
    stamps = [f"2024-04-{20 + k // STEPS:02}T{k % STEPS // 2:02}:{30 * (k % 2):02}Z" for k in range(10 * STEPS)]
    rows = [f"{at},{300 + 10 * (k % 7)},{900 * (k % STEPS in range(20, 30))}" for k, at in enumerate(stamps)]
    data, out = tmp_path / "home.csv", tmp_path / "out.json"
    data.write_text("time_utc,load_w,pv_w\n" + "\n".join(rows))
    options = ["--data", str(data), "--start", "2024-04-28", "--days", "1", "--plans", "2", "--json", str(out)]
    done = CliRunner().invoke(app, ["peers", *options])
    assert done.exit_code == 0, done.output
    assert "cannot be installed, so the comparison goes on without it" in done.output.replace("\n", " ")
    result = json.loads(out.read_text())
    assert set(result["absent"]) == {"emhass", "oemof.solph"}
    assert set(result["windows"][0]["S"]) == {"rule", "zen"}
    assert set(result["times"]["ways"]) == {"zen", "zen_loads", "highs"}


def test_a_file_that_is_none_is_reported_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zen-e-ville").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["peers", "--data", str(tmp_path / "none.csv")])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
