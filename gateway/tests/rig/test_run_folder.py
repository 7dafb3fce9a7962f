"""The files of a run: what is taken from the demo, what is its own, and who may read it."""

import json
import socket
import tomllib
from contextlib import ExitStack
from dataclasses import astuple, fields

import pytest

from gateway import paths
from gateway.rig.run_folder import Ports, port_if_free, prepare

HOUSE = """
seed = 1
[load]
file = "load.csv"
[battery]
capacity_wh = 10000
[serve]
control = "127.0.0.1:15999"
[serve.meter]
profile = "sdm630"
serial = "/dev/nowhere"
[serve.pv]
tcp = "127.0.0.1:15020"
[serve.battery]
tcp = "127.0.0.1:15021"
unit = 3
"""


@pytest.fixture
def house_file(tmp_path):
    file = tmp_path / "given" / "house.toml"
    file.parent.mkdir()
    file.write_text(HOUSE)
    return file


@pytest.fixture
def ports():
    with Ports.held() as held:
        yield held


@pytest.fixture
def run(tmp_path, house_file, ports):
    return prepare(
        tmp_path / "run",
        ports=ports,
        house_file=house_file,
        site_file=paths.config_folder() / "demo" / "site.toml",
        house={"battery": {"capacity_wh": 5000}},
        site={"control": {"reserve": 0.3}},
        database=True,
    )


def read(file):
    return tomllib.loads(file.read_text())


def test_ports_are_all_different_and_for_one_run_only():
    """Another run that starts at the same time, and 500 sockets that take what comes, get others."""
    with Ports.held() as ours, Ports.held() as others, ExitStack() as sockets:
        strangers = [sockets.enter_context(socket.socket()) for _ in range(500)]
        for stranger in strangers:
            stranger.bind(("127.0.0.1", 0))
        taken = {stranger.getsockname()[1] for stranger in strangers}
        assert len({*astuple(ours), *astuple(others)}) == 2 * len(fields(Ports))
        assert not taken & set(astuple(ours))


def test_a_server_may_listen_at_a_held_port_and_again_after_its_end(ports):
    for _ in range(2):
        with socket.create_server(("127.0.0.1", ports.page)) as server, socket.create_connection(server.getsockname()):
            assert port_if_free(ports.page) is None
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):  # one that does not ask to reuse it
        stranger.bind(("127.0.0.1", ports.broker))
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):  # nobody listens before
        client.connect(("127.0.0.1", ports.broker))


def test_simulator_and_site_meet_at_the_same_addresses(run):
    house, site = read(run.house_file), read(run.site_file)
    for device in ("pv", "battery"):
        at = site["devices"][device]
        assert house["serve"][device]["tcp"] == f"{at['host']}:{at['tcp_port']}"
    node = json.loads((run.node_folder("cellar") / "node.json").read_text())
    assert node["serial"] == {"rs485": house["serve"]["meter"]["serial"]}
    assert node["broker"]["port"] == site["broker"]["node_port"] == run.ports.broker
    assert site["broker"]["port"] == run.ports.gateway  # where only the gateway may be
    assert node["site"] == site["site"]["id"]


def test_loads_that_the_site_file_names_are_served_where_it_says(tmp_path, house_file, ports):
    names = {"car": "car", "tank": "tank", "heat-pump": "heat_pump"}  # a table of the house has no hyphen
    profiles = {"car": "keba_p30", "tank": "mypv_acthor", "heat-pump": "lambda_eu_l"}
    devices = {name: {"role": "load", "profile": profiles[name], "node": "cellar", "unit": 1} for name in names}
    site_file = paths.config_folder() / "demo" / "site.toml"
    made = prepare(tmp_path, ports=ports, house_file=house_file, site_file=site_file, site={"devices": devices})
    house, site = read(made.house_file), read(made.site_file)
    for name, table in names.items():
        at = site["devices"][name]
        assert house["serve"][table]["tcp"] == f"{at['host']}:{at['tcp_port']}"


def test_node_and_gateway_share_a_key_that_is_in_no_file_of_the_site(run):
    node = json.loads((run.node_folder("cellar") / "node.json").read_text())
    environment = run.gateway_environment()
    assert environment["ZEN_KEY_CELLAR"] == node["key"]
    assert len(bytes.fromhex(node["key"])) == 32
    assert node["broker"]["password"] != environment["ZEN_BROKER_PASSWORD"]
    for secret in environment.values():
        assert secret not in run.site_file.read_text()


def test_secrets_are_for_their_owner_only(run):
    for file in (run.node_folder("cellar") / "node.json", run.folder / "gateway.env"):
        assert file.stat().st_mode & 0o077 == 0


def test_changes_win_and_the_rest_stays(run):
    house, site = read(run.house_file), read(run.site_file)
    assert house["battery"]["capacity_wh"] == 5000
    assert house["serve"]["battery"]["unit"] == 3
    assert site["control"]["reserve"] == 0.3
    assert site["devices"]["grid"]["profile"] == "eastron_sdm630"


def test_a_file_named_in_the_house_file_is_meant_beside_it(run, house_file):
    assert read(run.house_file)["load"]["file"] == str(house_file.parent / "load.csv")


def test_a_database_is_named_only_when_there_is_one(run, tmp_path, house_file, ports):
    assert read(run.site_file)["database"]["url"] == f"http://127.0.0.1:{run.ports.database}"
    site_file = paths.config_folder() / "demo" / "site.toml"
    without = prepare(tmp_path / "second", ports=ports, house_file=house_file, site_file=site_file)
    assert "database" not in read(without.site_file)


def test_a_node_carries_the_firmware_and_the_wire_and_no_tests(run):
    board = run.node_folder("cellar")
    assert (board / "main.py").read_bytes() == (paths.firmware_folder() / "main.py").read_bytes()
    wire = {file.stem for file in paths.wire_folder().glob("*.py")}
    assert {file.name for file in (board / "wire").iterdir()} == {f"{name}.mpy" for name in wire}
    assert not (board / "tests").exists()
    assert not list(board.rglob("__pycache__"))


def test_node_and_page_live_in_the_wished_time_and_place(tmp_path, house_file, ports):
    site_file = paths.config_folder() / "demo" / "site.toml"
    wished = {"clock_offset_s": -86_400, "page_port": 8099}
    run = prepare(tmp_path / "shifted", ports=ports, house_file=house_file, site_file=site_file, **wished)
    assert run.clock_offset_s == -86_400
    assert json.loads((run.node_folder("cellar") / "node.json").read_text())["time"] == {"port": run.ports.time}
    assert read(run.site_file)["time"]["port"] == run.ports.time
    assert read(run.site_file)["page"]["port"] == 8099


def test_a_port_that_somebody_has_is_not_free():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert port_if_free(port) is None
    assert port_if_free(port) == port
