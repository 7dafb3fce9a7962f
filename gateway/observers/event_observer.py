"""What happened, as people ask for it later: devices that fell silent or did not follow, lines that were dropped.

Fits the port CycleObserver: it looks on, gives what it sees to the archive, and never waits.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.adapters.archive.records import HistoryEvent
from gateway.adapters.store.gaps import Gap
from gateway.adapters.store.outbox import OutboxError
from gateway.core.model.site import Site
from gateway.ports import Cycle

SILENT_S = 60.0  # a shorter silence of a device is no event: a batch that is late, a restart of its node
AGAIN_S = 60.0  # between two events of the same: one that comes back sooner goes on

Present = Mapping[tuple[str, str], Mapping[str, float | str]]
"""What is so in a cycle, by kind and device, each with its numbers."""


class EventSink(Protocol):
    """Where events are kept."""

    def save_events(self, events: Sequence[HistoryEvent]) -> None:
        """Events, as they begin and again as they end. Never waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """An event that lasts, or that ended a moment ago and may go on."""

    since_s: float  # UTC
    seen_s: float  # UTC, last moment at which it was so
    numbers: Mapping[str, float | str]  # at its begin


class Dropped(Protocol):
    """Lines that will never be in the database."""

    @property
    def dropped(self) -> int:
        """How many so far."""
        ...

    async def known_gaps(self) -> Sequence[Gap]:
        """Which, oldest first. Raises OutboxError."""
        ...


class EventObserver:
    """Holds what lasts. `run` tells of lines that the outbox has dropped."""

    def __init__(self, site: Site, sink: EventSink, *, outbox: Dropped) -> None:
        self._devices = (site.grid, *site.metered)
        self._sink = sink
        self._outbox = outbox
        self._dropped = outbox.dropped
        self._gaps: Sequence[Gap] = ()
        self._news = asyncio.Event()
        self._open: dict[tuple[str, str], _Open] = {}
        self._begun_s: float | None = None  # monotonic: nothing is silent before it could speak

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in. Nothing is told while nobody knows what time it is."""
        state = cycle.state
        self._begun_s = state.now_s if self._begun_s is None else self._begun_s
        if not state.is_dated:
            return
        present = self._present(cycle, state.now_s - self._begun_s)
        if events := self._lasting(present, state.utc_s):
            self._sink.save_events(events)
        if self._outbox.dropped != self._dropped:
            self._news.set()

    async def run(self) -> None:
        """Tell of gaps for ever: of each that is new, or has grown."""
        while True:
            await self._news.wait()
            self._news.clear()
            dropped = self._outbox.dropped
            with contextlib.suppress(OutboxError):  # the cycle reports it: its rows cannot be written either
                known = await self._outbox.known_gaps()
                self._sink.save_events([_of_gap(gap) for gap in known if gap not in self._gaps])
                self._dropped, self._gaps = dropped, known
                continue
            await asyncio.sleep(AGAIN_S)

    def _present(self, cycle: Cycle, run_s: float) -> Present:
        found: dict[tuple[str, str], Mapping[str, float | str]] = {}
        for device in self._devices:
            reading, age_s = cycle.state.reading(device, "p_w"), cycle.state.age_s(device, "p_w")
            if age_s > SILENT_S and run_s > SILENT_S:
                found["device_silent", device] = {"why": reading.why or "stale"}
        found |= {("device_astray", device): {} for device in cycle.astray}
        found |= {("load_astray", load): {} for load in cycle.astray_loads}
        return found

    def _lasting(self, present: Present, utc_s: float) -> list[HistoryEvent]:
        """What begins now, and what has ended a while ago."""
        events = []
        for key, numbers in present.items():
            before = self._open.get(key)
            self._open[key] = _Open(
                since_s=before.since_s if before else utc_s,
                seen_s=utc_s,
                numbers=before.numbers if before else numbers,
            )
            if before is None:
                events.append(_event(key, self._open[key], until_s=None))
        ended = [key for key, one in self._open.items() if not 0.0 <= utc_s - one.seen_s <= AGAIN_S]
        return events + [_event(key, one := self._open.pop(key), until_s=one.seen_s) for key in ended]


def _of_gap(gap: Gap) -> HistoryEvent:
    return HistoryEvent(
        kind="lines_dropped",
        since_s=gap.from_ms / 1000,
        until_s=gap.to_ms / 1000,
        numbers={"count": float(gap.lines), "names": ", ".join(sorted(gap.counts))},
    )


def _event(key: tuple[str, str], one: _Open, *, until_s: float | None) -> HistoryEvent:
    kind, device = key
    until_s = None if until_s is None else max(until_s, one.since_s)
    return HistoryEvent(kind=kind, since_s=one.since_s, until_s=until_s, device=device, numbers=one.numbers)
