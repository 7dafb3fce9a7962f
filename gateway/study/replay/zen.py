"""The gateway's own forecast and planner as a decider of a replay: nothing else, nothing tuned."""

import numpy as np

from gateway.core.forecast.scenarios import Now, draw
from gateway.core.model.history import History
from gateway.core.model.plan import Plan
from gateway.core.planning.method import Method
from gateway.core.planning.planner import plan
from gateway.core.pricing.prices import Prices
from gateway.study.replay.case import Case
from gateway.study.replay.slots import Decide

DAY_S = 86400.0


def zen(case: Case, method: Method, *, knows_step: bool = True) -> Decide:
    """Plans at every step from what was known before it, and the mean net load of the step itself if `knows_step`."""
    return lambda step, energy_wh: planned(case, method, step, energy_wh, knows_step=knows_step).slots[0].levels


def planned(case: Case, method: Method, step: int, energy_wh: float, *, knows_step: bool = True) -> Plan:
    """The plan that is made at the beginning of a step of the record."""
    known = seen(case, step, days=method.forecast.days)
    now = now_of(case, step) if knows_step else Now()
    steps = round(method.planning.horizon_h / case.hours)
    scenarios = draw(known, steps=steps, zone=case.zone, method=method.forecast, now=now)
    return plan(
        case.storage,
        energy_wh,
        scenarios,
        prices_of(case, step, steps),
        made_s=known.end_s,
        limits=case.limits,
        zone=case.zone,
        method=method.planning,
    )


def now_of(case: Case, step: int) -> Now:
    """The mean net load of the step itself: what a loop at seconds follows."""
    return Now(load_w=_known(case.usable.load_w[step]), pv_w=_known(case.usable.pv_w[step]))


def seen(case: Case, step: int, *, days: int) -> History:
    """What was known when the step began: at most the last `days` days."""
    usable = case.usable
    first = max(0, step - round(days * DAY_S / usable.step_s))
    return History(
        start_s=usable.start_s + first * usable.step_s,
        step_s=usable.step_s,
        load_w=usable.load_w[first:step],
        pv_w=usable.pv_w[first:step],
    )


def prices_of(case: Case, step: int, steps: int) -> Prices:
    """What the steps from one of the record on are bought and sold at."""
    span = slice(step, step + steps)
    start_s = case.record.start_s + step * case.record.step_s
    return Prices(
        start_s=start_s, step_s=case.record.step_s, buy=case.buy[span], sell=case.sell[span], names=("",) * steps
    )


def _known(power_w: float) -> float | None:
    return float(power_w) if np.isfinite(power_w) else None
