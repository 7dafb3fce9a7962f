"""What a computer does in the place of a board once: its serial line, its watchdog, its lamp and button, its number."""

import asyncio
import os
import sys
import termios

from micropython import const
from node.hal_unix import Line

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Spec

# termios: cfmakeraw leaves these to us; values of asm-generic/termbits.h (Linux).
SPEEDS = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0o10001, 115200: 0o10002}
PARITY = {"N": 0, "E": 0o400, "O": 0o1400}
CHARACTER = {7: 0o40, 8: 0o60}
READ_LOCAL = 0o200 | 0o4000
TWO_STOP_BITS = 0o100


class Watchdog:
    """Ends the process with SIGALRM unless it is fed in time: whole seconds, and at least `ms`."""

    def __init__(self, ms: int) -> None:
        import ffi

        self.seconds = -(-ms // 1000)
        self.alarm = ffi.open(None).func("I", "alarm", "I")
        self.feed()

    def feed(self) -> None:
        self.alarm(self.seconds)


def line(where: str, bus: "Spec") -> "Line":
    """The Line of a tty, as an entry of the poll table says."""
    file = open(where, "r+b", 0)
    handle = file.fileno()
    termios.setraw(handle)
    attributes = termios.tcgetattr(handle)
    stop = TWO_STOP_BITS if bus.get("stop") == 2 else 0
    attributes[2] = CHARACTER[bus.get("bits", 8)] | READ_LOCAL | PARITY[bus.get("parity", "N")] | stop
    attributes[4] = attributes[5] = SPEEDS[bus["baud"]]
    attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read never waits
    termios.tcsetattr(handle, termios.TCSANOW, attributes)
    for _ in range(64):  # what came before we listened, a UART would not have
        if not file.read(256):
            break
    return Line(file)


def console() -> "asyncio.StreamReader":
    """The bytes typed; read one at a time, as on a board."""
    return asyncio.StreamReader(sys.stdin.buffer)


def reset() -> None:
    """Whoever watches over the node starts it again."""
    sys.exit(75)  # as slot.RESET


def watchdog(ms: int) -> "Watchdog | None":
    """None for 0."""
    return Watchdog(ms) if ms else None


def led(pin: int | None) -> "Any":
    """A function(on); `pin` is a file that says 1 or 0."""
    return (lambda _on: None) if pin is None else lambda on: write(str(pin), "1" if on else "0")


def button(pin: int | None) -> "Any":
    """A function that says whether it is pressed, which is whether the file `pin` is there."""
    return (lambda: False) if pin is None else lambda: exists(str(pin))


def access_point(_name: str, _code: str, _on: bool) -> None:
    """A computer opens no network."""


def set_clock(_s: int) -> None:
    """The system keeps its own clock."""


def uid() -> str:
    """Of this machine, 12 hex digits; zeros where it has none."""
    return read("/etc/machine-id")[:12] or "000000000000"


def reset_cause() -> str:
    """A program does not know why it was started."""
    return "power"


def exists(name: str) -> bool:
    try:
        os.stat(name)
    except OSError:
        return False
    return True


def read(name: str) -> str:
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ""


def write(name: str, text: str) -> None:
    with open(name, "w") as file:
        file.write(text)
