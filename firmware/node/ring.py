"""Records waiting to be stored by the gateway, in one buffer that is allocated once. Pure, for both interpreters.

A record stays until the gateway has stored it (`forget`) or until room is needed: then the oldest goes, and counts as
lost unless the broker had taken it. `send` is the next sequence to go out, between `oldest` and `next`.

What was read before the clock was known waits with its uptime; it gets its time when it goes out.
"""

import struct

from wire.records import CLOCK_HELD, HEADER, HEADER_SIZE, RECORD, RECORD_SIZE, VERSION


class Ring:
    def __init__(self, size, boot, clock):
        self.buffer = bytearray(size)
        self.view = memoryview(self.buffer)
        self.head = bytearray(RECORD_SIZE)
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

    def use(self, table):
        """Records from now on belong to this poll table."""
        if self.tables[-1][0] == self.next:  # the last one has no record
            self.tables.pop()
        self.tables.append((self.next, table))

    def push(self, block, flag, data, count):
        """One record of now, with `count` registers, raw in `data`."""
        clock = self.clock
        clock.tick()
        need = RECORD_SIZE + 2 * count
        while self.used + need > self.size:
            if self.oldest > self.acked:
                self.lost += 1
            self._drop()
        struct.pack_into(RECORD, self.head, 0, self.next, clock.s, clock.ms, clock.quality, block, flag, count)
        self._put(self.head)
        self._put(data)
        self.next += 1

    def batch(self, out):
        """Fills `out` with unsent records: its length and the last sequence in it; length 0 when all are sent."""
        table = self.tables[0][1]
        stop = self.next
        for first, identity in self.tables:
            if first > self.send:
                stop = first  # one table for each batch
                break
            table = identity
        at = HEADER_SIZE
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
            return 0, self.acked
        struct.pack_into(HEADER, out, 0, VERSION, count, table, self.boot, 0, 0, 0)
        self.date(out, at, self.spilled or self.oldest)
        return at, self.send - 1

    def date(self, out, end, oldest):
        """A batch of this boot goes out now: what it says of now, and the time of records that know their uptime."""
        clock = self.clock
        clock.tick()
        struct.pack_into(">IIH", out, 10, oldest, clock.s, clock.ms)
        at = HEADER_SIZE
        while clock.zero and at < end:
            if not out[at + 10]:  # CLOCK_UNKNOWN
                s, ms = struct.unpack_from(">IH", out, at + 4)
                ms += clock.zero[1]
                struct.pack_into(">IHB", out, at + 4, s + clock.zero[0] + ms // 1000, ms % 1000, CLOCK_HELD)
            at += RECORD_SIZE + 2 * out[at + 13]

    def forget(self, seq):
        """The gateway has stored everything up to `seq`."""
        while self.oldest <= seq and self.oldest < self.next:
            self._drop()
        while len(self.tables) > 1 and self.tables[1][0] <= self.oldest:
            self.tables.pop(0)

    def rewind(self):
        """Send everything again that the gateway has not stored."""
        self.send = self.oldest
        self.sent = 0

    def _size(self, offset):
        return RECORD_SIZE + 2 * self.buffer[(self.start + offset + RECORD_SIZE - 1) % self.size]

    def _drop(self):
        size = self._size(0)
        self.start = (self.start + size) % self.size
        self.used -= size
        self.oldest += 1
        if self.send < self.oldest:
            self.rewind()
        else:
            self.sent -= size

    def _put(self, data):
        at = (self.start + self.used) % self.size
        size = len(data)
        first = min(size, self.size - at)
        if first == size:
            self.view[at : at + size] = data
        else:
            self.view[at:] = data[:first]
            self.view[: size - first] = data[first:]
        self.used += size

    def _get(self, offset, out, at, size):
        begin = (self.start + offset) % self.size
        first = min(size, self.size - begin)
        out[at : at + first] = self.view[begin : begin + first]
        out[at + first : at + size] = self.view[: size - first]
