"""The cycle of a second: freeze the state, decide, send the set-points, store it all, show it.

A cycle starts when a sample of the grid meter arrives, because a sample loses value with its age, and at the
latest a period after the one before. A late cycle is not caught up: the next one waits for the next sample.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from gateway.core.control.dispatch import Memory, decide
from gateway.core.control.memory import StoredMemory
from gateway.core.control.trust.ratings import within_ratings
from gateway.core.model.house import HouseMemory, estimated
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reason, SetPoint, SiteState
from gateway.database.cycle_rows import cycle_rows
from gateway.database.tags import RowOrigin
from gateway.ports import (
    Actuation,
    Clock,
    Cycle,
    CycleObserver,
    Link,
    Measurements,
    Persistence,
    Plans,
)

PERIOD_S = 1.0  # the period at which grid meters are read
PATIENCE_S = 0.25  # how long beyond the period a sample is waited for: a batch's way through node and broker
REPEAT_S = 5.0  # a release that got lost is sent again: twice within the usual lease
NEAREST_S = 0.6  # two cycles are never closer: a burst of old samples is one


class Loop:
    """Runs cycles until it is cancelled; `release` gives every device back."""

    def __init__(
        self,
        *,
        site: Site,
        origin: RowOrigin,
        clock: Clock,
        measurements: Measurements,
        actuation: Actuation,
        persistence: Persistence,
        link: Link,
        plans: Plans,
        observers: Sequence[CycleObserver],
        lasting: StoredMemory,
    ) -> None:
        self._site = site
        self._origin = origin
        self._clock = clock
        self._measurements = measurements
        self._actuation = actuation
        self._persistence = persistence
        self._link = link
        self._plans = plans
        self._observers = observers
        self._memory = Memory.restored(lasting)
        self._house = HouseMemory()
        self._number = 0
        self._released_s: dict[str, float] = {}  # when each device was released last
        self._commanded: set[str] = set()  # devices that may hold a set-point of ours

    async def run(self) -> None:
        """Cycle for ever."""
        last_s = self._clock.monotonic_s()
        while True:
            due_s = last_s + PERIOD_S + PATIENCE_S
            arrived_s = await self._measurements.sample(max(0.0, due_s - self._clock.monotonic_s()))
            if arrived_s is not None and arrived_s - last_s < NEAREST_S:
                continue
            last_s = self._clock.monotonic_s()
            due_s = arrived_s if arrived_s is not None else min(due_s, last_s)
            await self.cycle(late_ms=1000 * (last_s - due_s))

    async def cycle(self, *, late_ms: float = 0.0, commands: bool = True) -> Cycle:
        """One turn. With `commands` off nothing is sent."""
        state = within_ratings(self._measurements.state(), self._site)
        setpoints = self._decide(state)
        yielded = self._yielded(state.now_s)
        for setpoint in setpoints:
            if commands and setpoint.mode is not Mode.WATCH:
                await self._send(setpoint, is_yielded=setpoint.device in yielded)
        self._number += 1
        house, self._house = estimated(self._house, state, self._site)
        cycle = Cycle(
            number=self._number,
            state=state,
            setpoints=setpoints,
            load_w=house.load_w,
            house=house,
            late_ms=late_ms,
            lasting=self._memory.stored,
            curtailed=self._memory.is_curtailed,
            astray=self._memory.readings.astray(state.now_s),
            astray_loads=self._memory.readings.astray_loads(state.now_s),
        )
        await self._persistence.save(cycle_rows(cycle, self._site, self._origin))
        await self._link.attend()
        for observer in self._observers:
            observer.show(cycle)
        return cycle

    def _decide(self, state: SiteState) -> tuple[SetPoint, ...]:
        """The set-points of this cycle; beside another gateway that commands they are shown and not sent."""
        slot, requests = self._plans.slot(state.utc_s), self._plans.requests(state)
        setpoints, self._memory = decide(state, self._site, slot, self._memory, requests)
        other = self._actuation.yields_to()
        if setpoints and other is not None:
            setpoints = tuple(_watch_only(setpoint, other) for setpoint in setpoints)
            self._memory = Memory.restored(self._memory.stored)
        return setpoints

    def _yielded(self, now_s: float) -> frozenset[str]:
        """The devices that are given back because they do not follow: somebody else may command them."""
        readings = self._memory.readings
        loads = readings.astray_loads(now_s)
        return readings.astray(now_s) | {load.device for load in self._site.loads if load.id in loads}

    async def _send(self, setpoint: SetPoint, *, is_yielded: bool) -> None:
        """A set-point each cycle, which also renews its lease; a release at once and then now and then.

        What obeys somebody else is released once: each release is an order, too, and the lease ends by itself.
        """
        now_s = self._clock.monotonic_s()
        if setpoint.power_w is not None:
            self._released_s.pop(setpoint.device, None)
            self._commanded.add(setpoint.device)
        elif now_s - self._released_s.get(setpoint.device, -math.inf) < (math.inf if is_yielded else REPEAT_S):
            return
        else:
            self._released_s[setpoint.device] = now_s
        await self._actuation.send(setpoint)

    async def release(self) -> None:
        """Give every device back now that was ever commanded: the last act of the program."""
        reason = Reason(code="stopping")
        for device in sorted(self._commanded):
            setpoint = SetPoint(device=device, power_w=None, mode=Mode.RELEASE, reason=reason)
            await self._actuation.send(setpoint)
        if self._commanded:
            await self._actuation.answered()


def _watch_only(setpoint: SetPoint, other: str) -> SetPoint:
    reason = Reason(code="second_gateway", numbers={"other": other})
    return replace(setpoint, power_w=None, mode=Mode.WATCH, reason=reason)
