"""Orders of the gateway: checked, written, read back, refreshed, and taken back when their lease ends.

An actuator belongs to its device unless an order is held. Whatever ends the lease (time, the gateway's word or its
loss, the node's start or stop) writes the safe values, again and again until the device holds them; until it does, no
other order is obeyed. Registers with a budget are written only when they hold something else (node.write_limits).

What an actuator does next follows from its state alone, and every change of it is a cell of the table `_NEXT`.
docs/reference/node-states.md prints the table; firmware/tests/test_states.py walks it.
"""

from micropython import const
from node.wait import Bell, after, left
from wire.seal import SealError, unseal_json

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable, Sequence
    from typing import Any

    from kinds import Beat, Buffer, Memory, Order, Spec, Write
    from node.bus import Unit
    from node.clock import Clock
    from node.write_limits import Wear

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_CLOCK_SYNCED = const(2)
_LONGEST = const(512)  # bytes of a sealed order: a hundred more than the longest that any table allows
_RETRY_MS = const(1000)  # first pause after a device did not take a write, doubled up to …
_RETRY_MAX_MS = const(8000)
_BEAT_MS = const(1000)
_SETTLE_MS = const(200)  # a device may show a little later what it took

# States of an actuator. Safe values are due from _LEAVING to _FOLLOWED, an order waits from _FOLLOWED to _CHANGING and is
# held from _CHANGING on.
_FREE = const(0)  # no lease: the device has its safe values
_LEAVING = const(1)  # a lease has ended: safe values are due
_UNSAFE = const(2)  # the device does not take its safe values: they are due again after a pause
_FOLLOWED = const(3)  # safe values are due, and an order waits behind them
_WAITING = const(4)  # no lease, and an order waits for its turn
_CHANGING = const(5)  # an order is held, and a newer one waits for its turn
_SENDING = const(6)  # an order is held, and the device does not have it yet, or has lost it
_HELD = const(7)  # an order is held, and the device has it

# Events of an actuator.
_ORDER = const(0)  # an order comes with other values than the device has
_SAME = const(1)  # an order comes with the values that the device has
_END = const(2)  # the lease ends: release, expiry, loss of the gateway, stop of the node, or a mistake of ours
_TURN = const(3)  # it is the turn of the order that waits: the shortest time between two changes is over
_TAKEN = const(4)  # the device has the order: written and read back
_LOST = const(5)  # the device has not taken the order, or has lost it
_SAFE = const(6)  # the device has its safe values: written and read back
_REFUSED = const(7)  # the device has not taken its safe values

# The next state: a row for each event, in it a column for each state, both in the order above.
_NEXT = const(
    b"\4\3\2\3\4\5\5\5"
    b"\4\3\2\3\4\7\7\7"
    b"\1\1\1\1\1\1\1\1"
    b"\0\1\2\3\6\6\6\7"
    b"\0\1\2\3\4\5\7\7"
    b"\0\1\2\3\4\5\6\6"
    b"\0\0\0\4\4\5\6\7"
    b"\0\2\2\2\4\5\6\7"
)


def words(form: str, value: int) -> list[int]:
    """Registers of a value in a format of wire.table."""
    pair = [value >> 16 & 0xFFFF, value & 0xFFFF]
    if form[0] in "hH":
        return pair[1:]
    return pair[::-1] if form[1:] else pair


def read(key: bytes, payload: "Buffer") -> tuple | None:
    """(sid, seq, v, act, ttl, at, boot) of a sealed order; None when one is missing or of a wrong kind.

    Raises SealError.
    """
    order = unseal_json(key, "set", payload)
    values = order.get("v", 0)
    found = [order.get(name) for name in ("sid", "seq", "act", "ttl", "at", "boot")]
    if values is not None and not isinstance(values, list):
        return None
    for i, value in enumerate(found + (values or [])):
        if type(value) is not int or (i < 6 and value < 0):
            return None
    found.insert(2, values)
    return tuple(found)


