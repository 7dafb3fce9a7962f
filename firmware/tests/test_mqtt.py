"""The node's MQTT client on the board's interpreter, against a broker that says anything."""

import json
import socket
import threading
import time

import pytest
from node_rig import FAST

pytestmark = pytest.mark.hil

# A connection that gives what is put into it, and an end when that is over; what is sent is kept.
READER = """
import asyncio, gc, random, errno
from node.mqtt import Mqtt, head, text
from node.wait import Bell
class Wire:
    def __init__(self, data):
        self.data, self.at, self.got, self.sent = data, 0, 0, []
    async def fill(self, view):
        if self.at + len(view) - self.got > len(self.data): raise OSError(errno.ECONNRESET)
        n = len(view) - self.got
        view[self.got:] = self.data[self.at:self.at + n]
        self.at += n
        self.got = len(view)
    async def send(self, view): self.sent.append(bytes(view))
    def close(self): pass
seen, acked = [], []
def take_set(payload, retained): seen.append((bytes(payload[:8]), len(payload), retained))
mqtt = Mqtt(Bell(), {b"z/set": (take_set,)}, acked.append, lambda: None)
def take(data):
    '''Why the reader ended.'''
    mqtt.connection = Wire(data)
    mqtt.owed.clear()
    mqtt.why = None
    asyncio.run(mqtt.read())
    return mqtt.why
def publish(topic, payload, kind=0x30, packet_id=None):
    body = text(topic) + (packet_id.to_bytes(2, "big") if packet_id is not None else b"") + payload
    return bytes(head(kind, len(body))) + body
"""
END = "[Errno 104] ECONNRESET"
BROKEN = "[Errno 22] EINVAL"


@pytest.fixture
def reader(board):
    return lambda code: board(READER + code).splitlines()


def test_what_a_broker_may_say_is_understood(reader):
    """OASIS MQTT 3.1.1: PUBLISH 3.3, PUBACK 3.4, PINGRESP 3.13; QoS 1 is acknowledged."""
    assert reader("""
print(take(publish("z/set", b"one") + bytes.fromhex("400200074002000740020009d000")
    + publish("z/set", b"two", 0x33, 513) + publish("other", b"x", 0x32, 514)))
print(seen, acked, mqtt.owed)
""") == [END, "[(b'one', 3, 0), (b'two', 3, 1)] [7, 7, 9] [513, 514]"]


PACKETS = {
    "a length of five bytes": ('b"\\x30\\xff\\xff\\xff\\xff\\x01"', BROKEN),
    "quality of service 2": ('publish("z/set", b"x", 0x34, 1)', BROKEN),
    "both quality bits": ('publish("z/set", b"x", 0x36, 1)', BROKEN),
    "no room for its topic's length": ('b"\\x30\\x01\\x00"', BROKEN),
    "a topic longer than the packet": ('b"\\x30\\x07\\x00\\x09z/set"', END),
    "no room for its number": ('b"\\x32\\x07\\x00\\x05z/set"', BROKEN),
    "an acknowledgement of nothing": ('b"\\x40\\x00"', BROKEN),
    "half an acknowledgement": ('b"\\x40\\x01\\x07"', BROKEN),
    "a refusal": ('b"\\x20\\x02\\x00\\x05"', "broker refuses: 5"),
    "a topic longer than the buffer": ('publish("t" * 300, b"x") + b"\\xd0\\x00"', END),
    "a topic that fills the longest message": ('publish("t" * 9000, b"x") + b"\\xd0\\x00"', END),
    "an unknown kind": ('b"\\x00\\x02ab\\xf0\\x00"', END),
    "the end inside a head": ('b"\\x30"', END),
}


@pytest.mark.parametrize("name", PACKETS)
def test_a_wrong_packet_ends_the_connection_or_is_passed_over_and_is_never_a_message(name, reader):
    packet, why = PACKETS[name]
    assert reader(f"print(take({packet})); print(seen)") == [why, "[]"]


def test_of_a_message_longer_than_any_of_ours_the_handler_gets_nothing_to_refuse(reader):
    assert reader("""
print(take(publish("z/set", bytes(20000)) + publish("z/set", b"next", 0x33, 7) + b"\\xd0\\x00"))
print(seen, mqtt.owed)
""") == [END, "[(b'', 0, 0), (b'next', 4, 1)] [7]"]


def test_the_longest_length_that_is_allowed_is_read_past_in_pieces(reader):
    """The four bytes ff ff ff 7f say 268 435 455 (2.2.3): it is skipped, not stored."""
    assert reader("""
print(take(b"\\x30\\xff\\xff\\xff\\x7f" + bytes(30000)))
""") == [END]


def test_a_broker_that_wants_ever_more_acknowledgements_is_left(reader):
    assert reader("""
why = take(publish("z/set", b"x", 0x32, 5) * 1000)
print(why, len(mqtt.owed) < 100)
""") == [f"{BROKEN} True"]


