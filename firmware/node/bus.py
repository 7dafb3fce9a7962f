"""One bus and its units: blocks are read on time, writes go between them, a dead unit costs the others little."""

import asyncio
import gc
from array import array
from time import ticks_add, ticks_diff

from micropython import const
from node import sunspec
from node.wait import after, left
from wire.records import EXCEPTION, NO_MODEL, OK

_WRITE_ONE = const(6)
_OFFLINE_AFTER = const(3)  # failures in a row
_PROBE_MS = const(1000)  # first pause of an offline unit, doubled up to …
_PROBE_MAX_MS = const(8000)
_PROBE_TIMEOUTS = const(20)  # … or, when longer, so many time-outs: a probe costs the bus 5 % of its time
_REWALK_MS = const(30000)
_IDLE_MS = const(20)  # a pause long enough to tidy up in
_KIND = (0, 1, 2, 3, 1, 2)  # place of a flag in the counts of a unit


class Unit:
    """What is known of a unit besides its registers."""

    failures = 0  # in a row
    pause_ms = 0
    probe = 0  # tick of the next try while offline
    models = None  # SunSpec models found; None: look for them
    walk = 0  # tick of the next look for a model that is missing

    def __init__(self, spec, bus):
        self.bus = bus
        self.number = spec["id"]
        self.write_function = spec["wfc"]
        self.probe_max_ms = max(_PROBE_MAX_MS, _PROBE_TIMEOUTS * bus.master.timeout_ms)
        self.counts = [0, 0, 0, 0]  # answers, time-outs, bad answers, exceptions
        self.latencies = array("H", bytes(30))  # ms of the last 15 answers
        self.wanted = []  # SunSpec models

    def offline(self):
        return self.failures >= _OFFLINE_AFTER

    def resting(self):
        """Offline, and not yet time to try again."""
        return self.offline() and left(self.probe) > 0

    def note(self, flag, code, ms):
        """Count an answer (or none) that took `ms`; `code` is that of an EXCEPTION."""
        self.counts[_KIND[flag]] += 1
        if flag == OK:
            self.latencies[self.counts[0] % 15] = min(ms, 65535)
        elif flag != EXCEPTION or code in (10, 11):  # a Modbus gateway says that nobody is there
            self.failures += 1
            if self.offline():
                self.pause_ms = min(self.pause_ms * 2 or _PROBE_MS, self.probe_max_ms)
                self.probe = after(self.pause_ms)
            return
        if self.offline():
            self.models = None  # it may have come back with another chain
        self.failures = self.pause_ms = 0

    def health(self):
        """[ok, timeouts, bad, exceptions, median ms of the last 15 answers]"""
        return self.counts + [sorted(self.latencies)[7]]


class Block:
    """One read, due again and again at multiples of its period."""

    def __init__(self, number, unit, spec):
        self.number = number
        self.unit = unit
        self.function = spec["fc"]
        self.address = spec["a"]
        self.count = spec["n"]
        self.model = spec.get("m")
        self.period_ms = spec["ms"]
        self.due = after(0)
        if self.model and self.model not in unit.wanted:
            unit.wanted.append(self.model)

    def done(self):
        """Due at the next multiple; what a stall has missed is not made up for."""
        late = -left(self.due)
        self.due = ticks_add(self.due, self.period_ms * max(1, late // self.period_ms))


class Bus:
    """`push(block, flag, data, count)` takes each record at the moment of its answer.

    Reads and writes queue for the same lock. Only one read ever does, so a write waits for one exchange at most.
    """

    def __init__(self, master, push):
        self.master = master
        self.push = push
        self.lock = asyncio.Lock()
        self.blocks = []

    async def run(self):
        while self.blocks:
            block = self._next()
            wait = left(block.due)
            if wait > 0:
                if wait > _IDLE_MS:
                    gc.collect()
                    wait = left(block.due)
                await asyncio.sleep_ms(max(wait, 0))
            if not block.unit.resting():
                await self._poll(block)
            block.done()

    async def write(self, unit, writes):
        """Each (address, words) in turn; OK or the flag of the first that failed, which ends the turn."""
        async with self.lock:
            for address, words in writes:
                one = unit.write_function == _WRITE_ONE
                for i in range(len(words) if one else 1):
                    count = words[i] if one else len(words)
                    flag = await self._ask(unit, unit.write_function, address + i, count, words)
                    if flag not in (OK, EXCEPTION) and not unit.offline():  # absolute: twice does no harm
                        flag = await self._ask(unit, unit.write_function, address + i, count, words)
                    if flag != OK:
                        return flag
        return OK

    async def read(self, unit, function, address, count):
        """(flag, bytes)"""
        async with self.lock:
            flag = await self._ask(unit, function, address, count)
            return flag, bytes(self._data(count))

    def _next(self):
        first = self.blocks[0]
        for block in self.blocks:
            if ticks_diff(block.due, first.due) < 0:
                first = block
        return first

    async def _poll(self, block):
        unit = block.unit
        again = not unit.failures  # a unit in doubt is asked once
        address = block.address
        if block.model:
            flag, address = await self._locate(block)
            if flag != OK:
                self._record(block, flag)
                return
        while True:
            async with self.lock:
                flag = await self._ask(unit, block.function, address, block.count)
                if flag in (OK, EXCEPTION) or not again:
                    self._record(block, flag)  # before anyone else may use the buffer
                    return
            again = False  # and a waiting write goes first

    def _record(self, block, flag):
        data, count = b"", 0
        if flag == OK:
            count = block.count
            data = self._data(count)
        elif flag == EXCEPTION:  # one byte on the wire, one register in the record
            data, count = bytes((0, self._data(1)[0])), 1
        self.push(block.number, flag, data, count)

    def _data(self, count):
        master = self.master
        return master.view[master.data : master.data + 2 * count]

    async def _ask(self, unit, function, address, count, words=()):
        started = after(0)
        flag = await self.master.ask(unit.number, function, address, count, words)
        unit.note(flag, self._data(1)[0], -left(started))
        return flag

    async def _locate(self, block):
        """(OK, address) of a block inside a SunSpec model, or (flag, 0)."""
        unit = block.unit
        missing = unit.models is not None and block.model not in unit.models
        if unit.models is None or (missing and left(unit.walk) <= 0):
            flag, found = await sunspec.walk(self, unit, block.function)
            unit.walk = after(_REWALK_MS)
            if flag not in (OK, NO_MODEL):
                return flag, 0
            unit.models = found
        start, length = unit.models.get(block.model, (0, 0))
        if block.address + block.count > length:
            return NO_MODEL, 0
        return OK, start + block.address