class Actuator:
    """`spec` is as wire.table gives it; `end` and `again` are ticks: of the end of the lease, of the next write.

    `wear` is the class Wear for an actuator that it stands in front of, else None.
    """

    state = _LEAVING  # it begins with its safe values
    order: "Order" = (0, 0, None)  # (sid, seq, values) of the last order obeyed
    waiting: "Order" = None  # the same of one that is not yet
    applied: list[int] = None  # the values that the device took; None when it may hold anything
    back: list = None  # what was read back, a number for each write; None where nothing could be
    wrote = 0
    leaving = "safe"  # why safe values were last due
    pause_ms = 0  # before what the device did not take is written again; 0: it took it, or nothing was tried
    beat: "Beat" = int  # does nothing, until there is one
    by = why = ""  # how the device came by what it holds; what went wrong last

    def __init__(
        self, number: int, spec: "Spec", unit: "Unit", orders: "Orders", wear: "Callable[[Actuator], Wear] | None"
    ) -> None:
        self.number = number
        self.spec = spec
        self.unit = unit
        self.orders = orders
        self.bell = Bell()
        self.end = self.again = after(0)
        self.wear: "Wear" = wear and wear(self)

    def step(self, event: int) -> int:
        """The state after an event."""
        self.state = _NEXT[event * 8 + self.state]
        return self.state

    def take(self, sid: int, seq: int, values: list[int] | None, ttl: int) -> str | None:
        """Why the table or the device does not allow an order; or None, and it replaces one that still waits.

        What is held is carried on until the new one is obeyed.
        """
        spec = self.spec
        if values is not None:
            if len(values) != len(spec["set"]):
                return "count"
            for value, (_, _, low, high) in zip(values, spec["set"]):
                if not low <= value <= high:
                    return "range"
            if self.state == _UNSAFE:
                return "device"
            if values != self.applied and self.wear and self.wear.out():
                return "budget"
        if self.waiting:
            self.orders.report(self, "refused", "sequence", self.waiting)
        self.waiting = (sid, seq, values)
        self.end = after(ttl)
        if values is None:
            self.leave("released")
        elif self.step(_SAME if values == self.applied else _ORDER) == _HELD:
            self.order, self.waiting, self.wrote = self.waiting, None, 0
            self.orders.report(self, "applied", "", self.order)
        self.bell.ring()
        return None

    def leave(self, reason: str = "safe") -> None:
        """The lease is over; safe values follow."""
        self.order = (self.waiting or self.order)[:2] + (None,)
        self.waiting = None
        self.leaving = reason
        self.pause_ms = 0
        self.step(_END)
        self.bell.ring()

    async def run(self, beat: "Beat") -> None:
        """For ever. Begun anew after an error while an order was held, it begins with safe values."""
        self.beat = beat
        if self.state > _WAITING:
            self.leave()
        while True:
            beat()
            wait = _BEAT_MS
            early = self.wear and self.wear.early()
            state = self.state
            if state and state < _WAITING:
                wait = left(self.again) if state == _UNSAFE else 0
                if wait <= 0:
                    await self.go_safe()
            elif state and state < _SENDING and not early:
                self.order, self.waiting, self.applied = self.waiting, None, None
                self.step(_TURN)
                self.pause_ms = wait = 0
                self.again = after(0)
            elif state > _WAITING:
                wait = min(left(self.again), left(self.end))
                if left(self.end) <= 0:
                    self.leave("expired")
                elif wait <= 0:
                    await self._write()
            await self.bell.wait_ms(min(wait, _BEAT_MS))

    async def go_safe(self) -> bool:
        """Writes the safe values; True when the device holds them."""
        reason, self.applied = self.leaving, None
        done = await self._put(self.spec["safe"], 1, reason)
        if done and self.leaving == reason:  # else they are written again, for the new reason
            self.step(_SAFE)
        return done

    async def _write(self) -> None:
        """Arms, sets and enables."""
        values, spec = self.order[2], self.spec
        writes = spec["arm"][:]
        for (address, form, _, _), value in zip(spec["set"], values):
            writes.append((address, words(form, value)))
        if await self._put(writes + spec["go"], 0, "applied"):
            self.applied = values
            self.step(_TAKEN)
            self.again = after(spec["refresh_ms"])

    async def _put(self, writes: "list[Write]", safe: int, done: str) -> bool:
        """True when the device holds it. Tells what is new, and of failures the first."""
        order, fresh = self.order, self.applied is None
        why = await self._try(writes, safe)
        if not why:
            self.pause_ms = 0
            if fresh:
                self.orders.report(self, done, "", order)
            return True
        self.applied = None
        self.step(_REFUSED if safe else _LOST)
        if not self.pause_ms:
            self.orders.report(self, "failed", why, order)
        if safe and self.waiting:
            self.orders.report(self, "refused", why, self.waiting)
            self.waiting = None
        if not self._over(safe):  # else safe values are due, at once
            self.pause_ms = min(self.pause_ms * 2 or _RETRY_MS, _RETRY_MAX_MS)
            self.again = after(self.pause_ms)
        return False

    async def _try(self, writes: "list[Write]", safe: int) -> str:
        """Writes and reads back. Why the device does not hold it, in a word of wire.orders, or ""."""
        self.wrote = 0
        if self.orders.shut == "mode":
            return "mode"
        if self.wear:
            why = await self.wear.gate(writes, safe)
            if why is not None:
                return why
        self.wrote = 1
        self.back = None
        for write in writes:
            self.beat()
            if self._over(safe):
                return "lease"
            if await self.unit.bus.write(self.unit, (write,)) != _OK:
                return "device"
        if self.wear:  # a device counts from what it received, and a busy bus may have kept that back
            self.wear.free = after(self.spec["min_ms"])
        if not await self.holds(writes, safe):
            await self.bell.wait_ms(_SETTLE_MS)
            if not await self.holds(writes, safe):
                return "readback"
        return ""

    def _over(self, safe: int) -> bool:
        """True when an order shall not be written on: its lease has ended meanwhile."""
        return not safe and (self.state < _WAITING or left(self.end) <= 0)

    async def holds(self, writes: "list[Write]", safe: int) -> bool:
        """Reads back what was written; True when nothing differs. Ends with the first question without an answer."""
        same, back, self.back = True, [], None
        for (_, wanted), (address, function) in zip(writes, self.spec["reads"][safe]):
            got = None
            if function:
                self.beat()
                if self._over(safe):
                    return False
                flag, data = await self.unit.bus.read(self.unit, function, address, len(wanted))
                if flag != _OK:
                    return False
                coils = function < 3  # they come packed, the first one lowest
                got = int.from_bytes(data, "little" if coils else "big")
                number = 0
                for word in reversed(wanted) if coils else wanted:
                    number = number << (1 if coils else 16) | word
                same = same and got == number
            back.append(got)
        self.back = back
        return same


