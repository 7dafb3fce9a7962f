"""Loads of the site file become what a plan is asked for, and a plan that comes through the process."""

import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.core.loads.appliance import ApplianceState
from gateway.core.loads.car import CarState
from gateway.core.loads.clock import next_clock
from gateway.core.loads.kind import FlexibleLoad, LoadMoment
from gateway.core.loads.switchable import SwitchableSettings, SwitchableState
from gateway.core.loads.tank import draws_wh
from gateway.core.model.state import Reading, SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.mistakes import Mistake
from gateway.paths import config_folder
from gateway.planning.process import ask
from gateway.site.file import site_file
from gateway.site.file.load_sections import read_loads
from gateway.site.file.site_file import SiteFileError
from gateway.tests.planning.made_inputs import NOW, inputs

PARIS = ZoneInfo("Europe/Paris")
GRID = TimeGrid(start_s=NOW, step_s=900.0, steps=96)
LOADS = """
[loads.car]
kind = "car"
capacity_kwh = 52
wanted_kwh = 20
phases = [1, 3]
most_a = 16

[loads.water]
kind = "tank"
litres = 200
power_w = 2400
draws = { "07:00" = 1.5, "20:00" = 2.0 }

[loads.heating]
kind = "heat_pump"
powers_w = [1500, 2500]
kwh_per_k = 8
loss_w_per_k = 180

[loads.washer]
kind = "appliance"
quarters_w = [2000, 500, 200, 200]
latest = "19:00"

[loads.pool]
kind = "switchable"
power_w = 900
wanted_kwh = 3.6
earliest = "08:00"
latest = "22:00"
run_s = 3600
"""


def site(tmp_path: Path, loads: str = LOADS) -> site_file.SiteFile:
    path = tmp_path / "site.toml"
    path.write_text((config_folder() / "demo" / "site.toml").read_text() + loads)
    return site_file.read(path)


SEEN = {
    "car": {"since_s": NOW - 3600.0, "held_wh": 4000.0},
    "washer": {"since_s": NOW - 60.0},
}
WITH_DEVICES = LOADS.replace('kind = "tank"', 'kind = "tank"\ndevice = "tank"').replace(
    'kind = "heat_pump"', 'kind = "heat_pump"\ndevice = "heat-pump"'
)


def moment(now_s: float = NOW, **temperatures: float) -> LoadMoment:
    devices = {id_.replace("_", "-"): {"temp_c": Reading(value=c, measured_s=0.0)} for id_, c in temperatures.items()}
    return LoadMoment(state=SiteState(now_s=0.0, utc_s=now_s, devices=devices), zone=PARIS)


def flexible() -> tuple[FlexibleLoad, ...]:
    """Of all loads, with what was seen of them."""
    mistakes: list[Mistake] = []
    settings = read_loads(tomllib.loads(WITH_DEVICES)["loads"], mistakes)
    assert mistakes == []
    seen = {id_: replace(one.unseen(id_), **SEEN.get(id_, {})) for id_, one in settings.items()}
    found = [one.flexible(moment(tank=52.0, heat_pump=20.0), GRID) for one in seen.values()]
    return tuple(one for one in found if one is not None)


def test_all_kinds_of_loads_are_read_and_asked_for(tmp_path: Path) -> None:
    assert set(site(tmp_path).loads) == {"car", "water", "heating", "washer", "pool"}
    found = {load.id: load for load in flexible()}
    assert set(found) == {"car", "water", "heating", "washer", "pool"}
    car, washer, pool = (found[id_].state for id_ in ("car", "washer", "pool"))
    assert isinstance(car, CarState)
    assert isinstance(washer, ApplianceState)
    assert isinstance(pool, SwitchableState)
    assert (car.stored_wh, car.requested_wh) == (4000.0, 20_000.0)
    assert datetime.fromtimestamp(car.departure_s, PARIS).isoformat() == "2024-06-22T07:00:00+02:00"
    assert datetime.fromtimestamp(washer.latest_s, PARIS).isoformat() == "2024-06-21T19:00:00+02:00"
    assert washer.earliest_s == NOW - 60.0  # 00:00 of that day lies before it was asked for
    assert datetime.fromtimestamp(pool.earliest_s, PARIS).isoformat() == "2024-06-21T08:00:00+02:00"


def test_what_nothing_is_known_of_is_not_planned(tmp_path: Path) -> None:
    unseen = {id_: one.unseen(id_).flexible(moment(), GRID) for id_, one in site(tmp_path).loads.items()}
    assert [id_ for id_, one in unseen.items() if one is not None] == ["pool"]
    assert site(tmp_path, "").loads == {}


