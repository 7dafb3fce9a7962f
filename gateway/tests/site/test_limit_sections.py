"""Limits, circuits and times of a site file: what comes of them, and every mistake with its place."""

import math
from pathlib import Path

import pytest

from gateway.core.model.limits import UNLIMITED, Circuit, Limits
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState
from gateway.paths import config_folder
from gateway.site.assembly.building import core_site
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile, SiteFileError

DEMO = (config_folder() / "demo" / "site.toml").read_text()
OWN = "import_limit_w = 9000            # subscribed power\nexport_limit_w = 6000\n"
METER = '\n[devices.{id}]\nrole = "load"\nprofile = "eastron_sdm630"\nnode = "cellar"\nbus = "rs485"\nunit = {unit}\n'
CHARGER = (
    '\n[devices.charger]\nrole = "load"\nprofile = "keba_p30"\nnode = "cellar"\nhost = "127.0.0.1"\ntcp_port = 15022\n'
    'unit = 255\n\n[loads.car]\nkind = "car"\ncapacity_kwh = 60\nwanted_kwh = 20\ndevice = "charger"\n'
)


def written(tmp_path: Path, *changes: tuple[str, str], more: str = "") -> Path:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.toml"
    path.write_text(text + more)
    return path


def right(tmp_path: Path, *changes: tuple[str, str], more: str = "") -> SiteFile:
    return site_file.read(written(tmp_path, *changes, more=more))


def site(tmp_path: Path, *changes: tuple[str, str], more: str = "") -> Site:
    return core_site(right(tmp_path, *changes, more=more))


def mistakes(tmp_path: Path, *changes: tuple[str, str], more: str = "") -> dict[str, tuple[str, str]]:
    with pytest.raises(SiteFileError) as caught:
        right(tmp_path, *changes, more=more)
    return {mistake.path: (mistake.found, mistake.allowed) for mistake in caught.value.mistakes}


@pytest.mark.parametrize(
    ("keys", "limits"),
    [
        ("import_limit_w = 9000\nexport_limit_w = 6000", Limits(import_w=9000.0, export_w=6000.0)),
        (
            "import_limit_w = 9000\nexport_limit_w = 6000\nphase_import_limit_w = 3450",
            Limits(import_w=9000.0, export_w=6000.0, phase_import_w=3450.0),
        ),
        (
            "import_limit_w = 9000\nexport_limit_w = 6000\nphase_import_limit_a = 15\nphase_export_limit_a = 20",
            Limits(import_w=9000.0, export_w=6000.0, phase_import_w=3450.0, phase_export_w=4600.0),
        ),
        # 15 A of each of three phases
        (
            "import_limit_a = 15\nexport_limit_w = 6000",
            Limits(import_w=10_350.0, export_w=6000.0, phase_import_w=3450.0),
        ),
        (
            "import_limit_a = 15\nphase_import_limit_w = 3000\nexport_limit_w = 0",
            Limits(import_w=10_350.0, export_w=0.0, phase_import_w=3000.0),
        ),
        ("phases = [1]\nimport_limit_a = 45\nexport_limit_a = 26", Limits(import_w=10_350.0, export_w=5980.0)),
    ],
)
def test_limits_are_in_watts_or_in_amperes(tmp_path: Path, keys: str, limits: Limits) -> None:
    assert site(tmp_path, (OWN, keys + "\n")).limits == limits


CIRCUITS = """
[circuits.garage]
import_limit_a = 20
meter = "sub"
devices = ["pv"]

[circuits.box]
parent = "garage"
phases = [2]
import_limit_w = 3680
devices = ["charger"]
"""


def test_circuits_are_a_tree_and_a_parent_has_what_is_behind_its_children(tmp_path: Path) -> None:
    found = site(tmp_path, more=METER.format(id="sub", unit=2) + CHARGER + CIRCUITS)
    garage, box = found.circuits
    assert garage == Circuit(
        id="garage",
        parent=None,
        limits=Limits(import_w=13_800.0, phase_import_w=4600.0),
        devices=frozenset({"pv", "charger"}),
        meter="sub",
    )
    assert box == Circuit(
        id="box", parent="garage", limits=Limits(import_w=3680.0), devices=frozenset({"charger"}), meter=None
    )
    assert found.phases == {"charger": (2,)}  # the only one of its circuit
    (car,) = found.loads
    assert (car.spread, car.in_amperes, car.supplied_from_soc) == (1, True, math.inf)


def test_a_load_says_from_which_state_of_charge_on_the_battery_supplies_it(tmp_path: Path) -> None:
    (car,) = site(tmp_path, more=CHARGER + "battery_above = 0.8\n").loads
    assert car.supplied_from_soc == 0.8


