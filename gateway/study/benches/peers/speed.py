"""How long a plan of a day takes: the same days for every planner, one after the other, in one run.

Each gets the mean of our scenarios and the battery alone; ours plans the scenarios themselves. Each takes
its turn, so that a busy machine is busy for all; the first turn warms up and is not counted. Only plans are timed: not
the forecast (timed separately), not the pipe. Multiples of ours are of the processor's time, which other work on the
machine disturbs least. No day comes twice: a solver that starts from the plan before is as cold as it is in life.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

from gateway.adapters.solver import minimise
from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History, Scenarios
from gateway.core.model.levels import Floats
from gateway.core.planning.method import Method
from gateway.core.planning.planner import plan
from gateway.study.benches.peers.problem import question
from gateway.study.record.errors import InputError
from gateway.study.replay.case import Case
from gateway.study.replay.limit import program
from gateway.study.replay.zen import now_of, prices_of, seen

STEPS = 96
QUARTER_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One plan to be made: 96 quarters of an hour from a step of the case."""

    case: Case
    step: int
    scenarios: Scenarios
    draw_ms: float

    def forecast(self, _step: int) -> tuple[Floats, Floats]:
        """Mean of the scenarios, in the form peers are asked with."""
        return np.asarray(self.scenarios.load_w.mean(axis=0)), np.asarray(self.scenarios.pv_w.mean(axis=0))

    def ask(self, call: str) -> dict[str, Any]:
        """The day as a question to a peer; half full, and as full in the end where a peer must have an end."""
        return question(self.case, self.step, self.forecast, soc=0.5, soc_final=0.5, call=call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One plan: on the clock, and of the processor."""

    ms: float
    cpu_ms: float


Way = Callable[[Day], Took]


def days_of(case: Case, method: Method, count: int) -> list[Day]:
    """`count` plans, spread over the counted steps."""
    fine = in_quarters(case)
    places = np.linspace(fine.first, fine.first + fine.steps - 1, count).astype(int).tolist()
    return [_day(fine, step, method) for step in places]


def in_quarters(case: Case) -> Case:
    """The same case on steps of 15 minutes: each longer step cut into equal ones."""
    parts = round(case.record.step_s / QUARTER_S)
    if parts * QUARTER_S != case.record.step_s:
        raise InputError(Path(), "quarters", step=f"{case.record.step_s:g} s")
    return replace(
        case,
        record=_cut(case.record, parts),
        usable=_cut(case.usable, parts),
        first=case.first * parts,
        steps=case.steps * parts,
        buy=np.repeat(case.buy, parts),
        sell=np.repeat(case.sell, parts),
    )


def ours(method: Method) -> Way:
    """Our plan of the scenarios: levels, values and reasons of 96 steps."""

    def way(day: Day) -> Took:
        case, scenarios = day.case, day.scenarios
        prices = prices_of(case, day.step, STEPS)
        watch = Watch()
        plan(
            case.storage,
            case.storage.capacity_wh / 2,
            scenarios,
            prices,
            made_s=scenarios.start_s,
            limits=case.limits,
            zone=case.zone,
            method=method.planning,
        )
        return watch.took()

    return way


def direct(day: Day) -> Took:
    """One linear program of the mean in HiGHS, without any library between."""
    watch = Watch()
    minimise(program(lp_case(day)))
    return watch.took()


def lp_case(day: Day) -> Case:
    """The day as if its forecast were the truth: what a deterministic planner solves."""
    load_w, pv_w = day.forecast(day.step)
    known = History(start_s=day.scenarios.start_s, step_s=QUARTER_S, load_w=load_w, pv_w=pv_w)
    span = slice(day.step, day.step + STEPS)
    return replace(
        day.case,
        record=known,
        usable=known,
        first=0,
        steps=STEPS,
        start_wh=day.case.storage.capacity_wh / 2,
        end_price=0.0,
        buy=day.case.buy[span],
        sell=day.case.sell[span],
    )


def timed(days: Sequence[Day], ways: Mapping[str, Way], tick: Callable[[], None]) -> dict[str, list[Took]]:
    """What every plan but the first took, way by way."""
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for turn, day in enumerate(days):
        for name, way in ways.items():
            one = way(day)
            if turn:
                took[name].append(one)
        tick()
    return took


def summary(took: Mapping[str, Sequence[Took]], own: str) -> dict[str, dict[str, float]]:
    """Median and worst on the clock, median of the processor (ms), and that as a multiple of ours."""
    ours_ms = median(one.cpu_ms for one in took[own])
    return {name: _figures(plans, ours_ms) for name, plans in took.items()}


def _figures(plans: Sequence[Took], ours_ms: float) -> dict[str, float]:
    cpu_ms = median(one.cpu_ms for one in plans)
    return {
        "median_ms": round(median(one.ms for one in plans), 2),
        "worst_ms": round(max(one.ms for one in plans), 2),
        "cpu_ms": round(cpu_ms, 2),
        "ratio": round(cpu_ms / ours_ms, 2),
        "plans": len(plans),
    }


class Watch:
    """Runs from where it is made."""

    def __init__(self) -> None:
        self._ms, self._cpu_ms = perf_counter() * 1000.0, process_time() * 1000.0

    def took(self) -> Took:
        """Until now."""
        return Took(ms=perf_counter() * 1000.0 - self._ms, cpu_ms=process_time() * 1000.0 - self._cpu_ms)


def _day(case: Case, step: int, method: Method) -> Day:
    watch = Watch()
    known = seen(case, step, days=method.forecast.days)
    scenarios = draw(known, steps=STEPS, zone=case.zone, method=method.forecast, now=now_of(case, step))
    return Day(case=case, step=step, scenarios=scenarios, draw_ms=watch.took().ms)


def _cut(record: History, parts: int) -> History:
    return History(
        start_s=record.start_s,
        step_s=QUARTER_S,
        load_w=np.repeat(record.load_w, parts),
        pv_w=np.repeat(record.pv_w, parts),
    )
