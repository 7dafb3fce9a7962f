"""The customer telegram (TIC) of a Linky meter: frames that come by themselves, groups with a checksum, no questions.

Source: Enedis-NOI-CPT_54E. Historique has 1200 Bd and spaces, standard 9600 Bd and tabs; the other one is tried when no
good frame comes. Only groups whose checksum fits are used; those that name a person are never kept.

A three-phase meter in historique sends short frames with little but the currents while one of them is too high, twenty
for each long one (ERDF-NOI-CPT_02E). They are a sign of life, and a block is told of those that have a label of it.
"""

import asyncio
from struct import pack_into

from micropython import const
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable

    from kinds import Beat, Push, SerialLine, Spec
    from node.bus import Unit

_OK = const(0)  # flags of wire.records, which as names would cost flash
_TIMEOUT = const(1)
_BAD_FRAME = const(2)
_NO_LINK = const(4)
_PERSONAL = const("ADCO ADSC PRM MSG1 MSG2")
_LINE = const(127)  # the longest group, PJOURF+1, has 109 characters
_TURN_MS = const(20)  # 19 characters at 9600 Bd
_PATIENCE_MS = const(8000)  # the longest frame at 1200 Bd takes 3 s, and one may be broken off
_MISSED_MS = const(25000)  # of a block that no frame has a label of: twenty short frames and a long one take 20 s
_ALIVE = const(3)  # good groups of one frame; one may have the right checksum by chance
_EARLY_MS = const(500)  # frames do not come in step with periods
_BOTH_SPEEDS = const(10800)
_ABSENT = const(0xFFFFFFFF)
_LEAP = const(1000)  # Wh from frame to frame; 36 kVA make 20


class Tic:
    """A bus of one unit, with what the plant uses of node.bus.Bus; its master and transport are itself.

    `open_line()` opens the line as `spec` says; `push(block, flag, data, count)` takes a record of each block at the
    end of a frame, at most one per period.
    """

    timeout_ms = _PATIENCE_MS
    line = None
    why = _TIMEOUT  # there is no frame
    begun = False  # a frame that we have heard from its start; the line is opened in the middle of one
    size = 0  # of the group so far, with the character that begins it; 0: not in a group
    good = 0  # groups of this frame whose checksum fitted
    alive = False  # frames come, but none with a label that is wanted

    def __init__(self, name: str, open_line: "Callable[[], SerialLine]", spec: "Spec", push: "Push") -> None:
        self.name = name
        self.open_line = open_line
        self.spec = spec
        self.push = push
        self.master = self.transport = self
        self.blocks: list[list] = []
        self.forms: dict[str, str] = {}  # of the labels that are wanted
        self.values: dict[str, int] = {}  # of this frame
        self.counters: dict[
            str, tuple[int, int]
        ] = {}  # label: (last value, how many in a row have followed each other)
        self.chunk = bytearray(_LINE)
        self.text = bytearray(_LINE)
        self.patience = after(_PATIENCE_MS)

    def add(self, number: int, unit: "Unit", block: "Spec") -> None:
        """A block of the table."""
        self.unit = unit
        self.blocks.append([number, block, after(0)])
        self.forms.update(block["labels"])

    async def run(self, beat: "Beat") -> None:
        while self.blocks:
            beat()
            try:
                self.line = self.line or self.open_line()
                for i in range(self.line.readinto(self.chunk) or 0):
                    self.feed(self.chunk[i] & 127)
            except OSError:
                self.close()
                self.why = _NO_LINK
            if left(self.patience) < 0:
                if self.alive:
                    self.record(_OK)
                else:
                    self.record(self.why)
                    self.close()
                    self.spec["baud"] = _BOTH_SPEEDS - self.spec["baud"]
            await asyncio.sleep_ms(_TURN_MS)

    def close(self) -> None:
        if self.line:
            self.line.close()
        self.line = None
        self.begun = False

    def feed(self, byte: int) -> None:
        """One character of the telegram."""
        size = self.size
        if byte > 31 or byte == 9:
            if 0 < size < _LINE:
                self.text[size] = byte
                self.size = size + 1
            return
        self.size = byte == 10
        if size > 1:
            try:
                self.group(size - 2 if byte == 13 and size < _LINE else 0)
            except ValueError:
                self.why = _BAD_FRAME
                self.unit.counts[2] += 1
        if 2 <= byte <= 4:  # start, end, broken off; a start also ends a frame whose end was lost
            if byte != 4 and self.begun:
                if self.values:
                    self.record(_OK)
                elif self.good >= _ALIVE:
                    self.alive = True
            self.values.clear()
            self.good = 0
            self.begun = True

    def group(self, end: int) -> None:
        """Take a group with a separator and its checksum at `end`; ValueError when they or the data do not fit."""
        text = self.text
        separator = 32 if self.spec["baud"] == 1200 else 9
        total = separator & 9  # the separator at the end counts in standard only
        first = start = 0
        for i in range(1, end):
            total += text[i]
            if text[i] == separator:
                first = first or i
                start = i + 1
        if not first or text[end] != separator or text[end + 1] != (total & 63) + 32:
            raise ValueError
        self.good += 1
        name = text[1:first].decode()
        form = self.forms.get(name)
        if form and name not in _PERSONAL:
            data = text[start:end]
            value = int.from_bytes(data, "big") if form == "s" else int(data.decode(), 16 if form == "x" else 10)
            if form == "c":
                before, run = self.counters.get(name, (value, 2))
                run = run + 1 if 0 <= value - before <= _LEAP else 0
                self.counters[name] = value, run
                if run < 2:
                    raise ValueError
            if value >> 32:
                raise ValueError
            self.values[name] = value

    def record(self, flag: int) -> None:
        """After a frame, or when there is none: a record of each block that is due and that it says something of."""
        self.unit.counts[flag % 3] += 1  # answers, time-outs (no link is one), bad ones
        self.patience = after(_PATIENCE_MS)
        self.why = _TIMEOUT
        self.alive = False
        values = self.values
        for block in self.blocks:
            number, spec, due = block
            wait = left(due)
            named = [name for name, _ in spec["labels"] if name in values]
            if wait <= 0 and (flag or named or not values or wait < -_MISSED_MS):
                block[2] = after(spec["ms"] - _EARLY_MS)
                count = 0
                if not flag:
                    for name, _ in spec["labels"]:
                        pack_into(">I", self.text, count, values.get(name, _ABSENT))
                        count += 4
                self.push(number, flag, self.text[:count], count >> 1)
