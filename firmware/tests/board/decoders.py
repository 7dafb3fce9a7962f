"""The decoders of a node by name. `run(which, seed, count)` prints in its last line how many messages were taken, how
many want an answer on USB, and the growth of the heap in bytes.
"""

import asyncio
import binascii
import json
import random
import sys

from fuzzed import BOOT, Fuzz, flood
from node import hal_unix, usb
from releases import Begin, Chunk, Manifest

# A table of every kind of bus, block and actuator.
POLL = {"v": 1, "node": "n"}
POLL["buses"] = [
    {"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 200},
    {"kind": "tcp", "host": "127.0.0.1", "port": 502, "timeout_ms": 1000, "gap_ms": 0},
    {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"},
]
BUS = json.dumps(POLL["buses"][0]).encode()
POLL["units"] = [
    {"bus": 0, "id": 1, "wfc": 16, "max": 60, "even": True, "gap_ms": 100},
    {"bus": 1, "id": 1, "wfc": 6},
    {"bus": 2, "id": 1, "wfc": 16},
]
POLL["blocks"] = [
    {"u": 0, "fc": 4, "a": 52, "n": 2, "ms": 1000},
    {"u": 1, "fc": 3, "m": 103, "a": 14, "n": 13, "ms": 1000},
    {"u": 2, "labels": [["SINSTS", "d"], ["EAST", "c"]], "ms": 1000},
]
POLL["actuators"] = [
    {"u": 1, "set": [[40149, "i", -5000, 5000]], "go": [[40151, [0, 802]]], "safe": [[40151, [0, 803]]],
     "rb": [[40149, 40149, 0]], "refresh_ms": 15000, "ttl_ms": 15000},
    {"u": 1, "set": [[10, "H", 0, 9]], "refresh_ms": 0, "ttl_ms": 9000, "min_ms": 60000, "budget": 20},
]  # fmt: skip


class Table(Fuzz):
    leaf = "cfg"
    good = [json.dumps(POLL).encode()]

    def judge(self, raw, retained):
        app = self.app
        (text, identity, plant), app.coming = app.coming or (None, 0, None), None
        refusal, app.refusal = app.refusal, ""
        app.number = 0  # a mutant with a great number would end the test: all later ones were old
        if text is None:
            assert refusal, "neither taken nor refused"
            assert len(refusal) < 700, refusal
            return 0
        assert self.is_sealed(raw), "taken without a seal"
        assert text.encode() == bytes(raw[32:])
        named = bytes(raw[32:])
        if named[:5] == b'{"n":':  # its number is no part of its name
            named = named[:1] + named[named.find(b",") + 1 :]
        assert identity == binascii.crc32(named) & 0xFFFFFFFF, raw
        assert len(plant.buses) <= 32
        for actuator in plant.actuators:
            spec = actuator.spec
            assert spec["ttl_ms"] in range(1000, 30001)
            for address, _form, low, high in spec["set"]:
                assert type(low) is type(high) is int
                assert low <= high
                assert 0 <= address <= 65535
        return 1


class Heard(Fuzz):
    """What the gateway has stored: nothing goes that was not named, and not of another boot."""

    leaf = "heard"
    sealed = False

    def message(self):
        ring = self.app.ring
        while ring.next - ring.oldest < 20:
            ring.push(0, 0, b"\0\1\0\2", 2)
        boot = random.choice((BOOT, BOOT, BOOT + 1))
        seq = ring.oldest - 2 + random.getrandbits(4)
        self.before = ring.oldest, ring.next
        self.good = [b'{"boot": %d, "seq": %d}' % (boot, seq)]
        return Fuzz.message(self)

    def judge(self, raw, retained):
        ring = self.app.ring
        oldest, newest = self.before
        assert ring.next == newest
        assert oldest <= ring.oldest <= ring.send <= newest, raw
        assert ring.used == 18 * (newest - ring.oldest), "the ring is not what it says"
        if ring.oldest == oldest:
            return 0
        said = json.loads(bytes(raw))
        assert int(said["boot"]) == BOOT, raw
        assert int(said["seq"]) >= ring.oldest - 1, raw
        return 1


class Presence(Fuzz):
    """The gateway's own state: leases end when the one that is obeyed is gone, and at no other word."""

    leaf = "state"
    sealed = False
    good = [b'{"up": true, "instance": "abcdef", "sid": 5}', b'{"up": false, "sid": 5}', b'{"up": false, "sid": 6}']

    def __init__(self):
        Fuzz.__init__(self)
        self.topic = b"zev/1/s/gateway/state"
        self.app.orders.sid = 5
        self.app.orders.actuators = [self]
        self.state, self.left = 7, 0  # an order is held

    def leave(self, _reason):
        self.left += 1

    def judge(self, raw, retained):
        left, self.left = self.left, 0
        if left:
            said = json.loads(bytes(raw))
            assert not said["up"], raw
            assert said["sid"] == 5, raw
        assert type(self.app.link.gateway_up) is bool
        return left


class Console(Fuzz):
    """Lines on USB. Whoever has the cable may do everything, but hears no secret and ends nothing that he did not ask."""

    leaf = ""
    sealed = False
    good = [
        json.dumps(one).encode()
        for one in (
            {"id": 1, "do": "info"},
            {"id": 2, "do": "health"},
            {"id": 3, "do": "get"},
            {"id": 4, "do": "set", "table": json.dumps(POLL)},
            {"id": 5, "do": "set", "node": {"site": "lens", "time": {"host": "10.0.0.1", "port": 123}, "led": None}},
            {"id": 6, "do": "set", "label": "ABCD-1234"},
            {"id": 8, "do": "read", "bus": 0, "unit": 1, "fc": 3, "a": 0, "n": 2, "timeout_ms": 1},
            {"id": 9, "do": "read", "bus": POLL["buses"][0], "unit": 1, "fc": 3, "a": 0, "n": 2},
            {"id": 10, "do": "log"},
            {"id": 11, "do": "reboot"},
            {"id": 12, "do": "setup"},
            {"id": 13, "do": "commit"},
        )
        * 4
    ]
    good.append(b'{"id": 7, "do": "scan", "bus": %s, "baud": [9600, 19200], "from": 1, "to": 2}' % BUS)

    def __init__(self):
        Fuzz.__init__(self)
        self.line, self.at, self.done = b"", 0, False
        hal_unix.console = lambda: self
        self.app.supervisor.end = self.end
        self.ended = []

    def end(self, why):
        self.ended.append(why)

    async def readinto(self, one):
        if self.at == len(self.line):
            self.done = True
            await asyncio.sleep_ms(0)
            line = self.message().replace(b"\n", b" ").replace(b"\r", b" ")
            self.asked += line[:1] == b"{" and len(line) < 8192
            self.line, self.at, self.done = line + b"\n", 0, False
            self.app.pending.clear()  # else every line would say what an earlier one has set
        one[0] = self.line[self.at]
        self.at += 1
        return 1

    async def once(self):
        if not self.taken:
            self.task = asyncio.create_task(usb.listen(self.app, None))
            self.taken = 1
        await asyncio.sleep_ms(0)
        while not self.done:
            assert not self.task.done(), "nobody listens any more after " + repr(self.line)
            await asyncio.sleep_ms(0)
        if self.ended:
            assert [why for why in self.ended if why not in ("console", "setup")] == [], self.ended
            self.ended.clear()
            self.taken += 1


DECODERS = (Table, Begin, Chunk, Manifest, Heard, Presence, Console)


def run(which, seed, count):
    random.seed(seed)
    fuzz = next(one for one in DECODERS if one.__name__ == which)()
    grown = asyncio.run(flood(fuzz, count))
    sys.stdout.write("\n%d %d %d\n" % (fuzz.taken, fuzz.asked, grown))
