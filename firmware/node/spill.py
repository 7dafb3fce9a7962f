"""A ring with space on flash: records go there while the broker is away, and from there to the gateway.

Only for nodes with `spill_kb`.

A segment is one file of at most 4 kB in the folder `spill`, named by a number that rises from segment to segment and
from boot to boot, and is never changed. It holds pieces: length u16, CRC-32 u32, then a batch as it is sent. One that
was cut off or spoiled ends the segment. Writing one takes a board some 50 ms, in which nothing else happens.
"""

import binascii
import os
import struct

from micropython import const
from node.ring import Ring
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Conf, Memory
    from node.clock import Clock

_FOLDER = "spill/"
_UNHEARD_MS = const(10000)  # as in node.link
_SEGMENT = const(4096)
_PIECE = ">HI"
_PIECE_SIZE = const(6)
_LONGEST = const(290)  # a piece with one record of 125 registers
_DAY_S = const(86400)
_A_DAY = const(1000)  # segments: 64 blocks of flash that take 100 000 writes each last 17 years
_COUNT = const(10000)  # in the memory: day · 10000 + segments of that day


class Spill(Ring):
    """`memory` (get and put of whole numbers) keeps the count of today's writes over a restart."""

    torn = 0  # segments that ended too early
    file = None  # the oldest segment while it is being sent
    of = last = 0  # boot and last sequence of its pieces so far
    whole = False  # all of it is on its way

    def __init__(self, size: int, boot: int, clock: "Clock", conf: "Conf", memory: "Memory") -> None:
        Ring.__init__(self, size, boot, clock)
        self.most = conf["spill_kb"] >> 2
        self.budget = conf.get("spill_a_day", _A_DAY)
        self.memory = memory
        self.day, self.written = divmod(memory.get("spill"), _COUNT)
        self.before = self.day  # the day on which the uptime began, as far as we know
        try:
            os.mkdir(_FOLDER[:-1])
        except OSError:
            pass  # it is there
        self.segment = self.end = 0  # the oldest, and behind the newest
        for entry in os.ilistdir(_FOLDER[:-1]):
            try:
                number = int(entry[0], 16)
                self.segment = min(self.segment, number) if self.end else number
                self.end = max(self.end, number + 1)
            except ValueError:
                pass  # not ours

    def save(self, room: memoryview) -> None:
        """The oldest records become a segment when the ring is rather full; what cannot be saved stays there."""
        if self.used * 4 <= self.size * 3:
            return
        clock = self.clock
        day = clock.s // _DAY_S + (0 if clock.zero else self.before)
        if day != self.day:
            self.day, self.written = day, 0
        if self.written >= self.budget:
            return
        self.written += 1
        self.memory.put("spill", day * _COUNT + self.written)
        self.rewind()
        first, at = self.oldest, 0
        try:
            if self.end - self.segment >= self.most:
                while self._read(room):
                    self.lost += room[1]
                self._remove()
            with open(_FOLDER + "%x" % self.end, "wb") as file:
                while at < _SEGMENT - _LONGEST:
                    size, last = Ring.batch(self, room[: _SEGMENT - at - _PIECE_SIZE])
                    if not size:
                        break
                    file.write(struct.pack(_PIECE, size, binascii.crc32(room[:size])))
                    file.write(room[:size])
                    at += size + _PIECE_SIZE
                    done = last
            self.end += 1
            self.spilled = self.spilled or first
            self.forget(done)
        except OSError:  # no space, or worn out: not today
            self.written = self.budget
        Ring.rewind(self)

    def batch(self, out: memoryview) -> tuple[int, int]:
        """What is on flash goes first; one segment at a time, so that what is new need not wait for long."""
        while self.segment < self.end and not self.whole:
            size = self._read(out)
            if size:
                return size, 0
            self.whole = True
            self.again = after(_UNHEARD_MS)
            if not self.last:  # nothing good in it
                self._remove()
        return Ring.batch(self, out)

    def rewind(self) -> None:
        """The oldest segment is sent again from its beginning, too."""
        self._close()
        Ring.rewind(self)

    def heard(self, boot: int, seq: int) -> None:
        if self.whole:
            if boot == self.of and seq >= self.last:
                self._remove()
            elif left(self.again) < 0:  # the gateway is there, and had time for it
                self._close()
        Ring.heard(self, boot, seq)

    def health(self) -> dict:
        """And [segments on flash, written today, spoiled]."""
        health = Ring.health(self)
        health["spill"] = [self.end - self.segment, self.written, self.torn]
        return health

    def _read(self, room: memoryview) -> int:
        """The next good piece of the oldest segment, with its header as of now; 0 at the end."""
        try:
            if not self.file:
                self.file = open(_FOLDER + "%x" % self.segment, "rb")
            head = self.file.read(_PIECE_SIZE)
            if not head and self.last:
                return 0
            size, crc = struct.unpack(_PIECE, head)
            if self.file.readinto(room[:size]) != size or binascii.crc32(room[:size]) != crc:
                raise OSError
        except (OSError, ValueError):
            self.torn += 1
            return 0
        self.of, seq = struct.unpack(">I10xI", room[6:24])
        if not self.last:
            self.earliest = seq
        self.last = seq + room[1] - 1
        if self.of == self.boot:
            self.date(room, size, self.earliest)
        else:
            struct.pack_into(">I", room, 10, self.earliest)
        return size

    def _remove(self) -> None:
        """Done with the oldest segment."""
        last, ours = self.last, self.of == self.boot
        self._close()
        try:
            os.remove(_FOLDER + "%x" % self.segment)
        except OSError:
            pass  # it comes again after a restart, and the gateway knows it
        self.segment += 1
        if self.segment == self.end:
            self.spilled = 0
        elif ours:
            self.spilled = last + 1

    def _close(self) -> None:
        if self.file:
            self.file.close()
        self.file = None
        self.of = self.last = 0
        self.whole = False
