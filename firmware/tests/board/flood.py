"""On the board's interpreter: random, mutated and truncated messages into the decoders of orders."""

import gc
import random

from actuator_rig import KEY, Rig, hmac, now, sealed
from wire import seal

GOOD = '{"boot": 1, "sid": 5, "seq": %d, "act": 0, "v": [%d], "ttl": 5000, "at": %d}'
BITS = ('"sid"', ":", "{", "}", "[", "]", "null", "true", "1e9", "-1", "9" * 40, '"', "\\", "\0", ",", "0.5", "[[[[")


def noise(size):
    return bytes([random.getrandbits(8) for _ in range(size)])


def mutant(text):
    """A JSON text with a few wounds, rightly sealed."""
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(text))
        text = text[:at] + random.choice(BITS) + text[at + random.randrange(4) :]
    return sealed(text[:480])


def payload(good):
    kind = random.randrange(7)
    if kind == 0:
        return noise(random.randrange(0, 80))
    if kind == 1:
        return noise(random.randrange(0, 3) * 600)
    if kind < 4:
        return mutant(good)
    whole = bytearray(sealed(good))
    if kind == 4:
        whole[random.randrange(len(whole))] ^= 1 << random.randrange(8)
        return whole
    return whole[: random.randrange(len(whole))] if kind == 5 else whole


def once(rig, good):
    """1 when the message was taken. A function of its own: what it held is gone when the heap is looked at."""
    raw = payload(good)
    rig.acks.clear()
    rig.orders.receive(memoryview(raw), random.getrandbits(4) == 0)
    waiting = rig.actuator.waiting
    if waiting is not None:
        assert len(waiting[2]) == 1
        assert type(waiting[2][0]) is int
        assert -5000 <= waiting[2][0] <= 5000
        assert hmac(KEY, b"set\0" + raw[32:]) == raw[:32], "obeyed what nobody sealed"
        rig.actuator.waiting = None
    else:
        assert rig.acks or rig.actuator.leaving == "released", "neither taken nor answered"
    rig.acks.clear()
    rig.actuator.state, rig.actuator.leaving = 0, None  # nobody holds it
    if random.getrandbits(4) == 0:
        rig.orders.sid, rig.orders.newest = 0, {}  # a mutant may have locked out all that follow
    try:
        seal.unseal_json(KEY, "set", raw)
    except seal.SealError:
        pass
    return waiting is not None


def run(seed, count):
    random.seed(seed)
    rig = Rig()
    rig.spawn = lambda task: task.close()  # only what arrives, not what becomes of it
    rig.again()
    taken = early = 0
    for i in range(count):
        taken += once(rig, GOOD % (i + 1, i % 5000, rig.clock.start_s + now[0] // 1000))
        now[0] += 10
        if i == count // 4:
            gc.collect()
            early = gc.mem_alloc()
    gc.collect()
    grown = gc.mem_alloc() - early
    assert not rig.device.written
    assert len(rig.orders.counts) < 16, rig.orders.counts
    print("passed", count, taken, grown)
