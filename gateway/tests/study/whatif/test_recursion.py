"""Many plans at once are what the core plans one by one."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.core.forecast.scenarios import draw
from gateway.core.model.history import History
from gateway.core.model.levels import NO_LIMITS, Floats, Storage
from gateway.core.planning.method import Method
from gateway.core.planning.problem import StepPrices, plan_problem
from gateway.core.planning.storage.dynamic_program import levels_wh, solve, solved_for, thresholds
from gateway.core.pricing.prices import Prices
from gateway.study.record.inputs import read_inputs
from gateway.study.whatif.planned import PlanSeries, planned_levels
from gateway.study.whatif.recursion import Task, marginal_values, rising
from gateway.tests.study.small import written

PARIS = ZoneInfo("Europe/Paris")
PLANS, SCENARIOS, STEPS = 3, 5, 48


def drawn_storage(draws: np.random.Generator) -> Storage:
    """From one that takes days to fill to one that is full within a step."""
    powers = draws.uniform(100.0, 20_000.0, 2).tolist()
    return Storage(
        capacity_wh=float(draws.uniform(500.0, 12_000.0)),
        charge_max_w=powers[0],
        discharge_max_w=powers[1],
        charge_efficiency=float(draws.uniform(0.8, 1.0)),
        discharge_efficiency=float(draws.uniform(0.8, 1.0)),
        wear_price=float(draws.choice([0.0, 0.01])),
    )


@pytest.mark.parametrize("seed", range(20))
def test_marginal_values_are_those_of_the_core(seed: int) -> None:
    draws = np.random.default_rng(seed)
    storage, hours, points = drawn_storage(draws), float(draws.choice([0.25, 0.5, 1.0])), int(draws.choice([2, 11, 41]))
    net_w = draws.normal(0.0, 2500.0, (PLANS, SCENARIOS, STEPS)).round(-2)
    tariffs = []
    for _ in range(PLANS):
        buy = draws.choice([0.05, 0.16, 0.25, 0.7], STEPS) + draws.uniform(0.0, 0.01, STEPS)
        sell = np.full(STEPS, -0.03) if seed % 3 == 0 else draws.choice([0.02, 0.08, 0.3], STEPS)
        tariffs.append(StepPrices(buy=buy, sell=np.minimum(sell, buy)))
    ends = draws.uniform(0.0, 0.3, PLANS)
    prices = [rising(tariff, storage) for tariff in tariffs]
    assert all(row is not None for row in prices)
    task = Task(net_w=net_w, prices=np.stack(prices), end_values=ends, hours=hours, points=points, mixing=0.05)
    found = marginal_values(storage, task, wanted=STEPS)
    for plan, tariff in enumerate(tariffs):
        alone = solve(
            net_w[plan], tariff, storage, hours=hours, limits=NO_LIMITS, points=points, mixing=0.05,
            end_value=float(ends[plan]),
        )  # fmt: skip
        # a gain below 1e-9 EUR/kWh is nothing to the core, at each step
        assert found[plan] == pytest.approx(alone.marginal_values, abs=STEPS * 1e-9)
        levels = levels_wh(found[plan], thresholds(tariff, storage), storage)
        assert levels == pytest.approx(alone.levels_wh, abs=1e-6)


def test_other_prices_below_0_are_left_to_the_core() -> None:
    storage = Storage(capacity_wh=5000.0, charge_max_w=2500.0, discharge_max_w=2500.0)
    dear, costs, once = np.full(4, 0.2), np.full(4, -0.01), np.array([0.1, 0.1, -0.01, 0.1])
    for sell in (np.zeros(4), once, costs):
        assert rising(StepPrices(buy=dear, sell=sell), storage) is not None
    assert rising(StepPrices(buy=dear, sell=np.array([0.1, -0.01, -0.02, 0.1])), storage) is None
    assert rising(StepPrices(buy=once, sell=once), storage) is None


def series_of(folder: Path, *, step_min: int, every: int, tariff: str) -> PlanSeries:
    """Twelve days of the small building, counted from the eighth, at two prices or at hourly ones, some below 0."""
    known = read_inputs(written(folder / f"{step_min}.csv", days=12, step_min=step_min), None, zone=PARIS).known
    hour = np.arange(len(known.load_w) + 2 * 1440 // step_min) * step_min / 60.0
    spot = 0.12 + 0.14 * np.sin(hour / 24.0 * 2.0 * np.pi) * np.sin(hour / 90.0)
    is_hourly = tariff == "hourly"
    buy = spot + 0.05 if is_hourly else np.where(hour % 24.0 < 8.0, 0.1635, 0.2081)
    day = 1440 // step_min
    sizes = (2.5, 10.0)
    storages = tuple(Storage(capacity_wh=1e3 * kwh, charge_max_w=5e2 * kwh, discharge_max_w=5e2 * kwh) for kwh in sizes)
    return PlanSeries(
        known=known, buy=buy, sell=np.minimum(buy, spot if is_hourly else np.full(len(buy), 0.04)), first=8 * day,
        slots=4 * day, every=every, storages=storages, zone=PARIS, method=Method(),
    )  # fmt: skip


@pytest.mark.parametrize("tariff", ["two prices", "hourly"])
@pytest.mark.parametrize(("step_min", "every"), [(15, 12), (30, 5), (60, 24)])
def test_levels_are_those_of_plans_made_one_by_one(tmp_path: Path, step_min: int, every: int, tariff: str) -> None:
    series = series_of(tmp_path, step_min=step_min, every=every, tariff=tariff)
    assert (series.sell.min() < 0.0) == (tariff == "hourly")
    expected = np.concatenate([one_by_one(series, moment) for moment in series.moments], axis=1)
    found = planned_levels(series, series.moments)
    assert found.shape == (2, series.slots, 4)
    assert np.array_equal(found, expected)


def one_by_one(series: PlanSeries, moment: int) -> Floats:
    """Levels of one plan, as the gateway would make it then."""
    known, planning = series.known, series.method.planning
    begin = max(0, moment - round(series.method.forecast.days * 86400.0 / known.step_s))
    past = History(
        start_s=known.start_s + begin * known.step_s,
        step_s=known.step_s,
        load_w=known.load_w[begin:moment],
        pv_w=known.pv_w[begin:moment],
    )
    steps = round(24 * 3600.0 / known.step_s)
    scenarios = draw(past, steps=steps, zone=series.zone, method=series.method.forecast)
    span = slice(moment, moment + steps)
    prices = Prices(
        start_s=past.end_s, step_s=past.step_s, buy=series.buy[span], sell=series.sell[span], names=("",) * steps
    )
    followed = min(series.every, series.first + series.slots - moment)
    problems = [
        plan_problem(each, 0.0, scenarios, prices, made_s=past.end_s, method=planning) for each in series.storages
    ]
    return np.stack([solved_for(problem, None).levels_wh[:followed] for problem in problems])
