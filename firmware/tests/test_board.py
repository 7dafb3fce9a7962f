"""The hardware layer of the ESP32, with modules that keep a diary in the place of its own."""

import pytest

pytestmark = pytest.mark.hil

MACHINE = """
diary = []

class Pin:
    OUT = 1
    def __init__(self, number, mode, value):
        diary.append(("pin", number, value))
    def __call__(self, value):
        diary.append(("de", value))

class UART:
    def __init__(self, number, **how):
        diary.append(("uart", number, how["baudrate"], how["parity"], how["stop"], how["rxbuf"] >= 512))
    def write(self, frame):
        diary.append(("write", bytes(frame)))
    def flush(self):
        diary.append(("flush",))

def reset():
    diary.append(("reset",))
"""

LINE = """
import machine
from node.hal_esp32 import Line
Line({"uart": 1, "tx": 17, "rx": 18%s}, {"baud": 9600, "parity": "E", "stop": 1}).write(b"ask")
for entry in machine.diary: print(entry)
"""


@pytest.fixture
def esp32(board, tmp_path):
    (tmp_path / "machine.py").write_text(MACHINE)
    (tmp_path / "network.py").write_text("")
    return lambda code: board("import sys\nsys.path.insert(0, '')\n" + code).splitlines()


def test_the_driver_is_on_for_exactly_one_frame(esp32):
    assert esp32(LINE % ', "de": 21') == [
        "('uart', 1, 9600, 0, 1, True)",  # even parity is 0 there
        "('pin', 21, 0)",
        "('de', 1)",
        "('write', b'ask')",
        "('flush',)",
        "('de', 0)",
    ]


def test_a_transceiver_that_finds_its_direction_needs_no_pin(esp32):
    assert esp32(LINE % "") == ["('uart', 1, 9600, 0, 1, True)", "('write', b'ask')"]
