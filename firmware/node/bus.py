"""One bus and its units: blocks are read on time, writes go between them, a dead unit costs the others little."""

import asyncio
import gc
from time import ticks_add

from micropython import const
from node.modbus_frames import data_bytes
from node.wait import after, call, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Beat, Buffer, Push, Write
    from node.modbus import Master
    from node.orders import Actuator
    from node.supervisor import Job

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_TIMEOUT = const(1)
_EXCEPTION = const(3)
_NO_MODEL = const(6)

_OFFLINE = const(3)  # failures in a row; after the first, a poll is repeated at once
_IDLE_MS = const(20)  # a pause long enough to tidy up in
_GIVE_WAY_MS = const(10)
_TURN_MS = const(4000)  # the supervisor expects to hear from us
_FREE = const(-0x20000000)  # due before anything else
_KIND = b"\0\1\2\3\1\2\2"  # place of a flag in the counts of a unit


class Unit:
    """What is known of a unit besides its registers.

    `function` is that of its writes, of at most `step` registers; `gap_ms` the least time between two exchanges.
    """

    failures = 0  # in a row
    wanted = _FREE  # ms that polls stay away while another exchange waits for the end of a unit's pause
    hold_ms = 0  # polls leave it alone for so long after …
    last = 0  # … the tick of its last exchange
    models: dict[int, tuple[int, int]] = {}  # SunSpec models found
    walk = 0  # tick of the next look for one that is missing
    data = b""  # of the last question without an answer: a register of its record
    owed: "list[tuple] | tuple[()]" = ()  # questions whose answers may still come, see node/late.py

    def __init__(self, bus: "Any", number: int, function: int, step: int, gap_ms: int) -> None:
        self.bus = bus
        self.number = number
        self.function = function
        self.step = step
        self.gap_ms = gap_ms
        self.counts = [0] * 4  # of answers, time-outs, bad frames, exceptions
        self.times = [0] * 15  # ms of the last answers

    def wait_ms(self, most: int) -> int:
        """What is left of `most` since the last exchange; a tick that has wrapped meanwhile means nothing."""
        wait = left(self.last) + most
        return wait if 0 < wait <= most else _FREE

    def note(self, flag: int, code: int, started: int) -> int:
        """Count an answer (or none), whose flag it gives; `code` is that of an EXCEPTION."""
        ms = -left(started)
        self.last = after(0)
        self.counts[_KIND[flag]] += 1
        if flag == _OK:
            self.times[self.counts[0] % 15] = ms
        elif flag != _EXCEPTION or code in (10, 11):  # a Modbus gateway says that no device is there
            return call("late", "note", self, flag, ms)
        if self.failures >= _OFFLINE:  # it may have come back with another chain
            self.models = {}
            self.walk = self.last
        self.failures = 0
        self.hold_ms = self.gap_ms
        return flag


class Block:
    """One read, due at once and then at multiples of its period; `model` is that of SunSpec, None for plain registers.

    Made by node/poll_table.py.
    """

    number: int
    unit: "Unit"
    function: int
    address: int
    count: int
    model: int | None
    period_ms: int
    due: int  # tick


