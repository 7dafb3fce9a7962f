"""What the gateway's parts say of themselves: connections, orders, store, figures."""

import resource
from collections.abc import Callable, Iterator, Mapping
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
from gateway.adapters.store.store import Trouble
from gateway.ports import Clock
from gateway.view.percentiles import percentiles
from gateway.view.schema.cycle import DatabaseView, LinksView, NodeView, OrderView, ReasonView
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
    archive_trouble: Callable[[], Trouble | None] = lambda: None  # why the history of years is not written

    def links(self) -> LinksView:
        """Broker and nodes."""
        now_s = self.clock.monotonic_s()
        nodes = tuple(node_view(node, session, now_s) for node, session in self.sessions.items())
        takeovers = self.broker.takeovers or LEFT_OUT
        source = self.time_source()
        clock = LEFT_OUT if source == TimeSource.SYSTEM else str(source)
        return LinksView(broker=self.broker.is_up, takeovers=takeovers, nodes=nodes, clock=clock)

    def orders(self) -> Mapping[str, OrderView]:
        """By device that was ordered something."""
        return {
            device: order_view(readback)
            for session in self.sessions.values()
            for device, readback in session.readbacks.items()
        }

    def database(self) -> DatabaseView:
        """Store and database; what is wrong on disk comes first."""
        forwarder, outbox, store = self.forwarder, self.outbox, self.outbox.trouble
        wrong = self.persistence.error or (f"the store is not on disk: {store.text}" if store else None)
        return DatabaseView(
            configured=forwarder is not None,
            waiting=outbox.waiting,
            error=wrong or (forwarder.error if forwarder else None),
            refused=outbox.refused or LEFT_OUT,
            troubles=tuple(self._troubles()) or LEFT_OUT,
        )

    def _troubles(self) -> Iterator[ReasonView]:
        """What is wrong with the store and the database."""
        if self.outbox.trouble is not None:
            yield ReasonView(code=f"store_{self.outbox.trouble.cause}", numbers={})
        elif self.persistence.error is not None:
            yield ReasonView(code="store_slow", numbers={"said": self.persistence.error})
        if (trouble := self.archive_trouble()) is not None:
            yield ReasonView(code="store_history", numbers={"said": trouble.text})
        for file in self.outbox.aside:
            yield ReasonView(code="store_aside", numbers={"file": file.name})
        database = self.forwarder.trouble if self.forwarder else None
        if database is not None:
            yield ReasonView(code=database.code, numbers=database.numbers)
        if self.outbox.refused:
            yield ReasonView(code="database_refused", numbers={"count": self.outbox.refused})

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
                refused=self.outbox.refused or LEFT_OUT,
                aside=tuple(file.name for file in self.outbox.aside) or LEFT_OUT,
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
        strays=session.strays.lately(now_s) or LEFT_OUT,
        ahead_s=round(session.ahead_s, 1) or LEFT_OUT,
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
        refused=session.ledger.refused or LEFT_OUT,
        health=session.health,
    )


def _rss_mb() -> float:
    """Resident memory now (Linux: second field of statm, in pages); 0 where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)
