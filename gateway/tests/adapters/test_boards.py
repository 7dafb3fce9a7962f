"""The table of boards: loaded as it is shipped, and every rule of the chips broken once."""

import json

import pytest

from gateway.adapters import boards
from gateway.paths import config_folder

SHIPPED = config_folder() / "boards.json"


def test_the_shipped_table_has_the_boards_that_the_firmware_is_for():
    table = boards.load()
    assert list(table) == ["esp32s3", "esp32_wroom", "esp32_eth_lan8720", "esp32s3_eth_w5500"]
    assert all(board.sources for board in table.values())


def test_a_board_gives_the_rows_of_a_node_file():
    assert boards.load()["esp32_eth_lan8720"].node_rows() == {
        "serial": {"rs485": {"uart": 1, "tx": 17, "rx": 14, "de": 33}, "tic": {"uart": 2, "rx": 35, "tx": 15}},
        "eth": {"phy": "LAN8720", "addr": 1, "mdc": 23, "mdio": 18, "power": 16, "clock": 0},
        "led": 4,
        "button": 32,
        "ring_bytes": 6600,
        "spill_kb": 0,
        "watchdog_ms": 8000,
    }
    w5500 = boards.load()["esp32s3_eth_w5500"].node_rows()
    assert w5500["eth"]["int"] == 10
    assert "led" not in w5500


def changed(tmp_path, name: str, **rows):
    """The shipped table with rows of one board changed; `a__b` is b inside a."""
    table = json.loads(SHIPPED.read_text(encoding="utf-8"))
    for place, value in rows.items():
        row = table["boards"][name]
        *outer, last = place.split("__")
        for part in outer:
            row = row[part]
        row[last] = value
    path = tmp_path / "boards.json"
    path.write_text(json.dumps(table))
    return path


@pytest.mark.parametrize(
    ("name", "change", "mistake"),
    [
        ("esp32_wroom", {"led": 34}, "boards.esp32_wroom.led: found GPIO 34; allowed: a pin that can drive"),
        ("esp32_wroom", {"button": 36}, "boards.esp32_wroom.button: found GPIO 36; allowed: a pin that can drive"),
        ("esp32_wroom", {"led": 2}, "found GPIO 2; allowed: a pin that does not decide how the chip starts; those"),
        ("esp32_wroom", {"rs485__rx": 12}, "rs485.rx: found GPIO 12; allowed: a pin that does not decide"),
        ("esp32_wroom", {"rs485__de": 6}, "rs485.de: found GPIO 6; allowed: a pin that is not the flash's"),
        ("esp32_wroom", {"rs485__tx": 1}, "rs485.tx: found GPIO 1; allowed: a pin that is not the console's (UART 0)"),
        ("esp32_wroom", {"led": 24}, "led: found GPIO 24; allowed: a pin that the chip has"),
        ("esp32_wroom", {"psram": "quad"}, "rs485.tx: found GPIO 17; allowed: a pin that is not the PSRAM's"),
        ("esp32_wroom", {"psram": "octal"}, "psram: found octal; allowed: none or quad"),
        ("esp32_wroom", {"led": 26}, "led: found GPIO 26, which tic.rx has; allowed: a pin that is free"),
        ("esp32_wroom", {"rs485__uart": 2}, "tic.uart: found 2; allowed: a UART of its own"),
        ("esp32_wroom", {"rs485__uart": 0}, "boards.esp32_wroom.rs485.uart: found 0; allowed: 1 or 2"),
        ("esp32_wroom", {"image__offset": 0}, "image.offset: found 0; allowed: 4096"),
        ("esp32_wroom", {"colour": "red"}, "boards.esp32_wroom.colour: found a key that nothing reads"),
        ("esp32_eth_lan8720", {"led": 25}, "led: found GPIO 25, which the Ethernet MAC has"),
        ("esp32_eth_lan8720", {"button": 0}, "button: found GPIO 0, which eth.clock has"),
        ("esp32s3", {"led": 19}, "led: found GPIO 19; allowed: a pin that is not USB's; those are 19, 20"),
        ("esp32s3", {"led": 36}, "led: found GPIO 36; allowed: a pin that is not the PSRAM's; those are 33, 34"),
        ("esp32s3", {"led": 46}, "led: found GPIO 46; allowed: a pin that does not decide how the chip starts"),
        ("esp32s3", {"rs485__rx": 44}, "rs485.rx: found GPIO 44; allowed: a pin that is not the console's"),
        ("esp32s3", {"led": 49}, "boards.esp32s3.led: found 49; allowed: less than or equal to 48"),
        (
            "esp32s3",
            {"eth": {"phy": "LAN8720", "addr": 1, "mdc": 5, "mdio": 6, "power": None, "clock": 0}},
            "eth.phy: found LAN8720; allowed: W5500 on an esp32s3",
        ),
    ],
)  # fmt: skip
def test_reports_what_the_chip_does_not_allow_and_what_it_does(name, change, mistake, tmp_path):
    with pytest.raises(boards.BoardsError) as caught:
        boards.load(changed(tmp_path, name, **change))
    assert mistake in str(caught.value)


def test_reports_all_mistakes_at_once(tmp_path):
    with pytest.raises(boards.BoardsError) as caught:
        boards.load(changed(tmp_path, "esp32s3", led=19, button=20, rs485__de=48, rs485__tx=3))
    assert [mistake.path for mistake in caught.value.mistakes] == [
        "boards.esp32s3.rs485.tx", "boards.esp32s3.led", "boards.esp32s3.button",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "zev-boards/2", "boards": {}}'])
def test_a_file_that_is_no_table_of_boards(text, tmp_path):
    (tmp_path / "boards.json").write_text(text)
    with pytest.raises(boards.BoardsError):
        boards.load(tmp_path / "boards.json")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(boards.BoardsError, match="No such file"):
        boards.load(tmp_path / "none.json")
