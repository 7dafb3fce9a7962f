"""Modbus masters for a serial line and for one TCP connection: one question, one answer, in bounded time.

`ask` gives a flag of wire.records. After OK the registers of a read lie in `view` from `data`; after EXCEPTION the
device's code does. They are valid until the next `ask`; the bus lets only one run at a time.
"""

import asyncio

from micropython import const
from node import tcp
from node.frames import crc16, line_length, request, verdict
from node.wait import after, left
from wire.records import BAD_FRAME, NO_LINK, TIMEOUT, WRONG_REPLY

_FRAME = const(264)  # a frame has at most 260 bytes on TCP and 256 on a line
_SHORT = const(16)  # a request without values


class Master:
    """`way` is a Line or a Net. `timeout_ms` is the device's time to think; the time on the wire comes on top."""

    def __init__(self, way, timeout_ms, gap_ms):
        self.way = way
        self.timeout_ms = timeout_ms
        self.gap_ms = gap_ms
        self.free = after(0)
        self.tx = self.short = bytearray(_SHORT)
        self.view = memoryview(bytearray(_FRAME))
        self.data = 0

    async def ask(self, unit, function, address, count, words=()):
        way = self.way
        at = way.at
        try:
            await way.open(self.timeout_ms)
            await self.rest()
            self.tx = bytearray(_SHORT + 2 * len(words)) if words else self.short
            end = request(self.tx, at, unit, function, address, count, words)
            await way.send(self, end)
            characters = end + (10 + 2 * count if function < 5 else 10)  # both ways, checksums included
            wire_ms = characters * way.character_us // 1000
            flag = await asyncio.wait_for_ms(way.answer(self), self.timeout_ms + wire_ms)
            self.data = at + 2 + (self.view[at + 1] < 0x80)  # behind the byte count, which an exception has not
            return flag
        except asyncio.TimeoutError:
            return way.late()
        except OSError:
            way.close()
            return NO_LINK
        finally:
            self.busy()

    async def rest(self):
        """Until the gap after the last byte is over."""
        wait = left(self.free)
        if wait > 0:
            await asyncio.sleep_ms(wait)

    def busy(self):
        self.free = after(self.gap_ms)


class Line:
    """RTU frames on a hal Line, which `open_line()` gives."""

    at = 0

    def __init__(self, open_line, baud):
        self.open_line = open_line
        self.line = None
        self.character_us = 11000000 // baud
        self.got = 0
        self.seen = TIMEOUT  # what can be said if nothing better comes

    async def open(self, _timeout_ms):
        if self.line is None:
            self.line = self.open_line()

    async def send(self, master, end):
        for _ in range(20):  # stray bytes end before we speak
            if not self.line.readinto(master.view):
                break
            master.busy()
            await master.rest()
        crc = crc16(master.tx, end)
        master.tx[end] = crc & 0xFF
        master.tx[end + 1] = crc >> 8
        self.got = 0
        self.seen = TIMEOUT
        self.line.write(memoryview(master.tx)[: end + 2])

    async def answer(self, master):
        view = master.view
        while self.got < _FRAME:
            more = await self.line.stream.readinto(view[self.got :])
            if not more:
                await asyncio.sleep_ms(1)
                continue
            self.got += more
            while True:
                size = line_length(view, self.got)
                if not 0 < size <= self.got:
                    break
                if crc16(view, size):  # over frame and checksum it is 0
                    return BAD_FRAME
                self.seen = verdict(master.tx, view, 0, size - 2)
                if self.seen != WRONG_REPLY:
                    return self.seen
                self.got -= size  # ours may still be on its way
                view[: self.got] = bytes(view[size : size + self.got])
        return BAD_FRAME

    def late(self):
        return BAD_FRAME if self.got else self.seen

    def close(self):
        if self.line:
            self.line.close()
            self.line = None


class Net:
    """Frames of Modbus TCP; answers are matched by transaction, a late one is read and thrown away."""

    at = 6
    character_us = 0

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.connection = None
        self.transaction = 0
        self.silent = 0  # timeouts in a row: a connection may be half open

    async def open(self, timeout_ms):
        if self.connection is None:
            self.connection = await tcp.connect(tcp.resolve(self.host, self.port), timeout_ms)
            self.silent = 0

    async def send(self, master, end):
        tx = master.tx
        self.transaction = (self.transaction + 1) & 0xFFFF
        tx[0] = self.transaction >> 8
        tx[1] = self.transaction & 0xFF
        tx[5] = end - 6  # bytes 2 to 4 stay 0: protocol, and no frame reaches 256 bytes
        await self.connection.send(memoryview(tx)[:end])

    async def answer(self, master):
        view = master.view
        while True:
            await self.connection.fill(view[:6])
            size = 6 + (view[4] << 8 | view[5])
            if view[2] or view[3] or not 9 <= size <= 260:
                self.close()  # the beginnings of frames are lost
                return BAD_FRAME
            await self.connection.fill(view[:size])
            self.connection.got = self.silent = 0
            if view[0] << 8 | view[1] == self.transaction:
                return verdict(master.tx, view, 6, size)

    def late(self):
        self.silent += 1
        if self.silent > 1:
            self.close()
        return TIMEOUT

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None
