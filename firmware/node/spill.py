"""Records on flash while the broker is away, and from there to the gateway: only for nodes with `spill_kb`.

A segment is one file of at most 4 kB in the folder `spill`, named by a number that rises from segment to segment and
from boot to boot, and is never changed. It holds pieces: length u16, CRC-32 u32, then a batch as it is sent. One that
was cut off or spoiled ends the segment. Writing one takes a board some 50 ms, in which nothing else happens.
"""

import binascii
import os
import struct

from micropython import const
from node.wait import after, left
from wire.records import CLOCK_UNKNOWN, HEADER_SIZE

_FOLDER = "spill/"
_UNHEARD_MS = const(10000)  # as in node.link
_SEGMENT = const(4096)
_PIECE = ">HI"
_PIECE_SIZE = const(6)
_LONGEST = const(290)  # a piece with one record of 125 registers
_DAY_S = const(86400)
_A_DAY = const(1000)  # segments: 64 blocks of flash that take 100 000 writes each last 17 years
_COUNT = const(10000)  # in the memory: day · 10000 + segments of that day


class Spill:
    """`memory` (get and put of whole numbers) keeps the count of today's writes over a restart."""

    torn = 0  # segments that ended too early
    file = None  # the oldest segment while it is being sent
    boot = last = 0  # of its pieces so far
    whole = False  # all of it is on its way

    def __init__(self, ring, room, conf, memory):
        self.ring = ring
        self.room = room
        self.most = conf["spill_kb"] >> 2
        self.budget = conf.get("spill_a_day", _A_DAY)
        self.memory = memory
        self.day, self.written = divmod(memory.get("spill"), _COUNT)
        self.before = self.day  # the day on which the uptime began, as far as we know
        try:
            os.mkdir(_FOLDER[:-1])
        except OSError:
            pass  # it is there
        numbers = [int(entry[0], 16) for entry in os.ilistdir(_FOLDER[:-1])]
        self.first = min(numbers or (0,))
        self.next = max(numbers or (-1,)) + 1

    def save(self):
        """The oldest records of the ring become a segment when it is rather full; what cannot be saved stays there."""
        ring, room = self.ring, self.room
        if ring.used * 4 <= ring.size * 3:
            return
        day = ring.clock.s // _DAY_S + (self.before if ring.clock.quality == CLOCK_UNKNOWN else 0)
        if day != self.day:
            self.day, self.written = day, 0
        if self.written >= self.budget:
            return
        self.written += 1
        self.memory.put("spill", day * _COUNT + self.written)
        ring.rewind()
        first, at = ring.oldest, 0
        try:
            if self.next - self.first >= self.most:
                self.rewind()
                while self._read():
                    ring.lost += room[1]
                self._remove()
            with open(_FOLDER + "%x" % self.next, "wb") as file:
                while at < _SEGMENT - _LONGEST:
                    size, last = ring.batch(room[: _SEGMENT - at - _PIECE_SIZE])
                    if not size:
                        break
                    file.write(struct.pack(_PIECE, size, binascii.crc32(room[:size])))
                    file.write(room[:size])
                    at += size + _PIECE_SIZE
                    done = last
            self.next += 1
            ring.spilled = ring.spilled or first
            ring.forget(done)
        except OSError:  # no room, or worn out: not today
            self.written = self.budget
        ring.rewind()

    def piece(self):
        """The next batch in `room`: its length; 0 when there is none to send now."""
        while self.first < self.next and not self.whole:
            size = self._read()
            if size:
                return size
            self.whole = True
            self.again = after(_UNHEARD_MS)
            if not self.last:  # nothing good in it
                self._remove()
        return 0

    def rewind(self):
        """The oldest segment is sent again from its beginning."""
        if self.file:
            self.file.close()
            self.file = None
        self.boot = self.last = 0
        self.whole = False

    def heard(self, boot, seq):
        """The gateway has everything of a boot up to `seq`; it has had time for more."""
        if self.whole:
            if boot == self.boot and seq >= self.last:
                self._remove()
            elif left(self.again) < 0:
                self.rewind()

    def health(self):
        """[segments on flash, written today, spoiled]"""
        return [self.next - self.first, self.written, self.torn]

    def _read(self):
        """The next good piece of the oldest segment, with its header as of now; 0 at the end."""
        room = self.room
        try:
            if not self.file:
                self.file = open(_FOLDER + "%x" % self.first, "rb")
            head = self.file.read(_PIECE_SIZE)
            if not head and self.last:
                return 0
            size, crc = struct.unpack(_PIECE, head)
            if self.file.readinto(room[:size]) != size or binascii.crc32(room[:size]) != crc:
                raise OSError
        except (OSError, ValueError):
            self.torn += 1
            return 0
        seq = struct.unpack_from(">I", room, HEADER_SIZE)[0]
        if not self.last:
            self.oldest = seq
        self.last = seq + room[1] - 1
        self.boot = struct.unpack_from(">I", room, 6)[0]
        if self.boot == self.ring.boot:
            self.ring.date(room, size, self.oldest)
        else:
            struct.pack_into(">I", room, 10, self.oldest)
        return size

    def _remove(self):
        """Done with the oldest segment."""
        last, ours = self.last, self.boot == self.ring.boot
        self.rewind()
        try:
            os.remove(_FOLDER + "%x" % self.first)
        except OSError:
            pass  # it comes again after a restart, and the gateway knows it
        self.first += 1
        if self.first == self.next:
            self.ring.spilled = 0
        elif ours:
            self.ring.spilled = last + 1
