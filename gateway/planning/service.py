"""When plans are made, and which one holds. Fits the port Plans of the loop.

A plan is made at the start of each quarter hour, when the clock was set, and when a car came or left. One that is late,
failed, out of order or old is not there: then the plain rule runs, and the page says why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.model.plan import LoadSlot, Plan, Slot
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.state import Reason, SiteState
from gateway.planning.plan_inputs import PlanInputs
from gateway.planning.process import WorkerError
from gateway.ports import Clock

_log = logging.getLogger(__name__)

OLD_S = 3600.0  # three quarters may fail; then a plan is no better than none
AGAIN_S = 15.0  # after a failure
SOON_S = 2.0  # while something is missing that may come any moment
LOOK_S = 1.0  # how often the clock is looked at
JUMP_S = 30.0  # the clock was set, not just corrected


class PlanState(StrEnum):
    """What there is to follow."""

    NONE = "none"
    HOLDS = "holds"
    KEPT = "kept"
    OLD = "old"


class PlanEvent(StrEnum):
    """What leads planning from one state to another."""

    MADE = "made"
    NOTHING = "nothing"
    FAILED = "failed"
    AGED = "aged"


PLAN_MEANING: Mapping[StrEnum, str] = {
    PlanState.NONE: "no plan: none was made yet, or there is nothing to plan; the plain rule runs",
    PlanState.HOLDS: "the plan is followed",
    PlanState.KEPT: "the plan is followed, although the last attempt at a newer one failed",
    PlanState.OLD: "the plan is not followed any more, unless a clock that was set is set back; the plain rule runs",
    PlanEvent.MADE: "a plan was made",
    PlanEvent.NOTHING: "there is nothing to plan, or something is missing that a plan cannot do without",
    PlanEvent.FAILED: "making a plan failed, or took too long",
    PlanEvent.AGED: f"{OLD_S:g} s since it was made, its last slot is over, or the clock was set",
}

# What is not in the table leaves the state as it is.
PLAN_TRANSITIONS = {
    (PlanState.NONE, PlanEvent.MADE): PlanState.HOLDS,
    (PlanState.HOLDS, PlanEvent.NOTHING): PlanState.NONE,
    (PlanState.HOLDS, PlanEvent.FAILED): PlanState.KEPT,
    (PlanState.HOLDS, PlanEvent.AGED): PlanState.OLD,
    (PlanState.KEPT, PlanEvent.MADE): PlanState.HOLDS,
    (PlanState.KEPT, PlanEvent.NOTHING): PlanState.NONE,
    (PlanState.KEPT, PlanEvent.AGED): PlanState.OLD,
    (PlanState.OLD, PlanEvent.MADE): PlanState.HOLDS,
    (PlanState.OLD, PlanEvent.NOTHING): PlanState.NONE,
}


class NoPlanError(Exception):
    """There is nothing to plan, or not enough is known; `reason` says what is missing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """What the page shows of planning: the plan that holds, or why there is none."""

    # The plan to follow; None: the plain rule holds.
    plan: Plan | None
    # Why there is none, or why the last attempt to make a newer one failed; None when all is well.
    why: Reason | None


class Planning:
    """Keeps one plan fresh. `prepare` collects the inputs (or raises NoPlanError), `ask` gives the plan.

    `plain`: what loads would have without a plan. `events`: a value that changes when the plan is no longer right.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        prepare: Callable[[], Awaitable[PlanInputs]],
        ask: Callable[[PlanInputs], Awaitable[Plan]],
        plain: Callable[[SiteState], Mapping[str, LoadSlot]] = lambda _state: {},
        events: Callable[[], object] = lambda: None,
    ) -> None:
        self._clock = clock
        self._prepare = prepare
        self._ask = ask
        self._plan: Plan | None = None
        self._why: Reason | None = Reason(code="plan_starting")
        self._offset_s = clock.utc_s() - clock.monotonic_s()
        self._plain = plain
        self._events = events

    def slot(self, utc_s: float) -> Slot | None:
        """The slot to follow now; None: the plain rule."""
        plan = self.status(utc_s).plan
        return None if plan is None else plan.at(utc_s)

    def requests(self, state: SiteState) -> Mapping[str, LoadSlot]:
        """What each load would have now: by the plan, by the plain rule where that does not know the load."""
        plan = self.status(state.utc_s).plan
        return {**self._plain(state), **(plan.loads_at(state.utc_s) if plan is not None else {})}

    def state(self, utc_s: float) -> PlanState:
        """What there is to follow at this moment."""
        if self._plan is None:
            return PlanState.NONE
        if not -JUMP_S <= utc_s - self._plan.made_s <= OLD_S or self._plan.at(utc_s) is None:
            return PlanState.OLD
        return PlanState.HOLDS if self._why is None else PlanState.KEPT

    def status(self, utc_s: float) -> PlanStatus:
        """The plan if it may be followed at this moment, with why not otherwise."""
        plan = self._plan
        match self.state(utc_s):
            case PlanState.HOLDS | PlanState.KEPT:
                return PlanStatus(plan=plan, why=self._why)
            case PlanState.OLD if plan is not None:
                numbers = {"age_s": min(abs(utc_s - plan.made_s), 86400.0)}
                return PlanStatus(plan=None, why=self._why or Reason(code="plan_old", numbers=numbers))
            case _:
                return PlanStatus(plan=None, why=self._why)

    async def run(self) -> None:
        """Make plans for ever."""
        while True:
            known = self._events()
            wait_s = await self.renew()
            due_s = self._clock.monotonic_s() + wait_s
            while self._clock.monotonic_s() < due_s and not self._clock_was_set():
                if self._events() != known:
                    break
                await asyncio.sleep(LOOK_S)

    async def renew(self) -> float:
        """Try to make a new plan; the seconds until the next time."""
        try:
            plan = await self._ask(await self._prepare())
        except NoPlanError as none:
            self._plan, self._why = None, none.reason
            return SOON_S
        except WorkerError as error:
            _log.warning("no plan: %s", error)
            self._why = Reason(code=f"plan_{error.code}")
            return AGAIN_S
        except OSError as error:
            _log.warning("no plan: %s", error)
            self._why = Reason(code="plan_failed")
            return AGAIN_S
        self._plan, self._why = plan, None
        return self._until_next_s(plan.made_s)

    def _until_next_s(self, made_s: float) -> float:
        """To the start of the quarter hour after that of a plan, and a little: the one before must be in the history.

        A plan that took until the next quarter has begun is followed by another at once.
        """
        due_s = (made_s // QUARTER_S + 1) * QUARTER_S + 2 * LOOK_S
        return max(due_s - self._clock.utc_s(), LOOK_S)

    def _clock_was_set(self) -> bool:
        offset_s = self._clock.utc_s() - self._clock.monotonic_s()
        moved = abs(offset_s - self._offset_s) > JUMP_S
        self._offset_s = offset_s
        return moved
