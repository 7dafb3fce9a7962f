"""The building as the loop sees it: all nodes behind one broker. Fits the ports Measurements, Actuation and Store."""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from gateway.adapters.broker import Broker, Message
from gateway.adapters.clock import OrderTime
from gateway.adapters.node.ledger import Page
from gateway.adapters.node.orders import Answer, OrderBook
from gateway.adapters.node.payloads import json_object
from gateway.adapters.node.poll_tables import numbered
from gateway.adapters.node.readback import Readback
from gateway.adapters.node.session import NodeSession
from gateway.adapters.node.status import NodeStatus
from gateway.adapters.presence import Presence
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import PLAIN, Rating, raw_setpoint
from gateway.adapters.store.outbox import Outbox, OutboxError
from gateway.core.model.state import Reading, SetPoint, SiteState
from gateway.ports import Clock, Row
from gateway.wire import topics
from gateway.wire.records import EPOCH_2000
from gateway.wire.sealing import seal

_log = logging.getLogger(__name__)

ROWS_KEPT = 20_000  # rows that wait in memory for a disk that cannot be written
ANSWER_S = 3.0  # how long we wait for an answer before we leave anyway
NO_METERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuator:
    """A device that takes orders: where, on which node, and how its numbers are written."""

    node: str
    number: int
    key: bytes
    profile: Profile
    ttl_ms: int
    rating: Rating = PLAIN


