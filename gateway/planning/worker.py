"""The program that makes one plan: a question on standard input, the plan on standard output. `process` starts it."""

import pickle
import sys
from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway.adapters import solver
from gateway.core.forecast.newcomer import prior
from gateway.core.forecast.scenarios import draw
from gateway.core.model.plan import Plan
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.planner import refusal
from gateway.core.planning.schedule.load_plan import plan
from gateway.core.pricing.goals import in_real_prices
from gateway.planning.plan_inputs import PlanInputs


def answer(question: PlanInputs) -> Plan:
    """The plan for this question. Raises ValueError where none can be made."""
    zone, prices, place = ZoneInfo(question.time_zone), question.prices.effective, question.place
    grid = TimeGrid(start_s=prices.start_s, step_s=prices.step_s, steps=len(prices.buy))
    first_day = prior(grid, zone=zone, kwp=place.kwp, latitude=place.latitude, longitude=place.longitude)
    scenarios = draw(
        question.history,
        steps=grid.steps,
        zone=zone,
        method=question.method.forecast,
        prior=first_day,
        weather=question.suns,
        outdoor=question.outdoor,
    )
    made = plan(
        question.storage,
        question.stored_wh,
        scenarios,
        prices,
        question.flexible,
        solver=solver.installed() if question.flexible.loads else None,
        made_s=question.now_s,
        limits=question.limits,
        zone=zone,
        method=question.method.planning,
    )
    reason = refusal(made, question.storage, now_s=question.now_s, max_age_s=grid.step_s)
    if reason is not None:
        raise ValueError(f"the plan refutes itself: {reason}")
    notes = (*question.notes, *question.prices.notes, *made.notes)
    return replace(in_real_prices(made, question.prices.real), notes=notes)


def main() -> None:
    """Read, plan, write. What goes wrong is told on standard error, with exit code 1."""
    question: PlanInputs = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent through a pipe
    pickle.dump(answer(question), sys.stdout.buffer)


if __name__ == "__main__":
    main()
