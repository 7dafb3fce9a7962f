"""The parts between loop and nodes put together without a site file, and a broker that only notes what is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.broker import Broker
from gateway.adapters.node.actuation import Actuator, NodeActuation
from gateway.adapters.node.link import NodeLink
from gateway.adapters.node.measurements import NodeMeasurements
from gateway.adapters.node.orders import OrderLog
from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Clock, Row

SITE_ID = "s"
NO_ACTUATORS: Mapping[str, Actuator] = {}


class Wire(Broker):
    """Keeps what is sent while it is `up`."""

    def __init__(self, *, up: bool = True) -> None:
        self.connections = 1
        self.up = up
        self.sent: list[tuple[str, bytes, int, bool]] = []

    @property
    def is_up(self) -> bool:
        return self.up

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bool:
        if self.up:
            self.sent.append((topic, payload, qos, retain))
        return self.up

    def tables(self) -> list[tuple[int, dict[str, object]]]:
        """(number, the rest) of those sent so far, without their seals."""
        texts = [
            json.loads(payload[32:]) for topic, payload, _, retain in self.sent if topic.endswith("/cfg") and retain
        ]
        return [(text.pop("n"), text) for text in texts]

    def orders(self) -> list[dict[str, object]]:
        """Those sent so far, without their seals."""
        return [json.loads(payload[32:]) for topic, payload, _, _ in self.sent if topic.endswith("/set")]


@dataclass(frozen=True, kw_only=True)
class NodeSide:
    """The parts, and what the loop does with them at the end of a cycle."""

    sessions: Mapping[str, NodeSession]
    measurements: NodeMeasurements
    actuation: NodeActuation
    persistence: NodePersistence
    link: NodeLink

    async def end_cycle(self, rows: Sequence[Row] = ()) -> None:
        await self.persistence.save(rows)
        await self.link.attend()


def node_side(
    *,
    clock: Clock,
    outbox: Outbox,
    wire: Broker,
    sessions: Mapping[str, NodeSession],
    actuators: Mapping[str, Actuator] = NO_ACTUATORS,
    site_id: str = SITE_ID,
    session: int = 1,
) -> NodeSide:
    """All of them as one gateway that writes; the grid meter is the device `grid`."""
    presence = Presence(instance=outbox.instance(), session=session)
    shared = {"site_id": site_id, "clock": clock, "broker": wire, "presence": presence, "sessions": sessions}
    measurements = NodeMeasurements(clock=clock, sessions=sessions, grid="grid", meters={})
    actuation = NodeActuation(**shared, actuators=actuators, orders=OrderLog(session=session))
    persistence = NodePersistence(**shared, outbox=outbox)
    link = NodeLink(
        **shared,
        keys=dict.fromkeys(sessions, bytes(32)),
        measurements=measurements,
        actuation=actuation,
        persistence=persistence,
    )
    return NodeSide(
        sessions=sessions, measurements=measurements, actuation=actuation, persistence=persistence, link=link
    )
