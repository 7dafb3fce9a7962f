import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.planning.method_file import read_section
from gateway.study.benches.citylearn.control import controlled
from gateway.study.benches.citylearn.district import Batteries, District, read, score, shipped_rule
from gateway.study.benches.citylearn.grid_goal import GridMethod

FOLDER = Path(__file__).parents[5] / "shared" / "data" / "citylearn2022"
HOMES = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def district() -> District:
    if not FOLDER.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"the homes of the challenge are not in {FOLDER}")
    return read(FOLDER, HOMES)


@pytest.fixture(scope="module")
def method() -> GridMethod:
    return read_section(GridMethod, "grid_goal")


def synthetic(hours: int, homes: int = 2) -> District:
    random = np.random.default_rng(11)
    clock = np.arange(hours) % 24 + 1.0
    shape = 0.4 + 1.2 * np.exp(-((clock - 19) ** 2) / 6)
    return District(
        load_kwh=shape * random.uniform(0.7, 1.3, (homes, hours)),
        pv_kwh=np.maximum(2.5 * np.sin((clock - 6) / 12 * np.pi), 0) * random.uniform(0.2, 1, (homes, hours)),
        price_usd_per_kwh=np.where((clock >= 17) & (clock <= 21), 0.5, 0.22),
        carbon_kg_per_kwh=np.full(hours, 0.15),
        hour=clock,
        capacity_kwh=np.full(homes, 6.4),
        power_kw=np.full(homes, 5.0),
        capacity_loss=np.full(homes, 1e-5),
    )


def silent(_done: int, _hours: int) -> None:
    """No one watches a test."""


def test_the_shipped_rule_has_the_figures_of_the_package(district: District) -> None:
    """BasicBatteryRBC in CityLearn 1.3.6, homes 1-5: 0.7955, 0.9381, 1.0060."""
    assert list(score(district, shipped_rule(district))) == pytest.approx([0.7955, 0.9381, 1.0060], abs=5e-5)


def test_no_control_scores_one() -> None:
    world = synthetic(800)
    assert list(score(world, world.net_kwh)) == [1.0, 1.0, 1.0]


def test_a_battery_gives_back_what_it_took_less_losses() -> None:
    batteries = Batteries(synthetic(24))
    random = np.random.default_rng(2)
    for wanted in random.uniform(-8, 8, (500, 2)):
        before, capacity = batteries.stored_kwh, batteries.capacity_kwh
        moved = batteries.move(wanted)
        gain = batteries.stored_kwh - before
        assert (batteries.stored_kwh >= 0).all()
        assert (batteries.stored_kwh <= capacity).all()
        assert (batteries.capacity_kwh <= capacity).all()
        one_way = np.where(gain >= 0, gain / np.where(moved == 0, 1, moved), moved / np.where(gain == 0, 1, gain))
        assert (((one_way >= np.sqrt(0.83) - 1e-9) & (one_way <= np.sqrt(0.9) + 1e-9)) | (np.abs(gain) < 1e-12)).all()


@pytest.mark.parametrize(
    ("stored", "wanted", "moved", "after"),
    [
        (0.0, -3.0, 0.0, 0.0),  # empty
        (3.2, 4.0, 3.2 / np.sqrt(0.9), 6.4),  # 80 % of the power at sqrt(0.90), until full
        (3.2, -1.0, -1.0, 3.2 - 1.0 / np.sqrt(0.83)),  # 20 % of the power at sqrt(0.83)
        (5.76, -5.0, -3.0, 5.76 - 3.0 / np.sqrt(0.8825)),  # 90 % full: 60 % of the power at sqrt(0.83 + 3/4 * 0.07)
    ],
)
def test_a_battery_moves_as_its_curves_say(stored: float, wanted: float, moved: float, after: float) -> None:
    batteries = Batteries(synthetic(24))
    batteries.stored_kwh = np.full(2, stored)
    assert batteries.move(np.full(2, wanted)) == pytest.approx([moved, moved])
    assert batteries.stored_kwh == pytest.approx([after, after])


