"""An actuator of a virtual node: what it writes when, and when it takes that back (as `firmware/node/orders.py`).

The node's write budgets and its seals are left out: they are proved on the interpreter (`firmware/tests`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.wire.records import OK

RETRY_S, RETRY_MOST_S = 1.0, 8.0  # pauses after a device that did not take a write

Write = tuple[int, Sequence[int]]  # address, words
Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the node has it: raw values, None for the safe ones; `ttl_s` is its lease."""

    seq: int
    values: Sequence[int] | None
    ttl_s: float


@dataclass(slots=True, kw_only=True)
class Job:
    """Writes that go out one after the other; `safe` are the safe values."""

    writes: Sequence[Write]
    safe: bool
    at: int = 0  # the next of them


class VirtualActuator:
    """Asked by its bus for `job`, told by it with `settled`; `say` is given each answer."""

    def __init__(self, number: int, spec: Mapping[str, Any], *, read_function: int, say: Say) -> None:
        """`read_function`: with which a write is read back where the table says nothing else."""
        self.number = number
        self.unit: int = spec["u"]
        self._spec = spec
        self._say = say
        self._read_function = read_function
        self._reads: dict[int, tuple[int, int]] = {row[0]: (row[1], row[2]) for row in spec["rb"]}
        self._order = Order(seq=0, values=None, ttl_s=0.0)
        self._waiting: Order | None = None
        self._applied: Sequence[int] | None = None
        self._leaving: str | None = "safe"  # why safe values are due; None: they are not
        self._by = self._why = ""
        self._back: list[int | None] | None = None
        self._end_s = self._again_s = self._free_s = -math.inf
        self._pause_s = 0.0
        self._job: Job | None = None

    def take(self, order: Order, now_s: float) -> None:
        """An order arrives."""
        values = order.values
        if values is not None:
            _, _, low, high = self._spec["set"][0]
            if not low <= values[0] <= high:
                self._answer("refused", "range", order)
                return
            if self._leaving is not None and self._pause_s:
                self._answer("refused", "device", order)
                return
        if self._waiting is not None:
            self._answer("refused", "sequence", self._waiting)
        self._waiting, self._end_s = order, now_s + order.ttl_s
        if values is None:
            self.leave("released")
        elif self._leaving is None and values == self._applied:
            self._order, self._waiting = order, None
            self._answer("applied", "", order, wrote=False)

    def leave(self, reason: str = "safe") -> None:
        """The lease is over: safe values follow."""
        last = self._waiting or self._order
        self._order, self._waiting = Order(seq=last.seq, values=None, ttl_s=0.0), None
        self._leaving, self._pause_s, self._again_s, self._job = reason, 0.0, -math.inf, None

    def job(self, now_s: float) -> Job | None:
        """What is to be written now; the same until it is settled."""
        if self._job is None:
            self._job = self._next(now_s)
        return self._job

    def _next(self, now_s: float) -> Job | None:
        if self._leaving is None and now_s >= self._end_s and (self._order.values or self._waiting):
            self.leave("expired")
        if self._leaving is not None:
            return Job(writes=self._spec["safe"], safe=True) if now_s >= self._again_s else None
        if self._waiting is not None:
            if now_s < self._free_s:
                return None
            self._order, self._waiting, self._applied = self._waiting, None, None
            self._pause_s, self._again_s = 0.0, -math.inf
        if self._order.values is None or now_s < self._again_s:
            return None
        return Job(writes=[*self._spec["arm"], *self._set(self._order.values), *self._spec["go"]], safe=False)

    def _set(self, values: Sequence[int]) -> list[Write]:
        return [
            (address, words(form, value))
            for (address, form, _, _), value in zip(self._spec["set"], values, strict=True)
        ]

    def read_at(self, address: int) -> tuple[int, int]:
        """(address, function) at which a write is read back; function 0: it cannot be."""
        return self._reads.get(address, (address, self._read_function))

    def settled(self, flag: int, back: list[int | None] | None, now_s: float, *, same: bool = True) -> None:
        """The job was written and read back (`back`, None where nothing could be), or failed."""
        job, self._job = self._job, None
        if job is None:  # the lease ended while it was written
            return
        why = "device" if flag != OK else "" if same else "readback"
        self._back, self._free_s = back, now_s + self._spec["min_ms"] / 1000
        fresh = self._applied is None or job.safe
        if why:
            self._failed(why, now_s, safe=job.safe)
        elif job.safe:
            reason, self._leaving, self._applied, self._pause_s = str(self._leaving), None, None, 0.0
            self._answer(reason, "", self._order)
        else:
            refresh_s = self._spec["refresh_ms"] / 1000
            self._applied, self._pause_s, self._again_s = self._order.values, 0.0, now_s + (refresh_s or math.inf)
            if fresh:
                self._answer("applied", "", self._order)

    def _failed(self, why: str, now_s: float, *, safe: bool) -> None:
        if not self._pause_s:
            self._answer("failed", why, self._order)
        if safe and self._waiting is not None:
            self._answer("refused", why, self._waiting)
            self._waiting = None
        self._applied = None
        self._pause_s = min(2 * self._pause_s or RETRY_S, RETRY_MOST_S)
        self._again_s = now_s + self._pause_s

    def health(self) -> list[Any]:
        """What the node says of it now and then."""
        return [self._order.values, self._applied, self._back, self._by, self._why]

    def _answer(self, done: str, why: str, order: Order, *, wrote: bool = True) -> None:
        self._why = why
        if done not in ("refused", "failed"):
            self._by = done
        answer = {"act": self.number, "seq": order.seq, "done": done, "why": why, "w": int(wrote), "v": order.values}
        self._say(answer if self._back is None else {**answer, "rb": self._back})


def words(form: str, value: int) -> list[int]:
    """Registers of a value in a format of `gateway.wire.table`."""
    pair = [value >> 16 & 0xFFFF, value & 0xFFFF]
    if form[0] in "hH":
        return pair[1:]
    return pair[::-1] if form[1:] else pair
