"""What is no longer the same at a node, as rows for the store and lines for the log: changes, not cycles."""

import logging
from collections.abc import Iterator, Mapping

from gateway.adapters.node.readback import Readback
from gateway.adapters.node.status import NodeStatus
from gateway.database.tags import RowOrigin
from gateway.ports import FieldValue, Row

_log = logging.getLogger(__name__)

TEXTS = ("fw", "mode", "why", "refused", "update", "test")


def status_row(status: NodeStatus, *, node: str, origin: RowOrigin, time_ms: int) -> Row:
    """What a node says of itself."""
    fields: dict[str, FieldValue] = {name: getattr(status, name) for name in TEXTS}
    fields |= {"is_up": float(status.up), "is_heard": float(status.heard), "is_twin": float(status.twin)}
    fields["build"] = float(status.build)
    return Row(measurement="node", tags=origin.tags(node, "node"), fields=fields, time_ms=time_ms)


def readback_rows(
    before: Mapping[str, Readback], now: Mapping[str, Readback], *, origin: RowOrigin, time_ms: int
) -> Iterator[Row]:
    """What is asked of a device and what it holds, for each device where that is no longer the same."""
    for device, readback in now.items():
        if readback != before.get(device):
            fields = readback.fields()
            yield Row(measurement="health", tags=origin.device_tags(device), fields=fields, time_ms=time_ms)


def log_status(node: str, before: NodeStatus, now: NodeStatus) -> None:
    """A node that refuses its poll table, has tested itself, or has started again."""
    if now.refused and before.refused != now.refused:
        _log.warning("node %s refuses its poll table: %s", node, now.refused)
    if now.test and before.test != now.test:
        level = logging.INFO if now.test == "good" else logging.WARNING
        _log.log(level, "node %s has tested itself: %s", node, now.test)
    if before.twin != now.twin:
        text = "two boards have the identity of node %s" if now.twin else "node %s is one board again"
        _log.log(logging.WARNING if now.twin else logging.INFO, text, node)
    if now.up and before.boot != now.boot:
        why = now.why or "its power came"
        _log.info("node %s runs %s (build %d), mode %s: %s", node, now.fw, now.build, now.mode, why)
