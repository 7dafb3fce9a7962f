"""What goes between the broker and the nodes beside orders: messages to their readers, our presence, poll tables.

Fits the port Link. `receive` is where every message enters the gateway.
"""

import logging
from collections.abc import Mapping, Sequence

from gateway.adapters.broker import Broker, Message
from gateway.adapters.node.actuation import NodeActuation
from gateway.adapters.node.measurements import NodeMeasurements
from gateway.adapters.node.orders import Origin
from gateway.adapters.node.payloads import json_object
from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.node.poll_tables import numbered
from gateway.adapters.node.session import NodeSession
from gateway.adapters.node.status_changes import log_status, readback_rows, status_row
from gateway.adapters.presence import Presence
from gateway.ports import Clock
from gateway.wire import topics
from gateway.wire.records import EPOCH_2000
from gateway.wire.sealing import seal

_log = logging.getLogger(__name__)

LEAVES = (topics.STATE, topics.DATA, topics.ACK, topics.HEALTH, topics.TEST)  # what a node says that we listen to


def presence_topic(site_id: str) -> str:
    """The topic of the gateway's own state."""
    return topics.topic(site_id, topics.GATEWAY, topics.STATE)


def probe_topic(site_id: str) -> str:
    """The topic on which a probe goes from the gateway round to itself."""
    return topics.topic(site_id, topics.GATEWAY, topics.PROBE)


def subscriptions(site_id: str) -> Sequence[str]:
    """What the gateway listens to; `+` takes the presence of gateways in as well."""
    return [probe_topic(site_id), *(topics.topic(site_id, "+", leaf) for leaf in LEAVES)]


