"""On the board's interpreter: orders and one actuator in front of a device that is only a dictionary, in virtual time.

The tick moves when `run` moves it, 10 ms at a time, so that hours pass in seconds.
"""

import asyncio
import json

import node.wait

now = [0]
node.wait.ticks_ms = lambda: now[0] & ((1 << 30) - 1)


async def nap(ms):
    end = now[0] + ms
    while now[0] < end:
        await asyncio.sleep_ms(0)


async def wait_ms(bell, ms):
    end = now[0] + ms
    while now[0] < end and not bell.rung:
        await asyncio.sleep_ms(0)
    bell.rung = False


node.wait.Bell.wait_ms = wait_ms

from node import poll_table, report  # noqa: E402
from node.orders import Orders  # noqa: E402
from signing import KEY, hmac  # noqa: E402
from wire import table  # noqa: E402

OK, TIMEOUT = 0, 1
TABLE = {
    "v": 1, "node": "rig", "blocks": [],
    "buses": [{"kind": "tcp", "host": "x", "timeout_ms": 100}], "units": [{"bus": 0, "id": 1, "wfc": 16}],
}  # fmt: skip
BATTERY = {
    "u": 0, "set": [[100, "i", -5000, 5000]], "go": [[102, [0, 802]]], "safe": [[102, [0, 803]]],
    "refresh_ms": 5000, "ttl_ms": 15000,
}  # fmt: skip


def sealed(text, key=KEY):
    return hmac(key, b"set\0" + text.encode()) + text.encode()


class Device:
    """Registers of one unit on its own bus."""

    def __init__(self):
        self.bus = self
        self.words = {100: 0, 101: 0, 102: 0, 103: 803}
        self.written = []  # (ms, address, words)
        self.reads = 0
        self.alive = True
        self.fault = None  # function(address, words) → flag, or None to take it
        self.change = None  # function(words) → what it keeps instead
        self.slow_ms = 0

    async def write(self, unit, writes):
        for address, words in writes:
            await nap(20 + self.slow_ms)
            flag = TIMEOUT if not self.alive else self.fault and self.fault(address, words)
            if flag:
                return flag
            self.written.append((now[0], address, words))
            for i, word in enumerate(self.change(words) if self.change else words):
                self.words[address + i] = word
        return OK

    async def read(self, unit, function, address, count):
        await nap(20 + self.slow_ms)
        self.reads += 1
        if not self.alive or function not in (3, 4):
            return TIMEOUT, b""
        data = b""
        for i in range(count):
            data += self.words[address + i].to_bytes(2, "big")
        return OK, data

    def is_safe(self):
        return self.words[103] != 802

    def power(self):
        return self.words[100] << 16 | self.words[101]


class Memory:
    def __init__(self):
        self.numbers = {}

    def get(self, key):
        return self.numbers.get(key, 0)

    def put(self, key, number):
        self.numbers[key] = number

    def text(self, key):
        return self.numbers.get(key, "")

    write = put


class Clock:
    """Real as soon as a test says so; counts with the virtual tick."""

    start_s = 9700 * 86400  # 2026
    quality = 2
    ms = 0

    def tick(self):
        self.s = self.start_s + now[0] // 1000
        self.uptime_s = now[0] // 1000


class Rig:
    """A node after its start; `again()` is a restart with the same device and memory."""

    now = now
    nap = staticmethod(nap)
    spawn = staticmethod(asyncio.create_task)
    TIMEOUT = TIMEOUT

    def __init__(self, **actuator):
        self.spec = dict(BATTERY)
        self.spec.update(actuator)
        self.device = Device()
        self.memory = Memory()
        self.clock = Clock()
        self.acks = []
        self.boot = 0
        self.sid = 5
        self.seq = 0
        self.task = None
        self.beat_ms = now[0]
        self.gap_ms = 0  # longest time between two check-ins

    def again(self):
        if self.task:
            self.task.cancel()
        whole = dict(TABLE)
        whole["actuators"] = [self.spec]
        spec = table.parse(json.dumps(whole))["actuators"][0]
        self.boot += 1
        self.orders = Orders(KEY, self.boot, self.clock, self.memory, self.acks.append)
        self.actuator = poll_table.actuator(0, spec, self.device, self.orders)
        self.orders.actuators = [self.actuator]
        self.task = self.spawn(self.actuator.run(self.beat))

    def beat(self):
        self.gap_ms = max(self.gap_ms, now[0] - self.beat_ms)
        self.beat_ms = now[0]

    async def run(self, ms, step=10):
        end = now[0] + ms
        while now[0] < end:
            for _ in range(3):  # everybody has seen this moment
                await asyncio.sleep_ms(0)
            now[0] += step

    def order(self, values, ttl=10000, **fields):
        self.seq += 1
        self.clock.tick()
        order = {"boot": self.boot, "sid": self.sid, "seq": self.seq, "act": 0, "v": values, "ttl": ttl}
        order["at"] = self.clock.s
        order.update(fields)
        self.orders.receive(sealed(json.dumps(order)), False)
        return self.seq

    def done(self):
        """[(done, why, values)] since the last question."""
        acknowledged = [(ack["done"], ack["why"], ack["v"]) for ack in self.acks]
        self.acks.clear()
        return acknowledged

    def state(self):
        """What the health says of it."""
        return report.actuator(self.actuator)

    def writes(self):
        """[(address, last word)] since the last question."""
        acknowledged = [(address, words[-1]) for _, address, words in self.device.written]
        self.device.written.clear()
        return acknowledged


def play(scenario, **actuator):
    async def whole():
        rig = Rig(**actuator)
        rig.again()
        await scenario(rig)

    asyncio.run(whole())
    print("passed")
