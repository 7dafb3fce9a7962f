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


def test_asks_an_sntp_server_for_the_time(esp32):
    """The answer of RFC 4330, figure 1: transmit time in bytes 40 to 47, here 2024-06-21 12:00:00.5 UTC."""
    code = """
import asyncio, socket
from node import hal_esp32
answer = bytes(40) + (3927960000).to_bytes(4, "big") + b"\\x80\\0\\0\\0"
class Sock:
    def setblocking(self, on): pass
    def sendto(self, packet, address): print(len(packet), packet[0])
    def close(self): print("closed")
class Reader:
    def __init__(self, sock): pass
    async def read(self, size): return answer
class Net:
    AF_INET = SOCK_DGRAM = 0
    getaddrinfo = staticmethod(socket.getaddrinfo)
    socket = staticmethod(lambda *_: Sock())
hal_esp32.socket = Net
hal_esp32.asyncio = type("A", (), {"StreamReader": Reader, "wait_for_ms": staticmethod(asyncio.wait_for_ms)})
print(asyncio.run(hal_esp32.utc({"broker": {"host": "127.0.0.1"}})))
"""
    # 2024-06-21 12:00 UTC is 1718971200 in unix time, 772286400 s after 2000-01-01
    assert esp32(code) == ["48 27", "closed", "(772286400, 500)"]
