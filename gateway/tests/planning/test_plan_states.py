"""The table of states of planning is walked: each row does what it says, and no pair is forgotten."""

import itertools

import pytest

from gateway.core.model.plan import Plan
from gateway.core.model.state import Reason
from gateway.planning.process import WorkerError
from gateway.planning.service import OLD_S, PLAN_MEANING, PLAN_TRANSITIONS, NoPlanError, PlanEvent, PlanState
from gateway.tests.planning.made_inputs import NOW, plan
from gateway.tests.planning.test_service import TestClock, planned
from gateway.tests.planning.virtual_time import in_virtual_time

TO_THEM = {  # a way to each state from the start of planning
    PlanState.NONE: [PlanEvent.NOTHING],
    PlanState.HOLDS: [PlanEvent.MADE],
    PlanState.KEPT: [PlanEvent.MADE, PlanEvent.FAILED],
    PlanState.OLD: [PlanEvent.MADE, PlanEvent.AGED],
}
AGED_S = OLD_S + 60.0


def answers(events: list[PlanEvent]) -> tuple[list[Plan | Exception], float]:
    """What the planner answers, one after the other, and the moment at which all of it has happened (UTC)."""
    found: list[Plan | Exception] = []
    now_s = NOW
    for event in events:
        match event:
            case PlanEvent.MADE:
                found.append(plan(now_s))
            case PlanEvent.NOTHING:
                found.append(NoPlanError(Reason(code="tariff_missing")))
            case PlanEvent.FAILED:
                found.append(WorkerError("failed"))
            case PlanEvent.AGED:
                now_s += AGED_S
    return found, now_s


@pytest.mark.parametrize(("state", "event"), list(itertools.product(PlanState, PlanEvent)))
@in_virtual_time
async def test_each_event_leads_where_the_table_says(state, event) -> None:
    before, before_s = answers(TO_THEM[state])
    assert (await planned(TestClock(), before)).state(before_s + 1.0) is state
    after, after_s = answers([*TO_THEM[state], event])
    planning = await planned(TestClock(), after)
    assert planning.state(after_s + 1.0) is PLAN_TRANSITIONS.get((state, event), state)


@pytest.mark.parametrize("state", PlanState)
@in_virtual_time
async def test_a_plan_is_followed_in_two_states_and_a_reason_is_told_in_three(state) -> None:
    found, now_s = answers(TO_THEM[state])
    status = (await planned(TestClock(), found)).status(now_s + 1.0)
    assert (status.plan is not None) is (state in (PlanState.HOLDS, PlanState.KEPT))
    assert (status.why is not None) is (state is not PlanState.HOLDS)


def test_each_state_and_event_has_a_meaning_and_each_state_can_be_left_and_reached() -> None:
    assert list(PLAN_MEANING) == [*PlanState, *PlanEvent]
    assert {state for state, _ in PLAN_TRANSITIONS} == set(PlanState)
    assert set(PLAN_TRANSITIONS.values()) == set(PlanState)
    assert all(state is not after for (state, _), after in PLAN_TRANSITIONS.items())