def test_phases_that_control_relies_on_are_read_as_often_as_the_power(tmp_path: Path) -> None:
    (usual,) = poll_tables(right(tmp_path)).values()
    (quick,) = poll_tables(right(tmp_path, (OWN, OWN + "phase_import_limit_a = 15\n"))).values()

    def every_s(table: object) -> dict[str, float]:
        blocks = [block for block in table.blocks if block.device == "grid"]  # type: ignore[attr-defined]
        return {point.name: block.every_s for block in blocks for point in block.points}

    assert [every_s(usual)[f"p_l{i}_w"] for i in (1, 2, 3)] == [10.0, 10.0, 10.0]
    assert [every_s(quick)[f"p_l{i}_w"] for i in (1, 2, 3)] == [1.0, 1.0, 1.0]
    assert every_s(quick)["u_l1_v"] == 10.0


GARAGE = '\n[circuits.garage]\nimport_limit_w = 4000\ndevices = ["battery"]\n'
WRONG = [
    ("", [(OWN, "export_limit_w = 6000\n")], "control.import_limit_w", "here or as import_limit_a"),
    ("", [(OWN, OWN + "import_limit_a = 15\n")], "control", "import_limit_w or import_limit_a, not both"),
    ("", [(OWN, OWN + "phases = [1, 4]\n")], "control.phases.1", "1, 2 or 3"),
    ("", [('role = "pv"', 'role = "pv"\nphases = [4]')], "devices.pv.phases.0", "1, 2 or 3"),
    ("", [('role = "battery"', 'role = "battery"\nphases = [1]')], "devices.battery.phases", "phase = "),
    ("", [(OWN, OWN + "phases = [1]\n"), ('role = "pv"', 'role = "pv"\nphases = [2]')], "devices.pv.phases", "[1]"),
    (GARAGE + 'parent = "shed"\n', [], "circuits.garage.parent", "nothing"),
    (GARAGE + 'parent = "garage"\n', [], "circuits.garage.parent", "that is not fed by this one"),
    (
        GARAGE + 'parent = "shed"\n[circuits.shed]\nparent = "garage"\n',
        [],
        "circuits.shed.parent",
        "that is not fed by this one",
    ),
    (GARAGE + '[circuits.shed]\ndevices = ["battery"]\n', [], "circuits.shed.devices", "each device once"),
    (GARAGE + '[circuits.shed]\ndevices = ["batery"]\n', [], "circuits.shed.devices", "did you mean battery?"),
    (GARAGE + '[circuits.shed]\ndevices = ["grid"]\n', [], "circuits.shed.devices", "pv, battery"),
    (GARAGE + "[circuits.shed]\nimport_limit_w = 9001\n", [], "circuits.shed.import_limit_w", "at most 9000 W"),
    (
        GARAGE + 'phases = [1]\n[circuits.shed]\nparent = "garage"\nimport_limit_w = 2000\n',
        [],
        "circuits.shed.phases",
        "[1]",
    ),
    (
        GARAGE + 'phases = [1]\n[circuits.shed]\nparent = "garage"\nphases = [1]\nimport_limit_a = 20\n',
        [],
        "circuits.shed.import_limit_a",
        "at most 4000 W, as in circuits.garage",
    ),
    (GARAGE + 'meter = "pv"\n', [], "circuits.garage.meter", "a meter of role load"),
    (GARAGE + "[circuits.Shed]\n", [], "circuits.Shed", "lower-case"),
    ("[circuits.shed]\nphases = [2]\n", [(OWN, OWN + "phases = [1]\n")], "circuits.shed.phases", "[1]"),
    ("[limits.evening]\nimport_limit_w = 3000\n", [], "limits.evening", "either tariff, or hours, days or season"),
    ('[limits.evening]\nhours = ["18:00-20:00"]\n', [], "limits.evening", "at least one limit"),
    (
        '[limits.evening]\nhours = ["18:00-18:00"]\nimport_limit_w = 3000\n',
        [],
        "limits.evening",
        "end at another time",
    ),
    (
        '[limits.evening]\nhours = ["18:00-20:00"]\nimport_limit_w = 12000\n',
        [],
        "limits.evening.import_limit_w",
        "at most 9000 W, as in control",
    ),
    (
        '[limits.evening]\nhours = ["18:00-20:00"]\nimport_limit_w = 3000\ncircuit = "shed"\n',
        [],
        "limits.evening.circuit",
        "nothing",
    ),
    ('[limits.evening]\ntariff = ["HPP"]\nimport_limit_w = 3000\n', [], "limits.evening.tariff", "did you mean HP?"),
]


