"""A site file is right, or every mistake is told at once with its place, what was found and what is allowed."""

from pathlib import Path

import pytest

from gateway.paths import config_folder
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFileError

DEMO = (config_folder() / "demo" / "site.toml").read_text()


def mistakes(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, tuple[str, str]]:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SiteFileError) as caught:
        site_file.read(path)
    return {mistake.path: (mistake.found, mistake.allowed) for mistake in caught.value.mistakes}


@pytest.mark.parametrize(
    "path", sorted(config_folder().rglob("site*.toml")), ids=lambda p: str(p.relative_to(config_folder()))
)
def test_every_shipped_site_file_is_right(path: Path) -> None:
    assert site_file.read(path).site.id


def test_five_different_mistakes_give_five_messages_in_one_run(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        ("port = 1883", "prot = 1883"),  # a key that nothing reads
        ("reserve = 0.10", "reserve = 10"),  # out of range
        ("lease_s = 10", 'lease_s = "10"'),  # wrong type
        ('"eastron_sdm630"', '"eastron_sdm63"'),  # no such profile
        ('node = "cellar"\nbus', 'node = "celar"\nbus'),  # no such node
    )
    assert set(found) == {
        "broker.prot",
        "control.reserve",
        "control.lease_s",
        "devices.grid.profile",
        "devices.grid.node",
    }
    assert "did you mean port?" in found["broker.prot"][1]
    assert found["control.reserve"] == ("10", "less than or equal to 1")
    assert "did you mean eastron_sdm630?" in found["devices.grid.profile"][1]
    assert found["devices.grid.node"] == ('"celar"', "cellar (did you mean cellar?)")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('role = "pv"', 'role = "battery"', "devices.pv.role"),  # an inverter is no battery
        ('role = "grid"', 'role = "grid"\nlenient = true', "devices.grid.lenient"),  # on a serial line
        ("battery = { ", 'battery = { inverter = "pv", ', "devices.battery.battery"),  # and its AC limit?
        ("battery = { ", 'battery = { ac_limit_w = 5000, inverter = "sun", ', "devices.battery.battery.inverter"),
        ('role = "pv"', 'role = "pv"\ninverter = { rated_w = 5000 }', "devices.pv.inverter"),  # takes no limit
        ('role = "grid"', 'role = "pv"', "devices"),  # no meter at the grid
        ('host = "127.0.0.1"\ntcp_port = 15020', 'bus = "rs485"', "devices.pv.bus"),  # a TCP product on a serial line
        ('bus = "rs485"\n', "", "devices.grid"),  # neither bus nor host
        ('bus = "rs485"\n', 'bus = "rs458"\n', "devices.grid.bus"),
        ("soc_max = 1.0", "soc_max = 0.05", "control.reserve"),  # reserve above the top
        ("Europe/Paris", "Europe/Lens", "site.time_zone"),
        ("[nodes.cellar] ", "[nodes.Cellar] ", "nodes.Cellar"),
        ("[control]", "[contrl]", "control"),
        ("lease_s = 10", "lease_s = 31", "control.lease_s"),  # a lease is never longer than 30 s
        ("[nodes.cellar] ", "[nodes.gateway] ", "nodes.gateway"),  # the gateway's own name on the wire
        ('bus = "rs485"\nunit = 1', 'bus = "rs485"\nunit = 0', "devices.grid.unit"),  # broadcast
        ("tcp_port = 15021\nunit = 3", "tcp_port = 15020\nunit = 1", "devices.battery"),  # where the inverter is
        ('host = "127.0.0.1"\ntcp_port = 15020', 'host = "inverter.local"\ntcp_port = 15020', "devices.pv.host"),
        ('host = "127.0.0.1"\nport = 1883', 'host = "a b"\nport = 1883', "broker.host"),
        ('user = "gateway" ', 'ca = "none.pem" ', "broker.ca"),
        ("reserve = 0.10", "reserve = nan", "control.reserve"),
        ("port = 1883", 'port = 1883\nnode_host = "a b"', "broker.node_host"),
        ("port = 1883", 'port = 1883\nnode_ca = "none.pem"', "broker.node_ca"),
        ("port = 10123", "port = 70000", "time.port"),
        ("port = 10123", "port = 10123\nsettle_s = -1", "time.settle_s"),
        ("[nodes.cellar] ", '[nodes.cellar]\nboard = "esp32s4" ', "nodes.cellar.board"),
        ("[nodes.cellar] ", '[nodes.cellar]\nwifi = "house"\nethernet = true ', "nodes.cellar"),
        ("[nodes.cellar] ", '[nodes.cellar]\nwifi = "" ', "nodes.cellar.wifi"),
    ],
)
def test_mistakes_between_sections_name_their_place(tmp_path: Path, old: str, new: str, path: str) -> None:
    assert path in mistakes(tmp_path, (old, new))


LINKY = (
    ("baud = 9600\n\n[devices.grid]", 'kind = "tic"\n\n[devices.grid]'),
    ('"eastron_sdm630"', '"linky_standard"'),
    ('bus = "rs485"\nunit = 1', 'bus = "rs485"'),
)


def test_a_linky_s_telegram_can_be_the_grid_meter(tmp_path: Path) -> None:
    text = DEMO
    for old, new in LINKY:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "site.toml").write_text(text)
    assert site_file.read(tmp_path / "site.toml").profiles["grid"].links.tic is not None


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ('kind = "tic"', 'kind = "tic"\nbaud = 1200', "nodes.cellar.buses.rs485", "found by listening"),
        ('kind = "tic"', 'kind = "rtu"', "devices.grid.bus", "a bus of kind tic for linky_standard"),
        ('"linky_standard"', '"eastron_sdm630"', "devices.grid.bus", "a Modbus line for eastron_sdm630"),
        ('bus = "rs485"', 'bus = "rs485"\nunit = 1', "devices.grid.unit", "has no address"),
        ("tcp_port = 15020\nunit = 1", "tcp_port = 15020", "devices.pv.unit", "Modbus address"),
        ('bus = "rs485"', 'host = "10.0.0.1"\nunit = 1', "devices.grid.host", "linky_standard has no network side"),
    ],
)
def test_a_telegram_is_wired_as_one(tmp_path: Path, old: str, new: str, path: str, message: str) -> None:
    found = mistakes(tmp_path, *LINKY, (old, new))
    assert message in found[path][1]


def test_what_is_found_and_what_is_allowed_are_reported_in_words(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path, ("battery = {", "battery = 5 #"), ("unit = 1\n\n[devices.pv]", "unit = -1\n\n[devices.pv]")
    )
    assert found["devices.battery.battery"] == ("5", "a table [devices.battery.battery]")
    assert found["devices.grid.unit"] == ("-1", "greater than or equal to 0")
    assert "devices" not in found, "the grid meter is there, though its unit is wrong"


def test_a_file_from_an_editor_that_marks_utf_8_is_read(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(DEMO, encoding="utf-8-sig")
    assert site_file.read(tmp_path / "site.toml").site.id == "lens-demo"


@pytest.mark.parametrize(
    "text",
    ["", "devices = 3\nnodes = []", "a = " + "[" * 3000, "a = " + "9" * 5001],
    ids=["empty", "kinds", "deep", "long"],
)
def test_odd_files_are_mistakes_and_no_errors_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(SiteFileError) as caught:
        site_file.read(tmp_path / "site.toml")
    assert caught.value.mistakes


def test_text_that_is_not_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    found = mistakes(tmp_path, ("[site]", "[site"))
    assert "line" in str(found)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match="a readable TOML file"):
        site_file.read(tmp_path / "none.toml")
