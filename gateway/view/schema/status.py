"""Figures of the gateway itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from gateway.view.schema.encoder import Json
from gateway.view.schema.keys import LEFT_OUT, About, LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentilesView:
    """How a time was spread since the start."""

    median: Annotated[float | None, About("half of them are shorter", unit="ms", null="there was none")]
    p99: Annotated[float | None, About("one of a hundred is longer", unit="ms", null="there was none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCountsView:
    """Orders since the start, and what became of them."""

    sent: Annotated[int, About("sent to nodes")]
    applied: Annotated[int, About("carried out")]
    refused: Annotated[int, About("refused by the node")]
    failed: Annotated[int, About("refused by the device, or not answered by it")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCountsView:
    """Records and messages of one node."""

    sent: Annotated[int, About("highest number of a record of its present run")]
    received: Annotated[int, About("records that are stored, each counted once")]
    lost: Annotated[int, About("records that it had to give up")]
    duplicated: Annotated[int, About("records that came again")]
    malformed: Annotated[int, About("messages that were none")]
    unreadable: Annotated[int, About("records of a poll table that is not known any more")]
    undatable: Annotated[int, About("records of a former run that never knew the time")]
    refused: Annotated[
        int | LeftOut, About("records and messages that cannot be true, left alone", left_out="there was none")
    ] = LEFT_OUT
    health: Annotated[Mapping[str, Json], About("what the node says of itself, as it comes ([wire](wire.md))")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCountsView:
    """What the time server did for the nodes."""

    answered: Annotated[int, About("requests")]
    ignored: Annotated[int, About("packets that were none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCountsView:
    """Rows of the database."""

    written: Annotated[int, About("rows that the database took")]
    dropped: Annotated[int, About("rows for which there was no room")]
    refused: Annotated[
        int | LeftOut, About("values that it does not take, kept for `zen outbox`", left_out="there are none")
    ] = LEFT_OUT
    aside: Annotated[
        tuple[str, ...] | LeftOut,
        About("files of no use that this run has put aside, and that are still there", left_out="there are none"),
    ] = LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """Counts and figures since the start of the gateway."""

    cycles: Annotated[int, About("finished cycles")]
    cycle_late_ms: Annotated[PercentilesView, About("how late cycles began")]
    instance: Annotated[str, About("name of this installation, which stays the same for its store")]
    orders: Annotated[OrderCountsView, About("orders to devices")]
    latency_ms: Annotated[PercentilesView, About("from the meter's sample to the answer of the device")]
    nodes: Annotated[Mapping[str, NodeCountsView], About("records and messages of each node")]
    time: Annotated[TimeCountsView, About("time server")]
    database: Annotated[DatabaseCountsView, About("rows of the database")]
    rss_mb: Annotated[float, About("memory now; 0 where the system does not report it", unit="MiB")]
    rss_peak_mb: Annotated[float, About("most memory so far", unit="MiB")]
