"""The far end of a line, for code that runs inside the board's interpreter.

`answer(frame)` gives the bytes that come back. What the master has written is in `said`.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms


def crc(data):
    """CRC-16 of MODBUS over Serial Line V1.02, appendix B, bit by bit, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return bytes((value & 0xFF, value >> 8))


def device(frame):
    """The right answer of any unit on a line: registers count up from their address, coils are all on."""
    unit, function, address, count = frame[0], frame[1], frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
    if function in (3, 4, 23):
        words = [address + i for i in range(count)]
        if function == 23:
            words = [frame[11 + 2 * i] << 8 | frame[12 + 2 * i] for i in range(count)]
        body = bytes((unit, function, 2 * count)) + b"".join(bytes((word >> 8 & 0xFF, word & 0xFF)) for word in words)
    elif function < 3:
        body = bytes((unit, function, (count + 7) // 8)) + bytes([255] * ((count + 7) // 8))
    else:
        body = frame[:6]
    return body + crc(body)


class Stream:
    def __init__(self, end):
        self.end = end

    async def readinto(self, buffer):
        while not (size := self.end.readinto(buffer)):
            await asyncio.sleep_ms(1)
        return size


class Line:
    """In the place of a hal Line."""

    def __init__(self, answer=device):
        self.answer = answer
        self.said = []
        self.waiting = b""
        self.stream = Stream(self)

    def write(self, frame):
        self.said.append(bytes(frame))
        self.waiting += self.answer(bytes(frame))

    def readinto(self, buffer):
        size = min(len(buffer), len(self.waiting))
        buffer[:size] = self.waiting[:size]
        self.waiting = self.waiting[size:]
        return size

    def close(self):
        pass


class LateLine(Line):
    """Each answer leaves after `delay(frame)` ms, `in_turn` not before the one before it has left."""

    def __init__(self, delay, in_turn=True):
        super().__init__()
        self.delay = delay
        self.in_turn = in_turn
        self.coming = []  # (tick, bytes)
        self.free = ticks_ms()

    def write(self, frame):
        self.said.append(bytes(frame))
        now = ticks_ms()
        begin = self.free if self.in_turn and ticks_diff(self.free, now) > 0 else now
        self.free = ticks_add(begin, self.delay(frame))
        self.coming.append((self.free, self.answer(bytes(frame))))

    def readinto(self, buffer):
        for one in sorted(self.coming, key=lambda one: ticks_diff(one[0], self.free)):
            if ticks_diff(one[0], ticks_ms()) <= 0:
                self.coming.remove(one)
                self.waiting += one[1]
        return super().readinto(buffer)
