"""The program that makes one plan: inputs on standard input, the plan on standard output. `process` starts it."""

import pickle
import sys
from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway.adapters import solver
from gateway.core.forecast.prior import prior
from gateway.core.forecast.scenarios import draw
from gateway.core.model.plan import Plan
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.planner import plan
from gateway.core.planning.refusal import refusal
from gateway.core.pricing.goals import in_real_prices
from gateway.planning.plan_inputs import PlanInputs


def answer(inputs: PlanInputs) -> Plan:
    """The plan from these inputs. Raises ValueError where none can be made."""
    zone, prices, place = ZoneInfo(inputs.time_zone), inputs.prices.effective, inputs.place
    grid = TimeGrid(start_s=prices.start_s, step_s=prices.step_s, steps=len(prices.buy))
    first_day = prior(grid, zone=zone, kwp=place.kwp, latitude=place.latitude, longitude=place.longitude)
    scenarios = draw(
        inputs.history,
        steps=grid.steps,
        zone=zone,
        method=inputs.method.forecast,
        prior=first_day,
        pv_forecast=inputs.pv_forecast,
        outdoor=inputs.outdoor,
    )
    made = plan(
        inputs.storage,
        inputs.stored_wh,
        scenarios,
        prices,
        inputs.flexible,
        solver=solver.installed() if inputs.flexible.loads else None,
        made_s=inputs.now_s,
        limits=inputs.limits,
        zone=zone,
        method=inputs.method.planning,
    )
    reason = refusal(made, inputs.storage, now_s=inputs.now_s, max_age_s=grid.step_s)
    if reason is not None:
        raise ValueError(f"the plan refutes itself: {reason}")
    notes = (*inputs.notes, *inputs.prices.notes, *made.notes)
    return replace(in_real_prices(made, inputs.prices.real), notes=notes)


def main() -> None:
    """Read, plan, write. What goes wrong is written to standard error, with exit code 1."""
    inputs: PlanInputs = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent through a pipe
    pickle.dump(answer(inputs), sys.stdout.buffer)


if __name__ == "__main__":
    main()
