"""A load names the device that meters and obeys; what does not fit together is told with its place."""

from pathlib import Path

import pytest

from gateway.adapters.products.setpoints import Rating
from gateway.paths import config_folder
from gateway.site.assembly import building as site_building
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFileError
from gateway.wire.table import parse

LOADS = """
[devices.wallbox]
role = "load"
profile = "keba_p30"
node = "cellar"
host = "127.0.0.1"
tcp_port = 15022
unit = 255

[devices.heater]
role = "load"
profile = "mypv_acthor"
node = "cellar"
host = "127.0.0.1"
tcp_port = 15023
unit = 1

[loads.car]
kind = "car"
device = "wallbox"
capacity_kwh = 52
wanted_kwh = 20
most_a = 16
phases = [3]

[loads.water]
kind = "tank"
device = "heater"
litres = 200
power_w = 3000
least_w = 0

[loads.pool]
kind = "switchable"
power_w = 900
wanted_kwh = 3.6
"""


def read(tmp_path: Path, *changes: tuple[str, str]) -> site_file.SiteFile:
    text = (config_folder() / "demo" / "site.toml").read_text() + LOADS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "site.toml").write_text(text)
    return site_file.read(tmp_path / "site.toml")


def test_loads_with_devices_are_commanded_and_part_of_no_base_load(tmp_path: Path) -> None:
    site = site_building.core_site(read(tmp_path))
    assert [(load.id, load.device, load.takes_orders, load.pause_s) for load in site.loads] == [
        ("car", "wallbox", True, 5.0),
        ("water", "heater", True, 0.0),
    ]
    assert site.metered == ("pv", "battery", "wallbox", "heater")


def test_the_poll_table_lets_a_load_be_ordered_within_its_section(tmp_path: Path) -> None:
    table = poll_tables(read(tmp_path))["cellar"]
    actuators = parse(table.text)["actuators"]
    assert actuators[table.actuators["wallbox"]]["set"] == [[5004, "H", 0, 16_000]]  # mA of each of three phases
    assert actuators[table.actuators["heater"]]["set"] == [[1000, "H", 0, 3000]]
    assert table.ratings["wallbox"] == Rating(phases=3, rated_w=3 * 16 * 230.0)


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        ('device = "wallbox"', 'device = "walbox"', "loads.car.device", "did you mean wallbox?"),
        ('device = "wallbox"', 'device = "battery"', "loads.car.device", "a device of role load"),
        ('device = "heater"', 'device = "wallbox"', "loads.water.device", "a device of its own"),
        ('device = "wallbox"', 'device = "Wallbox"', "loads.car.device", "match pattern"),
        ('"keba_p30"', '"mypv_acthor"', "loads.car.device", "a product that reports p_w, plugged, e_session_wh"),
        ('"mypv_acthor"', '"keba_p30"', "loads.water.device", "a product that reports p_w, temp_c"),
        ("phases = [3]", "phases = [1, 3]", "loads.car.phases", "the phases of this charger are not switched"),
        ("phases = [3]", "give_w = 3000", "loads.car.give_w", "commanded of no product yet"),
        ('kind = "switchable"', 'kind = "switchable"\ndevice = "heater"', "loads.pool.device", "a device of its own"),
        ("least_w = 0", "least_w = 4000", "loads.water", "least_w at most power_w"),
    ],
)
def test_mistakes_between_loads_and_devices_are_reported(
    tmp_path: Path, old: str, new: str, path: str, allowed: str
) -> None:
    with pytest.raises(SiteFileError) as caught:
        read(tmp_path, (old, new))
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert allowed in found[path]


def test_a_charger_is_no_pump(tmp_path: Path) -> None:
    pump = 'kind = "switchable"\npower_w = 900\nwanted_kwh = 3.6\ndevice = "wallbox"'
    text = LOADS.split("[loads.car]")[1].split("[loads.water]", maxsplit=1)[0]
    with pytest.raises(SiteFileError) as caught:
        read(tmp_path, (text, f"\n{pump}\n"))
    found = {mistake.path: mistake.allowed for mistake in caught.value.mistakes}
    assert found == {"loads.car.kind": "kind car for a charger, which is set in amperes"}
