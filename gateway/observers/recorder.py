"""Keeps what must be known after a restart: quarter hours, the steps of the chart, and what decisions remember.

Fits the port Display: it looks on, and never holds up a cycle.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping

from gateway.adapters.store.history import Past
from gateway.adapters.store.outbox import OutboxError
from gateway.core.control.memory import StoredMemory, from_note, to_note
from gateway.core.model.quarters import Filling, Quarter, fill
from gateway.core.model.site import Site
from gateway.core.model.state import SHOWN_S
from gateway.ports import Cycle

Step = tuple[int, Mapping[str, float | None]]

STEPS_KEPT = 1000  # while the store cannot be written: the chart is a convenience
AGAIN_S = 10.0  # after a store that could not be written


class Recorder:
    """`run` writes what `show` has noted; a store that cannot be written now is tried again."""

    def __init__(self, *, site: Site, past: Past) -> None:
        self._site = site
        self._past = past
        self._filling = Filling()
        self._quarters: list[Quarter] = []
        self._steps: deque[Step] = deque(maxlen=STEPS_KEPT)
        self._lasting = self.lasting()
        self._kept = self._lasting
        self._news = asyncio.Event()

    def lasting(self) -> StoredMemory:
        """What decisions remember of the run before; a damaged note is a fresh start."""
        with contextlib.suppress(ValueError, RecursionError):
            return from_note(json.loads(self._past.note("lasting") or "null"))
        return StoredMemory()

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in."""
        pv = [cycle.state.value(device, "p_w", max_age_s=SHOWN_S) for device in self._site.pv]
        known = [power_w for power_w in pv if power_w is not None]
        pv_w = sum(known) if len(known) == len(pv) else None
        self._filling, done = fill(
            self._filling,
            cycle.state.utc_s,
            load_w=cycle.load_w,
            pv_w=pv_w,
            grid_w=cycle.state.value(self._site.grid, "p_w", max_age_s=SHOWN_S),
            curtailed=cycle.curtailed,
        )
        self._quarters += [done] if done else []
        self._lasting = cycle.lasting
        if self._quarters or self._lasting != self._kept:
            self._news.set()

    def step(self, t: int, values: Mapping[str, float | None]) -> None:
        """A finished step of the page's chart."""
        self._steps.append((t, values))
        self._news.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            with contextlib.suppress(OutboxError):  # told by the cycle, whose rows cannot be written either
                await self._write()
                continue
            await asyncio.sleep(AGAIN_S)
            self._news.set()

    async def _write(self) -> None:
        quarters, lasting = self._quarters[:], self._lasting
        await self._past.keep_quarters(quarters)
        del self._quarters[: len(quarters)]
        while self._steps:
            await self._past.keep_trend(*self._steps[0])
            self._steps.popleft()
        if lasting != self._kept:
            await self._past.keep_note("lasting", json.dumps(to_note(lasting)))
            self._kept = lasting
