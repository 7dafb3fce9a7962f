"""Records waiting to be stored by the gateway, in one buffer that is allocated once. Pure, for both interpreters.

A record stays until the gateway has stored it (`forget`) or until space is needed: then the oldest goes, and counts as
lost unless the broker had taken it. `send` is the next sequence to go out, between `oldest` and `next`.

What was read before the clock was known waits with its uptime; it gets its time when it goes out. `node.spill` adds
space on flash.
"""

import struct

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Buffer
    from node.clock import Clock

# Those of wire.records, as numbers: a name costs flash and time at each use.
_VERSION = const(2)
_HEADER_SIZE = const(20)
_RECORD_SIZE = const(14)
_CLOCK_HELD = const(1)


class Ring:
    def __init__(self, size: int, boot: int, clock: "Clock") -> None:
        self.buffer = bytearray(size)
        self.view = memoryview(self.buffer)
        self.head = memoryview(bytearray(_RECORD_SIZE))
        self.size = size
        self.boot = boot
        self.clock = clock
        self.start = 0  # where the oldest record begins
        self.used = 0
        self.sent = 0  # bytes from there to the send pointer
        self.oldest = self.next = self.send = 1
        self.acked = 0  # the broker has taken everything up to here
        self.spilled = 0  # the first sequence of this boot that waits on flash; 0: none does
        self.lost = 0
        self.tables = [(1, 0)]  # (first sequence, identity of the table its block number belongs to)

    def use(self, table: int) -> None:
        """Records from now on belong to this poll table."""
        if self.tables[-1][0] == self.next:  # the last one has no record
            self.tables.pop()
        self.tables.append((self.next, table))

    def push(self, block: int, flag: int, data: "Buffer", count: int) -> None:
        """One record of now, with `count` registers, raw in `data`."""
        clock = self.clock
        clock.tick()
        need = _RECORD_SIZE + 2 * count
        while self.used + need > self.size:
            if self.oldest > self.acked:
                self.lost += 1
            self._drop()
        struct.pack_into(">IIHBBBB", self.head, 0, self.next, clock.s, clock.ms, clock.quality, block, flag, count)
        self._put(self.head)
        self._put(data)
        self.next += 1

    def batch(self, out: memoryview) -> tuple[int, int]:
        """Fills `out` with unsent records: its length and the last sequence in it; length 0 when all are sent."""
        table = self.tables[0][1]
        stop = self.next
        for first, identity in self.tables:
            if first > self.send:
                stop = first  # one table for each batch
                break
            table = identity
        at = _HEADER_SIZE
        count = 0
        while self.send < stop and count < 255:
            size = self._size(self.sent)
            if at + size > len(out):
                break
            self._get(self.sent, out, at, size)
            at += size
            count += 1
            self.sent += size
            self.send += 1
        if not count:
            return 0, 0
        struct.pack_into(">BBII", out, 0, _VERSION, count, table, self.boot)
        self.date(out, at, self.spilled or self.oldest)
        return at, self.send - 1

    def date(self, out: memoryview, end: int, oldest: int) -> None:
        """A batch of this boot goes out now: what it says of now, and the time of records that know their uptime."""
        clock = self.clock
        clock.tick()
        struct.pack_into(">IIH", out, 10, oldest, clock.s, clock.ms)
        at = _HEADER_SIZE
        zero = clock.zero
        while zero and at < end:
            if not out[at + 10]:  # CLOCK_UNKNOWN
                s, ms = struct.unpack_from(">IH", out, at + 4)
                ms += zero[1]
                struct.pack_into(">IHB", out, at + 4, s + zero[0] + ms // 1000, ms % 1000, _CLOCK_HELD)
            at += _RECORD_SIZE + 2 * out[at + 13]

    def forget(self, seq: int) -> None:
        """Everything up to `seq` is safe."""
        while self.oldest <= seq and self.oldest < self.next:
            self._drop()
        while len(self.tables) > 1 and self.tables[1][0] <= self.oldest:
            self.tables.pop(0)

    def heard(self, boot: int, seq: int) -> None:
        """The gateway has stored everything of a boot up to `seq`."""
        if boot == self.boot:
            self.forget(seq)

    def rewind(self) -> None:
        """Send everything again that the gateway has not stored."""
        self.send = self.oldest
        self.sent = 0

    def save(self, room: memoryview) -> None:
        """The broker is away; `room` is a buffer to use."""

    def health(self) -> dict:
        """What the health says of it."""
        return {"next": self.next, "oldest": self.spilled or self.oldest, "lost": self.lost}

    def _size(self, offset: int) -> int:
        return _RECORD_SIZE + 2 * self.buffer[(self.start + offset + _RECORD_SIZE - 1) % self.size]

    def _drop(self) -> None:
        size = self._size(0)
        self.start = (self.start + size) % self.size
        self.used -= size
        self.oldest += 1
        self.sent -= size
        if self.send < self.oldest:
            self.send = self.oldest
            self.sent = 0

    def _put(self, data: "Buffer") -> None:
        at = (self.start + self.used) % self.size
        size = len(data)
        first = min(size, self.size - at)
        self.view[at : at + first] = data[:first]
        self.view[: size - first] = data[first:]
        self.used += size

    def _get(self, offset: int, out: memoryview, at: int, size: int) -> None:
        begin = (self.start + offset) % self.size
        first = min(size, self.size - begin)
        out[at : at + first] = self.view[begin : begin + first]
        out[at + first : at + size] = self.view[: size - first]
