"""MQTT 3.1.1, as much as a node needs: QoS 0 and 1, a will, keep-alive, one connection at a time.

Everything is bounded: the buffers, what is read of a message, and every wait. One task sends (`publish`, `idle`), an
inner one receives; when that ends, `idle` raises and the bell rings, so that nothing waits for an answer that cannot
come. Knows nothing of Wi-Fi, addresses and certificates. Source: OASIS MQTT Version 3.1.1.
"""

import errno
import struct

from micropython import const
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from asyncio import Task
    from collections.abc import Callable

    from kinds import Beat, Buffer, Handler
    from node.tcp import Connection
    from node.wait import Bell

_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBACK = const(0x90)
_PING_MS = const(5000)
_SILENCE_MS = const(15000)
_SMALL = const(256)  # bytes received without allocating
_LONGEST = const(8192)  # wire.seal.MAX_SEALED
_HEAD = const(128)  # space for header and topic
_ROOM = const(640)  # for a payload; wire.records.MAX_BATCH allows more, the heap likes less
_OWED = const(64)  # three times what a broker has on its way by default


def text(value: str | bytes) -> bytes:
    """A string (or its bytes) as MQTT writes it: length and UTF-8."""
    raw = bytes(value, "utf-8") if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def number(body: "Buffer", at: int) -> int:
    """Two bytes of a packet, high one first; OSError when it is too short for them."""
    if at + 2 > len(body):
        raise OSError(errno.EINVAL)
    return body[at] << 8 | body[at + 1]


def head(kind: int, length: int) -> bytearray:
    """Fixed header: the length in groups of seven bits, low ones first."""
    raw = bytearray((kind,))
    while True:
        length, group = length >> 7, length & 127
        raw.append(group | 128 if length else group)
        if not length:
            return raw


class Mqtt:
    """A session, which node/mqtt_login.py begins. `on_ack(packet_id)`: a PUBACK.

    `handlers`: topic in bytes → (function, *what) or None; it is called with `what`, the payload (which is valid during
    the call) and whether the broker had kept it. Of a message that is too long the payload is empty, so that its handler can refuse and count it. `beat` is called
    at least every five seconds while anything here is awaited. `granted` is None while there is no session.
    """

    def __init__(
        self, bell: "Bell", handlers: "dict[bytes, Handler]", on_ack: "Callable[[int], object]", beat: "Beat"
    ) -> None:
        self.bell = bell
        self.beat = beat
        self.handlers = handlers
        self.on_ack = on_ack
        self.tx = memoryview(bytearray(_HEAD + _ROOM))
        self.room = self.tx[_HEAD:]  # a payload that is made here need not be moved
        self.rx = memoryview(bytearray(_SMALL))
        self.connection: "Connection" = None
        self.reader: "Task" = None
        self.packet_id = 1  # the subscription's
        self.owed: list[int] = []  # packet ids we have to acknowledge
        self.granted: bytes = None  # return codes of the subscription
        self.why: Exception = None  # what ended the connection
        self.whole = True  # the message just read fitted
        self.silent = self.ping = 0  # ticks: then the broker counts as gone, then the next ping

    async def publish(self, topic: str, payload: "Buffer", qos: int = 0, retain: int = 0) -> int:
        """Sends at once; gives the packet id that `on_ack` will name (0 for QoS 0)."""
        packet_id = 0
        name = text(topic)
        start = head(_PUBLISH | qos << 1 | retain, len(name) + 2 * qos + len(payload)) + name
        if qos:
            self.packet_id = packet_id = self.packet_id % 65535 + 1
            start += struct.pack(">H", packet_id)
        if len(payload) > len(self.room):
            await self.send(start)
            await self.send(payload)
        else:  # one segment on the network
            begin, end = _HEAD - len(start), _HEAD + len(payload)
            self.tx[begin:_HEAD] = start
            self.tx[_HEAD:end] = payload
            await self.send(self.tx[begin:end])
        return packet_id

    async def idle(self, ms: int) -> None:
        """Pays what is owed, keeps the connection alive, then waits for the bell; OSError when it has ended."""
        self.beat()
        while self.owed:
            await self.send(b"\x40\2" + struct.pack(">H", self.owed.pop(0)))
        if self.why is None and left(self.silent) < 0:
            self.why = OSError(errno.ETIMEDOUT)
        if self.why is not None:
            raise self.why
        if left(self.ping) < 0:
            self.ping = after(_PING_MS)
            await self.send(b"\xc0\0")  # PINGREQ
        await self.bell.wait_ms(ms)

    def close(self) -> None:
        """Without a DISCONNECT: the broker publishes the will, and a node that stops has said the same before."""
        if self.reader:
            self.reader.cancel()
        if self.connection:
            self.connection.close()
        self.reader = self.connection = self.granted = None

    async def send(self, packet: "Buffer") -> None:
        self.beat()
        await self.connection.send(memoryview(packet))

    async def read(self) -> None:
        try:
            while True:
                self._take(*await self._packet())
        except Exception as error:  # whatever it is, the sender must learn of it
            self.why = error
        finally:
            self.bell.ring()

    def _take(self, kind: int, body: memoryview) -> None:
        if kind & 0xF0 == _PUBLISH:
            at = 2 + number(body, 0)
            topic = bytes(body[2:at])
            if kind & 6:
                if kind & 4 or len(self.owed) > _OWED:  # QoS 2 was not asked for
                    raise OSError(errno.EINVAL)
                self.owed.append(number(body, at))
                at += 2
                self.bell.ring()
            handler = self.handlers.get(topic)
            if handler and at <= len(body):
                handler[0](*handler[1:], body[at:] if self.whole else b"", kind & 1)
        elif kind == _PUBACK:
            self.on_ack(number(body, 0))
        elif kind == _CONNACK and number(body, 0) & 0xFF:
            raise OSError("broker refuses: %d" % body[1])
        elif kind == _SUBACK:
            self.granted = bytes(body[2:])
            self.bell.ring()

    async def _packet(self) -> tuple[int, memoryview]:
        """(first byte, body); of a body that is too long only the beginning, and `whole` is False."""
        kind, length, shift = (await self._fill(self.rx[:1]))[0], 0, 0
        group = 128
        while group > 127:
            if shift > 21:  # four bytes of length at most (2.2.3)
                raise OSError(errno.EINVAL)
            group = (await self._fill(self.rx[:1]))[0]
            length |= (group & 127) << shift
            shift += 7
        body = self.rx
        if _SMALL < length <= _LONGEST + _HEAD:
            try:
                body = memoryview(bytearray(length))
            except MemoryError:
                pass  # too long for today's heap
        body = await self._fill(body[:length])
        length -= len(body)
        self.whole = not length
        while length:
            length -= len(await self._fill(memoryview(bytearray(min(length, 64)))))
        self.silent = after(_SILENCE_MS)
        return kind, body

    async def _fill(self, view: memoryview) -> memoryview:
        self.connection.got = 0
        await self.connection.fill(view)
        return view
