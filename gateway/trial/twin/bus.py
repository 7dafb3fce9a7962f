"""A bus of a virtual node: one exchange at a time, writes before polls, a dead unit costs the others little.

The rules and times are those of `firmware/node/bus.py`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.trial.twin.orders import Job, VirtualActuator
from gateway.trial.twin.wires import Wire, WireAnswer
from gateway.wire.records import EXCEPTION, NO_MODEL, OK, TIMEOUT

OFFLINE = 3  # failures in a row
PROBE_S, PROBE_MOST_S, PROBE_TIMEOUTS = 1.0, 8.0, 20
REWALK_S = 30.0
SUNSPEC_BASE, SUNSPEC_END = 40002, 0xFFFF
COIL_READS = (1, 2)

Push = Callable[[int, float, int, Sequence[int]], None]
"""(block, monotonic moment, flag, registers) of each record."""


@dataclass(slots=True, kw_only=True)
class VirtualUnit:
    """One unit on the bus; `wire` None: nobody is there."""

    wire: Wire | None
    function: int  # of its writes
    step: int  # most registers in a write
    gap_s: float  # least time between two exchanges
    failures: int = 0
    hold_s: float = 0.0  # polls leave it alone for so long
    last_s: float = -math.inf
    models: Mapping[int, tuple[int, int]] | None = None  # SunSpec models: start and length
    walk_s: float = -math.inf


@dataclass(slots=True, kw_only=True)
class VirtualBlock:
    """One read; `model` is that of SunSpec."""

    number: int
    unit: VirtualUnit
    function: int
    address: int
    count: int
    model: int | None
    period_s: float
    due_s: float = 0.0


class VirtualBus:
    """`step` does all exchanges that can begin until now."""

    def __init__(self, entry: Mapping[str, Any], push: Push) -> None:
        self.blocks: list[VirtualBlock] = []
        self.actuators: list[tuple[VirtualActuator, VirtualUnit]] = []
        self._timeout_s = entry.get("timeout_ms", 1000) / 1000
        self._gap_s = entry.get("gap_ms", 0) / 1000
        self._tcp = entry["kind"] == "tcp"
        self._push = push
        self._free_s = 0.0
        self._next_s = 0.0  # before it no poll can be due

    def begin(self, now_s: float) -> None:
        """The node has just started: everything is due, staggered as the table lists it."""
        self._free_s = self._next_s = now_s
        for block in self.blocks:
            block.due_s, block.unit.failures, block.unit.hold_s, block.unit.models = now_s, 0, 0.0, None

    def step(self, now_s: float) -> None:
        """Let the bus work up to this moment."""
        while self._free_s <= now_s and (self._write_one(now_s) or self._poll_one(now_s)):
            pass

    def _write_one(self, now_s: float) -> bool:
        for actuator, unit in self.actuators:
            if unit.last_s + unit.gap_s > now_s:
                continue
            job = actuator.job(now_s)
            if job is not None:
                self._go_on(actuator, unit, job, max(self._free_s, unit.last_s + unit.gap_s, now_s - 0.1))
                return True
        return False

    def _go_on(self, actuator: VirtualActuator, unit: VirtualUnit, job: Job, begin_s: float) -> None:
        """The next write of a job, and after the last one what the device holds."""
        address, words = job.writes[job.at]
        answer = self._write(unit, address, words)
        end_s = self._note(unit, answer, begin_s)
        job.at += 1
        if answer.flag != OK:
            actuator.settled(answer.flag, None, end_s)
        elif job.at == len(job.writes):
            back, same = self._read_back(actuator, unit, job)
            actuator.settled(OK, back, end_s, same=same)

    def _write(self, unit: VirtualUnit, address: int, words: Sequence[int]) -> WireAnswer:
        answer = WireAnswer(flag=TIMEOUT, words=(), took_s=self._timeout_s)
        for i in range(0, len(words), unit.step):
            if unit.wire is None:
                return answer
            part = words[i : i + unit.step]
            answer = unit.wire.write(unit.function, address + i, part, timeout_s=self._timeout_s)
            if answer.flag != OK:
                return answer
        return answer

    def _read_back(self, actuator: VirtualActuator, unit: VirtualUnit, job: Job) -> tuple[list[int | None], bool]:
        back: list[int | None] = []
        same = True
        for address, wanted in job.writes:
            place, function = actuator.read_at(address)
            if not function or unit.wire is None:
                back.append(None)
                continue
            got = unit.wire.read(function, place, len(wanted), timeout_s=self._timeout_s)
            expected = [wanted[0] << 8] if function in COIL_READS else list(wanted)
            same = same and got.flag == OK and list(got.words) == expected
            number = 0
            for word in got.words:
                number = number << 16 | word
            back.append((number >> 8 if function in COIL_READS else number) if got.flag == OK else None)
        return back, same

    def _poll_one(self, now_s: float) -> bool:
        if self._next_s > now_s:
            return False
        best: VirtualBlock | None = None
        best_s = next_s = math.inf
        for block in self.blocks:
            unit = block.unit
            ready_s = max(block.due_s, unit.last_s + unit.hold_s)
            if ready_s < best_s:
                best, best_s = block, ready_s
        if best is None or best_s > now_s:
            self._next_s = best_s if best is not None else next_s
            return False
        self._poll(best, max(self._free_s, best_s))
        return True

    def _poll(self, block: VirtualBlock, begin_s: float) -> None:
        unit, address, flag = block.unit, block.address, OK
        if block.model is not None:
            if unit.models is None or (block.model not in unit.models and begin_s >= unit.walk_s):
                unit.models, unit.walk_s = self._walk(unit), begin_s + REWALK_S
            start, length = (unit.models or {}).get(block.model, (0, 0))
            if unit.models is not None and block.address + block.count > length:
                flag = NO_MODEL
            address += start
        answer = self._read(block, address) if flag == OK else WireAnswer(flag=flag, words=(), took_s=0.0)
        end_s = self._note(unit, answer, begin_s) if flag == OK else begin_s
        if answer.flag not in (OK, EXCEPTION, NO_MODEL) and unit.failures == 1:
            return  # it is asked once more at once
        self._push(block.number, end_s, answer.flag, answer.words)
        missed = max(math.floor((end_s - block.due_s) / block.period_s), 1)
        block.due_s += missed * block.period_s

    def _read(self, block: VirtualBlock, address: int) -> WireAnswer:
        wire = block.unit.wire
        if wire is None:
            return WireAnswer(flag=TIMEOUT, words=(), took_s=self._timeout_s)
        return wire.read(block.function, address, block.count, timeout_s=self._timeout_s)

    def _note(self, unit: VirtualUnit, answer: WireAnswer, begin_s: float) -> float:
        """Count an answer; the moment at which the exchange was over."""
        end_s = begin_s + answer.took_s
        self._free_s, unit.last_s = end_s + self._gap_s, end_s
        self._next_s = 0.0
        if answer.flag in (OK, EXCEPTION):
            unit.failures, unit.hold_s = 0, unit.gap_s
            return end_s
        unit.failures += 1
        if unit.failures >= OFFLINE:
            longest_s = max(PROBE_MOST_S, PROBE_TIMEOUTS * self._timeout_s)
            unit.hold_s = min(max(2 * unit.hold_s, PROBE_S), longest_s)
            unit.models = None
        elif not self._tcp:
            unit.hold_s = max(answer.took_s, unit.gap_s)
        return end_s

    def _walk(self, unit: VirtualUnit) -> Mapping[int, tuple[int, int]] | None:
        """Where each SunSpec model begins; None while the device does not answer."""
        found: dict[int, tuple[int, int]] = {}
        address = SUNSPEC_BASE
        while unit.wire is not None:
            answer = unit.wire.read(3, address, 2, timeout_s=self._timeout_s)
            if answer.flag != OK:
                return found or None
            model, length = answer.words
            if model == SUNSPEC_END or length == 0:
                return found
            found.setdefault(model, (address, length + 2))
            address += length + 2
        return None
