"""Between ring and broker: connects again and again, sends records until the gateway has stored them, brings orders.

Delivery is at least once from end to end: a record leaves the ring when the gateway says so (`heard`), because a
broker also acknowledges what it throws away. The gateway recognises copies by boot and sequence.
"""

import asyncio
import json

from micropython import const
from node.mqtt import Mqtt
from node.wait import Bell, after, call, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from collections.abc import Callable
    from typing import Any

    from kinds import Beat, Buffer, Conf, Handler, Memory, Say
    from node.ring import Ring

# Those of wire.topics; a module costs more than four words.
_STATE = const("state")
_DATA = const("data")
_ACK = const("ack")
_HEALTH = const("health")
_WINDOW = const(4)  # batches on their way to the broker
_UNACKED_MS = const(10000)  # a broker that does not acknowledge for so long is gone
_UNHEARD_MS = const(10000)  # what the broker took and the gateway did not store by then is sent again
_DEAF_S = const(30)  # and then we count as not heard, and if the gateway is there, a new connection may help
_NEW_S = const(60)  # but no session is given less
_HOLD_MS = const(8000)  # for records without a time, while the clock may still come
_TURN_MS = const(1000)
_HEALTH_MS = const(10000)
_STEADY_MS = const(10000)  # a session of this length starts the back-off anew
_OUTBOX = const(32)  # acks kept while there is no broker
DOWN = '{"up": false}'


