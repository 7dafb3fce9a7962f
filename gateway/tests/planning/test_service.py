"""Which plan holds: a fresh one, never an old one, and always with the reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from gateway.core.model.plan import LoadSlot, Plan
from gateway.core.model.state import Reason, SiteState
from gateway.planning.plan_inputs import PlanInputs
from gateway.planning.process import WorkerError
from gateway.planning.service import OLD_S, NoPlanError, Planning
from gateway.tests.planning.made_inputs import NOW, inputs, plan
from gateway.tests.planning.virtual_time import in_virtual_time


@dataclass
class TestClock:
    """The time of the running loop; `offset_s` is what has to be added for the time of day."""

    __test__ = False
    offset_s: float = NOW

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def utc_s(self) -> float:
        return self.monotonic_s() + self.offset_s


async def collected() -> PlanInputs:
    return inputs()


async def planned(clock: TestClock, answers: list[Plan | Exception]) -> Planning:
    """After as many attempts as there are answers."""
    done = asyncio.Event()

    async def ask(_: PlanInputs) -> Plan:
        answer = answers.pop(0)
        if not answers:
            done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    planning = Planning(clock=clock, prepare=collected, ask=ask)
    async with running(planning):
        await done.wait()
    return planning


@asynccontextmanager
async def running(planning: Planning) -> AsyncIterator[None]:
    task = asyncio.create_task(planning.run())
    try:
        yield
        await asyncio.sleep(0)  # what came with the last answer is taken in
    finally:
        task.cancel()


def code(planning: Planning, utc_s: float) -> str | None:
    why = planning.status(utc_s).why
    return why.code if why else None


@in_virtual_time
async def test_a_plan_holds_for_its_slots() -> None:
    planning = await planned(TestClock(), [plan()])
    assert planning.slot(NOW + 10) == plan().slots[0]
    assert planning.slot(NOW + 910) == plan().slots[1]
    assert code(planning, NOW + 10) is None


@in_virtual_time
async def test_before_the_first_plan_there_is_none() -> None:
    async def never(_: object = None) -> PlanInputs:
        raise AssertionError

    planning = Planning(clock=TestClock(), prepare=never, ask=never)  # type: ignore[arg-type]
    assert planning.slot(NOW) is None
    assert code(planning, NOW) == "plan_starting"


@in_virtual_time
async def test_an_old_plan_is_no_plan() -> None:
    planning = await planned(TestClock(), [plan()])
    assert planning.slot(NOW + OLD_S - 1) is not None
    assert planning.slot(NOW + OLD_S + 1) is None
    assert code(planning, NOW + OLD_S + 1) == "plan_old"


@pytest.mark.parametrize("why", ["late", "failed", "nonsense"])
@in_virtual_time
async def test_a_failure_leaves_the_last_plan_until_it_is_old_and_says_why(why: str) -> None:
    planning = await planned(TestClock(), [plan(), WorkerError(why)])
    assert planning.slot(NOW + 1000) == plan().slots[1]
    assert planning.slot(NOW + OLD_S + 1) is None
    assert code(planning, NOW + OLD_S + 1) == f"plan_{why}"


@in_virtual_time
async def test_when_nothing_can_be_planned_the_last_plan_goes_at_once() -> None:
    planning = await planned(TestClock(), [plan(), NoPlanError(Reason(code="tariff_missing"))])
    assert planning.slot(NOW + 10) is None
    assert code(planning, NOW + 10) == "tariff_missing"


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
@in_virtual_time
async def test_a_clock_that_was_set_makes_the_plan_invalid_and_a_new_one(jump_s: float) -> None:
    clock = TestClock()
    planning = await planned(clock, [plan()])
    assert planning.slot(NOW + jump_s) is None
    made: list[float] = []

    async def ask(_: PlanInputs) -> Plan:
        made.append(clock.utc_s())
        return plan(clock.utc_s())

    planning = Planning(clock=clock, prepare=collected, ask=ask)
    async with running(planning):
        await asyncio.sleep(5.0)
        assert len(made) == 1
        clock.offset_s += jump_s
        await asyncio.sleep(2.0)  # the clock is looked at once a second
        assert len(made) == 2
    assert planning.slot(clock.utc_s()) is not None


@pytest.mark.parametrize(
    ("begun_s", "took_s", "next_s"),
    [
        (100.0, 0.0, 900.0),
        (100.0, 15.0, 900.0),  # not 15 s before: the quarter that ends must be in the history
        (899.0, 3.0, 902.0),  # there when the next quarter has begun: that one's plan at once, not 15 min later
        (899.0, 8.0, 907.0),
    ],
)
@in_virtual_time
async def test_each_quarter_has_a_plan_however_long_one_takes(begun_s: float, took_s: float, next_s: float) -> None:
    clock = TestClock(offset_s=NOW + begun_s)
    asked: list[float] = []

    async def prepare() -> PlanInputs:
        asked.append(clock.utc_s() - NOW)
        return inputs()

    async def ask(_: PlanInputs) -> Plan:
        made = plan(clock.utc_s())
        await asyncio.sleep(took_s)
        return made

    planning = Planning(clock=clock, prepare=prepare, ask=ask)
    async with running(planning):
        await asyncio.sleep(next_s - begun_s + 10.0)
    assert asked[0] == begun_s
    assert next_s <= asked[1] <= next_s + 2.0
    assert len(asked) == 2


LIKES = LoadSlot(power_w=0.0, value=0.1, reason=Reason(code="load_plain"))
DUE = LoadSlot(power_w=3680.0, value=0.3, reason=Reason(code="load_due"))


def at(utc_s: float) -> SiteState:
    return SiteState(now_s=0.0, utc_s=utc_s, devices={})


@in_virtual_time
async def test_a_load_that_the_plan_does_not_know_goes_by_the_plain_rule() -> None:
    slots = plan().slots
    made = replace(plan(), loads={"car": (DUE,) * len(slots)})

    async def ask(_: PlanInputs) -> Plan:
        return made

    planning = Planning(
        clock=TestClock(), prepare=collected, ask=ask, plain=lambda _state: {"car": LIKES, "pool": LIKES}
    )
    assert planning.requests(at(NOW + 10)) == {"car": LIKES, "pool": LIKES}
    async with running(planning):
        await asyncio.sleep(1.0)
    assert planning.requests(at(NOW + 10)) == {"car": DUE, "pool": LIKES}
    assert planning.requests(at(NOW + OLD_S + 100_000)) == {"car": LIKES, "pool": LIKES}


@in_virtual_time
async def test_a_car_that_comes_makes_a_new_plan_at_once() -> None:
    asked: list[tuple[float, tuple[str, ...]]] = []
    events: list[str] = []
    clock = TestClock()

    async def ask(_: PlanInputs) -> Plan:
        asked.append((clock.monotonic_s(), tuple(events)))
        return plan(clock.utc_s())

    planning = Planning(clock=clock, prepare=collected, ask=ask, events=lambda: tuple(events))
    async with running(planning):
        await asyncio.sleep(99.5)
        events.append("a car is plugged in")
        await asyncio.sleep(100.0)
    assert asked == [(0.0, ()), (100.0, ("a car is plugged in",))]  # long before the next quarter hour
