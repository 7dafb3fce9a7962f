from pathlib import Path

import pytest

from gateway.core.planning.method import Method
from gateway.mistakes import MistakesError
from gateway.planning.method_file import method_file, read_method, read_section
from gateway.study.benches.citylearn.grid_goal import GridMethod


def test_the_file_says_what_the_code_does_without_it() -> None:
    assert read_method() == Method()
    assert read_section(GridMethod, "grid_goal") == GridMethod()


@pytest.mark.parametrize(
    ("before", "after", "path", "allowed"),
    [
        ("scenarios = 24", "scenarios = 24.5", "forecast.scenarios", "a whole number"),
        ("scenarios = 24", "scenarios = true", "forecast.scenarios", "a whole number"),
        ("scenarios = 24", "scenarios = 0", "forecast", "1 to 1000 scenarios"),
        ("scenarios = 24", "", "forecast.scenarios", "a whole number"),
        ("[planning]", "[plan]", "plan", "planning"),
        ("horizon_h = 24.0", 'horizon_h = "long"', "planning.horizon_h", "a number"),
        ("horizon_h = 24.0", "horizon_h = 240.0", "planning", "horizon of 1 to 96 h"),
        ("energy_points", "energie_points", "planning.energie_points", "energy_points"),
    ],
)
def test_a_mistake_is_reported_with_its_place(tmp_path: Path, before: str, after: str, path: str, allowed: str) -> None:
    file = tmp_path / "planner.toml"
    file.write_text(method_file().read_text().replace(before, after, 1))
    with pytest.raises(MistakesError) as caught:
        read_method(file)
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert allowed in found[path]


def test_no_file_is_reported_too(tmp_path: Path) -> None:
    with pytest.raises(MistakesError, match=r"planner\.toml"):
        read_method(tmp_path / "planner.toml")


def test_the_section_of_a_bench_is_not_asked_for_by_the_gateway(tmp_path: Path) -> None:
    file = tmp_path / "planner.toml"
    file.write_text(method_file().read_text().replace("blur_h = 8.0", "blur_h = -8.0"))
    assert read_method(file) == Method()
    with pytest.raises(MistakesError, match="blur"):
        read_section(GridMethod, "grid_goal", file)
