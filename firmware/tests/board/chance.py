"""On the board's interpreter: whatever happens by chance, no set-point outlives its lease."""

import asyncio
import random

from actuator_rig import Rig, now, sealed

RETRY_MS = 8000  # longest pause before a device that came back gets its safe values
OPERATION_MS = 1500  # of a device that answers at once: two writes and their read-back, twice
STEP_MS = 50


class Case(Rig):
    """Knows until when the device may hold what it was ordered, and since when nothing hinders the safe values."""

    until_ms = free_ms = 0

    def renew(self, values, ttl, **fields):
        self.order(values, ttl, **fields)
        if self.acks and self.acks[-1]["done"] == "refused" and self.acks[-1]["seq"] == fields.get("seq", self.seq):
            return
        self.ordered.add(values[0])
        self.until_ms = now[0] + ttl

    def end(self):
        self.until_ms = min(self.until_ms, now[0])

    def check(self):
        device = self.device
        hindered = not device.alive or device.fault or device.change
        if hindered:
            self.free_ms = now[0]
        elif not device.is_safe():
            slack = OPERATION_MS + 14 * device.slow_ms
            late = now[0] - max(self.until_ms, self.free_ms + RETRY_MS)
            assert late <= slack, "held for %d ms too long" % late
            self.worst_ms = max(self.worst_ms, now[0] - max(self.until_ms, self.free_ms))
        for _, address, words in device.written:
            assert address != 100 or words[1] in self.ordered, "wrote what nobody ordered"
        device.written.clear()
        self.acks.clear()


def broken(_address, _words):
    raise ValueError("a mistake of ours")


def renew(case):
    case.renew([random.randrange(1, 5000)], random.randrange(500, 15000))


def release(case):
    case.order(None)
    case.end()


def lose_gateway(case):
    case.orders.leave("safe")
    case.end()


def forge(case):
    """Late, of an older gateway, twice, and with another key: none may prolong anything."""
    case.order([6666], at=case.clock.s - 60)
    case.order([7777], sid=1)
    case.order([8888], seq=case.seq)
    case.orders.receive(sealed("{}", bytes(32)), False)


def plug(case):
    case.device.alive = not case.device.alive


def refuse(case):
    case.device.fault = None if case.device.fault else lambda *_: 3


def forget(case):
    """Takes what is written and holds something else. Where writes wear it out, it is then written rarely."""
    if not case.spec.get("budget"):
        case.device.change = None if case.device.change else lambda words: [words[0], words[1] | 64]


def slow(case):
    case.device.slow_ms = random.randrange(0, 200)


def restart(case):
    case.again()
    case.end()


def crash(case):
    case.device.fault = broken


EVENTS = [renew] * 7 + [release, lose_gateway, forge, plug, plug, refuse, forget, slow, restart, crash]


async def life(case, actuator):
    while True:
        try:
            await actuator.run(case.beat)
        except ValueError:
            case.device.fault = None
            case.end()
            await case.nap(250)


async def play(seed, cases, **actuator):
    random.seed(seed)
    worst_ms = 0
    for _ in range(cases):
        case = Case(**actuator)
        case.ordered, case.worst_ms, case.free_ms = set(), 0, now[0]

        def spawn(_, case=case):
            return asyncio.create_task(life(case, case.actuator))

        case.spawn = spawn
        case.again()
        for _ in range(40):
            for _ in range(random.randrange(1, 40)):
                await case.run(STEP_MS, STEP_MS)
                case.check()
            random.choice(EVENTS)(case)
        case.device.alive, case.device.fault, case.device.change = True, None, None
        for _ in range(600):
            await case.run(STEP_MS, STEP_MS)
            case.check()
        assert case.device.is_safe()
        case.task.cancel()
        worst_ms = max(worst_ms, case.worst_ms)
    print("passed", worst_ms)


def run(seed, cases, **actuator):
    asyncio.run(play(seed, cases, **actuator))
