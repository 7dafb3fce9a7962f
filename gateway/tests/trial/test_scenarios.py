"""Every scenario that virtual time can show holds; those of what is not mended yet fail, and only those."""

import tomllib
from pathlib import Path

import pytest

from gateway.trial import virtual_run
from gateway.trial.outcome import judged
from gateway.trial.scenario import scenario_file
from gateway.trial.scenario.happenings import for_real_parts_only

SCENARIOS = Path(__file__).parents[3] / "hil_tests" / "scenarios"

# Not mended yet: the name of the file, and what is seen.
FAIL: dict[str, str] = {}


def scenarios() -> list[Path]:
    """Those that need no real parts; `hil_tests/test_scenarios.py` has the others."""
    return [path for path in sorted(SCENARIOS.glob("*.toml")) if not for_real_parts_only(faults_of(path))]


def faults_of(path: Path) -> list[dict[str, object]]:
    return tomllib.loads(path.read_text(encoding="utf-8")).get("fault", [])


def marked(path: Path) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=FAIL[path.stem])] if path.stem in FAIL else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [marked(path) for path in scenarios()])
def test_the_scenario_holds(path: Path) -> None:
    scenario = scenario_file.read(path, runner="virtual")
    trial = judged(scenario, virtual_run.run(scenario), runner="virtual")
    assert [verdict.plain() for verdict in trial.verdicts if not verdict.held] == []


def test_what_fails_today_is_a_scenario() -> None:
    assert set(FAIL) <= {path.stem for path in scenarios()}