@pytest.mark.parametrize(
    ("moment", "clock", "expected"),
    [
        ("2024-03-30T20:00:00+00:00", "02:30", "2024-03-31T03:30:00+02:00"),  # 02:30 is skipped in the night to summer
        ("2024-10-26T20:00:00+00:00", "07:00", "2024-10-27T07:00:00+01:00"),
        ("2024-06-21T05:00:00+00:00", "07:00", "2024-06-22T07:00:00+02:00"),  # now is not after now
    ],
)
def test_clocks_are_right_on_short_and_long_days(moment: str, clock: str, expected: str) -> None:
    found_s = next_clock(datetime.fromisoformat(moment).timestamp(), clock, PARIS)
    assert datetime.fromtimestamp(found_s, UTC) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("now", "earliest", "latest", "begins", "ends"),
    [
        ("2026-06-25T03:00:00+02:00", "06:30", "07:00", "2026-06-25T06:30:00+02:00", "2026-06-25T07:00:00+02:00"),
        ("2026-06-25T03:00:00+02:00", "22:00", "06:00", "2026-06-24T22:00:00+02:00", "2026-06-25T06:00:00+02:00"),
        ("2026-10-25T12:00:00+01:00", "00:00", "00:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("2026-03-29T12:00:00+02:00", "00:00", "00:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
    ],
)
def test_hours_of_a_switched_load_are_the_next_ones(
    now: str, earliest: str, latest: str, begins: str, ends: str
) -> None:
    settings = SwitchableSettings(power_w=900.0, wanted_kwh=0.4, earliest=earliest, latest=latest)
    grid = TimeGrid(start_s=datetime.fromisoformat(now).timestamp(), step_s=900.0, steps=1)
    state = settings.unseen("pool").flexible(moment(grid.start_s), grid).state
    found = [datetime.fromtimestamp(at_s, PARIS).isoformat() for at_s in (state.earliest_s, state.latest_s)]
    assert found == [begins, ends]


def test_draws_fall_into_their_steps() -> None:
    found = draws_wh({"14:00": 1.0, "13:50": 0.5}, GRID, PARIS)  # the grid begins at 14:00 in Paris
    assert found[0] == 1000.0
    assert found[95] == 500.0
    assert found.sum() == 1500.0


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        ('kind = "car"', 'kind = "cat"', "loads.car.kind", "did you mean car?"),
        ('kind = "car"\n', "", "loads.car.kind", "car, tank"),
        ("capacity_kwh = 52", "capacity_kw = 52", "loads.car.capacity_kw", "did you mean capacity_kwh?"),
        ("wanted_kwh = 20", "wanted_kwh = 60", "loads.car", "wanted_kwh at most capacity_kwh"),
        ("most_a = 16", "least_a = 3", "loads.car.least_a", "greater than or equal to 6"),
        ("most_a = 16", "least_a = 20\nmost_a = 16", "loads.car", "least_a at most most_a"),
        ("phases = [1, 3]", "phases = [1, 2]", "loads.car.phases.1", "1 or 3"),
        ("litres = 200", "litres = 200\nlow_c = 65", "loads.water", "low_c below high_c"),
        ('"07:00" = 1.5', '"7" = 1.5', "loads.water.draws.7.[key]", "String should match pattern"),
        ("powers_w = [1500, 2500]", "powers_w = [2500, 1500]", "loads.heating", "powers_w rising"),
        ('latest = "19:00"', 'earliest = "18:30"\nlatest = "19:00"', "loads.washer", "its run: 1 h, not 0.5 h"),
        ("wanted_kwh = 3.6", "wanted_kwh = 36", "loads.pool", "at most 12.6 kWh"),
        ("[loads.pool]", "[loads.Pool]", "loads.Pool", "lower-case letters"),
    ],
)
def test_mistakes_are_reported_with_their_place(tmp_path: Path, old: str, new: str, path: str, allowed: str) -> None:
    assert old in LOADS
    with pytest.raises(SiteFileError) as caught:
        site(tmp_path, LOADS.replace(old, new, 1))
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert allowed in found[path]


async def test_without_a_solver_the_program_plans_by_rules_and_says_so() -> None:
    hidden = "import sys; sys.modules['highspy'] = None; from gateway.planning.worker import main; main()"
    asked = replace(inputs(), flexible=Flexible(loads=flexible()))
    made = await ask(asked, command=(sys.executable, "-c", hidden))
    assert [note.code for note in made.notes] == ["solver_missing"]
    assert sum(slot.power_w for slot in made.loads["car"]) / 4 * 0.9 == pytest.approx(16_000.0, rel=0.01)


async def test_the_program_plans_the_loads_of_a_building() -> None:
    made = await ask(replace(inputs(), flexible=Flexible(loads=flexible())))
    assert set(made.loads) == {"car", "water", "heating", "washer", "pool"}
    assert all(len(slots) == 96 for slots in made.loads.values())
    assert sum(slot.power_w for slot in made.loads["car"]) / 4 * 0.9 == pytest.approx(16_000.0, rel=0.01)