class Building:
    """Takes messages in, freezes states, sends orders, and says `heard` for what is safe on disk."""

    def __init__(
        self,
        *,
        site_id: str,
        grid: str,
        clock: Clock,
        desks: Mapping[str, NodeSession],
        keys: Mapping[str, bytes],
        actuators: Mapping[str, Actuator],
        outbox: Outbox,
        orders: OrderBook,
        writes: bool,
        meters: Mapping[str, str] = NO_METERS,
    ) -> None:
        self._site_id = site_id
        self._grid = grid
        self._clock = clock
        self.desks = desks
        self._keys = keys
        self._actuators = actuators
        self._meters = meters
        self._outbox = outbox
        self.orders = orders
        self._writes = writes
        self.presence = Presence(instance=outbox.instance(), session=orders.session)
        self.store_error: str | None = None
        self.rows_cut = 0
        self._broker: Broker | None = None
        self._rows: list[Row] = []
        self._proven = {node: set(desk.proven) for node, desk in desks.items()}
        self._sampled = asyncio.Event()
        self._answered = asyncio.Event()
        self._last_answer: Answer | None = None
        self._sample_s: float | None = None
        self._order_time = OrderTime()

    def attach(self, broker: Broker) -> None:
        """The connection to send through."""
        self._broker = broker

    @property
    def presence_topic(self) -> str:
        """The topic of the gateway's own state."""
        return topics.topic(self._site_id, topics.GATEWAY, topics.STATE)

    @property
    def _probe_topic(self) -> str:
        return topics.topic(self._site_id, topics.GATEWAY, topics.PROBE)

    @property
    def subscriptions(self) -> list[str]:
        """What the gateway listens to."""
        leaves = (topics.STATE, topics.DATA, topics.ACK, topics.HEALTH, topics.TEST)
        return [self._probe_topic, *(topics.topic(self._site_id, "+", leaf) for leaf in leaves)]

    def receive(self, message: Message) -> None:
        """One message from the broker; anything that is not ours is left alone."""
        parts = _parts(message.topic)
        if parts is None or parts[0] != self._site_id:
            return
        _, node, leaf = parts
        if node == topics.GATEWAY:
            self._meet(leaf, message.payload)
        elif node in self.desks and (leaf == topics.STATE or not message.retained):
            self._sort(node, leaf, message.payload)

    async def sample(self, timeout_s: float) -> float | None:
        """Wait for the next sample of the grid meter (port Measurements)."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._sampled.wait()
        except TimeoutError:
            return None
        self._sampled.clear()
        return self._sample_s

    def state(self) -> SiteState:
        """All readings, frozen (port Measurements). The power of a device that has a meter beside it is the meter's."""
        devices: dict[str, Mapping[str, Reading]] = {}
        for desk in self.desks.values():
            devices |= {device: dict(readings) for device, readings in desk.readings.items()}
        devices |= {device: _metered(devices, device, meter) for device, meter in self._meters.items()}
        return SiteState(now_s=self._clock.monotonic_s(), utc_s=self._clock.utc_s(), devices=devices)

    async def send(self, setpoint: SetPoint) -> None:
        """Send an order (port Actuation)."""
        actuator = self._actuators.get(setpoint.device)
        if actuator is None or not self.presence.may_write(self._clock.monotonic_s()):
            return
        boot = self.desks[actuator.node].boot
        if boot is None:  # nothing was heard of it yet
            return
        power_w = setpoint.power_w
        values = None if power_w is None else raw_setpoint(actuator.profile, power_w, actuator.rating)
        at_s = self._order_time.of(self._clock)
        text = self.orders.order(boot, actuator.number, values, actuator.ttl_ms, at_s, setpoint.measured_s)
        topic = topics.topic(self._site_id, actuator.node, topics.SET)
        await self._publish(topic, seal(actuator.key, topics.SET, text), qos=0)

    async def answered(self) -> None:
        """Wait, within bounds, until the last order was answered (port Actuation)."""
        seq = self.orders.seq
        try:
            async with asyncio.timeout(ANSWER_S):
                while (self._last_answer.seq if self._last_answer else 0) < seq:
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError:
            _log.warning("order %d was not answered in %.0f s: the lease will end by itself", seq, ANSWER_S)

    def yields_to(self) -> str | None:
        """The other gateway that was here first (port Actuation)."""
        return self.presence.rival(self._clock.monotonic_s()) if self._writes else None

    async def keep(self, rows: Sequence[Row]) -> None:
        """Rows and all records taken in so far onto the disk, then `heard` to the nodes (port Store).

        A disk that cannot be written does not stop control: nothing is `heard`, the nodes keep their records, and the
        rows wait in memory within bounds.
        """
        self._rows += rows
        if not self._writes:
            self._rows.clear()
            return
        pages = {node: page for node, desk in self.desks.items() if (page := desk.ledger.page()) is not None}
        news = {node: self.desks[node].ledger.take_news() for node in pages}
        if await self._commit(pages):
            await self._say_heard(pages, news)
        else:
            for node, boots in news.items():
                self.desks[node].ledger.news |= boots
        await self._say_here()

    async def leave(self) -> None:
        """Say that we are gone; the nodes give their devices back even if they missed the release."""
        if self._writes and self.presence.may_write(self._clock.monotonic_s()):
            await self._publish(self.presence_topic, self.presence.payload(up=False), qos=1, retain=True)

    async def _commit(self, pages: Mapping[str, Page]) -> bool:
        """Whether all rows so far are on disk. Whoever cancels us may find them written twice, which is harmless."""
        count = len(self._rows)
        try:
            await asyncio.shield(self._outbox.keep(self._rows[:count], pages))
            await self._keep_proven()
        except OutboxError as error:
            if self.store_error is None:
                _log.error("%s", error)
            self.store_error = str(error)
            too_many = max(0, count - ROWS_KEPT)
            self.rows_cut += too_many
            del self._rows[:too_many]
            return False
        self.store_error = None
        del self._rows[:count]
        return True

    async def _say_heard(self, pages: Mapping[str, Page], news: Mapping[str, AbstractSet[int]]) -> None:
        if self.yields_to() is not None:
            return
        for node, page in pages.items():
            for boot in page.boots:
                if boot.boot in news[node]:
                    heard = json.dumps({"boot": boot.boot, "seq": boot.upto}).encode()
                    await self._publish(topics.topic(self._site_id, node, topics.HEARD), heard)

    async def _keep_proven(self) -> None:
        """A change of what is believed: rare, so that a restart begins with what was known."""
        for node, desk in self.desks.items():
            if desk.proven != self._proven.get(node):
                await self._outbox.keep_proven(desk.table.identity, desk.proven)
                self._proven[node] = set(desk.proven)

    async def _say_here(self) -> None:
        """The probe on a new connection; then that we are here, and once what each node shall poll."""
        if self._broker is None or not self._broker.is_up:
            return
        probe = self.presence.probe(self._broker.connections, self._clock.monotonic_s())
        if probe is not None:
            await self._publish(self._probe_topic, probe, qos=1)
        due, first = self.presence.to_say(self._clock.monotonic_s())
        if due:
            await self._publish(self.presence_topic, self.presence.payload(up=True), qos=1, retain=True)
        for node, desk in self.desks.items():
            if await self._outnumber(node, desk) or first:
                text = numbered(desk.table.text, desk.table_number)
                sealed = seal(self._keys[node], topics.CFG, text)
                await self._publish(topics.topic(self._site_id, node, topics.CFG), sealed, qos=1, retain=True)

    async def _outnumber(self, node: str, desk: NodeSession) -> bool:
        """Whether our table has a new number, because the node has met a newer one: another gateway's, or a backup's.

        Only our clock can say which is newer in truth; one that is wrong leaves the refusal standing.
        """
        now = int(self._clock.utc_s()) - EPOCH_2000
        ours, newer = desk.standing.outnumbered or (-1, 0)
        if ours != desk.table_number or now <= newer or not self.presence.may_write(self._clock.monotonic_s()):
            return False
        try:
            desk.table_number = await self._outbox.renumber(node, desk.table.identity, now)
        except OutboxError as error:
            self.store_error = str(error)
            return False
        return True

    def _sort(self, node: str, leaf: str, payload: bytes) -> None:
        desk, now_s = self.desks[node], self._clock.monotonic_s()
        if leaf == topics.DATA:
            before = desk.readings.get(self._grid, {}).get("p_w")
            self._rows += desk.on_data(payload, now_s, self._clock.utc_s(), live=self._is_live(now_s))
            if desk.readings.get(self._grid, {}).get("p_w") is not before:
                self._sample_s = now_s
                self._sampled.set()
        else:
            standing, holdings = desk.standing, dict(desk.holdings)
            if leaf == topics.STATE:
                desk.on_state(payload, now_s)
            elif leaf == topics.HEALTH:
                desk.on_health(payload, now_s)
            elif leaf == topics.TEST:
                desk.on_test(payload, now_s)
            elif leaf == topics.ACK:
                self._take(desk, desk.on_answer(payload, now_s))
            if desk.standing != standing:
                self._tell_standing(node, standing, desk.standing)
            self._rows += self._changed(holdings, desk.holdings)

    def _tell_standing(self, node: str, told: NodeStatus, standing: NodeStatus) -> None:
        """What a node is and does, when it is no longer the same: stored, and its troubles told."""
        tags = {"site": self._site_id, "node": node}
        time_ms = round(1000 * self._clock.utc_s())
        self._rows.append(Row(measurement="health", tags=tags, fields=standing.fields(), time_ms=time_ms))
        if standing.refused and told.refused != standing.refused:
            _log.warning("node %s refuses its poll table: %s", node, standing.refused)
        if standing.test and told.test != standing.test:
            level = logging.INFO if standing.test == "good" else logging.WARNING
            _log.log(level, "node %s has tested itself: %s", node, standing.test)
        if standing.up and told.boot != standing.boot:
            why = standing.why or "its power came"
            _log.info("node %s runs %s (build %d), mode %s: %s", node, standing.fw, standing.build, standing.mode, why)

    def _is_live(self, now_s: float) -> bool:
        """Whether a message has come straight here; before our probe is back it may have waited at the broker."""
        if self._broker is None or not self._writes:  # who only looks has nothing kept for him
            return True
        return self.presence.has_listened(now_s, self._broker.connections)

    def _changed(self, before: Mapping[str, Readback], now: Mapping[str, Readback]) -> Iterator[Row]:
        """What is asked of a device and what it holds, when it is no longer the same."""
        for device, holding in now.items():
            if holding != before.get(device):
                tags = {"site": self._site_id, "device": device}
                time_ms = round(1000 * self._clock.utc_s())
                yield Row(measurement="health", tags=tags, fields=holding.fields(), time_ms=time_ms)

    def _take(self, desk: NodeSession, answer: Answer | None) -> None:
        if answer is None:
            return
        if answer.why == "readback" and answer.device is not None:
            held = desk.holdings[answer.device]
            asked, holds = _power(held.asked_w, "its own mode"), _power(held.held_w, "something else")
            _log.warning("order %d: %s was asked for %s and holds %s", answer.seq, answer.device, asked, holds)
        elif answer.done in ("refused", "failed") and not answer.is_overtaken:
            _log.warning("order %d was %s: %s", answer.seq, answer.done, answer.why)
        if answer.why == "session":
            self.presence.refused(self._clock.monotonic_s())
        self.orders.settle(answer)
        self._last_answer = answer
        self._answered.set()

    def _meet(self, leaf: str, payload: bytes) -> None:
        now_s, before = self._clock.monotonic_s(), self.yields_to()
        if leaf == topics.STATE:
            self.presence.meet(json_object(payload), now_s)
        else:
            self.presence.probe_came(payload, now_s)
        if self.yields_to() not in (None, before):
            _log.warning("gateway %s was here first: this one only watches", self.yields_to())

    async def _publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        return self._broker is not None and await self._broker.publish(topic, payload, qos=qos, retain=retain)


def _metered(devices: Mapping[str, Mapping[str, Reading]], device: str, meter: str) -> dict[str, Reading]:
    """Readings of a device with the power that its meter tells, if that has told any."""
    own = {name: reading for name, reading in devices.get(device, {}).items() if name != "p_w"}
    power = devices.get(meter, {}).get("p_w")
    return own if power is None else {**own, "p_w": power}


def _power(power_w: float | None, otherwise: str) -> str:
    return otherwise if power_w is None else f"{power_w:.0f} W"


def _parts(topic: str) -> tuple[str, str, str] | None:
    """(site, node, leaf) of a topic of ours, or None for any other."""
    words = topic.removeprefix(f"{topics.ROOT}/").split("/")
    return (words[0], words[1], words[2]) if topic.startswith(topics.ROOT) and len(words) == 3 else None