@pytest.mark.parametrize(("more", "changes", "path", "message"), WRONG)
def test_each_mistake_names_its_place_and_what_is_allowed(
    tmp_path: Path, more: str, changes: list[tuple[str, str]], path: str, message: str
) -> None:
    found = mistakes(tmp_path, *changes, more="\n" + more)
    assert path in found, found
    assert message in found[path][1]


def test_phases_that_the_meter_does_not_show_cannot_be_limited(tmp_path: Path) -> None:
    linky = (
        ("baud = 9600\n\n[devices.grid]", 'kind = "tic"\n\n[devices.grid]'),
        ('"eastron_sdm630"', '"linky_standard"'),
        ('bus = "rs485"\nunit = 1', 'bus = "rs485"'),
    )
    found = mistakes(tmp_path, *linky, (OWN, OWN + "phase_import_limit_a = 15\n"))
    assert "a meter that reports p_l1_w" in found["control"][1]


def test_a_charger_is_on_as_many_phases_as_its_amperes(tmp_path: Path) -> None:
    found = mistakes(tmp_path, more=CHARGER.replace("unit = 255", "unit = 255\nphases = [1, 2, 3]"))
    assert "loads.car.phases says: 1" in found["devices.charger.phases"][1]


def limits_at(found: Site, utc_s: float) -> Limits:
    return found.at(SiteState(now_s=0.0, utc_s=utc_s, devices={})).limits


NOON = 1_736_766_000.0  # Monday 2025-01-13, 12:00 in Paris
HOUR_S = 3600.0
EVENING = """
[limits.evening]
hours = ["18:00-20:00"]
days = ["monday", "friday"]
season = ["11-01", "03-31"]
import_limit_w = 3000
"""


@pytest.mark.parametrize(
    ("after_s", "import_w"),
    [
        (0.0, 9000.0),
        (6 * HOUR_S, 3000.0),
        (8 * HOUR_S - 1.0, 3000.0),
        (8 * HOUR_S, 9000.0),
        (30 * HOUR_S, 9000.0),  # Tuesday
        (4 * 24 * HOUR_S + 6 * HOUR_S, 3000.0),  # Friday
        (91 * 24 * HOUR_S + 6 * HOUR_S, 9000.0),  # a Monday in April
    ],
)
def test_limits_by_the_clock_narrow_those_that_always_hold(tmp_path: Path, after_s: float, import_w: float) -> None:
    found = site(tmp_path, more=EVENING)
    assert limits_at(found, NOON + after_s) == Limits(import_w=import_w, export_w=6000.0)


@pytest.mark.parametrize(("after_s", "import_w"), [(0.0, 6000.0), (11 * HOUR_S, 9000.0)])
def test_limits_by_the_tariff_hold_while_its_price_does(tmp_path: Path, after_s: float, import_w: float) -> None:
    found = site(tmp_path, more='\n[limits.peak]\ntariff = ["HP"]\nimport_limit_w = 6000\n')  # off-peak from 22:00
    assert limits_at(found, NOON + after_s).import_w == import_w


TEMPO = """[tariff]
file = "edf_tempo"

[tariff.prices]
TEMPO_BLUE_HC = 0.13
TEMPO_BLUE_HP = 0.16
TEMPO_WHITE_HC = 0.15
TEMPO_WHITE_HP = 0.19
TEMPO_RED_HC = 0.16
TEMPO_RED_HP = 0.70

[limits.red]
tariff = ["TEMPO_RED_HP"]
import_limit_w = 3000
"""


def test_while_nobody_knows_the_price_the_narrower_limits_hold(tmp_path: Path) -> None:
    """Nobody has said the colour of the day; in summer and on Sundays none is red."""
    path = tmp_path / "site.toml"
    path.write_text(DEMO[: DEMO.index("[tariff]")] + TEMPO)
    found = core_site(site_file.read(path))
    (source,) = found.limit_sources
    assert source.limits(SiteState(now_s=0.0, utc_s=NOON, devices={})) is None
    assert limits_at(found, NOON).import_w == 3000.0
    july_s = NOON + 180 * 24 * HOUR_S
    assert source.limits(SiteState(now_s=0.0, utc_s=july_s, devices={})) == UNLIMITED


def test_limits_of_a_circuit_are_narrowed_alone(tmp_path: Path) -> None:
    more = GARAGE + '\n[limits.noon]\ncircuit = "garage"\nhours = ["11:00-13:00"]\nimport_limit_w = 1000\n'
    found = site(tmp_path, more=more)
    (now,) = found.at(SiteState(now_s=0.0, utc_s=NOON, devices={})).circuits
    (later,) = found.at(SiteState(now_s=0.0, utc_s=NOON + 2 * HOUR_S, devices={})).circuits
    assert (now.limits.import_w, later.limits.import_w) == (1000.0, 4000.0)
    assert limits_at(found, NOON).import_w == 9000.0