class NodeLink:
    """Each message goes to the session of its node, and what is new by it to the part that waits for it.

    `keys`: by node, they seal its poll table.
    """

    def __init__(
        self,
        *,
        site_id: str,
        clock: Clock,
        broker: Broker,
        presence: Presence,
        sessions: Mapping[str, NodeSession],
        keys: Mapping[str, bytes],
        measurements: NodeMeasurements,
        actuation: NodeActuation,
        persistence: NodePersistence,
    ) -> None:
        self._site_id = site_id
        self._clock = clock
        self._broker = broker
        self._presence = presence
        self._sessions = sessions
        self._keys = keys
        self._measurements = measurements
        self._actuation = actuation
        self._persistence = persistence

    def receive(self, message: Message) -> None:
        """One message from the broker; anything that is not ours is left alone."""
        parts = _parts(message.topic)
        if parts is None or parts[0] != self._site_id:
            return
        _, node, leaf = parts
        if node == topics.GATEWAY:
            self._receive_gateway(leaf, message)
        elif node not in self._sessions:
            return
        elif leaf == topics.DATA and not message.retained:
            self._receive_batch(node, message.payload)
        elif leaf == topics.STATE or not message.retained:
            self._receive_news(node, leaf, message.payload)

    async def attend(self) -> None:
        """Send what is due (port Link): the probe on a new connection; then that we are here, and the poll tables."""
        if not self._presence.writes or not self._broker.is_up:
            return
        if (needed := self._presence.session_needed()) is not None:
            await self._take_session(needed)
            return
        probe = self._presence.probe(self._broker.connections, self._clock.monotonic_s())
        if probe is not None:
            await self._broker.publish(probe_topic(self._site_id), probe, qos=1)
        due, first = self._presence.to_say(self._clock.monotonic_s())
        if due:
            await self._say(up=True)
        if self._presence.to_leave(self._clock.monotonic_s()):
            await self._say(up=False)
        for node, session in self._sessions.items():
            if await self._renumbered(node, session) or first:
                await self._send_table(node, session)

    async def leave(self) -> None:
        """Say that we are gone; the nodes give their devices back even if they missed the release."""
        if self._presence.may_write(self._clock.monotonic_s()):
            await self._say(up=False)

    def _receive_gateway(self, leaf: str, message: Message) -> None:
        """Another gateway, or we ourselves."""
        now_s = self._clock.monotonic_s()
        before = self._presence.rival(now_s)
        if leaf == topics.STATE:
            is_old = message.retained or not self._presence.has_listened(now_s, self._broker.connections)
            self._presence.receive_state(json_object(message.payload), now_s, is_old=is_old)
        else:
            self._presence.receive_probe(message.payload, now_s)
        rival = self._presence.rival(now_s)
        if rival not in (None, before):
            _log.warning("gateway %s commands: this one only watches", rival)

    def _receive_batch(self, node: str, payload: bytes) -> None:
        """Records: their rows are to be stored, and the loop may wait for a sample among them."""
        now_s = self._clock.monotonic_s()
        live = self._is_live(now_s)
        rows = self._sessions[node].receive_batch(payload, now_s, self._clock.utc_s(), live=live)
        self._persistence.add(rows)
        self._measurements.renewed(now_s)

    def _receive_news(self, node: str, leaf: str, payload: bytes) -> None:
        """All that is no record: what changes by it is stored and logged."""
        session, now_s = self._sessions[node], self._clock.monotonic_s()
        status, readbacks = session.status, dict(session.readbacks)
        if leaf == topics.STATE:
            session.receive_state(payload, now_s)
        elif leaf == topics.HEALTH:
            session.receive_health(payload, now_s)
        elif leaf == topics.TEST:
            session.receive_test(payload, now_s)
        elif leaf == topics.ACK:
            self._receive_answer(node, payload, now_s)
        time_ms = round(1000 * self._clock.utc_s())
        if session.status != status:
            row = status_row(session.status, node=node, origin=session.origin, time_ms=time_ms)
            self._persistence.add([row])
            log_status(node, status, session.status)
        self._persistence.add(readback_rows(readbacks, session.readbacks, origin=session.origin, time_ms=time_ms))

    def _receive_answer(self, node: str, payload: bytes, now_s: float) -> None:
        """Only an answer to an order that we wrote to this node changes anything."""
        session = self._sessions[node]
        answer = session.receive_answer(payload, now_s)
        origin = Origin.NOBODYS if answer is None else self._actuation.origin(node, answer)
        if origin is Origin.NOBODYS:
            session.strays.note(node, "unreadable" if answer is None else f"{answer.done} {answer.why}", now_s)
        if answer is None or origin is not Origin.OURS:
            return
        session.renew_readback(answer)
        session.writes.count(answer, self._clock.utc_s())
        self._actuation.settle(node, answer, None if answer.device is None else session.readbacks.get(answer.device))

    def _is_live(self, now_s: float) -> bool:
        """Whether a message has come straight here; before our probe is back it may have waited at the broker."""
        if not self._presence.writes:  # the broker keeps nothing for a gateway that only looks
            return True
        return self._presence.has_listened(now_s, self._broker.connections)

    async def _take_session(self, needed: int) -> None:
        """Nodes may have obeyed another gateway: ours is a higher session from now on, in our will, too."""
        session = await self._persistence.take_session(needed)
        _log.info("nodes may have obeyed session %d: ours is %d now", needed - 1, session)
        self._presence.session = session
        self._actuation.take_session(session)
        self._broker.begin_anew()

    async def _say(self, *, up: bool) -> None:
        payload = self._presence.payload(up=up)
        await self._broker.publish(presence_topic(self._site_id), payload, qos=1, retain=True)

    async def _send_table(self, node: str, session: NodeSession) -> None:
        sealed = seal(self._keys[node], topics.CFG, numbered(session.table.text, session.table_number))
        await self._broker.publish(topics.topic(self._site_id, node, topics.CFG), sealed, qos=1, retain=True)

    async def _renumbered(self, node: str, session: NodeSession) -> bool:
        """Whether our table has a new number, because the node has met a newer one: another gateway's, or a backup's.

        Only our clock can say which is newer in truth; one that is wrong leaves the refusal as it is.
        """
        now = int(self._clock.utc_s()) - EPOCH_2000
        ours, newer = session.status.outnumbered or (-1, 0)
        if ours != session.table_number or now <= newer or not self._presence.may_write(self._clock.monotonic_s()):
            return False
        number = await self._persistence.renumber(node, session.table.identity, now)
        if number is None:
            return False
        session.table_number = number
        return True


def _parts(topic: str) -> tuple[str, str, str] | None:
    """(site, node, leaf) of a topic of ours, or None for any other."""
    words = topic.removeprefix(f"{topics.ROOT}/").split("/")
    return (words[0], words[1], words[2]) if topic.startswith(topics.ROOT) and len(words) == 3 else None
