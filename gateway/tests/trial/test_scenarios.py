"""Every scenario that virtual time can show holds; those of what is not mended yet fail, and only those."""

from pathlib import Path

import pytest

from gateway.trial import virtual_run
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.expectation import judge

SCENARIOS = Path(__file__).parents[3] / "hil_tests" / "scenarios"

# Not mended yet: the name of the file, and what is seen.
FAIL = {
    "battery_ignores_orders": "ordered on and on for as long as it does not follow",
    "battery_tapers": "4 kW of export at a limit of 0 W for as long as the taper lasts",
    "car_on_one_phase": "L1 imports 4.2 kW for ever",
    "meter_sign_flips": "import 11 kW at a limit of 9 kW, and no word",
}


def scenarios() -> list[Path]:
    return sorted(SCENARIOS.glob("*.toml"))


def marked(path: Path) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=FAIL[path.stem])] if path.stem in FAIL else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [marked(path) for path in scenarios()])
def test_the_scenario_holds(path: Path) -> None:
    scenario = scenario_file.read(path, runner="virtual")
    rows = virtual_run.run(scenario)
    begun = [one.at_s for one in scenario.happenings]
    missed = [
        verdict.plain()
        for verdict in (judge(one, rows, faults_at_s=begun) for one in scenario.expectations)
        if not verdict.held
    ]
    assert missed == []


def test_what_fails_today_is_a_scenario() -> None:
    assert set(FAIL) <= {path.stem for path in scenarios()}
