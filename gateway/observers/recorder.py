"""Stores what must be known after a restart: quarter hours, the steps of the chart, and what decisions remember.

Fits the port CycleObserver: it looks on, and never holds up a cycle.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping

from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import OutboxError
from gateway.core.control.memory import StoredMemory, from_note, to_note
from gateway.core.model.quarters import Filling, Quarter, fill
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S
from gateway.core.model.undated import Undated
from gateway.ports import Cycle

Step = tuple[int, Mapping[str, float | None]]  # of the chart: its start (unix s), and means by name

COUNTERS = "counters"  # name of a note
STEPS_KEPT = 1000  # while the store cannot be written, nearly three hours: the chart is a convenience
AGAIN_S = 10.0  # after a store that could not be written
UNDATED_KEPT = 3600  # cycles that wait for a clock that is not set yet: an hour


class Recorder:
    """`run` writes what `show` has noted; a store that cannot be written now is tried again."""

    def __init__(self, *, site: Site, past: HistoryStore, counters: Callable[[], Mapping[str, object]] = dict) -> None:
        """`counters`: what shall be kept of counters with each quarter hour, as JSON knows it."""
        self._counters = counters
        self._site = site
        self._past = past
        self._filling = Filling()
        self._quarters: list[Quarter] = []
        self._steps: deque[Step] = deque(maxlen=STEPS_KEPT)
        self._lasting = self.lasting()
        self._stored = self._lasting
        self._due = asyncio.Event()  # something is to be written
        self._undated: Undated[Cycle] = Undated(UNDATED_KEPT)

    def lasting(self) -> StoredMemory:
        """What decisions remember of the run before; nothing without a note, or with a damaged one."""
        with contextlib.suppress(ValueError, RecursionError):
            return from_note(json.loads(self._past.note("lasting") or "null"))
        return StoredMemory()

    def counters(self) -> object:
        """What was kept of counters; None without a note, or with a damaged one."""
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(self._past.note(COUNTERS) or "null")
        return None

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in; those whose time is not known yet wait until it is."""
        state = cycle.state
        self._undated.keep(state.now_s, cycle)
        if state.is_dated:
            for utc_s, seen in self._undated.dated(state.now_s, state.utc_s):
                self._fill(seen, utc_s)
        self._lasting = cycle.lasting
        if self._quarters or self._lasting != self._stored:
            self._due.set()

    def _fill(self, cycle: Cycle, utc_s: float) -> None:
        """Into the quarter hour of that moment."""
        pv = [cycle.state.value(device, "p_w", max_age_s=SHOWN_S) for device in self._site.pv]
        known = [power_w for power_w in pv if power_w is not None]
        pv_w = sum(known) if len(known) == len(pv) else None
        house = cycle.house
        self._filling, done = fill(
            self._filling,
            utc_s,
            load_w=cycle.load_w if house.is_sure or not house.missing else None,
            load_range_w=(house.low_w, house.high_w),
            pv_w=pv_w,
            grid_w=cycle.state.value(self._site.grid, "p_w", max_age_s=SHOWN_S),
            curtailed=cycle.curtailed,
        )
        self._quarters += [done] if done else []

    def step(self, t: int, values: Mapping[str, float | None]) -> None:
        """A finished step of the page's chart."""
        self._steps.append((t, values))
        self._due.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            with contextlib.suppress(OutboxError):  # the cycle reports it: its rows cannot be written either
                await self.write()
                continue
            await asyncio.sleep(AGAIN_S)
            self._due.set()

    async def write(self) -> None:
        """Write now what was noted. Raises OutboxError."""
        quarters, lasting = self._quarters[:], self._lasting
        await self._past.save_quarters(quarters)
        del self._quarters[: len(quarters)]
        if quarters:
            await self._past.save_note(COUNTERS, json.dumps(self._counters()))
        while self._steps:
            await self._past.save_trend(*self._steps[0])
            self._steps.popleft()
        if lasting != self._stored:
            await self._past.save_note("lasting", json.dumps(to_note(lasting)))
            self._stored = lasting
