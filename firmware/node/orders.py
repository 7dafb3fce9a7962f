"""Orders of the gateway: checked, written, read back, refreshed, and taken back when their lease ends.

An actuator belongs to its device unless an order is held. Whatever ends the lease (time, the gateway's word or its
loss, the node's start or stop) writes the safe values, again and again until the device holds them; until it does, no
other order is obeyed. Registers with a budget are written only when they hold something else (node.wear).
"""

from micropython import const
from node.wait import after, left
from wire.seal import SealError, unseal_json

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_CLOCK_SYNCED = const(2)
_LONGEST = const(512)  # bytes of a sealed order: a hundred more than the longest that any table allows
_RETRY_MS = const(1000)  # first pause after a device did not take a write, doubled up to …
_RETRY_MAX_MS = const(8000)
_BEAT_MS = const(1000)
_SETTLE_MS = const(200)  # a device may show a little later what it took


def words(form, value):
    """Registers of a value in a format of wire.table."""
    pair = [value >> 16 & 0xFFFF, value & 0xFFFF]
    if form[0] in "hH":
        return pair[1:]
    return pair[::-1] if form[1:] else pair


def read(key, payload):
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
    """What it does next follows from `leaving`, `waiting` and `held`; node/config.py makes it.

    `spec` is as wire.table gives it; `end` and `again` are ticks: of the end of the lease, of the next write.
    """

    order = (0, 0, None)  # (sid, seq, values) of the last order obeyed
    waiting = None  # the same of one that is not yet
    held = False
    told = None  # the values that the device took; None when it may hold anything
    back = None  # what was read back, a number for each write; None where nothing could be
    wrote = 0
    leaving = "safe"  # why safe values are due
    pause_ms = 0  # above 0: the device does not take its safe values
    wear = None
    beat = int  # does nothing, until there is one
    by = why = ""  # how the device came by what it holds; what went wrong last

    def take(self, sid, seq, values, ttl):
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
            if self.leaving and self.pause_ms:
                return "device"
            if values != self.told and self.wear and self.wear.out():
                return "budget"
        if self.waiting:
            self.orders.report(self, "refused", "sequence", self.waiting)
        self.waiting = (sid, seq, values)
        self.end = after(ttl)
        if values is None:
            self.leave("released")
        elif self.held and values == self.told:
            self.order, self.waiting, self.wrote = self.waiting, None, 0
            self.orders.report(self, "applied", "", self.order)
        self.bell.ring()
        return None

    def leave(self, reason="safe"):
        """The lease is over; safe values follow."""
        self.order = (self.waiting or self.order)[:2] + (None,)
        self.waiting = None
        self.held = False
        self.leaving = reason
        self.pause_ms = 0
        self.bell.ring()

    async def run(self, beat):
        """For ever. Begun anew after an error while an order was held, it begins with safe values."""
        self.beat = beat
        if self.held:
            self.leave()
        while True:
            beat()
            wait = _BEAT_MS
            early = self.wear and self.wear.early()
            if self.leaving:
                wait = left(self.again) if self.pause_ms else 0
                if wait <= 0:
                    await self.go_safe()
            elif self.waiting and not early:
                self.order, self.waiting, self.told = self.waiting, None, None
                self.held = True
                self.pause_ms = wait = 0
                self.again = after(0)
            elif self.held:
                wait = min(left(self.again), left(self.end))
                if left(self.end) <= 0:
                    self.leave("expired")
                elif wait <= 0:
                    await self._write()
            await self.bell.wait_ms(min(wait, _BEAT_MS))

    async def go_safe(self):
        """Writes the safe values; True when the device holds them."""
        reason, self.told = self.leaving, None
        done = await self._put(self.spec["safe"], 1, reason)
        if done and self.leaving == reason:
            self.leaving = None
        return done

    async def _write(self):
        """Arms, sets and enables."""
        values, spec = self.order[2], self.spec
        writes = spec["arm"][:]
        for (address, form, _, _), value in zip(spec["set"], values):
            writes.append((address, words(form, value)))
        if await self._put(writes + spec["go"], 0, "applied"):
            self.told = values
            self.again = after(spec["refresh_ms"])

    async def _put(self, writes, safe, done):
        """True when the device holds it. Tells what is new, and of failures the first."""
        order, fresh = self.order, self.told is None
        why = await self._try(writes, safe)
        if not why:
            self.pause_ms = 0
            if fresh:
                self.orders.report(self, done, "", order)
            return True
        self.told = None
        if not self.pause_ms:
            self.orders.report(self, "failed", why, order)
        if safe and self.waiting:
            self.orders.report(self, "refused", why, self.waiting)
            self.waiting = None
        if not self._over(safe):  # else safe values are due, at once
            self.pause_ms = min(self.pause_ms * 2 or _RETRY_MS, _RETRY_MAX_MS)
            self.again = after(self.pause_ms)
        return False

    async def _try(self, writes, safe):
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
        if not await self.holds(writes, safe):
            await self.bell.wait_ms(_SETTLE_MS)
            if not await self.holds(writes, safe):
                return "readback"
        return ""

    def _over(self, safe):
        """True when an order shall not be written on: its lease has ended meanwhile."""
        return not safe and (self.leaving or left(self.end) <= 0)

    async def holds(self, writes, safe):
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

    answer = memory = back = None
    actuators = ()
    shut = ""
    sid = wrote = 0

    def __init__(self, key, boot, clock):
        self.key = key
        self.boot = boot
        self.clock = clock
        self.newest = {}  # highest sequence of an actuator in this session; outlives a change of the table
        self.counts = {}  # of answers, by their `why` or else `done`

    def receive(self, payload, retained):
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

    def leave(self, reason="safe"):
        """End every lease there is."""
        for actuator in self.actuators:
            if actuator.held or actuator.waiting:
                actuator.leave(reason)

    def _refusal(self, sid, seq, values, number, ttl, at, boot):
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

    def report(self, who, done, why, order):
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
