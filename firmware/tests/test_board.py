"""The hardware layer of the ESP32 on modules that behave like the port's own: a diary of what it did to them."""

import ast
import json
import subprocess

import pytest
from node_rig import FIRMWARE, HERE

pytestmark = pytest.mark.hil


@pytest.fixture
def esp32(micropython, tmp_path):
    """Runs code on a board that is wired as told; gives the status, what it printed, and its diary."""

    def run(code: str, **wired) -> tuple[int, list[str], list[tuple]]:
        (tmp_path / "port.json").write_text(json.dumps({"diary": "diary.txt", **wired}))
        diary = tmp_path / "diary.txt"
        diary.unlink(missing_ok=True)
        path = f".frozen:{HERE / 'port'}:{FIRMWARE}:{FIRMWARE.parent / 'gateway'}"
        done = subprocess.run(
            [micropython, "-X", "heapsize=112k", "-c", "from node import hal\n" + code],
            env={"MICROPYPATH": path}, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        lines = diary.read_text().splitlines() if diary.exists() else []
        return done.returncode, done.stdout.splitlines(), [ast.literal_eval(line.split(" ", 1)[1]) for line in lines]

    return run


def diary(esp32, code: str, **wired) -> list[tuple]:
    status, said, entries = esp32(code, **wired)
    assert (status, said) == (0, [])
    return entries


LINE = """
hal.line({"uart": 1, "tx": 17, "rx": 18%s}, {"baud": 9600, "parity": "E", "stop": 1}).write(b"ask")
"""


def test_the_driver_is_on_for_exactly_one_frame(esp32):
    assert diary(esp32, LINE % ', "de": 21', uart={"1": {"de": 21}}) == [
        ("uart", 1, 9600, 8, 0, 1, 17, 18, 512),  # even parity is 0 there
        ("pin", 21, 0),
        ("pin", 21, 1),
        ("uart", 1, "write", b"ask"),
        ("uart", 1, "flush"),  # until the last bit is out; without it the entry would be "cut"
        ("pin", 21, 0),
    ]


def test_a_transceiver_that_finds_its_direction_needs_no_pin(esp32):
    assert diary(esp32, LINE % "") == [("uart", 1, 9600, 8, 0, 1, 17, 18, 512), ("uart", 1, "write", b"ask")]


def test_a_line_of_seven_bits_with_even_parity_is_that_of_a_linky(esp32):
    code = 'hal.line({"uart": 2, "tx": 17, "rx": 16}, {"baud": 1200, "bits": 7, "parity": "E"}).close()\n'
    assert diary(esp32, code) == [("uart", 2, 1200, 7, 0, 1, 17, 16, 512), ("uart", 2, "deinit")]


def test_the_end_of_an_answer_wakes_the_node(esp32):
    assert diary(esp32, "assert hal.line({'uart': 1, 'tx': 17, 'rx': 18}, {'baud': 9600}).uart.handler\n")


NETWORK = """
import asyncio, os
beats = []
async def main():
    conf = {"node": "cellar", %s}
    hal_esp32 = __import__("node.hal_esp32").hal_esp32
    waiting = asyncio.sleep_ms
    asyncio.sleep_ms = lambda ms: waiting(ms // 40)  # forty times faster
    task = asyncio.create_task(hal.network(conf, lambda: beats.append(1)))
    %s
    task.cancel()
asyncio.run(main())
assert len(beats) > 2
"""
WIFI = '"wifi": {"ssid": "house", "password": "secret"}'
HOUSE = {"ssid": "house", "password": "secret", "join_ms": 20}
JOIN = [
    ("hostname", "cellar", "in time"),
    ("station", "active", False),
    ("station", "active", True),
    ("station", {"pm": 0}),  # asleep it would answer late
    ("station", "connect", "house"),
]


def test_joins_the_wifi_under_its_own_name_and_stays_awake(esp32):
    assert diary(esp32, NETWORK % (WIFI, "await waiting(800)"), wifi=HOUSE) == JOIN


def test_a_single_look_that_says_no_does_not_cut_a_live_connection(esp32):
    found = diary(esp32, NETWORK % (WIFI, "await waiting(1500)"), wifi=HOUSE | {"lies": 2})
    assert found == [*JOIN, ("station", "lies"), ("station", "lies")]


def test_a_station_that_does_not_come_back_by_itself_is_started_again(esp32):
    steps = "await waiting(300); open('wifi.away', 'w').close(); await waiting(300)"
    steps += "; os.remove('wifi.away'); await waiting(900)"
    found = diary(esp32, NETWORK % (WIFI, steps), wifi=HOUSE | {"stuck": True})
    again = [("hostname", "cellar", "late"), *JOIN[1:]]
    assert found[:5] == JOIN
    assert found[5:10] == again
    assert len(found) <= 15  # once more at most: never a storm


def test_an_address_of_its_own_is_set_before_the_network_is_joined(esp32):
    wifi = (
        '"wifi": {"ssid": "house", "password": "secret", "ip": ["10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.1"]}'
    )
    found = diary(esp32, NETWORK % (wifi, "await waiting(400)"), wifi=HOUSE)
    assert found[3] == ("station", "address", ("10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.1"))
    assert found[-1] == ("station", "connect", "house")


def test_ethernet_of_the_chip_with_a_lan8720(esp32):
    eth = '"eth": {"phy": "LAN8720", "addr": 1, "mdc": 23, "mdio": 18, "power": 16, "clock": 0}'
    found = diary(esp32, NETWORK % (eth, "open('cable.out', 'w').close(); await waiting(1500)"), chip="esp32")
    assert found == [
        ("hostname", "cellar", "in time"),
        ("lan", 1, 1, [23, 18, 16, None, None, 0], 1),
        ("lan", "active", True),  # and without a cable nothing is done again: the driver sees to it
    ]


def test_ethernet_over_spi_with_a_w5500(esp32):
    eth = '"eth": {"phy": "W5500", "addr": 1, "spi": 1, "sck": 13, "mosi": 11, "miso": 12, "cs": 14, "int": 10, '
    eth += '"reset": 9}'
    assert diary(esp32, NETWORK % (eth, "await waiting(400)")) == [
        ("hostname", "cellar", "in time"),
        ("pin", 9, 0),
        ("pin", 9, 1),
        ("spi", 1, 20000000, 13, 11, 12),
        ("lan", 101, 1, [None, None, None, 14, 10, None], None),
        ("lan", "active", True),
    ]


def test_its_own_network_is_never_open(esp32):
    code = 'hal.access_point("zen-cellar", "damp-cellar", True)\nhal.access_point("zen-cellar", "", False)\n'
    closed = [("key", "damp-cellar"), ("max_clients", 2), ("security", 3), ("ssid", "zen-cellar")]
    assert diary(esp32, code) == [
        ("access point", closed),
        ("access point", "active", True),
        ("access point", "active", False),
    ]


def test_lamp_and_button_are_there_or_not(esp32, tmp_path):
    code = """
lamp = hal.led(4)
lamp(True); lamp(False); hal.led(None)(True)
pressed = hal.button(0)
print(pressed(), hal.button(None)())
open("pin0", "w").close()
print(pressed())
"""
    status, said, entries = esp32(code)
    assert (status, said) == (0, ["False False", "True"])
    assert entries == [("pin", 4, 0), ("pin", 4, 1), ("pin", 4, 0)]


def test_a_watchdog_that_is_not_fed_ends_the_board_even_inside_a_loop(esp32):
    fed = "import time\ndog = hal.watchdog(1000)\nfor _ in range(3): dog.feed(); time.sleep_ms(600)\nprint('alive')\n"
    status, said, entries = esp32(fed + "while True: pass\n")
    assert (status, said) == (-14, ["alive"])  # SIGALRM
    assert entries == [("watchdog", 1000), ("feed",), ("feed",), ("feed",)]


def test_no_watchdog_when_configured_so(esp32):
    assert esp32("print(hal.watchdog(0))\n") == (0, ["None"], [])


def test_a_reset_is_at_once_and_the_next_start_knows_why(esp32):
    status, said, entries = esp32("print(hal.uid(), hal.reset_cause())\nhal.reset()\nprint('never')\n")
    assert (status, said, entries) == (3, ["240ac4123456 power"], [("reset",)])
    assert esp32("print(hal.reset_cause())\n", reset_cause=3)[1] == ["watchdog"]
    assert esp32("print(hal.reset_cause())\n", reset_cause=99)[1] == ["unknown"]


def test_the_clock_of_the_chip_can_be_set_for_certificates(esp32):
    """1718971200 is 2024-06-21 12:00:00 UTC, a Friday (weekday 4)."""
    assert diary(esp32, "hal.set_clock(1718971200)\n") == [("rtc", (2024, 6, 21, 4, 12, 0, 0, 0))]


def test_what_is_needed_once_does_not_stay_in_memory(esp32):
    code = "import sys, node\nhal.uid()\n"
    code += "print('node.hal_esp32_setup' in sys.modules, hasattr(node, 'hal_esp32_setup'))\n"
    assert esp32(code)[1] == ["False False"]