@pytest.mark.slow
def test_200_hours_of_five_homes_take_seconds_and_come_out_the_same_twice(method: GridMethod) -> None:
    world = synthetic(200, homes=5)
    begun = time.process_time()
    first = controlled(world, method, inside_hour=False, progress=silent)
    assert time.process_time() - begun < 5.0
    assert controlled(world, method, inside_hour=False, progress=silent).tolist() == first.tolist()


@pytest.mark.parametrize("inside_hour", [False, True])
def test_the_planner_beats_the_rule_and_holding_a_set_point_helps(method: GridMethod, *, inside_hour: bool) -> None:
    world = synthetic(336)
    ours = score(world, controlled(world, method, inside_hour=inside_hour, progress=silent))
    assert ours.mean < score(world, shipped_rule(world)).mean - (0.1 if inside_hour else 0.0)


def test_what_is_to_come_changes_nothing_that_was_done(method: GridMethod) -> None:
    """Two worlds alike for 120 hours: the same actions there, and in the hour after, which nobody knew."""
    world = synthetic(144)
    load = world.load_kwh.copy()
    load[:, 120:] += 2.0
    other = replace(world, load_kwh=load)
    ours = [controlled(one, method, inside_hour=False, progress=silent) - one.net_kwh for one in (world, other)]
    assert ours[0][:, :121] == pytest.approx(ours[1][:, :121], abs=1e-12)
    assert np.abs(ours[0][:, 121:] - ours[1][:, 121:]).max() > 0.1


def test_inside_the_hour_that_hour_is_known_and_no_later_one(method: GridMethod) -> None:
    """Two worlds alike until an evening, when something is stored: in its first other hour the battery answers."""
    world, evening = synthetic(120), 114
    load = world.load_kwh.copy()
    load[:, evening:] += 2.0
    other = replace(world, load_kwh=load)
    ours = [controlled(one, method, inside_hour=True, progress=silent) - one.net_kwh for one in (world, other)]
    assert ours[0][:, :evening] == pytest.approx(ours[1][:, :evening], abs=1e-12)
    assert np.abs(ours[0][:, evening] - ours[1][:, evening]).max() > 0.5


def test_homes_do_not_know_of_each_other(method: GridMethod) -> None:
    world = synthetic(72)
    together = controlled(world, method, inside_hour=False, progress=silent)
    alone = replace(
        world, load_kwh=world.load_kwh[:1], pv_kwh=world.pv_kwh[:1], capacity_kwh=world.capacity_kwh[:1],
        power_kw=world.power_kw[:1], capacity_loss=world.capacity_loss[:1],
    )  # fmt: skip
    assert controlled(alone, method, inside_hour=False, progress=silent)[0] == pytest.approx(together[0])


def test_the_command_prints_and_writes_the_figures(district: District, tmp_path: Path) -> None:
    arguments = ["bench", "citylearn", "--dir", str(FOLDER), "--buildings", "2,4", "--hours", "100"]
    done = CliRunner(env={"LC_ALL": "fr_FR.UTF-8", "COLUMNS": "160"}).invoke(
        app, [*arguments, "--json", str(tmp_path / "figures.json")]
    )
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    rule = score(read(FOLDER, [2, 4]).first(100), shipped_rule(read(FOLDER, [2, 4]).first(100)))
    assert figures["homes"] == [2, 4]
    assert figures["rule"]["mean"] == pytest.approx(rule.mean)
    assert f"{figures['ours']['mean']:.4f}" in done.output
    assert "règle de batterie" in done.output
    assert len(district.load_kwh) == len(HOMES)


def test_a_folder_without_homes_is_reported_with_what_is_missing(tmp_path: Path) -> None:
    done = CliRunner(env={"LC_ALL": "C.UTF-8"}).invoke(app, ["bench", "citylearn", "--dir", str(tmp_path)])
    assert done.exit_code == 2
    assert "building_01.csv" in done.output
