"""Random frames for the masters, inside the board's interpreter: `run(way, count, seed)` prints what came of them.

Half of the frames are right answers that have been changed a little, the rest is noise, zeros and foreign frames. What
the master takes for right is judged once more, by other code: `wrong` counts what it should not have taken.
"""

import asyncio
import gc
import random
import sys

import far_end
from node import tcp
from node.modbus import Line, Master, Net
from wire.records import EXCEPTION, OK

UNIT, FUNCTION, ADDRESS, COUNT = 1, 3, 100, 10
SIZE = 5 + 2 * COUNT  # of a right answer on the line
frame = bytearray(300)
size = 0


class End(OSError):
    """The far end has no more to give."""


class Stream:
    """Gives a frame in pieces, then is gone; `s` is what a StreamReader would read from."""

    at = 0

    def __init__(self, s):
        self.s = s

    async def readinto(self, buffer):
        if self.at >= size:
            raise End(0)
        piece = min(len(buffer), size - self.at, 1 + random.getrandbits(8))
        for i in range(piece):
            buffer[i] = frame[self.at + i]
        self.at += piece
        return piece


class Device:
    """A hal Line and a socket. What was asked decides what a right answer is."""

    def __init__(self, way):
        self.way = way
        self.stream = Stream(self)

    def readinto(self, _buffer):
        return 0

    def write(self, asked):
        self.stream.at = 0
        if self.way == "line":
            line_answer()
        else:
            self.transaction = bytes(asked[:2])
            frame[:2] = self.transaction
            tcp_answer()
        return len(asked)

    def close(self):
        pass


def put_checksum(end):
    value = 0xFFFF
    for i in range(end):
        value ^= frame[i]
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    frame[end], frame[end + 1] = value & 0xFF, value >> 8


def right(at):
    frame[at], frame[at + 1], frame[at + 2] = UNIT, FUNCTION, 2 * COUNT
    for i in range(2 * COUNT):
        frame[at + 3 + i] = i
    if random.getrandbits(4) == 0:  # an exception
        frame[at + 1], frame[at + 2] = FUNCTION | 0x80, random.getrandbits(4)
        return at + 3
    return at + 3 + 2 * COUNT


def spoil(at):
    """Changes a frame of `size` bytes from `at` on: one bit, one byte, its length, or all of it."""
    global size
    for _ in range(1 + random.getrandbits(1)):
        place = at + random.getrandbits(8) % max(size - at, 1)
        kind = random.getrandbits(3)
        if kind == 0:
            frame[place] ^= 1 << random.getrandbits(3)
        elif kind == 1:
            frame[place] = random.getrandbits(8)
        elif kind == 2:
            size = place
        elif kind == 3:
            size += random.getrandbits(4)
        elif kind == 4:
            for i in range(size):
                frame[i] = 0
        elif kind == 5:
            size = random.getrandbits(8) + 40
            for i in range(size):
                frame[i] = random.getrandbits(8)
        else:
            return  # as it is


def line_answer():
    global size
    end = right(0)
    if random.getrandbits(3) == 0:
        frame[0] = random.getrandbits(8)  # a foreign frame, with a checksum that is right
    if random.getrandbits(3) == 0:
        frame[1] = random.getrandbits(8)
    put_checksum(end)
    size = end + 2
    if random.getrandbits(1):
        spoil(0)


def tcp_answer():
    global size
    end = right(6)
    frame[2] = frame[3] = frame[4] = 0
    frame[5] = end - 6
    size = end
    if random.getrandbits(3) == 0:
        frame[random.getrandbits(2) * 2 % 6] = random.getrandbits(8)
    if random.getrandbits(1):
        spoil(0)


def is_wrong(flag, device):
    """Whether an accepted answer is none."""
    at = 0 if device.way == "line" else 6
    if frame[at] != UNIT or frame[at + 1] & 0x7F != FUNCTION:
        return True
    if flag == OK:
        end = at + SIZE - 2
        if frame[at + 1] != FUNCTION or frame[at + 2] != 2 * COUNT:
            return True
    else:
        end = at + 3
        if frame[at + 1] != FUNCTION | 0x80:
            return True
    if device.way == "tcp":
        return frame[:2] != device.transaction or frame[2] or frame[3] or frame[4] or frame[5] != end - 6 or size < end
    return size < end + 2 or far_end.crc(frame[:end]) != frame[end : end + 2]


async def ask(way, count):
    device = Device(way)
    if way == "line":
        master = Master(Line(lambda: device, 115200), 1000, 0)
    else:
        net = Net("", 0)

        async def connect(_timeout_ms):
            connection = tcp.Connection(device, device)
            connection.stream = device.stream
            return connection

        net.open = connect
        master = Master(net, 1000, 0)
    master.gap_us = 0
    flags = [0] * 7
    wrong = 0
    for i in range(count + 1000):
        if i == 1000:  # warm
            gc.collect()
            before = gc.mem_alloc()
        flag = await master.ask(UNIT, FUNCTION, ADDRESS, COUNT)
        flags[flag] += 1
        if flag in (OK, EXCEPTION) and is_wrong(flag, device):
            wrong += 1
    gc.collect()
    return flags, wrong, gc.mem_alloc() - before


def run(way, count, seed):
    random.seed(seed)
    sys.stdout.write(str(asyncio.run(ask(way, count))))
