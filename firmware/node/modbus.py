"""Modbus masters for a serial line and for one TCP connection: one question, one answer, in bounded time.

`ask` gives a flag of wire.records. After OK the data of a read lie in `view` from `data`, with a zero behind them;
after EXCEPTION the device's code does. They are valid until the next `ask`; the bus lets only one run at a time.
"""

import asyncio
from time import ticks_diff, ticks_us

from micropython import const
from node.modbus_frames import crc16, data_bytes, length, request, verdict
from node.wait import call

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable
    from typing import Any

    from kinds import Address, SerialLine

# Those of wire.records, as numbers: a name costs flash and heap.
_TIMEOUT = const(1)
_BAD_FRAME = const(2)
_NO_LINK = const(4)
_WRONG_REPLY = const(5)
_WRONG_HEADER = const(6)  # an answer under another transaction or unit; in wire.records, which lacks it, NO_MODEL

_FRAME = const(270)  # a frame has at most 260 bytes on TCP and 256 on a line; space for the zero
_SHORT = const(18)  # a request without values


class Master:
    """`transport` is a Line or a Net. `timeout_ms` is the device's time to think; the time on the wire comes on top."""

    port: "Any" = None  # what `transport` has opened
    data = seen = 0  # seen: what can be said if nothing better comes
    silent = 0  # time-outs in a row

    def __init__(self, transport: "Line | Net", timeout_ms: int, gap_ms: int) -> None:
        self.transport = transport
        self.timeout_ms = timeout_ms
        self.gap_us = max(1000 * gap_ms, transport.silence_us)
        self.tx = self.short = bytearray(_SHORT)
        self.view = memoryview(bytearray(_FRAME))
        self.last = ticks_us()

    async def ask(self, unit: int, function: int, address: int, count: int, words: list[int] | tuple[()] = ()) -> int:
        transport, view = self.transport, self.view
        at = transport.at
        self.seen = 0
        try:
            if not self.port:
                self.port = await transport.open(self)
            await self.rest()
            self.tx = bytearray(_SHORT + 2 * len(words)) if words else self.short
            end = request(self.tx, at, unit, function, address, count, words, address)
            characters = end + 12 + (end if words else data_bytes(function, count))  # both ways, checksums included
            wire_ms = characters * transport.character_us // 1000
            flag: int = await asyncio.wait_for_ms(transport.exchange(self, end), self.timeout_ms + wire_ms)
            self.silent = 0
            self.data = at = at + 2 + (view[at + 1] < 0x80)  # behind the byte count, which an exception has not
            view[at + view[at - 1]] = 0  # coils may fill an odd number of bytes
            return flag
        except asyncio.TimeoutError:
            self.silent += not self.seen
            if at and self.silent + transport.lax > 1:
                self.close()
            return self.seen or _TIMEOUT
        except OSError:
            self.close()
            return self.seen or _NO_LINK
        finally:
            self.last = ticks_us()

    async def rest(self) -> None:
        """Until the gap after the last byte is over. The tick wraps after 18 minutes: a longer wait is none."""
        while 0 < (wait := self.gap_us - ticks_diff(ticks_us(), self.last)) <= self.gap_us:
            await asyncio.sleep_ms(wait >> 10)

    def close(self) -> None:
        if self.port:
            self.port.close()
            self.port = None


class Line:
    """RTU frames on a hal Line, which `open_line()` gives. `echo`: whether we hear what we say."""

    at = lax = echo = 0

    def __init__(self, open_line: "Callable[[], SerialLine]", baud: int) -> None:
        self.open_line = open_line
        self.character_us = 11000000 // baud
        # 3.5 characters, and at least 1.75 ms (MODBUS over Serial Line V1.02, 2.5.1.1)
        self.silence_us = max(38500000 // baud, 1750)

    async def open(self, _master: "Master") -> "SerialLine":
        return self.open_line()

    async def exchange(self, master: "Master", end: int) -> int:
        port, tx, view = master.port, master.tx, master.view
        while port.readinto(view):  # stray bytes end before we speak
            master.last = ticks_us()
            await master.rest()
        crc = crc16(tx, end)
        tx[end] = crc & 0xFF
        tx[end + 1] = crc >> 8
        port.write(memoryview(tx)[: end + 2])
        got = at = 0  # of what came; where the answer may begin, behind stray bytes
        while got < _FRAME:
            more = await port.stream.readinto(view[got:])
            if not more:
                await asyncio.sleep_ms(1)
                continue
            got += more
            master.seen = _BAD_FRAME
            while got - at > 4:
                frame = view[at:got]
                size = length(tx, frame, 0)
                if at + size > got:
                    break
                if size and not crc16(frame, size):  # over frame and checksum it is 0
                    flag = verdict(tx, frame, 0, size - 2)
                    # a line may bring our question back to us: no answer to a read …
                    heard = tx[:8] in bytes(view[:at])
                    if tx[1] < 5:
                        self.echo = heard or frame[:8] == tx[:8]
                    # … and to a write of one the answer comes behind it
                    if flag != _WRONG_REPLY and (heard or not self.echo or tx[1] > 6):
                        view[:size] = bytes(frame[:size])
                        return flag
                at += 1
        return _BAD_FRAME


class Net:
    """Frames of Modbus TCP; answers are matched by transaction, a late one is read and thrown away.

    `lax`: one that answers under another transaction or unit is believed, and after a time-out the connection is closed.
    """

    at = 6
    character_us = silence_us = transaction = misses = pause_ms = lax = 0
    address: "Address" = None  # what `host` was last found to be

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def open(self, master: "Master") -> "Any":
        return call("tcp_connect", "call", master)

    async def exchange(self, master: "Master", end: int) -> int:
        port, tx, view = master.port, master.tx, master.view
        # the other bytes stay 0: high ones of transaction and length (no request reaches 256), and the protocol
        tx[1] = self.transaction = self.transaction % 255 + 1
        tx[5] = end - 6
        await port.send(memoryview(tx)[:end])
        while True:
            await port.fill(view[:6])
            size = 6 + (view[4] << 8 | view[5])
            if view[2] or view[3] or not 9 <= size <= 260:
                master.close()  # the beginnings of frames are lost
                return _BAD_FRAME
            await port.fill(view[:size])
            port.got = 0
            late = view[0] << 8 | (tx[1] - view[1]) & 0xFF
            if self.lax:
                late, view[6] = 0, tx[6]
            if not late and view[6] == tx[6]:
                return verdict(tx, view, 6, size)
            if not 0 < late <= master.silent:
                master.seen = _WRONG_HEADER