class Link:
    """`topic` is that of the node, without leaf; `memory` is that of memory.py, for the broker's address.

    `say` reports a change. Before it runs, `serve` must have given it what else the node publishes and subscribes to.
    """

    gateway_up = False  # as it says itself
    heard_s = 0  # uptime until which nothing waited to be heard
    where: tuple = None  # what tcp_connect.connect needs to reach the broker
    state = DOWN
    announced = False  # the state, in this session
    stored = -1  # what the gateway said last
    patience = 0  # tick until which it may say the same
    said = ""
    stopping = False

    def __init__(self, conf: "Conf", topic: str, ring: "Ring", memory: "Memory", say: "Say") -> None:
        self.conf = conf
        self.ring = ring
        self.memory = memory
        self.say = say
        self.topic = topic
        self.bell = Bell()
        self.mqtt = Mqtt(self.bell, {(topic + "heard").encode(): (self._heard,)}, self._acked, self._turn)
        self.flight: "list[Any]" = []  # (packet id, tick of the latest acknowledgement, last sequence or entry of the outbox)
        self.outbox: list[list] = []  # [JSON, sent in this session]
        self.tell = after(_HEALTH_MS)  # tick of the next health message
        self.notes: dict[str, bytes] = {}  # leaf → payload, the newest

    def serve(self, handlers: "dict[bytes, Handler]", health: "Callable[[], dict]") -> None:
        """`handlers` are those of Mqtt; `health` gives a dict."""
        self.mqtt.handlers.update(handlers)
        self.health = health

    def up(self) -> bool:
        """True while there is a session with the broker."""
        return self.mqtt.granted is not None and self.mqtt.why is None

    def heard(self) -> bool:
        """False when the gateway has stored nothing for half a minute though something waits."""
        return self.ring.clock.uptime_s - self.heard_s <= _DEAF_S

    def announce(self, state: str) -> None:
        """The retained state from now on."""
        self.state = state
        self.announced = False
        self.bell.ring()

    def answer(self, ack: dict, leaf: str = _ACK) -> None:
        """Queue an ack (or what else is to be said once); the oldest goes when too many wait."""
        if len(self.outbox) >= _OUTBOX:
            self.outbox.pop(0)
        self.outbox.append([json.dumps(ack).encode(), False, leaf])
        self.bell.ring()

    def note(self, leaf: str, payload: bytes) -> None:
        """Send once with QoS 0; what cannot be sent gives way to the next."""
        self.notes[leaf] = payload
        self.bell.ring()

    async def run(self, beat: "Beat") -> None:
        """Until `stopping`, and what waits is sent."""
        self.beat = beat
        attempt = 0
        while True:
            self.steady: int = None
            try:
                await self._session(attempt)
            except (OSError, MemoryError) as error:
                self._tell("link: %r" % error)
            finally:
                self.mqtt.close()
            if self.stopping:
                break
            if self.steady is not None and left(self.steady) < 0:
                attempt = 0
            pause = after(call("broker", "pause_ms", attempt))
            while left(pause) > 0:
                self._turn()
                await asyncio.sleep_ms(min(left(pause), _TURN_MS))
            attempt += 1

    async def _session(self, attempt: int) -> None:
        broker = self.conf["broker"]
        if self.where is None or attempt % 8 == 3:  # names are looked up rarely: it blocks
            self.where = call("broker", "find", broker, self.memory, self.where)
        mqtt = self.mqtt
        self.gateway_up = False  # until the broker says so again
        connection = await call("tcp_connect", "connect", *self.where)
        await call("mqtt_login", "begin", mqtt, connection, self.conf, self.topic + _STATE, DOWN)
        self._tell("link: up")
        self.steady = after(_STEADY_MS)
        self.announced = False
        self.flight = []
        for entry in self.outbox:
            entry[1] = False
        ring = self.ring
        ring.rewind()
        hold = after(_HOLD_MS)
        deaf_s = ring.clock.uptime_s + _NEW_S
        while True:
            await self._send(ring.clock.zero or left(hold) < 0)
            if self.stopping and not self.outbox:
                return
            await mqtt.idle(_TURN_MS)
            if self.flight and left(self.flight[0][1]) < 0:
                raise OSError("no PUBACK")
            now_s = ring.clock.uptime_s
            if ring.oldest > ring.acked:
                self.heard_s = now_s
            if not self.gateway_up:
                deaf_s = max(deaf_s, now_s + _DEAF_S)
            if now_s > max(deaf_s, self.heard_s + _DEAF_S):
                raise OSError("not heard")

    async def _send(self, dated: object) -> None:
        if not self.announced:
            self.announced = True
            await self._publish(_STATE, self.state.encode(), None, retain=1)
        for entry in list(self.outbox):
            if not entry[1]:
                entry[1] = True
                await self._publish(entry[2], entry[0], entry)
        while dated and len(self.flight) < _WINDOW:
            size, last = self.ring.batch(self.mqtt.room)
            if not size:
                break
            await self._publish(_DATA, self.mqtt.room[:size], last)
        while self.notes:
            leaf, payload = self.notes.popitem()
            await self.mqtt.publish(self.topic + leaf, payload)
        if left(self.tell) <= 0:
            self.tell = after(_HEALTH_MS)
            await self.mqtt.publish(self.topic + _HEALTH, json.dumps(self.health()).encode())

    async def _publish(self, leaf: str, payload: "Buffer", what: object, retain: int = 0) -> None:
        packet_id = await self.mqtt.publish(self.topic + leaf, payload, 1, retain)
        self.flight.append((packet_id, after(_UNACKED_MS), what))

    def _acked(self, packet_id: int) -> None:
        for entry in self.flight:
            if entry[0] == packet_id:
                self.flight.remove(entry)
                if isinstance(entry[2], int):
                    self.ring.acked = max(self.ring.acked, entry[2])
                elif entry[2] in self.outbox:
                    self.outbox.remove(entry[2])
                break
        self.bell.ring()

    def _heard(self, payload: "Buffer", _retained: bool) -> None:
        """What the gateway has stored may go; what it did not store for too long is sent again."""
        try:
            message = json.loads(bytes(payload))
            boot, seq = int(message["boot"]), int(message["seq"])
        except Exception:  # not a message of ours
            return
        ring = self.ring
        ring.heard(boot, seq)
        if boot != ring.boot:
            return
        if seq != self.stored or ring.oldest > ring.acked:
            self.stored = seq
            self.heard_s = ring.clock.uptime_s
        elif left(self.patience) > 0:
            return
        else:
            ring.rewind()
            self.bell.ring()
        self.patience = after(_UNHEARD_MS)

    def _turn(self) -> None:
        self.beat()
        if self.mqtt.granted is None:
            self.ring.save(self.mqtt.room)

    def _tell(self, what: str) -> None:
        if what != self.said:
            self.said = what
            self.say(what)
