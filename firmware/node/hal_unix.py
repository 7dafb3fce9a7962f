"""The hardware on a computer: a tty or pty as serial line, the system's network and clock."""

import asyncio
import sys
import termios
import time

EPOCH_2000 = 946684800
# termios: cfmakeraw leaves these to us; values of asm-generic/termbits.h (Linux).
SPEEDS = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0o10001, 115200: 0o10002}
PARITY = {"N": 0, "E": 0o400, "O": 0o1400}
BITS = {7: 0o40, 8: 0o60}
READ_LOCAL = 0o200 | 0o4000
TWO_STOP_BITS = 0o100


class Line:
    """A serial line in raw mode; `where` is the path of a tty."""

    def __init__(self, where, bus):
        self.file = open(where, "r+b", 0)
        handle = self.file.fileno()
        termios.setraw(handle)
        attributes = termios.tcgetattr(handle)
        stop = TWO_STOP_BITS if bus.get("stop") == 2 else 0
        attributes[2] = READ_LOCAL | BITS[bus.get("bits", 8)] | PARITY[bus.get("parity", "N")] | stop
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


async def network(conf):
    """The system keeps its own network."""


async def utc(conf):
    """(seconds since 2000, ms); `clock_offset_s` moves the node into the time of a simulated building."""
    ns = time.time_ns()
    return ns // 1000000000 - EPOCH_2000 + conf.get("clock_offset_s", 0), ns // 1000000 % 1000


def reset():
    sys.exit(1)