class Bus:
    """`push(block, flag, data, count)` takes each record at the moment of its answer.

    Writes and single reads queue for the lock, and a poll begins when nothing holds it or waits for it. What an exchange
    has left in the buffer is fetched before the next wait, so that nothing else can have used it.
    """

    beat: "Beat" = int  # does nothing, until there is one

    def __init__(self, name: str, master: "Master", push: "Push") -> None:
        self.name = name  # as people see it
        self.master = master
        self.push = push
        self.lock = asyncio.Lock()
        self.blocks: list[Block] = []

    async def run(self, beat: "Beat") -> None:
        self.beat = beat
        while True:
            beat()
            wait = _TURN_MS
            for one in self.blocks:
                ms = max(left(one.due), one.unit.wait_ms(one.unit.hold_ms), one.unit.wanted)
                if ms < wait:
                    wait, block = ms, one
            if wait > 0:
                end = after(wait)
                if wait > _IDLE_MS:
                    gc.collect()
                await asyncio.sleep_ms(left(end))
            elif await self._poll(block):
                # at the next multiple; what a stall has missed is not made up for
                period_ms = block.period_ms
                block.due = ticks_add(block.due, max(-left(block.due) // period_ms, 1) * period_ms)

    async def write(self, unit: "Unit", writes: "list[Write]") -> int:
        """Each (address, words) in turn; OK or the flag of the first that failed, which ends the turn."""
        function, step = unit.function, unit.step
        for address, words in writes:
            for i in range(0, len(words), step):
                part = words[i : i + step]
                count = part[0] if function < 7 else len(part)
                for _ in range(2):  # absolute: twice does no harm
                    flag = await self._ask(unit, function, address + i, count, part)
                    if not 0 < unit.failures < _OFFLINE:
                        break
                if flag != _OK:
                    return flag
        return _OK

    async def read(self, unit: "Unit", function: int, address: int, count: int) -> tuple[int, bytes]:
        """(flag, bytes)"""
        if unit.owed and call("late", "alike", unit, function, address, count):
            await asyncio.sleep_ms(_IDLE_MS)
            return _TIMEOUT, b""  # whose answer came could not be told
        flag = await self._ask(unit, function, address, count)
        return flag, bytes(self._data(function, count))

    async def _poll(self, block: "Block") -> bool:
        """True when the block has its record; else it is due again as soon as its unit may be asked."""
        unit = block.unit
        function = block.function
        address = block.address
        count = block.count
        flag = _OK
        model = block.model
        if model:
            if model not in unit.models and left(unit.walk) <= 0:
                flag = await call("sunspec", "walk", self, unit, function)
            start, length = unit.models.get(model, (0, 0))
            if address + count > length:
                flag = flag or _NO_MODEL
            address += start
        if flag == _OK:
            while self.lock.state:  # locked() is False while the lock is on its way to the next in the queue
                self.beat()
                await asyncio.sleep_ms(1)
            flag = await self._ask(unit, function, address, count)
        data: "Buffer" = unit.data
        if flag == _OK:
            data = self._data(function, count)
        elif flag == _EXCEPTION:  # one byte on the wire, one register in the record
            data = bytes((0, self.master.view[self.master.data]))
        elif unit.failures == 1 and left(block.due) <= 0 and flag != _NO_MODEL:
            return False
        self.push(block.number, flag, data, len(data) >> 1)
        return True

    def _data(self, function: int, count: int) -> memoryview:
        """Whole registers."""
        at = self.master.data
        return self.master.view[at : at + (data_bytes(function, count) + 1 & ~1)]

    async def _ask(
        self, unit: "Unit", function: int, address: int, count: int, words: list[int] | tuple[()] = ()
    ) -> int:
        """One exchange, when it is this one's turn."""
        lock, master = self.lock, self.master
        while True:
            await lock.acquire()
            wait = unit.wait_ms(unit.gap_ms if words or unit.failures >= _OFFLINE else unit.hold_ms)
            if wait <= 0:
                break
            lock.release()
            unit.wanted = _GIVE_WAY_MS  # or a poll that waits for the same moment would go first, again and again
            await asyncio.sleep_ms(wait)
            unit.wanted = _FREE
        try:
            self.beat()
            started = after(0)
            flag = await master.ask(unit.number, function, address, count, words)
            return unit.note(flag, master.view[master.data], started)
        finally:
            lock.release()


class Plant:
    """The devices of one poll table; node/poll_table.py builds and starts them, node/shutdown.py stops them."""

    def __init__(self) -> None:
        self.buses: "list[Any]" = []  # Bus, or Tic, which has what is used of one
        self.units: list[Unit] = []
        self.actuators: "list[Actuator]" = []
        self.jobs: "list[Job]" = []

    def silent(self) -> set[str]:
        """Names of the buses on which no unit has ever answered."""
        found = {bus.name for bus in self.buses if bus.blocks}
        for unit in self.units:
            if unit.counts[0] or unit.counts[3]:
                found.discard(unit.bus.name)
        return found