class Orders:
    """Checks what arrives and counts what became of it; `answer(dict)` sends an ack.

    `memory` has get(key) → int and put(key, int) and outlives a restart. `shut` says why no order is taken, in a word of
    wire.orders; under "mode" not even safe values are written.
    """

    back: list = None
    actuators: "Sequence[Actuator]" = ()
    shut = ""
    sid = wrote = 0

    def __init__(
        self, key: bytes, boot: int, clock: "Clock", memory: "Memory", answer: "Callable[[dict], object]"
    ) -> None:
        self.key = key
        self.boot = boot
        self.clock = clock
        self.memory = memory
        self.answer = answer
        self.newest: dict[
            int, int
        ] = {}  # highest sequence of an actuator in this session; outlives a change of the table
        self.counts: dict[str, int] = {}  # of answers, by their `why` or else `done`

    def receive(self, payload: "Buffer", retained: bool) -> None:
        """A message of the topic `set`."""
        order, why = (0, 0, None, -1), "size"
        if retained:
            why = "retained"
        elif len(payload) <= _LONGEST:
            try:
                fields = read(self.key, payload)
                why = "fields"
                if fields:
                    order, why = fields, self.shut or self._refusal(*fields)
            except SealError:
                why = "seal"
        if why:
            self.number = order[3]
            self.report(self, "refused", why, order)

    def leave(self, reason: str = "safe") -> None:
        """End every lease there is."""
        for actuator in self.actuators:
            if actuator.state > _UNSAFE:
                actuator.leave(reason)

    def _refusal(
        self, sid: int, seq: int, values: list[int] | None, number: int, ttl: int, at: int, boot: int
    ) -> str | None:
        """Why, in a word of wire.orders; or None, and the order is taken. Nothing is ever obeyed twice."""
        if boot != self.boot or sid < self.sid:
            return "session" if boot == self.boot else "boot"
        if number >= len(self.actuators):
            return "actuator"
        if sid > self.sid:
            self.sid = sid
            self.newest = {}
        if seq <= self.newest.get(number, -1):
            return "sequence"
        self.newest[number] = seq
        clock, actuator = self.clock, self.actuators[number]
        clock.tick()
        if clock.quality == _CLOCK_SYNCED and clock.s - at > (ttl + 999) // 1000:
            return "old"
        if ttl > actuator.spec["ttl_ms"]:
            return "ttl"
        actuator.why = actuator.take(sid, seq, values, ttl)
        return actuator.why

    def report(self, who: "Any", done: str, why: str, order: tuple) -> None:
        """Count and answer what became of the `order` (sid, seq, values) of an actuator, or of nobody's."""
        who.why = why
        if not why:
            who.by = done
        word = why or done
        self.counts[word] = self.counts.get(word, 0) + 1
        clock = self.clock
        clock.tick()
        self.answer({
            "boot": self.boot, "sid": order[0], "seq": order[1], "act": who.number, "done": done, "why": why,
            "v": order[2], "rb": who.back, "s": clock.s, "ms": clock.ms, "w": who.wrote,
        })  # fmt: skip