FUZZ = """
random.seed(%d)
good = [
    publish("z/set", b'{"sid": 1}'), publish("z/set", bytes(500), 0x33, 7), publish("other", b"x", 0x32, 9),
    bytes.fromhex("40020007"), bytes.fromhex("20020000"), bytes.fromhex("9004000100017f"[:12]), bytes.fromhex("d000"),
]
def mutated():
    packet = bytearray(random.choice(good))
    for _ in range(random.getrandbits(2)):
        what = random.getrandbits(2)
        at = random.randrange(len(packet))
        if what == 0: packet[at] ^= 1 << random.getrandbits(3)
        elif what == 1: packet = packet[:at + 1]
        elif what == 2: packet[at] = random.getrandbits(8)
        else: packet[at:at] = bytes((random.getrandbits(8),))
    return packet
def noise():
    return bytes(random.getrandbits(8) for _ in range(random.getrandbits(4) + 1))
endings, count, worst = {}, 0, 0
async def all():
    global count, worst
    while count < %d:
        data = bytearray()
        for _ in range(20):
            data.extend(mutated() if random.getrandbits(2) else noise())
            count += 1
        mqtt.connection = Wire(data)
        mqtt.owed.clear()
        mqtt.why = None
        await mqtt.read()
        kind = type(mqtt.why).__name__
        endings[kind] = endings.get(kind, 0) + 1
        seen.clear(); acked.clear()
        if count == 2000: gc.collect(); worst = gc.mem_alloc()
asyncio.run(all())
data = mqtt.connection = None
gc.collect()
print(endings)
print(gc.mem_alloc() - worst)
"""


@pytest.mark.parametrize(
    "count", [50_000, pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(1500)])], ids=["50k", "1M"]
)
def test_random_and_mutated_packets_neither_crash_it_nor_make_it_grow(count, board):
    endings, growth = board(READER + FUZZ % (count, count), patience_s=1400).splitlines()
    assert set(eval(endings)) == {"OSError"}  # noqa: S307  our own print
    assert int(growth) < 1000


LINK = """
import sys
sys.path.insert(0, %r)
import asyncio, json
from time import ticks_ms, ticks_diff
from node.clock import Clock
from node.link import Link
from node.ring import Ring
clock = Clock()
last, longest, count, said = ticks_ms(), 0, 0, []
def beat():
    global last, longest, count
    clock.tick()
    now = ticks_ms()
    longest = max(longest, ticks_diff(now, last))
    last = now
    count += 1
conf = {"site": "s", "node": "n", "broker": {"host": "127.0.0.1", "port": %d}}
link = Link(conf, "zev/1/x/y/", Ring(2000, 1, clock), None, said.append)
link.serve({}, dict)
async def main():
    try:
        await asyncio.wait_for_ms(link.run(beat), %d)
    except asyncio.TimeoutError:
        pass
beat()
asyncio.run(main())
beat()
print(json.dumps([longest, count, said]))
"""


@pytest.mark.parametrize("kind", ["nobody", "silent", "endless", "deaf"])
def test_the_link_checks_in_every_five_seconds_whatever_the_broker_does(kind, board):
    """Minutes, twenty times as fast as real: pauses of a minute, connections that nobody answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        ended = threading.Event()
        held = []

        def serve():
            while not ended.is_set():
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    continue
                if kind == "endless":  # it begins a packet and never ends it
                    held[-1].sendall(b"\x30\xff\xff\x7f")
                if kind == "deaf":  # a session, and then nothing more
                    held[-1].sendall(bytes.fromhex("20020000" + "9003000101"))

        listener.settimeout(0.05)
        thread = threading.Thread(target=serve)
        if kind != "nobody":
            listener.listen(50)
            thread.start()
        try:
            said = board(LINK % (str(FAST), listener.getsockname()[1], 300_000 if kind == "nobody" else 100_000))
        finally:
            ended.set()
            if kind != "nobody":
                thread.join()
            for connection in held:
                connection.close()
    longest_ms, count, words = json.loads(said)
    assert longest_ms < 5000
    assert count > 50
    assert words[0].startswith("link: ")
    if kind == "deaf":
        assert "link: OSError('no PUBACK',)" in words


def test_a_broker_that_lets_nobody_in_is_asked_less_and_less_often(board):
    """It closes twelve of the node's seconds after the TCP connection, before it has answered: that is no session."""
    hold_s, accepted, closed = 12 / 20, [], []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve():
            while not ended.is_set():
                try:
                    connection = listener.accept()[0]
                except OSError:
                    continue
                with connection:
                    accepted.append(time.monotonic())
                    ended.wait(hold_s)
                closed.append(time.monotonic())

        listener.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            board(LINK % (str(FAST), listener.getsockname()[1], 90_000))
        finally:
            ended.set()
            thread.join()
    pauses_s = [20 * (again - end) for end, again in zip(closed, accepted[1:], strict=False)]
    assert len(pauses_s) >= 4
    assert pauses_s[3] > 2.5  # 4 s, and up to a quarter less; half a second would be the first one's again
