"""Why each slot of a plan has its levels: a code and both numbers of the comparison.

| code | what the slot does | numbers |
|---|---|---|
| `grid_charge` | charges from the grid up to a level | energy_wh, buy_price, worth_price, hours |
| `kept` | keeps a reserve although the building needs energy | kept_wh, worth_price, hours |
| `sell` | gives stored energy to the grid | energy_wh, sell_price, worth_price |
| `leave_surplus` | leaves surplus to the grid although it could be stored | room_wh, sell_price, worth_price |
| `all_surplus` | takes all surplus | sell_price, worth_price |
| `plain_rule` | gives the building what it needs | |

`worth_price` is the marginal value of stored energy at the end of the slot (EUR/kWh). Hours: the next dearer time, or
the rest of the plan where none is: `begin_day` counted from the slot's local day, `begin_clock` and `end_clock` in
minutes of the local day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from gateway.core.model.levels import Floats, Levels
from gateway.core.model.state import Reason
from gateway.core.planning.problem import PlanProblem
from gateway.core.planning.storage.storage_plan import StoragePlan

SMALL_WH = 1.0  # energies that differ by less are alike: people read kWh with one decimal
SMALL_W = 25.0  # an import that exceeds the limit by less needs no note


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected in a slot of the plan."""

    # Energy stored at its start (Wh above empty).
    energy_wh: float
    # Mean net load of the scenarios (W, import positive).
    net_w: float
    # Price of imported energy (EUR/kWh).
    buy: float
    # Price of exported energy (EUR/kWh).
    sell: float
    # Marginal value of stored energy at its end (EUR/kWh).
    marginal_value: float


def explain(levels: Levels, expected: Expected, hours: dict[str, float]) -> Reason:
    """The reason for the levels of one slot."""
    sold = {"sell_price": expected.sell, "worth_price": expected.marginal_value}
    if levels.charge_wh > expected.energy_wh + SMALL_WH:
        energy_wh = levels.charge_wh - expected.energy_wh
        bought = {"energy_wh": energy_wh, "buy_price": expected.buy, "worth_price": expected.marginal_value}
        return Reason(code="grid_charge", numbers={**bought, **hours})
    if expected.energy_wh > levels.export_wh + SMALL_WH:
        return Reason(code="sell", numbers={"energy_wh": expected.energy_wh - levels.export_wh, **sold})
    if expected.net_w <= 0.0:
        return _about_surplus(levels, expected, sold)
    kept_wh = min(levels.reserve_wh, expected.energy_wh)
    if kept_wh > SMALL_WH:
        return Reason(code="kept", numbers={"kept_wh": kept_wh, "worth_price": expected.marginal_value, **hours})
    return Reason(code="plain_rule")


def _about_surplus(levels: Levels, expected: Expected, sold: dict[str, float]) -> Reason:
    free_wh = levels.export_wh - max(levels.fill_wh, expected.energy_wh)
    if free_wh > SMALL_WH:
        return Reason(code="leave_surplus", numbers={"room_wh": free_wh, **sold})
    return Reason(code="all_surplus", numbers=sold)


def dearer_times(buy: Floats, starts_s: Floats, step_s: float, zone: tzinfo) -> list[dict[str, float]]:
    """For each step the hours of the next run of steps that are dearer than it; the rest of the plan where none is."""
    moments = [datetime.fromtimestamp(start_s, zone) for start_s in (*starts_s.tolist(), float(starts_s[-1] + step_s))]
    minutes = [float(moment.hour * 60 + moment.minute) for moment in moments]
    days = [moment.toordinal() for moment in moments]
    found = []
    for k in range(len(buy)):
        first, end = _next_run(buy[k:] > buy[k])
        hours = {"begin_clock": minutes[k + first], "end_clock": minutes[k + end]}
        found.append({"begin_day": float(days[k + first] - days[k]), **hours})
    return found


def storage_notes(problem: PlanProblem, stored: StoragePlan) -> Iterator[Reason]:
    """The peak target where the highest import costs (`peak_kept`), and when the connection will be too weak."""
    if problem.peak is not None:
        numbers = {"due_w": problem.peak.periods[0].due_w, "limit_w": float(stored.target.import_w[0])}
        yield Reason(code="peak_kept", numbers=numbers)
    over_w = stored.grid_w - problem.limits.import_max_w
    if (over_w > SMALL_W).any():
        yield _limit_short(problem, over_w)


def _limit_short(problem: PlanProblem, over_w: Floats) -> Reason:
    """When first more is expected to be drawn than the connection bears, in spite of the storage (`limit_short`)."""
    first, end = _next_run(over_w > SMALL_W)
    start_s, step_s = float(problem.starts_s[0]), problem.scenarios.step_s
    moments = [start_s + index * step_s for index in (0, first, end)]
    now, begin, stop = (datetime.fromtimestamp(moment_s, problem.zone) for moment_s in moments)
    numbers = {
        "limit_w": problem.limits.import_max_w,
        "over_w": float(over_w[first:end].max()),
        "begin_day": float((begin.date() - now.date()).days),
        "begin_clock": float(begin.hour * 60 + begin.minute),
        "end_clock": float(stop.hour * 60 + stop.minute),
    }
    return Reason(code="limit_short", numbers=numbers)


def _next_run(relevant: np.ndarray) -> tuple[int, int]:
    """Where the first run of True begins and ends; all places where there is none."""
    if not relevant.any():
        return 0, len(relevant)
    first = int(np.argmax(relevant))
    rest = relevant[first:]
    return first, first + (len(rest) if rest.all() else int(np.argmin(rest)))
