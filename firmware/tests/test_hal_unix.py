"""The hardware layer on a computer: the same names as on a board, with a meaning where there can be one."""

import os
import subprocess
import tty

import pytest
import slot
from node_rig import FIRMWARE, HERE

pytestmark = pytest.mark.hil


@pytest.fixture
def computer(micropython, tmp_path):
    """Runs code with the hardware layer; gives its end (negative: the signal) and what it printed."""

    def run(code: str, typed: str = "", path: str = "") -> tuple[int, list[str]]:
        done = subprocess.run(
            [micropython, "-c", "from node import hal\n" + code],
            env={"MICROPYPATH": f".frozen:{path}{FIRMWARE}"}, cwd=tmp_path, input=typed, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout.splitlines()

    return run


def test_both_ports_offer_the_same(computer):
    names = "access_point button console led line network opener reset reset_cause set_clock uid watchdog Line".split()
    for port, path in (("unix", ""), ("esp32", f"{HERE / 'port'}:")):
        code = f"from node import hal_{port}_setup as setup\nprint(dir(hal) + dir(setup))\n"
        offered = computer(code, path=path)[1][0]
        assert [name for name in names if repr(name) not in offered] == []


@pytest.mark.parametrize("stuck", ["while True: pass", "import time; time.sleep(9)"])
def test_a_watchdog_ends_what_is_stuck(stuck, computer):
    fed = "import time\ndog = hal.watchdog(900)\nfor _ in range(3): dog.feed(); time.sleep_ms(600)\nprint('alive')\n"
    assert computer(fed + stuck) == (-14, ["alive"])  # SIGALRM


def test_no_watchdog_when_configured_so(computer):
    assert computer("print(hal.watchdog(0))\n") == (0, ["None"])


def test_lamp_and_button_are_files_or_nothing(computer, tmp_path):
    code = """
hal.led("lamp")(True); hal.led(None)(True)
pressed = hal.button("pressed")
print(pressed(), hal.button(None)())
open("pressed", "w").close()
print(pressed())
"""
    assert computer(code) == (0, ["False False", "True"])
    assert (tmp_path / "lamp").read_text() == "1"


def test_what_is_typed_comes_byte_by_byte(computer):
    code = """
import asyncio
async def main():
    stream = hal.console()
    while byte := await stream.read(1): print(byte)
asyncio.run(main())
"""
    assert computer(code, typed='{"é') == (0, ["b'{'", "b'\"'", "b'\\xc3'", "b'\\xa9'"])


def test_says_who_it_is_and_that_it_does_not_know_why_it_started(computer):
    _, (uid, cause) = computer("print(hal.uid())\nprint(hal.reset_cause())\n")
    assert len(uid) == 12
    assert set(uid) <= set("0123456789abcdef")
    assert cause == "power"


def test_a_computer_opens_no_network_and_sets_no_clock(computer):
    assert computer("hal.access_point('zen', 'damp-cellar', True)\nhal.set_clock(0)\n") == (0, [])


def test_a_line_of_seven_bits_with_even_parity(computer):
    far, near = os.openpty()
    tty.setraw(far)
    try:
        code = f"""
import sys
import termios
class Asked:
    setraw, tcgetattr, TCSANOW = termios.setraw, termios.tcgetattr, termios.TCSANOW
    def tcsetattr(handle, when, attributes):
        print(oct(attributes[2]), attributes[4])
        termios.tcsetattr(handle, when, attributes)
sys.modules["termios"] = Asked
line = hal.line("{os.ttyname(near)}", {{"baud": 1200, "bits": 7, "parity": "E"}})
line.write(b"abc")
"""
        # asm-generic/termbits.h: CS7 0o40, CREAD 0o200, PARENB 0o400, CLOCAL 0o4000, B1200 9; a pty itself forgets them
        assert computer(code) == (0, ["0o4640 9"])
        assert os.read(far, 10) == b"abc"
    finally:
        os.close(far)
        os.close(near)


def test_a_reset_is_an_end_that_asks_for_a_new_start(computer):
    assert computer("hal.reset()\n") == (slot.RESET, [])


def test_what_the_node_writes_on_a_computer_is_for_its_owner_alone(board, tmp_path):
    kept = tmp_path / "nvs.json"
    kept.write_text('{"node": "the key"}')
    kept.chmod(0o644)  # as an earlier version left it
    board(
        "import os\nfrom memory import memory\nmemory().put('a', 1)\nopen('node.json', 'w').close()\nos.mkdir('spill')\n"
    )
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"nvs.json": 0o600, "node.json": 0o600, "spill": 0o700}
