"""What the gateway tells of itself: its connections, its orders, its own figures."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.broker import Broker
from gateway.adapters.node.actuation import NodeActuation
from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.node.session import NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.sntp import TimeServer
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Clock
from gateway.view.display import percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Asks the parts when somebody looks; keeps nothing itself."""

    clock: Clock
    presence: Presence
    broker: Broker
    sessions: Mapping[str, NodeSession]
    actuation: NodeActuation
    persistence: NodePersistence
    forwarder: Forwarder | None
    outbox: Outbox
    time: TimeServer

    def links(self) -> Mapping[str, object]:
        """Broker, nodes, orders and database: for each cycle's picture."""
        now_s = self.clock.monotonic_s()
        forwarder = self.forwarder
        return {
            "links": {
                "broker": self.broker.is_up,
                "nodes": [
                    {
                        "id": node,
                        **session.status.as_json(),
                        "has_table": session.runs_our_table,
                        "age_s": round(min(now_s - session.seen_s, 86400.0), 1),
                        "lost": session.ledger.lost,
                    }
                    for node, session in self.sessions.items()
                ],
            },
            "orders": {
                device: readback.as_json()
                for session in self.sessions.values()
                for device, readback in session.readbacks.items()
            },
            "database": {
                "configured": forwarder is not None,
                "waiting": self.outbox.waiting,
                "error": self.persistence.error or (forwarder.error if forwarder else None),
            },
        }

    def status(self) -> Mapping[str, object]:
        """Counts and figures since the start."""
        orders = self.actuation.orders
        dropped = self.outbox.dropped + self.persistence.rows_cut
        written = self.forwarder.written if self.forwarder else 0
        return {
            "instance": self.presence.instance,
            "orders": {
                "sent": orders.sent,
                "applied": orders.applied,
                "refused": orders.refused,
                "failed": orders.failed,
            },
            "latency_ms": percentiles(orders.latency_ms),
            "nodes": {
                node: {
                    **session.ledger.counts(),
                    "malformed": session.malformed,
                    "unreadable": session.unreadable,
                    "undatable": session.undatable,
                    "health": session.health,
                }
                for node, session in self.sessions.items()
            },
            "time": {"answered": self.time.answered, "ignored": self.time.ignored},
            "database": {"written": written, "dropped": dropped},
            "rss_mb": _rss_mb(),
            "rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def _rss_mb() -> float:
    """Resident memory now (Linux: second field of statm, in pages)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return round(pages * resource.getpagesize() / 2**20, 1)
