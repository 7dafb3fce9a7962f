"""Which plan holds: a fresh one, never an old one, and always with the reason."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from gateway.core.model.plan import LoadSlot, Plan
from gateway.core.model.state import Reason, SiteState
from gateway.planning import service
from gateway.planning.plan_inputs import PlanInputs
from gateway.planning.process import WorkerError
from gateway.planning.service import OLD_S, NoPlanError, Planning
from gateway.tests.planning.made_inputs import NOW, plan, question


@dataclass
class TestClock:
    """A clock that stands until it is moved."""

    __test__ = False
    now_s: float = 0.0
    offset_s: float = NOW

    def monotonic_s(self) -> float:
        return self.now_s

    def utc_s(self) -> float:
        return self.now_s + self.offset_s


async def planned(clock: TestClock, answers: list[Plan | Exception]) -> Planning:
    """After as many attempts as there are answers."""
    done = asyncio.Event()

    async def prepare() -> PlanInputs:
        return question()

    async def ask(_: PlanInputs) -> Plan:
        answer = answers.pop(0)
        if not answers:
            done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    planning = Planning(clock=clock, prepare=prepare, ask=ask)
    running = asyncio.create_task(planning.run())
    while not done.is_set():
        clock.now_s += 100.0
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
    running.cancel()
    return planning


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.001)


def code(planning: Planning, utc_s: float) -> str | None:
    why = planning.standing(utc_s).why
    return why.code if why else None


async def test_a_plan_holds_for_its_slots() -> None:
    planning = await planned(TestClock(), [plan()])
    assert planning.slot(NOW + 10) == plan().slots[0]
    assert planning.slot(NOW + 910) == plan().slots[1]
    assert code(planning, NOW + 10) is None


async def test_before_the_first_plan_there_is_none() -> None:
    async def never(_: object = None) -> PlanInputs:
        raise AssertionError

    planning = Planning(clock=TestClock(), prepare=never, ask=never)  # type: ignore[arg-type]
    assert planning.slot(NOW) is None
    assert code(planning, NOW) == "plan_starting"


async def test_an_old_plan_is_no_plan() -> None:
    planning = await planned(TestClock(), [plan()])
    assert planning.slot(NOW + OLD_S - 1) is not None
    assert planning.slot(NOW + OLD_S + 1) is None
    assert code(planning, NOW + OLD_S + 1) == "plan_old"


@pytest.mark.parametrize("why", ["late", "failed", "nonsense"])
async def test_a_failure_leaves_the_last_plan_until_it_is_old_and_says_why(why: str) -> None:
    planning = await planned(TestClock(), [plan(), WorkerError(why)])
    assert planning.slot(NOW + 1000) == plan().slots[1]
    assert planning.slot(NOW + OLD_S + 1) is None
    assert code(planning, NOW + OLD_S + 1) == f"plan_{why}"


async def test_when_nothing_can_be_planned_the_last_plan_goes_at_once() -> None:
    planning = await planned(TestClock(), [plan(), NoPlanError(Reason(code="tariff_missing"))])
    assert planning.slot(NOW + 10) is None
    assert code(planning, NOW + 10) == "tariff_missing"


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
async def test_a_clock_that_was_set_makes_the_plan_invalid_and_a_new_one(jump_s: float) -> None:
    clock = TestClock()
    planning = await planned(clock, [plan()])
    assert planning.slot(NOW + jump_s) is None
    made: list[float] = []

    async def prepare() -> PlanInputs:
        return question()

    async def ask(_: PlanInputs) -> Plan:
        made.append(clock.utc_s())
        return plan(clock.utc_s())

    planning = Planning(clock=clock, prepare=prepare, ask=ask)
    running = asyncio.create_task(planning.run())
    await until(lambda: len(made) == 1)
    clock.offset_s += jump_s
    await until(lambda: len(made) == 2)
    running.cancel()
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
async def test_each_quarter_has_a_plan_however_long_one_takes(begun_s: float, took_s: float, next_s: float) -> None:
    clock = TestClock(offset_s=NOW + begun_s)
    asked: list[float] = []

    async def prepare() -> PlanInputs:
        asked.append(clock.utc_s() - NOW)
        return question()

    async def ask(_: PlanInputs) -> Plan:
        made = plan(clock.utc_s())
        clock.now_s += took_s
        return made

    planning = Planning(clock=clock, prepare=prepare, ask=ask)
    running = asyncio.create_task(planning.run())
    async with asyncio.timeout(5):
        while len(asked) < 2:
            await asyncio.sleep(0.002)
            clock.now_s += 0.5
    running.cancel()
    assert asked[0] == begun_s
    assert next_s <= asked[1] <= next_s + 2.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a condition of another task
            await asyncio.sleep(0.001)


LIKES = LoadSlot(power_w=0.0, value=0.1, reason=Reason(code="load_plain"))
DUE = LoadSlot(power_w=3680.0, value=0.3, reason=Reason(code="load_due"))


def at(utc_s: float) -> SiteState:
    return SiteState(now_s=0.0, utc_s=utc_s, devices={})


async def test_a_load_that_the_plan_does_not_know_goes_by_the_plain_rule() -> None:
    slots = plan().slots
    made = replace(plan(), loads={"car": (DUE,) * len(slots)})

    async def ask(_: PlanInputs) -> Plan:
        return made

    async def prepare() -> PlanInputs:
        return question()

    clock = TestClock()
    planning = Planning(clock=clock, prepare=prepare, ask=ask, plain=lambda _state: {"car": LIKES, "pool": LIKES})
    assert planning.requests(at(NOW + 10)) == {"car": LIKES, "pool": LIKES}
    running = asyncio.create_task(planning.run())
    while planning.slot(NOW + 10) is None:  # noqa: ASYNC110 - until the first plan
        await asyncio.sleep(0)
    running.cancel()
    assert planning.requests(at(NOW + 10)) == {"car": DUE, "pool": LIKES}
    assert planning.requests(at(NOW + OLD_S + 100_000)) == {"car": LIKES, "pool": LIKES}


async def test_a_car_that_comes_makes_a_new_plan_at_once() -> None:
    asked: list[object] = []
    events: list[str] = []
    again = asyncio.Event()

    async def prepare() -> PlanInputs:
        return question()

    async def ask(_: PlanInputs) -> Plan:
        asked.append(tuple(events))
        if len(asked) > 1:
            again.set()
        return plan()

    planning = Planning(clock=TestClock(), prepare=prepare, ask=ask, events=lambda: tuple(events))
    running = asyncio.create_task(planning.run())
    while not asked:  # noqa: ASYNC110 - until the first plan
        await asyncio.sleep(0)
    events.append("a car is plugged in")
    async with asyncio.timeout(5):
        await again.wait()
    running.cancel()
    assert asked == [(), ("a car is plugged in",)]  # the clock stands still: nothing else was due
