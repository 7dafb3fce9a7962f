"""`zen trial` as people type it: on real parts, in virtual time, and with a mistake in the file."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.rig.chain import ChainSettings
from gateway.rig.part import Part

from .command_line import zen, zen_beside
from .conftest import QUIET, OpenChain, house, until_controlled

SCENARIOS = Path(__file__).parent / "scenarios"

KETTLE = """
title = "A kettle of 2 kW beside the battery"

[run]
seconds = 45
start = 2024-06-21T23:30:00

[house.load]
base_w = 300
kettle_every_s = 0
appliances = false

[[fault]]
kind = "LoadStep"
at_s = 12
w = 2000

[[expect]]
quantity = "house.grid_w"
low = -300
high = 300
after = 1
within_s = 20

[[expect]]
quantity = "gateway.grid_w"
near = "house.grid_w"
by = 300
from_s = 32

[[expect]]
quantity = "mode.battery"
is = "control"
from_s = 12
"""


@pytest.fixture
def real_parts(part: Callable[[str], Part]) -> None:
    for name in ("mosquitto", "micropython"):
        part(name)


@pytest.mark.usefixtures("real_parts")
def test_a_scenario_holds_on_real_parts_and_in_virtual_time_and_its_seconds_are_written(tmp_path: Path) -> None:
    file = tmp_path / "kettle.toml"
    file.write_text(KETTLE)
    for options in (("--virtual",), ()):
        written, table = tmp_path / f"{len(options)}.json", tmp_path / f"{len(options)}.csv"
        done = zen("trial", file, *options, "--json", written, "--csv", table, LC_ALL="en_GB.UTF-8")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Held: 3 of 3." in done.stderr
        trial = json.loads(written.read_text())
        assert trial["runner"] == ("virtual" if options else "chain")
        assert trial["held"] is True
        assert [verdict["held"] for verdict in trial["verdicts"]] == [True] * 3
        assert [one["kind"] for one in trial["happened"]] == ["LoadStep"]
        last = trial["rows"][-1]
        assert last["house.base_load_w"] > 2000
        assert last["house.grid_w"] == pytest.approx(
            last["house.base_load_w"] + last["house.pv_w"] + last["house.battery_w"], abs=1.0
        )
        assert last["order.battery_w"] == pytest.approx(last["house.battery_w"], abs=300.0)
        with table.open() as opened:
            rows = list(csv.DictReader(opened))
        assert len(rows) == len(trial["rows"]) == 45
        assert rows[-1]["mode.battery"] == "control"
        assert "keep the grid at 0 W" in rows[-1]["said.battery"]


@pytest.mark.usefixtures("real_parts")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["store_spoiled", "meter_sign_flips"])
def test_the_scenario_holds_on_real_parts(name: str) -> None:
    done = zen("trial", SCENARIOS / f"{name}.toml", within_s=200)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_does_not_hold_is_told_with_its_worst_moment_and_the_exit_status_is_1(tmp_path: Path) -> None:
    file = tmp_path / "kettle.toml"
    file.write_text(KETTLE.replace("within_s = 20", "within_s = 0"))
    english = zen("trial", file, "--virtual", LC_ALL="en_GB.UTF-8")
    assert english.returncode == 1
    assert "Held: 2 of 3." in english.stderr
    assert "kW at 1" in english.stderr  # in the first seconds after the step at 12 s
    french = zen("trial", file, "--virtual", LC_ALL="fr_FR.UTF-8")
    assert french.returncode == 1
    assert "Tenues\u00a0: 2 sur 3." in french.stderr


def test_a_mistake_has_its_place_and_the_exit_status_is_2(tmp_path: Path) -> None:
    file = tmp_path / "kettle.toml"
    file.write_text(KETTLE.replace("LoadStep", "LoadStap").replace("house.grid_w", "house.grd_w"))
    done = zen("trial", file, "--virtual", LC_ALL="en_GB.UTF-8")
    assert done.returncode == 2
    told = re.sub(r"[\s│]+", " ", done.stderr)  # the table folds its cells
    assert "fault[1].kind" in told
    assert "mean LoadStep?" in told
    assert "expect[1].quantity" in told
    assert "mean house.grid_w?" in told
    assert zen("trial", tmp_path / "none.toml").returncode == 2


@pytest.mark.timeout(180)
async def test_the_same_file_on_a_wired_bench_where_nothing_is_started(chain_of: OpenChain, tmp_path: Path) -> None:
    """The bench is a chain that somebody else has started."""
    file, bench, written = (tmp_path / name for name in ("kettle.toml", "bench.toml", "kettle.json"))
    file.write_text(KETTLE)
    settings = ChainSettings(house={**QUIET, "clock": {"start": "2024-06-21T23:30:00"}})
    async with chain_of(settings) as chain:
        await until_controlled(chain)
        address = f"127.0.0.1:{chain.run.ports.control}"
        bench.write_text(f'house = "{address}"\npage = "{chain.page_address}"\n')
        options = ("--bench", bench, "--json", written)
        code, printed = await zen_beside("trial", file, *options, cwd=tmp_path, LC_ALL="en_GB.UTF-8")
        assert code == 0, printed
        assert json.loads(written.read_text())["runner"] == "bench"
        assert (await house(chain, do="state"))["base_load_w"] < 1000  # the kettle is off again
        file.write_text(KETTLE + '\n[site.devices.attic]\nrole = "pv"\nprofile = "sunspec_inverter"\nnode = "cellar"\n')
        with file.open("a") as more:
            more.write('host = "127.0.0.1"\ntcp_port = 15099\nunit = 1\n')
        code, printed = await zen_beside("trial", file, "--bench", bench, cwd=tmp_path, LC_ALL="en_GB.UTF-8")
        assert code == 2
        assert "site.devices" in printed
