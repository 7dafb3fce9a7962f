"""node.json from the site file: a board gets what fits it, and what the site file lacks for it is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters import boards
from gateway.commission.compose import compose
from gateway.commission.secrets import NodeSecrets
from gateway.paths import config_folder
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile, SiteFileError

SECRETS = NodeSecrets(key="0f" * 32, label="ABCDEFGHJK", broker_password="pw", wifi_password="12345678")  # noqa: S106
BOARD = ("[nodes.cellar] ", '[nodes.cellar]\nboard = "esp32s3"\nwifi = "house" ')
REACHED = ("port = 1883", 'port = 1883\nnode_host = "192.168.1.10"')
TIME = ('host = "127.0.0.1"               # "0.0.0.0"', 'host = "0.0.0.0" #')


def site(tmp_path: Path, *changes: tuple[str, str]) -> SiteFile:
    text = (config_folder() / "demo" / "site.toml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (tmp_path / "site.toml").write_text(text)
    return site_file.read(tmp_path / "site.toml")


def test_a_board_knows_where_broker_and_time_are_and_which_pins_its_lines_have(tmp_path: Path) -> None:
    file = site(tmp_path, BOARD, REACHED, TIME, ("port = 10123", "port = 123"))
    conf = compose(file, "cellar", boards.load(), SECRETS)
    assert conf["broker"] == {"host": "192.168.1.10", "port": 1883, "user": "cellar", "password": "pw"}
    assert conf["time"] == {"host": "192.168.1.10", "port": 123}
    assert conf["wifi"] == {"ssid": "house", "password": "12345678"}
    assert (conf["site"], conf["node"], conf["board"]) == ("lens-demo", "cellar", "esp32s3")
    assert set(conf["serial"]["rs485"]) >= {"uart", "tx", "rx"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ([BOARD, TIME], "broker.node_host"),  # this machine alone
        ([BOARD, REACHED], "time.host"),
        ([BOARD, REACHED, TIME, ("port = 10123", "port = 0")], "time.port"),
        ([REACHED, TIME], "nodes.cellar.board"),
        ([(BOARD[0], BOARD[0] + '\nboard = "esp32s3"'), REACHED, TIME], "nodes.cellar"),  # neither wifi nor ethernet
        ([(BOARD[0], BOARD[0] + '\nboard = "esp32s3"\nethernet = true'), REACHED, TIME], "nodes.cellar.board"),
    ],
)
def test_what_the_site_file_lacks_for_a_board_is_reported_with_its_place(tmp_path: Path, changes, path: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        compose(site(tmp_path, *changes), "cellar", boards.load(), SECRETS)
    assert path in {mistake.path for mistake in caught.value.mistakes}


def test_a_node_on_this_computer_needs_neither_board_nor_network(tmp_path: Path) -> None:
    conf = compose(site(tmp_path), "cellar", boards.load(), replace(SECRETS, broker_password=None), computer=True)
    assert conf["broker"] == {"host": "127.0.0.1", "port": 1883}
    assert conf["time"] == {"host": "127.0.0.1", "port": 10123}
    assert "board" not in conf
