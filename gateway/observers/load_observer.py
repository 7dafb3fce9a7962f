"""What is observed of each load, cycle by cycle: since when a car is there, what it has got, when the water was hot.

Moments are UTC, so that they outlive a restart; a clock that was set never leaves one in the future. Lengths of time
come from the monotonic clock. What is observed of a kind of load stands in its module (`gateway/core/loads`).
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Protocol

from gateway.adapters.store.outbox import OutboxError
from gateway.core.loads import memory
from gateway.core.loads.kind import FlexibleLoad, LoadMoment, LoadObservation, LoadSettings
from gateway.core.model.state import SiteState
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid
from gateway.ports import Cycle

NOTE = "loads"
LONGEST_S = 5.0  # between two cycles that still belong together
AGAIN_S = 10.0  # after a store that could not be written


class Notes(Protocol):
    """Texts that outlive a restart."""

    def note(self, name: str) -> str | None:
        """The text that was saved, None without one. For the start only."""
        ...

    async def save_note(self, name: str, text: str) -> None:
        """A text to be found again. Raises OutboxError."""
        ...


class LoadObserver:
    """Observes the loads that have a device. Fits the port CycleObserver; `run` keeps what outlives a restart."""

    def __init__(self, *, loads: Mapping[str, LoadSettings], zone: tzinfo, past: Notes) -> None:
        self._loads = loads
        self._zone = zone
        self._past = past
        self._seen = {**_unseen(loads), **recalled(past.note(NOTE), loads)}
        self._switched: Mapping[str, Switched] = {}
        self._astray: frozenset[str] = frozenset()
        self._kept = self._plain()
        self._last_s: float | None = None
        self._news = asyncio.Event()

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in."""
        now_s = cycle.state.now_s
        dt_s = min(max(now_s - self._last_s, 0.0), LONGEST_S) if self._last_s is not None else 0.0
        self._last_s, self._switched, self._astray = now_s, cycle.lasting.switched, cycle.astray_loads
        now = LoadMoment(state=cycle.state, zone=self._zone, dt_s=dt_s)
        for id_, seen in self._seen.items():
            if self._loads[id_].device is not None:
                self._seen[id_] = seen.observed(now)
        if self._plain() != self._kept:
            self._news.set()

    def flexible(self, state: SiteState, grid: TimeGrid) -> tuple[FlexibleLoad, ...]:
        """Of all loads of which enough is known to plan them, with their states on this grid.

        One that does not follow what it is sent draws what it draws: that is a part of the building's own load.
        """
        found = (
            seen.flexible(LoadMoment(state=state, zone=self._zone, switched=self._switched_of(id_)), grid)
            for id_, seen in self._seen.items()
            if id_ not in self._astray
        )
        return tuple(one for one in found if one is not None)

    def events(self) -> tuple[object, ...]:
        """Changes when something has happened that the plan did not know: a car came or left, a run was asked for."""
        return tuple((id_, seen.event) for id_, seen in self._seen.items() if seen.event is not None)

    async def run(self) -> None:
        """Keep for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            with contextlib.suppress(OutboxError):  # reported by the cycle, whose rows cannot be written either
                await self.keep()
                continue
            await asyncio.sleep(AGAIN_S)
            self._news.set()

    async def keep(self) -> None:
        """Keep now. Raises OutboxError."""
        plain = self._plain()
        await self._past.save_note(NOTE, plain)
        self._kept = plain

    def _switched_of(self, id_: str) -> Switched | None:
        return self._switched.get(id_) if self._loads[id_].device is not None else None

    def _plain(self) -> str:
        return json.dumps({id_: memory.kept(seen) for id_, seen in sorted(self._seen.items())})


def recalled(text: str | None, loads: Mapping[str, LoadSettings]) -> dict[str, LoadObservation]:
    """From the store; what is not understood is forgotten and observed anew."""
    try:
        rows = json.loads(text or "{}")
        return {id_: memory.recalled(seen, rows[id_]) for id_, seen in _unseen(loads).items() if id_ in rows}
    except (AttributeError, TypeError, ValueError, RecursionError):
        return {}


def _unseen(loads: Mapping[str, LoadSettings]) -> dict[str, LoadObservation]:
    return {id_: settings.unseen(id_) for id_, settings in loads.items()}
