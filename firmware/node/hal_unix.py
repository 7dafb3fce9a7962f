"""The hardware on a computer: a tty or pty as serial line, the system's network, a timer as watchdog."""

import asyncio
import sys
import termios

from micropython import const
from node.wait import lend

# termios: cfmakeraw leaves these to us; values of asm-generic/termbits.h (Linux).
SPEEDS = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0o10001, 115200: 0o10002}
PARITY = {"N": 0, "E": 0o400, "O": 0o1400}
CHARACTER = {7: 0o40, 8: 0o60}
READ_LOCAL = 0o200 | 0o4000
TWO_STOP_BITS = 0o100
_SETUP = const("hal_unix_setup")


class Line:
    """A serial line in raw mode; `where` is the path of a tty."""

    def __init__(self, where, bus):
        self.file = open(where, "r+b", 0)
        handle = self.file.fileno()
        termios.setraw(handle)
        attributes = termios.tcgetattr(handle)
        stop = TWO_STOP_BITS if bus.get("stop") == 2 else 0
        attributes[2] = CHARACTER[bus.get("bits", 8)] | READ_LOCAL | PARITY[bus.get("parity", "N")] | stop
        attributes[4] = attributes[5] = SPEEDS[bus["baud"]]
        attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read never waits
        termios.tcsetattr(handle, termios.TCSANOW, attributes)
        for _ in range(64):  # what came before we listened, a UART would not have
            if not self.file.read(256):
                break
        self.stream = asyncio.StreamReader(self.file)

    def write(self, frame):
        self.file.write(frame)

    def readinto(self, buffer):
        """Bytes that are already there, else 0 or None."""
        return self.file.readinto(buffer)

    def close(self):
        self.file.close()


def opener(where, bus):
    """A function that gives the Line."""
    return lambda: Line(where, bus)


async def network(_conf, beat):
    """The system keeps its own network."""
    while True:
        beat()
        await asyncio.sleep_ms(4000)


def console():
    """The bytes typed; read one at a time, as on a board."""
    return asyncio.StreamReader(sys.stdin.buffer)


def reset():
    """Whoever watches over the node starts it again."""
    sys.exit(1)


def watchdog(ms):
    return lend(_SETUP, "watchdog", ms)


def led(pin):
    return lend(_SETUP, "led", pin)


def button(pin):
    return lend(_SETUP, "button", pin)


def access_point(name, code, on):
    return lend(_SETUP, "access_point", name, code, on)


def set_clock(s):
    return lend(_SETUP, "set_clock", s)


def uid():
    return lend(_SETUP, "uid")


def reset_cause():
    return lend(_SETUP, "reset_cause")
