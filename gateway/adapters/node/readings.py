"""One record of a node as readings, and what happened to its counters as rows for the database."""

import logging
from collections.abc import Iterable, Iterator, Mapping

from gateway.adapters.node.batches import FLAG_NAMES, HEADER_REPLY, WRONG_HEADER, Record
from gateway.adapters.node.counters import CounterEvent
from gateway.adapters.node.poll_tables import Block
from gateway.adapters.products import registers, telegrams
from gateway.adapters.products.points import Label, Point
from gateway.core.model.state import Reading
from gateway.ports import FieldValue, Row
from gateway.wire import records
from gateway.wire.records import OK

_log = logging.getLogger(__name__)


def readings_of(block: Block, record: Record, measured_s: float) -> Mapping[str, Reading]:
    """Readings of a block as its profile says; absent with the flag of a failed read."""
    flag, words = record.flag, record.registers
    if flag == OK and len(words) != block.registers:
        flag = records.WRONG_REPLY
    if flag != OK:
        header = flag == records.WRONG_REPLY and tuple(words) == (HEADER_REPLY,)
        why = WRONG_HEADER if header else FLAG_NAMES[flag]
        return {point.name: Reading.absent(why, measured_s) for point in block.points}
    if block.profile.links.tic is not None:
        labels = [point for point in block.points if isinstance(point, Label)]
        return dict(telegrams.readings(labels, words, measured_s))
    points = [point for point in block.points if isinstance(point, Point)]
    return dict(registers.readings(block.profile, points, block.first, words, measured_s))


def event_rows(events: Iterable[CounterEvent], *, tags: Mapping[str, str], time_ms: int) -> Iterator[Row]:
    """A row for each counter that goes on from another value; whoever subtracts two of its values needs to know."""
    for event in events:
        _log.warning(
            "%s: %s goes on from %.0f Wh instead of %.0f Wh: %s",
            *(event.device, event.point, event.after_wh, event.before_wh, event.what),
        )
        fields: dict[str, FieldValue] = {
            "code": event.what,
            "point": event.point,
            "before_wh": float(event.before_wh),
            "after_wh": float(event.after_wh),
        }
        yield Row(measurement="event", tags=tags, fields=fields, time_ms=time_ms)
