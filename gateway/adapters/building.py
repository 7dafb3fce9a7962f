"""The building as the loop sees it: all nodes behind one broker. Fits the ports Senses, Hands and Store."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.broker import Broker, Message
from gateway.adapters.nodes import Answer, NodeDesk, OrderBook
from gateway.adapters.outbox import Outbox
from gateway.adapters.profiles import Profile
from gateway.adapters.tables import raw_setpoint
from gateway.core.model import Reading, SetPoint, SiteState
from gateway.ports import Clock, Row
from gateway.wire import topics
from gateway.wire.seal import seal

_log = logging.getLogger(__name__)

LISTEN_S = 0.5  # how long the broker may take to tell of another gateway
ANSWER_S = 3.0  # how long we wait for an answer before we leave anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuator:
    """A device that takes orders: where, on which node, and how its numbers are written."""

    node: str
    number: int
    key: bytes
    profile: Profile
    ttl_ms: int


class Building:
    """Takes messages in, freezes states, sends orders, and says `heard` for what is safe on disk."""

    def __init__(
        self,
        *,
        site_id: str,
        grid: str,
        clock: Clock,
        desks: Mapping[str, NodeDesk],
        keys: Mapping[str, bytes],
        actuators: Mapping[str, Actuator],
        outbox: Outbox,
        orders: OrderBook,
        writes: bool,
    ) -> None:
        self._site_id = site_id
        self._grid = grid
        self._clock = clock
        self.desks = desks
        self._keys = keys
        self._actuators = actuators
        self._outbox = outbox
        self.orders = orders
        self._writes = writes
        self.instance = outbox.instance()
        self._broker: Broker | None = None
        self._other: str | None = None
        self._announced = 0  # the connection on which we said that we are here
        self._connected = 0, 0.0  # its number and the moment at which it was first seen
        self._rows: list[Row] = []
        self._proven = {node: set(desk.proven) for node, desk in desks.items()}
        self._sampled = asyncio.Event()
        self._answered = asyncio.Event()
        self._last_answer: Answer | None = None
        self._sample_s: float | None = None

    def attach(self, broker: Broker) -> None:
        """The connection to send through."""
        self._broker = broker

    @property
    def presence(self) -> str:
        """The topic of the gateway's own state."""
        return topics.topic(self._site_id, topics.GATEWAY, topics.STATE)

    @property
    def subscriptions(self) -> list[str]:
        """What the gateway listens to."""
        leaves = (topics.STATE, topics.DATA, topics.ACK, topics.HEALTH)
        return [topics.topic(self._site_id, "+", leaf) for leaf in leaves]

    def presence_payload(self, *, up: bool) -> bytes:
        """What the gateway says of itself; the same with up false is its will."""
        return json.dumps({"up": up, "instance": self.instance, "sid": self.orders.session}).encode()

    def receive(self, message: Message) -> None:
        """One message from the broker; anything that is not ours is left alone."""
        parts = _parts(message.topic)
        if parts is None or parts[0] != self._site_id:
            return
        _, node, leaf = parts
        if node == topics.GATEWAY:
            self._meet(message.payload)
            return
        desk = self.desks.get(node)
        if desk is not None:
            self._sort(desk, leaf, message.payload)

    async def sample(self, timeout_s: float) -> float | None:
        """Wait for the next sample of the grid meter (port Senses)."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._sampled.wait()
        except TimeoutError:
            return None
        self._sampled.clear()
        return self._sample_s

    def state(self) -> SiteState:
        """All readings, frozen (port Senses)."""
        devices: dict[str, Mapping[str, Reading]] = {}
        for desk in self.desks.values():
            devices |= {device: dict(readings) for device, readings in desk.readings.items()}
        return SiteState(now_s=self._clock.monotonic_s(), utc_s=self._clock.utc_s(), devices=devices)

    async def lend(self, setpoint: SetPoint) -> None:
        """Send an order (port Hands)."""
        actuator = self._actuators.get(setpoint.device)
        if actuator is None:
            return
        values = None if setpoint.power_w is None else raw_setpoint(actuator.profile, setpoint.power_w)
        text = self.orders.order(actuator.number, values, actuator.ttl_ms, self._clock.utc_s(), setpoint.measured_s)
        topic = topics.topic(self._site_id, actuator.node, topics.SET)
        await self._publish(topic, seal(actuator.key, topics.SET, text), qos=0)

    async def answered(self) -> None:
        """Wait, within bounds, until the last order was answered (port Hands)."""
        seq = self.orders.seq
        try:
            async with asyncio.timeout(ANSWER_S):
                while self._last_answer is None or self._last_answer.seq < seq:
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            _log.warning("order %d was not answered in %.0f s: the lease will end by itself", seq, ANSWER_S)

    def yields_to(self) -> str | None:
        """The other gateway that was here first (port Hands)."""
        return self._other if self._writes else None

    async def keep(self, rows: Sequence[Row]) -> None:
        """Rows and all records taken in so far onto the disk, then `heard` to the nodes (port Store)."""
        taken, self._rows = self._rows, []
        if not self._writes:
            return
        pages = {node: page for node, desk in self.desks.items() if (page := desk.ledger.page()) is not None}
        await self._outbox.keep([*taken, *rows], pages)
        await self._keep_proven()
        await self._announce()
        if self._other is None:
            for node, page in pages.items():
                heard = json.dumps({"boot": page.boot, "seq": page.upto}).encode()
                await self._publish(topics.topic(self._site_id, node, topics.HEARD), heard)

    async def leave(self) -> None:
        """Say that we are gone; the nodes give their devices back even if they missed the release."""
        if self._writes and self._announced:
            await self._publish(self.presence, self.presence_payload(up=False), qos=1, retain=True)

    async def _keep_proven(self) -> None:
        """A change of what is believed: rare, so that a restart begins with what was known."""
        for node, desk in self.desks.items():
            if desk.proven != self._proven.get(node):
                self._proven[node] = set(desk.proven)
                await self._outbox.keep_proven(desk.table.identity, desk.proven)

    async def _announce(self) -> None:
        """Once a connection: we are here, and this is what each node shall poll. Another gateway may speak first."""
        if self._broker is None or not self._broker.is_up:
            return
        number, now_s = self._broker.connections, self._clock.monotonic_s()
        if self._connected[0] != number:
            self._connected = number, now_s
        if self._announced == number or self._other is not None or now_s - self._connected[1] < LISTEN_S:
            return
        self._announced = number
        await self._publish(self.presence, self.presence_payload(up=True), qos=1, retain=True)
        for node, desk in self.desks.items():
            sealed = seal(self._keys[node], topics.CFG, desk.table.text)
            await self._publish(topics.topic(self._site_id, node, topics.CFG), sealed, qos=1, retain=True)

    def _sort(self, desk: NodeDesk, leaf: str, payload: bytes) -> None:
        now_s = self._clock.monotonic_s()
        if leaf == topics.DATA:
            before = desk.readings.get(self._grid, {}).get("p_w")
            self._rows += desk.on_data(payload, now_s, self._clock.utc_s())
            if desk.readings.get(self._grid, {}).get("p_w") is not before:
                self._sample_s = now_s
                self._sampled.set()
        elif leaf == topics.STATE:
            desk.on_state(payload, now_s)
        elif leaf == topics.HEALTH:
            desk.on_health(payload, now_s)
        elif leaf == topics.ACK:
            self._take(desk.on_answer(payload, now_s))

    def _take(self, answer: Answer | None) -> None:
        if answer is None:
            return
        if answer.done in ("refused", "failed"):
            _log.warning("order %d was %s: %s", answer.seq, answer.done, answer.why)
        self.orders.settle(answer)
        self._last_answer = answer
        self._answered.set()

    def _meet(self, payload: bytes) -> None:
        """Another gateway in our place: the one with the older session stays, the other one only watches."""
        try:
            state = json.loads(payload)
            other, up, session = str(state["instance"]), state["up"] is True, int(state["sid"])
        except (ValueError, KeyError, TypeError):
            return
        if other == self.instance:
            return
        first = up and session <= self.orders.session
        if first and self._other is None:
            _log.warning("gateway %s was here first: this one only watches", other)
        self._other = other if first else None

    async def _publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        return self._broker is not None and await self._broker.publish(topic, payload, qos=qos, retain=retain)


def _parts(topic: str) -> tuple[str, str, str] | None:
    """(site, node, leaf) of a topic of ours, or None for any other."""
    words = topic.removeprefix(f"{topics.ROOT}/").split("/")
    return (words[0], words[1], words[2]) if topic.startswith(topics.ROOT) and len(words) == 3 else None
