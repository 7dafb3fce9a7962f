"""node.json as both sides check it."""

import json
import secrets

import pytest

from gateway.adapters import boards
from gateway.wire.essentials import EssentialsError, is_guessable, parse, take

GOOD = {"v": 1, "site": "lens", "node": "cellar", "key": "0f" * 32, "broker": {"host": "10.0.0.1", "port": 1883}}


LAN8720 = {"phy": "LAN8720", "addr": 1, "mdc": 23, "mdio": 18}
IP = ["10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.1"]


def test_a_complete_one_is_taken_as_it_is():
    more = GOOD | {
        "board": "esp32s3",
        "time": {"host": "10.0.0.1", "port": 10123},
        "wifi": {"ssid": "house", "password": "12345678"},
        "serial": {"rs485": {"uart": 1, "tx": 17, "rx": 18}},
        "led": 48,
        "button": 0,
        "ring_bytes": 6600,
        "spill_kb": 0,
        "spill_a_day": 1000,
        "eth": LAN8720 | {"power": 16, "clock": 0, "ip": IP},
        "watchdog_ms": 8000,
        "a key of tomorrow": 1,
    }
    assert parse(json.dumps(GOOD)) == GOOD
    assert parse(json.dumps(more)) == more


WRONG = [
    ({"v": 2}, "v:"),
    ({"site": "a/b"}, "site: allowed is -0123"),
    ({"site": ""}, "site: allowed is text of length 1 to 32"),
    ({"site": None}, "site:"),
    ({"node": "Cellar"}, "node:"),
    ({"node": "+"}, "node:"),
    ({"node": 7}, "node: allowed is text"),
    ({"key": "0f" * 31}, "key: allowed is text of length 64 to 64"),
    ({"key": "zz" * 32}, "key: allowed is 0123456789abcdef"),
    ({"broker": {}}, r"broker\.host:"),
    ({"broker": "10.0.0.1"}, r"broker\.host:"),
    ({"broker": {"host": "x", "port": 0}}, r"broker\.port: allowed is whole number 1 to 65535"),
    ({"broker": {"host": "x", "port": "1883"}}, r"broker\.port:"),
    ({"broker": {"host": "x", "port": True}}, r"broker\.port:"),
    ({"broker": GOOD["broker"] | {"user": 5}}, r"broker\.user:"),
    ({"wifi": {"ssid": "house", "password": "1234567"}}, r"wifi\.password: allowed is text of length 8 to 63"),
    ({"wifi": "house-in-the-valley"}, r"wifi\.ssid:"),
    ({"wifi": ["house"]}, r"wifi\.ssid:"),
    ({"time": 5}, r"time\.host:"),
    ({"watchdog_ms": 10}, "watchdog_ms:"),
    ({"ring_bytes": 10.5}, "ring_bytes:"),
    ({"spill_a_day": -1}, "spill_a_day: allowed is whole number 0 to 100000"),
    ({"serial": []}, "serial: allowed is lines by name"),
    ({"serial": {"rs485": ""}}, r"serial\.rs485: allowed is uart, tx, rx, or on a computer the path of a tty"),
    ({"serial": {"rs485": {}}}, r"serial\.rs485\.uart: allowed is whole number 0 to 2"),
    ({"serial": {"rs485": {"uart": 1, "tx": 17}}}, r"serial\.rs485\.rx: allowed is whole number 0 to 48"),
    ({"serial": {"rs485": {"uart": 1, "tx": 17, "rx": 18, "de": None}}}, r"serial\.rs485\.de:"),
    ({"serial": {"rs485": {"uart": 1, "tx": True, "rx": 18}}}, r"serial\.rs485\.tx:"),
    ({"serial": {"tic": 5}}, r"serial\.tic\.uart:"),
    ({"eth": 5}, r"eth\.phy: allowed is LAN8720 or W5500"),
    ({"eth": {"phy": "IP101"}}, r"eth\.phy: allowed is LAN8720 or W5500"),
    ({"eth": {"phy": []}}, r"eth\.phy:"),
    ({"eth": LAN8720 | {"mdc": 49}}, r"eth\.mdc: allowed is whole number 0 to 48"),
    ({"eth": LAN8720 | {"power": "16"}}, r"eth\.power:"),
    ({"eth": {"phy": "W5500", "addr": 1}}, r"eth\.spi: allowed is whole number 0 to 2"),
    ({"eth": LAN8720 | {"ip": ["10.0.0.5"]}}, r"eth\.ip: allowed is address, mask, gateway, name server"),
    ({"eth": LAN8720 | {"ip": [*IP[:3], "10.0.0.256"]}}, r"eth\.ip:"),
    ({"eth": LAN8720 | {"ip": "10.0.0.5"}}, r"eth\.ip:"),
    ({"wifi": {"ssid": "house", "password": "12345678", "ip": [*IP[:3], 5]}}, r"wifi\.ip:.* without it: DHCP"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=lambda value: str(value)[:50])
def test_a_mistake_is_reported_with_its_place_and_what_is_allowed(change, message):
    with pytest.raises(EssentialsError, match=message):
        parse(json.dumps(GOOD | change))


@pytest.mark.parametrize("name", boards.load())
def test_what_a_board_of_the_table_has_is_taken(name):
    conf = GOOD | {"board": name} | boards.load()[name].node_rows()
    assert parse(json.dumps(conf)) == conf


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '"x"', "[" * 100_000])
def test_what_is_no_object_is_no_node_json(text):
    with pytest.raises(EssentialsError):
        parse(text)


GUESSABLE = [
    "00" * 32,
    "FF" * 32,
    "0f" * 32,
    "0123456789abcdef" * 4,
    "deadbeef" * 8,
    "a8e1a6271e205f9ccc9ea11360fd3947" * 2,
    "0" * 63 + "1",
]


@pytest.mark.parametrize("key", GUESSABLE)
def test_a_new_key_that_can_be_guessed_is_refused_and_one_that_a_node_has_does_not_stop_it(key):
    text = json.dumps(GOOD | {"key": key})
    with pytest.raises(
        EssentialsError, match="key: allowed is 64 random hexadecimal digits, as `openssl rand -hex 32`"
    ):
        take(text)
    assert parse(text)["key"] == key


def test_no_random_key_can_be_guessed():
    assert not any(is_guessable(secrets.token_hex(32)) for _ in range(10_000))
    assert take(json.dumps(GOOD | {"key": "aB3" + secrets.token_hex(32)[3:]}))
