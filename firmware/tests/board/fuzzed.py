"""On the board's interpreter: a whole node, put together as it starts, and messages of every kind for one decoder.

What is taken is judged once more, by other code: it must be sealed by the gateway, and be what it says.
"""

import gc
import random

from memory import memory
from mutants import mutant, noise
from node import start
from signing import KEY, hmac

BOOT = 77
HIDDEN = "not to be told"
CONF = {
    "site": "s", "node": "n", "key": "".join("%02x" % byte for byte in KEY), "board": "unix",
    "broker": {"host": "127.0.0.1", "port": 9, "password": HIDDEN}, "serial": {"rs485": "no line", "tic": "none"},
}  # fmt: skip


class Fuzz:
    """One node. `good` are right messages of a topic `leaf`; `judge(raw, retained)` looks at what became of one."""

    sealed = True
    taken = asked = 0

    def __init__(self):
        self.app = app = start.assemble(dict(CONF), memory(), "run", lambda _text: None)
        app.boot = app.orders.boot = app.ring.boot = BOOT
        self.topic = (app.link.topic + self.leaf).encode()

    def message(self):
        """Noise, or a mutant that is sealed as the gateway does it, wrongly, or rightly and then spoiled."""
        raw = mutant(random.choice(self.good))[:8400]
        if not self.sealed:
            return raw
        kind = random.getrandbits(3)
        if kind == 0:
            return noise(200)
        leaf = random.choice(("set", "cfg", "ota")).encode() if kind == 1 else self.leaf.encode()
        raw = hmac(bytes(32) if kind == 2 else KEY, leaf + b"\0" + raw) + raw
        if kind == 3:
            raw = bytearray(raw)
            raw[random.randrange(len(raw))] ^= 1 << random.getrandbits(3)
        return raw

    def is_sealed(self, raw):
        """By the gateway, for this topic; reckoned without the node's own code."""
        return 32 < len(raw) <= 8192 and hmac(KEY, self.leaf.encode() + b"\0" + raw[32:]) == raw[:32]

    def receive(self, raw, retained):
        function, *what = self.app.link.mqtt.handlers[self.topic]
        function(*what, memoryview(raw), retained)

    async def once(self):
        raw, retained = self.message(), random.getrandbits(3) == 0
        self.receive(raw, retained)
        self.taken += self.judge(raw, retained)


async def flood(fuzz, count):
    early = 0
    for i in range(count):
        await fuzz.once()
        if i == count >> 2:
            gc.collect()
            early = gc.mem_alloc()
    gc.collect()
    return gc.mem_alloc() - early
