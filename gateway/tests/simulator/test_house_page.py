"""The page of the house says what works: its example file lives, its lines are understood."""

import re
from pathlib import Path

import pytest

from gateway.simulator.control import answer
from gateway.simulator.settings import config
from gateway.simulator.settings.house_file import load_house
from gateway.simulator.simulation import Simulation

PAGE = Path(__file__).parents[3] / "docs" / "house.md"


@pytest.fixture
def example(tmp_path: Path) -> Simulation:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "house.toml"
    path.write_text(text, encoding="utf-8")
    return Simulation(load_house(path))


def test_the_example_lives_a_day(example: Simulation) -> None:
    seen = {"plugged": set(), "heater_w": 0.0, "pump_w": 0.0}
    for _ in range(24 * 360):
        state = example.advance(10.0)
        seen["plugged"].add(example.loads.car.plugged)
        seen["heater_w"] = max(seen["heater_w"], state.loads_w["tank"])
        seen["pump_w"] = max(seen["pump_w"], state.loads_w["heat_pump"])
    assert seen == {"plugged": {True, False}, "heater_w": 3000.0, "pump_w": 1815.0}
    assert 0.9 < example.loads.car.soc <= 1.0  # nobody commands it: it charges when it comes
    assert 36.0 < example.loads.tank.temp_c < 55.0
    assert 19.9 < example.loads.heat_pump.temp_c < 21.1
    assert state.pv_wh > 10_000


def test_each_line_of_the_page_is_understood(example: Simulation) -> None:
    (lines,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    answers = [answer(example, line.encode()) for line in lines.splitlines()]
    assert len(answers) == 10
    assert [answered for answered in answers if "error" in answered] == []


def test_every_table_of_the_file_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = [name for name in config.HouseConfig.model_fields if name not in ("seed", "clock", "serve")]
    assert [name for name in tables if f"`[{name}]`" not in text] == []
