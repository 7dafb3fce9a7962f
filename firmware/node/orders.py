"""Orders of the gateway: checked, written, refreshed, and taken back when their lease ends.

An actuator belongs to its device unless an order is held. Whatever ends the lease (time, the gateway's word or its
loss, the node's start or stop) writes the safe values, again and again until the device takes them.
"""

from micropython import const
from node.wait import Bell, after, left
from wire.orders import APPLIED, EXPIRED, FAILED, REFUSED, RELEASED, SAFE, flaw
from wire.records import CLOCK_SYNCED, OK
from wire.seal import SealError, unseal_json
from wire.topics import SET

_RETRY_MS = const(1000)  # first pause after a device did not take a write, doubled up to …
_RETRY_MAX_MS = const(8000)
_LONG_MS = const(3600000)


def words(form, value):
    """Registers of a value in a format of wire.table."""
    if form in ("h", "H"):
        return (value & 0xFFFF,)
    high, low = (value >> 16) & 0xFFFF, value & 0xFFFF
    return (low, high) if form[1:] == "<" else (high, low)


class Actuator:
    """What it does next follows from `waiting`, `leaving` and `held`; `report` is that of Orders."""

    order = (0, 0)  # sid and seq of the last order obeyed
    waiting = None  # (sid, seq, values, tick of the end of its lease)
    held = False
    end = again = 0  # ticks of the end of the lease and of the next refresh
    goal = None  # the values lent
    told = None  # the values the device took; None when it may hold anything
    leaving = SAFE  # why safe values are due
    pause_ms = 0

    def __init__(self, number, spec, unit, report):
        self.number = number
        self.spec = spec
        self.unit = unit
        self.report = report
        self.bell = Bell()

    def forbids(self, order):
        """Why the table does not allow an order, or None."""
        if order["ttl"] > self.spec["ttl_ms"]:
            return "ttl"
        values = order["v"]
        if values is None:
            return None
        limits = self.spec["set"]
        if len(values) != len(limits):
            return "count"
        for value, (_, _, low, high) in zip(values, limits):
            if not low <= value <= high:
                return "range"
        return None

    def take(self, order):
        """A checked order replaces one that still waits."""
        if self.waiting:
            sid, seq, values, _ = self.waiting
            self.report(self.number, REFUSED, "sequence", values, (sid, seq), 0)
        if order["v"] is None:
            self.order = (order["sid"], order["seq"])
            self.leave(RELEASED)
        else:
            self.waiting = (order["sid"], order["seq"], order["v"], after(order["ttl"]))
            self.bell.ring()

    def leave(self, reason):
        """The lease is over; safe values follow."""
        self.waiting = None
        self.held = False
        self.leaving = reason
        self.pause_ms = 0
        self.bell.ring()

    async def run(self):
        while True:
            if self.waiting:
                await self._obey()
            elif self.leaving:
                if not await self.go_safe():
                    self.pause_ms = min(self.pause_ms * 2 or _RETRY_MS, _RETRY_MAX_MS)
                    await self.bell.wait_ms(self.pause_ms)
            elif not self.held:
                await self.bell.wait_ms(_LONG_MS)
            elif left(self.end) <= 0:
                self.leave(EXPIRED)
            elif left(self.again) <= 0:
                await self._write()
            else:
                await self.bell.wait_ms(min(left(self.end), left(self.again)))

    async def go_safe(self):
        """Writes the safe values; True when the device has them."""
        reason = self.leaving
        self.told = None
        if await self.unit.bus.write(self.unit, self.spec.get("safe", ())) != OK:
            if not self.pause_ms:  # said once, tried for ever
                self.report(self.number, FAILED, "device", None, self.order)
            return False
        if self.leaving == reason:
            self.leaving = None
        self.report(self.number, reason, "", None, self.order)
        return True

    async def _obey(self):
        sid, seq, self.goal, self.end = self.waiting
        self.order = (sid, seq)
        self.waiting = self.leaving = None
        self.held = True
        if left(self.end) <= 0:
            return  # it waited too long for the bus: end, do not begin
        if self.goal == self.told:
            self.report(self.number, APPLIED, "", self.goal, self.order, 0)
        elif await self._write():
            self.report(self.number, APPLIED, "", self.told, (sid, seq))

    async def _write(self):
        """Arms, sets and enables; True when the device took it all."""
        goal, order, spec = self.goal, self.order, self.spec
        self.told = None
        self.again = after(min(spec["refresh_ms"], _RETRY_MS))
        writes = list(spec.get("arm", ()))
        for entry, value in zip(spec["set"], goal):
            writes.append((entry[0], words(entry[1], value)))
        writes.extend(spec.get("go", ()))
        if await self.unit.bus.write(self.unit, writes) != OK:
            self.report(self.number, FAILED, "device", goal, order)
            return False
        self.told = goal
        self.again = after(spec["refresh_ms"])
        return True


class Orders:
    """Checks what arrives and counts what became of it; `answer(dict)` sends an ack."""

    answer = None
    actuators = ()
    sid = 0

    def __init__(self, key, boot, clock):
        self.key = key
        self.boot = boot
        self.clock = clock
        self.newest = {}  # highest sequence of an actuator in this session; outlives a change of the table
        self.counts = {APPLIED: 0, REFUSED: {}, FAILED: 0, EXPIRED: 0}

    def receive(self, payload, retained):
        """A message of the topic `set`."""
        order = {}
        why = "retained"
        if not retained:
            try:
                order = unseal_json(self.key, SET, payload)
                why = self._refusal(order)
            except SealError:
                why = "seal"
        if why is None:
            self.actuators[order["act"]].take(order)
        else:
            last = (order.get("sid", 0), order.get("seq", 0))
            self.report(order.get("act", -1), REFUSED, why, order.get("v"), last, 0)

    def leave(self, reason):
        """End every lease there is."""
        for actuator in self.actuators:
            if actuator.held or actuator.waiting:
                actuator.leave(reason)

    def _refusal(self, order):
        """Why, in a word of wire.orders, or None for an order to be obeyed. Nothing is ever obeyed twice."""
        if flaw(order):
            return "fields"
        if order["sid"] < self.sid:
            return "session"
        if order["act"] >= len(self.actuators):
            return "actuator"
        if order["sid"] > self.sid:
            self.sid = order["sid"]
            self.newest = {}
        if order["seq"] <= self.newest.get(order["act"], -1):
            return "sequence"
        self.newest[order["act"]] = order["seq"]
        self.clock.tick()
        if self.clock.quality == CLOCK_SYNCED and self.clock.s - order["at"] > (order["ttl"] + 999) // 1000:
            return "old"
        return self.actuators[order["act"]].forbids(order)

    def report(self, number, done, why, values, order, written=1):
        """Count and answer what became of the `order` (sid, seq) of an actuator."""
        if done == REFUSED:
            refused = self.counts[REFUSED]
            refused[why] = refused.get(why, 0) + 1
        elif done in self.counts:
            self.counts[done] += 1
        self.clock.tick()
        self.answer({
            "boot": self.boot, "sid": order[0], "seq": order[1], "act": number, "done": done, "why": why,
            "v": values, "s": self.clock.s, "ms": self.clock.ms, "w": written,
        })  # fmt: skip
