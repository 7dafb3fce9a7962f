"""Messages of every kind into what the gateway hears: no crash, no growth, and nothing stored that is no number."""

import contextlib
import gc
import json
import logging
import math
import random
import struct
import time
import tracemalloc
from dataclasses import asdict

import pytest
from board.mutants import mutant
from node_rig import figure

from gateway.adapters.broker import Message
from gateway.adapters.node import actuation, link, persistence, status_changes
from gateway.adapters.node.ledger import BOOTS_KEPT, Ledger
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import LISTEN_S
from gateway.adapters.sntp import TimeServer
from gateway.adapters.store.outbox import Outbox
from gateway.database.tags import RowOrigin
from gateway.paths import config_folder
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.tests.adapters.node_side import Wire, node_side
from gateway.wire import records

SITE, NODE = "lens", "cellar"
PATIENCE_S = 7000
SHORT, LONG = 6_400, 1_000_000
LIVES = 2 * BOOTS_KEPT  # boots of the node in a run: of the first half nothing is kept at the end
GROWTH_BYTES = 200_000  # between the middle and the end: the last message, the latencies, a page of the outbox
KEEP_EACH = 250  # messages between two visits to the disk

counts = pytest.mark.parametrize(
    "count",
    [SHORT, pytest.param(LONG, marks=[pytest.mark.soak, pytest.mark.timeout(PATIENCE_S)])],
    ids=["short", "1M"],
)


class Clock:
    """Moves on with each message."""

    now_s = 100.0

    def utc_s(self) -> float:
        return 1_700_000_000.0 + self.now_s

    def monotonic_s(self) -> float:
        return self.now_s


class Sender:
    """A node that says everything that a node says, rightly; `message` spoils it more often than not."""

    def __init__(self, session: NodeSession):
        self.table = session.table
        self.boot, self.seq = 1, 0

    def batch(self) -> bytes:
        """Up to five records; the node keeps the last hundred."""
        rows = random.randrange(6)
        sent_s = 800_000_000 + self.seq
        raw = struct.pack(
            records.HEADER, 2, rows, self.table.identity, self.boot, max(self.seq - 100, 1), sent_s + rows, 0
        )
        for _ in range(rows):
            self.seq += 1
            block = random.randrange(len(self.table.blocks) + 1)
            size = self.table.blocks[block].registers if block < len(self.table.blocks) else 3
            clock = random.choice((0, 1, 2, 2, 2))
            raw += struct.pack(records.RECORD, self.seq, sent_s, random.randrange(1000), clock, block, 0, size)
            raw += random.choice((random.randbytes(2 * size), b"\x44\x9a\x52\0" * size, b"\xff" * 2 * size))[: 2 * size]
        return raw

    def state(self) -> bytes:
        said = {"up": True, "boot": self.boot, "table": self.table.identity, "fw": "0.2.0", "build": 7}
        return json.dumps(said | {"mode": "run", "why": "power"}).encode()

    def health(self) -> bytes:
        holds = [[-1200], [-1200], [4294966096, 802], "applied", ""]
        said = {"boot": self.boot, "uptime_s": 70, "heap_free": 40000, "clock": 2, "units": [[5, 0, 0, 0, 12]]}
        said |= {"ring": {"next": 9, "oldest": 1, "lost": 0}, "actuators": [holds], "orders": {"applied": 3}}
        return json.dumps(said | {"restarts": 0, "heard": True, "cfg": "", "update": None}).encode()

    def answer(self) -> bytes:
        done, why = random.choice((("applied", ""), ("refused", "old"), ("failed", "readback"), ("safe", "")))
        said = {"boot": self.boot, "sid": 5, "seq": self.seq, "act": 0, "done": done, "why": why, "v": [-1200]}
        return json.dumps(said | {"rb": [4294966096, 802], "s": 800_000_000, "ms": 40, "w": 1}).encode()

    def presence(self) -> bytes:
        return json.dumps({"up": True, "instance": "another", "sid": random.randrange(4)}).encode()

    def message(self) -> Message:
        node, leaf, good = random.choice(
            (
                (NODE, "data", self.batch),
                (NODE, "data", self.batch),
                (NODE, "state", self.state),
                (NODE, "health", self.health),
                (NODE, "ack", self.answer),
                ("gateway", "state", self.presence),
                ("gateway", "probe", lambda: b"0123456789abcdef"),
            )
        )
        payload = mutant(good()) if random.getrandbits(1) else good()
        return Message(topic=f"zev/1/{SITE}/{node}/{leaf}", payload=payload, retained=not random.getrandbits(3))


