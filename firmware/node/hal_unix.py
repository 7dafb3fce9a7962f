"""The hardware on a computer: a tty or pty as serial line, the system's network, a timer as watchdog."""

import asyncio
import sys

from micropython import const
from node.wait import lend

WATCHDOG_MS = 0  # none, unless node.json asks for one
_SETUP = const("hal_unix_setup")


class Line:
    """A serial line in raw mode."""

    def __init__(self, file):
        self.file = file
        self.stream = asyncio.StreamReader(file)

    def write(self, frame):
        self.file.write(frame)

    def readinto(self, buffer):
        """Bytes that are already there, else 0 or None."""
        return self.file.readinto(buffer)

    def close(self):
        self.file.close()


def opener(where, bus):
    """A function that gives the Line; `where` is the path of a tty."""
    return lambda: lend(_SETUP, "line", where, bus)


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
    sys.exit(75)  # as slot.RESET


def __getattr__(name):
    """What is needed once, from node/hal_unix_setup.py."""
    return lambda *what: lend(_SETUP, name, *what)
