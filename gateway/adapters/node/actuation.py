"""Set-points to the nodes as leased orders, and what became of them. Fits the port Actuation."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapters.broker import Broker
from gateway.adapters.node.orders import OrderAnswer, OrderLog, Origin, node_moment
from gateway.adapters.node.readback import Readback
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import PLAIN, Rating, raw_setpoint
from gateway.core.model.state import SetPoint
from gateway.ports import Clock
from gateway.wire import topics
from gateway.wire.sealing import seal

_log = logging.getLogger(__name__)

ANSWER_S = 3.0  # how long we wait for an answer before we leave anyway: the longest timeout of a bus


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuator:
    """A device that takes orders: where, on which node, and how its numbers are written."""

    node: str
    number: int  # in the node's poll table
    key: bytes  # seals what is for the node
    profile: Profile
    ttl_ms: int  # the lease of each order
    rating: Rating = PLAIN


class NodeActuation:
    """Each set-point is an order with a lease of its own, so that sending one again renews it.

    Nothing is sent while another gateway commands, before the broker's backlog has been heard, or to a node that has
    not said which run of it would obey.
    """

    def __init__(
        self,
        *,
        site_id: str,
        clock: Clock,
        broker: Broker,
        presence: Presence,
        sessions: Mapping[str, NodeSession],
        actuators: Mapping[str, Actuator],
        orders: OrderLog,
    ) -> None:
        self._site_id = site_id
        self._clock = clock
        self._broker = broker
        self._presence = presence
        self._sessions = sessions
        self._actuators = actuators
        self.orders = orders
        self._last_answer: OrderAnswer | None = None
        self._answered = asyncio.Event()
        self._troubles: dict[tuple[str, int | None], str] = {}  # by actuator, as they were said

    async def send(self, setpoint: SetPoint) -> None:
        """Send an order (port Actuation)."""
        actuator, now_s = self._actuators.get(setpoint.device), self._clock.monotonic_s()
        if actuator is None or not self._presence.may_write(now_s):
            return
        session = self._sessions[actuator.node]
        if session.boot is None:  # nothing was heard of it yet
            return
        power_w = setpoint.power_w
        text = self.orders.order(
            actuator.node,
            session.boot,
            actuator.number,
            None if power_w is None else raw_setpoint(actuator.profile, power_w, actuator.rating),
            ttl_ms=actuator.ttl_ms,
            at=node_moment(session.clock_utc_s(now_s)),
            now_s=now_s,
            sample_s=setpoint.measured_s,
        )
        topic = topics.topic(self._site_id, actuator.node, topics.SET)
        await self._broker.publish(topic, seal(actuator.key, topics.SET, text), qos=0)

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
        """The other gateway that commands (port Actuation); one that takes our account is known by its name only."""
        other = self._presence.rival(self._clock.monotonic_s())
        return other or (self._broker.account if self._broker.is_contested else None)

    def take_session(self, session: int) -> None:
        """Orders are of this session from now on."""
        self.orders.session = session

    def origin(self, node: str, answer: OrderAnswer) -> Origin:
        """Whose order an answer of a node belongs to."""
        return self.orders.origin(node, answer, alone=self._presence.is_alone(self._clock.monotonic_s()))

    def settle(self, node: str, answer: OrderAnswer, readback: Readback | None) -> None:
        """Take the answer to an order of ours; `readback`: what its device holds after it."""
        self._last_answer = answer
        self._answered.set()
        if not self.orders.settle(answer):
            return
        if answer.done == "refused" and answer.why == "session":
            self._presence.refused()
        self._tell(node, answer, readback)

    def _tell(self, node: str, answer: OrderAnswer, readback: Readback | None) -> None:
        """What goes wrong, once until something else happens."""
        if answer.is_overtaken:
            return
        place, trouble = (node, answer.number), f"{answer.done} {answer.why}" if answer.why else ""
        is_known = self._troubles.get(place, "") == trouble
        self._troubles[place] = trouble
        if is_known:
            return
        if answer.why == "readback" and readback is not None:
            asked, holds = _power(readback.asked_w, "its own mode"), _power(readback.held_w, "something else")
            _log.warning("order %d: %s was asked for %s and holds %s", answer.seq, answer.device, asked, holds)
        elif answer.done in ("refused", "failed"):
            _log.warning("order %d to %s was %s: %s", answer.seq, answer.device, answer.done, answer.why)


def _power(power_w: float | None, otherwise: str) -> str:
    return otherwise if power_w is None else f"{power_w:.0f} W"
