"""The ring against a list that never forgets: what comes out is what went in, oldest first, nothing else missing."""

import struct
from collections import deque
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from node.ring import Ring
from node_rig import unpacked
from wire import records

BOOT = 77


def ring_of(size: int) -> Ring:
    return Ring(
        size, BOOT, SimpleNamespace(s=840000000, ms=7, quality=records.CLOCK_SYNCED, zero=None, tick=lambda: None)
    )


def drain(ring: Ring, room: int = records.MAX_BATCH) -> list[tuple]:
    """All batches that are ready, decoded."""
    out = memoryview(bytearray(room))
    found = []
    while True:
        size, last = ring.batch(out)
        if not size:
            return found
        batch = unpacked(bytes(out[:size]))
        assert batch[3][-1][0] == last
        found.append(batch)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 20)),
        st.tuples(st.just("send"), st.integers(300, 1024)),
        st.tuples(st.just("ack"), st.integers(0, 5)),
        st.tuples(st.just("hear"), st.integers(0, 60)),
        st.tuples(st.just("rewind"), st.just(0)),
        st.tuples(st.just("table"), st.integers(1, 3)),
    ),
    max_size=80,
)


@given(size=st.integers(150, 700), steps=steps)
def test_keeps_order_and_content_and_counts_exactly_what_it_lost(size, steps):
    ring = ring_of(size)
    held = deque()  # (seq, table, registers) as a ring without limits of its own would hold them
    table, used, lost, sent = 0, 0, 0, 0
    for step, value in steps:
        if step == "push":
            need = records.record_size(value)
            while used + need > size:
                seq, _, registers = held.popleft()
                used -= records.record_size(len(registers))
                lost += seq > ring.acked
            registers = tuple((ring.next * 256 + i) % 65536 for i in range(value))
            held.append((ring.next, table, registers))
            used += need
            ring.push(3, records.OK, struct.pack(f">{value}H", *registers), value)
        elif step == "send":
            for identity, boot, oldest, rows in drain(ring, value):
                assert (boot, oldest) == (BOOT, held[0][0])
                expected = [entry for entry in held if entry[0] >= rows[0][0]][: len(rows)]
                assert [(row[0], identity, row[6]) for row in rows] == expected
                assert all(row[1:6] == (840000000, 7, 2, 3, records.OK) for row in rows)
                sent = rows[-1][0]
            assert not held or sent == held[-1][0]  # nothing was left behind
        elif step == "ack":
            ring.acked = max(ring.acked, min(ring.acked + value, ring.send - 1))
        elif step == "hear":
            while held and held[0][0] <= value:
                used -= records.record_size(len(held.popleft()[2]))
            ring.forget(value)
        elif step == "rewind":
            ring.rewind()
            assert not held or ring.send == held[0][0]
        else:
            table = value
            ring.use(value)
        assert ring.lost == lost
        assert (ring.oldest, ring.used) == (held[0][0] if held else ring.next, used)


def test_a_batch_is_never_longer_than_its_message_and_never_mixes_tables():
    ring = ring_of(4000)
    ring.use(1)
    for _ in range(20):
        ring.push(0, records.OK, bytes(100), 50)
    ring.use(2)
    ring.push(0, records.TIMEOUT, b"", 0)
    batches = drain(ring)
    # 1024 − 20 bytes hold 8 records of 114
    assert [(batch[0], len(batch[3])) for batch in batches] == [(1, 8), (1, 8), (1, 4), (2, 1)]


def test_a_node_without_the_memory_for_its_ring_runs_with_a_small_one(board):
    """Of 112 kB of heap no 10 MB can be had; what was asked for is told."""
    said = board("""
from node.clock import Clock
from node.start import a_ring
for more in {}, {"spill_kb": 64}:
    ring = a_ring(dict(ring_bytes=10000000, **more), 7, Clock(), None, print)
    ring.push(0, 0, b"12", 1)
    print(type(ring).__name__, ring.size, ring.boot, ring.health()["next"])
""")
    assert said.splitlines() == ["ring_bytes: no memory for 10000000", "Ring 4000 7 2"] * 2
