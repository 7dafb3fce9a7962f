"""What the gateway's parts say of themselves: connections, orders, store, figures."""

import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.broker import Broker
from gateway.adapters.node.actuation import NodeActuation
from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.node.readback import Readback
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.site_time import TimeSource
from gateway.adapters.sntp import TimeServer
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Clock
from gateway.view.percentiles import percentiles
from gateway.view.schema.cycle import DatabaseView, LinksView, NodeView, OrderView
from gateway.view.schema.keys import LEFT_OUT
from gateway.view.schema.status import (
    DatabaseCountsView,
    NodeCountsView,
    OrderCountsView,
    PercentilesView,
    StatusView,
    TimeCountsView,
)

LONGEST_AGE_S = 86400.0  # a node that was never heard is as old as one that is silent for a day


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """Asks the parts on each request; keeps nothing itself. `forwarder` is None without a database."""

    clock: Clock
    presence: Presence
    broker: Broker
    sessions: Mapping[str, NodeSession]
    actuation: NodeActuation
    persistence: NodePersistence
    forwarder: Forwarder | None
    outbox: Outbox
    time: TimeServer
    time_source: Callable[[], TimeSource] = lambda: TimeSource.SYSTEM

    def links(self) -> LinksView:
        """Broker and nodes."""
        now_s = self.clock.monotonic_s()
        nodes = tuple(node_view(node, session, now_s) for node, session in self.sessions.items())
        source = self.time_source()
        clock = LEFT_OUT if source == TimeSource.SYSTEM else str(source)
        return LinksView(broker=self.broker.is_up, nodes=nodes, clock=clock)

    def orders(self) -> Mapping[str, OrderView]:
        """By device that was ordered something."""
        return {
            device: order_view(readback)
            for session in self.sessions.values()
            for device, readback in session.readbacks.items()
        }

    def database(self) -> DatabaseView:
        """Store and database; what is wrong on disk comes first."""
        forwarder = self.forwarder
        return DatabaseView(
            configured=forwarder is not None,
            waiting=self.outbox.waiting,
            error=self.persistence.error or (forwarder.error if forwarder else None),
        )

    def status(self, *, cycles: int, cycle_late_ms: PercentilesView) -> StatusView:
        """Counts and figures since the start."""
        orders = self.actuation.orders
        return StatusView(
            cycles=cycles,
            cycle_late_ms=cycle_late_ms,
            instance=self.presence.instance,
            orders=OrderCountsView(
                sent=orders.sent, applied=orders.applied, refused=orders.refused, failed=orders.failed
            ),
            latency_ms=percentiles(orders.latency_ms),
            nodes={node: _node_counts(session) for node, session in self.sessions.items()},
            time=TimeCountsView(answered=self.time.answered, ignored=self.time.ignored),
            database=DatabaseCountsView(
                written=self.forwarder.written if self.forwarder else 0,
                dropped=self.outbox.dropped + self.persistence.rows_cut,
            ),
            rss_mb=_rss_mb(),
            rss_peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        )


def node_view(node: str, session: NodeSession, now_s: float) -> NodeView:
    """One node."""
    status = session.status
    return NodeView(
        id=node,
        up=status.up,
        boot=status.boot,
        fw=status.fw,
        build=status.build,
        mode=status.mode,
        why=status.why,
        refused=status.refused,
        heard=status.heard,
        update=status.update,
        test=status.test,
        has_table=session.runs_our_table,
        age_s=round(min(now_s - session.seen_s, LONGEST_AGE_S), 1),
        lost=session.ledger.lost,
        twin_age_s=LEFT_OUT if (age_s := session.boards.other_s(now_s)) is None else round(age_s, 1),
    )


def order_view(readback: Readback) -> OrderView:
    """What a device was ordered last."""
    return OrderView(
        asked_w=readback.asked_w,
        applied_w=readback.applied_w,
        held_w=readback.held_w,
        by=readback.by,
        why=readback.why,
    )


def _node_counts(session: NodeSession) -> NodeCountsView:
    return NodeCountsView(
        **session.ledger.counts(),
        malformed=session.malformed,
        unreadable=session.unreadable,
        undatable=session.undatable,
        health=session.health,
    )


def _rss_mb() -> float:
    """Resident memory now (Linux: second field of statm, in pages); 0 where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)