def forget(line: logging.LogRecord) -> bool:
    """Puts a line of the log into words, and drops it: pytest would keep them all."""
    return not line.getMessage()


class Forgetful(Wire):
    """Keeps the last message only."""

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        self.sent.clear()
        return await super().publish(topic, payload, qos=qos, retain=retain)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def side(clock, tmp_path):
    """The node side of a gateway whose probe has come back; what it logs is put into words and forgotten."""
    file = site_file.read(config_folder() / "demo" / "site.toml")
    roles = {name: device.role for name, device in file.devices.items()}
    session = NodeSession(
        origin=RowOrigin(site=SITE, building=SITE, roles=roles), table=poll_tables(file)[NODE], ledger=Ledger()
    )
    loggers = [logging.getLogger(module.__name__) for module in (actuation, status_changes, link, persistence)]
    for logger in loggers:
        logger.addFilter(forget)
    wire = Forgetful()
    with contextlib.closing(Outbox(tmp_path / "outbox.sqlite", max_mb=5)) as outbox:
        parts = node_side(clock=clock, outbox=outbox, wire=wire, sessions={NODE: session}, site_id=SITE, session=5)
        await parts.end_cycle()
        [(topic, probe, _, _)] = wire.sent
        parts.link.receive(Message(topic=topic, payload=probe, retained=False))
        clock.now_s += LISTEN_S
        yield parts
    for logger in loggers:
        logger.removeFilter(forget)


def check(side) -> int:
    """Everything that would be stored or shown now; gives how many rows there are."""
    for row in side.persistence.waiting:
        assert 0 <= row.time_ms < 2**53
        for value in row.fields.values():
            assert isinstance(value, (int, str)) or math.isfinite(value), row
    session = side.sessions[NODE]
    for readback in session.readbacks.values():
        json.dumps(asdict(readback), allow_nan=False)
    json.dumps(asdict(session.status), allow_nan=False)
    for readings in side.measurements.state().devices.values():
        assert all(one.value is None or math.isfinite(one.value) for one in readings.values())
    return len(side.persistence.waiting)


@counts
async def test_nothing_a_node_says_makes_the_gateway_fall_grow_or_store_nonsense(count, side, clock, capsys):
    seed = 1 if count == SHORT else random.SystemRandom().getrandbits(30)
    random.seed(seed)
    session = side.sessions[NODE]
    sender, begun, rows, middle = Sender(session), time.monotonic(), 0, 0
    tracemalloc.start()
    try:
        for i in range(count):
            clock.now_s += 0.01
            if i % (count // LIVES) == 0:
                sender.boot, sender.seq = random.getrandbits(31), 0
            side.link.receive(sender.message())
            if i % KEEP_EACH == 0:
                rows += check(side)
                await side.end_cycle()
            if i == count // 2:
                gc.collect()
                middle = tracemalloc.get_traced_memory()[0]
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0] - middle
    finally:
        tracemalloc.stop()
    took_s = time.monotonic() - begun
    ledger = session.ledger.counts()
    figure(
        capsys,
        f"{count} messages of seed {seed} in {took_s:.0f} s: {rows} rows, {session.malformed} malformed, "
        f"{ledger['received']} records, {growth} bytes of growth",
    )
    assert rows > count // 10  # what is right was taken
    assert session.malformed > count // 50
    assert growth < GROWTH_BYTES


@counts
def test_whatever_asks_for_the_time_gets_an_answer_or_none(count):
    random.seed(count)
    server = TimeServer(clock=Clock(), is_trusted=lambda: bool(random.getrandbits(1)))
    for _ in range(count):
        request = bytearray(random.randbytes(random.choice((0, 1, 47, 48, 48, 48, 68, 300))))
        if request and random.getrandbits(1):
            request[0] = random.choice((0x23, 0x1B))  # a client of version 4 or 3
        answer = server.answer(bytes(request), 1_700_000_000.0)
        asks = len(request) >= 48 and request[0] & 7 == 3 and 1 <= request[0] >> 3 & 7 <= 4
        assert (len(answer) == 48 and answer[24:32] == request[40:48]) if asks else answer is None
    assert min(server.answered, server.ignored) > count // 10
