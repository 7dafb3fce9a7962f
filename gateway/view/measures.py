"""What the gateway tells of itself: its connections, its orders, its own figures."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.broker import Broker
from gateway.adapters.building import Building
from gateway.adapters.sntp import TimeServer
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Clock
from gateway.view.display import percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Asks the parts when somebody looks; keeps nothing itself."""

    clock: Clock
    building: Building
    broker: Broker
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
                        **desk.standing.as_json(),
                        "has_table": desk.runs_our_table,
                        "age_s": round(min(now_s - desk.seen_s, 86400.0), 1),
                        "lost": desk.ledger.lost,
                    }
                    for node, desk in self.building.desks.items()
                ],
            },
            "orders": {
                device: holding.as_json()
                for desk in self.building.desks.values()
                for device, holding in desk.holdings.items()
            },
            "database": {
                "configured": forwarder is not None,
                "waiting": self.outbox.waiting,
                "error": self.building.store_error or (forwarder.error if forwarder else None),
            },
        }

    def status(self) -> Mapping[str, object]:
        """Counts and figures since the start."""
        orders = self.building.orders
        dropped = self.outbox.dropped + self.building.rows_cut
        written = self.forwarder.written if self.forwarder else 0
        return {
            "instance": self.building.presence.instance,
            "orders": {
                "sent": orders.sent,
                "applied": orders.applied,
                "refused": orders.refused,
                "failed": orders.failed,
            },
            "latency_ms": percentiles(orders.latency_ms),
            "nodes": {
                node: {
                    **desk.ledger.counts(),
                    "malformed": desk.malformed,
                    "unreadable": desk.unreadable,
                    "undatable": desk.undatable,
                    "health": desk.health,
                }
                for node, desk in self.building.desks.items()
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
