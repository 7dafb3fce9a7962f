import math
import pickle
from dataclasses import replace
from datetime import UTC
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model.history import Scenarios
from gateway.core.model.levels import GridLimits, Levels, Storage, follow, plain
from gateway.core.model.plan import Plan
from gateway.core.model.state import Reason
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.planner import plan
from gateway.core.planning.problem import PlanningError, StepPrices
from gateway.core.planning.refusal import refusal
from gateway.core.planning.storage.dynamic_program import solve
from gateway.core.pricing.prices import Prices

STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=4000.0)
LOSSLESS = replace(STORAGE, charge_efficiency=1.0, discharge_efficiency=1.0)
NOW = 1_718_992_800.0  # 2024-06-21 20:00 in Paris


def scenarios(net_w: np.ndarray, step_s: float = 1800.0) -> Scenarios:
    return Scenarios(start_s=NOW, step_s=step_s, load_w=np.maximum(net_w, 0.0), pv_w=np.minimum(net_w, 0.0))


def prices(buy: np.ndarray, sell: np.ndarray | float = 0.04, step_s: float = 1800.0) -> Prices:
    sold = np.broadcast_to(np.asarray(sell, dtype=float), buy.shape)
    return Prices(start_s=NOW, step_s=step_s, buy=buy, sell=sold, names=("",) * len(buy))


def evening(steps: int = 48) -> tuple[Scenarios, Prices]:
    """A dark day with a need of 800 W; cheap from 22 to 6 h in Paris."""
    rng = np.random.default_rng(3)
    hour = (20.0 + np.arange(steps) / 2) % 24
    buy = np.where((hour >= 22) | (hour < 6), 0.15, 0.25)
    return scenarios(rng.uniform(600.0, 1000.0, (24, steps))), prices(buy)


def test_the_night_is_used_to_charge_for_the_dear_day_and_says_so() -> None:
    made = plan(STORAGE, 500.0, *evening(), made_s=NOW, zone=ZoneInfo("Europe/Paris"))
    codes = [slot.reason.code for slot in made.slots]
    assert codes[0] == "plain_rule"  # dear evening: what is left is used
    assert "grid_charge" in codes[4:20]
    night = made.slots[codes.index("grid_charge")]
    # 06:00 to 20:00 of the next day; the plan ends there
    assert night.reason.numbers["begin_clock"] == 360.0
    assert night.reason.numbers["begin_day"] in (0.0, 1.0)
    assert night.reason.numbers["worth_price"] >= night.reason.numbers["buy_price"] / 0.95
    assert all(slot.levels.charge_wh == 0.0 for slot in made.slots[:4])


def test_one_price_for_all_is_the_plain_rule() -> None:
    rng = np.random.default_rng(5)
    made = plan(
        STORAGE, 3000.0, scenarios(rng.uniform(-3000, 3000, (24, 48))), prices(np.full(48, 0.2), 0.0), made_s=NOW
    )
    assert [slot.levels for slot in made.slots] == [plain(STORAGE)] * 48


def test_a_certain_future_is_planned_as_well_as_can_be() -> None:
    """One scenario, energies and powers that fit the grid: no sequence of powers costs less."""
    storage = Storage(
        capacity_wh=3000.0, charge_max_w=2000.0, discharge_max_w=2000.0, charge_efficiency=1.0, discharge_efficiency=1.0
    )
    rng = np.random.default_rng(11)
    for _ in range(20):
        net = rng.integers(-3, 4, 5) * 1000.0
        buy = rng.integers(1, 5, 5) * 0.1
        tariff = StepPrices(buy=buy, sell=buy * 0.5)
        values = solve(net[None], tariff, storage, hours=1.0, limits=GridLimits(), points=4, mixing=0.0, end_value=0.05)
        energy, followed = 1000.0, 0.0
        for k in range(5):
            levels = Levels(
                **dict(
                    zip(("charge_wh", "reserve_wh", "fill_wh", "export_wh"), values.levels_wh[k].tolist(), strict=True)
                )
            )
            power = follow(levels, storage, energy_wh=energy, net_w=net[k], hours=1.0)
            energy += power
            followed += _paid(net[k] + power, tariff, k)
        assert followed - 0.05 * energy / 1000.0 == pytest.approx(_least(net, tariff, 1000.0), abs=1e-9)


def _paid(grid_w: float, tariff: StepPrices, k: int) -> float:
    return float((tariff.buy[k] if grid_w > 0 else tariff.sell[k]) * grid_w / 1000.0)


def _least(net: np.ndarray, tariff: StepPrices, start_wh: float) -> float:
    best = math.inf
    for powers in product((-2000.0, -1000.0, 0.0, 1000.0, 2000.0), repeat=len(net)):
        energies = start_wh + np.cumsum(powers)
        if energies.min() >= 0.0 and energies.max() <= 3000.0:
            cost = sum(_paid(net[k] + power, tariff, k) for k, power in enumerate(powers))
            best = min(best, cost - 0.05 * float(energies[-1]) / 1000.0)
    return best


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    efficiency=st.floats(0.7, 1.0),
    wear=st.floats(0.0, 0.1),
    lowest=st.floats(-0.3, 0.2),
    limit_w=st.floats(0.0, 10_000.0),
)
def test_levels_are_in_order_whatever_the_prices(
    seed: int, efficiency: float, wear: float, lowest: float, limit_w: float
) -> None:
    rng = np.random.default_rng(seed)
    storage = replace(STORAGE, charge_efficiency=efficiency, discharge_efficiency=efficiency, wear_price=wear)
    made = plan(
        storage,
        float(rng.uniform(-100, 9000)),
        scenarios(rng.uniform(-6000, 6000, (4, 12))),
        prices(rng.uniform(lowest, 0.4, 12), rng.uniform(lowest, 0.4, 12)),
        made_s=NOW,
        limits=GridLimits(import_max_w=limit_w),
    )
    assert len(made.slots) == 12  # Levels out of order cannot be made
    assert all(0.0 <= slot.levels.charge_wh <= slot.levels.export_wh <= 8000.0 for slot in made.slots)
    assert refusal(made, storage, now_s=NOW, max_age_s=900.0) is None


def test_the_same_question_has_the_same_answer_to_the_byte() -> None:
    first, second = (pickle.dumps(plan(STORAGE, 2000.0, *evening(), made_s=NOW)) for _ in range(2))
    assert first == second


def test_a_price_of_ageing_keeps_the_storage_from_small_gains() -> None:
    future, tariff = evening()
    dear = plan(replace(STORAGE, wear_price=0.08), 0.0, future, tariff, made_s=NOW)
    assert all(slot.levels.charge_wh == 0.0 for slot in dear.slots)  # 0.25 - 0.15 does not pay 2 x 0.08
    assert any(slot.levels.charge_wh > 0.0 for slot in plan(STORAGE, 0.0, future, tariff, made_s=NOW).slots)


def test_what_no_storage_can_keep_below_the_limit_is_reported_with_its_hours() -> None:
    """From 22:00 on 700 W for 4 h, 500 W allowed. With one price for all hours its 300 Wh are gone by then."""
    net_w = np.full(48, 100.0)
    net_w[4:12] = 700.0
    limits = GridLimits(import_max_w=500.0)
    future, tariff = scenarios(np.tile(net_w, (4, 1))), prices(np.full(48, 0.2))
    empty = replace(STORAGE, charge_max_w=0.0)
    made = plan(empty, 300.0, future, tariff, made_s=NOW, limits=limits, zone=ZoneInfo("Europe/Paris"))
    (note,) = made.notes
    assert note.code == "limit_short"
    assert note.numbers["limit_w"] == 500.0
    assert note.numbers["over_w"] == pytest.approx(200.0)
    assert [note.numbers[key] for key in ("begin_day", "begin_clock", "end_clock")] == [0.0, 22 * 60, 2 * 60]
    assert plan(STORAGE, 4000.0, future, tariff, made_s=NOW, limits=limits).notes == ()


def test_selling_dearer_than_buying_is_clipped() -> None:
    made = plan(STORAGE, 0.0, evening()[0], prices(np.full(48, 0.2), 0.5), made_s=NOW)
    assert all(slot.sell == 0.2 for slot in made.slots)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda future, tariff: (replace(future, load_w=future.load_w * math.nan), tariff),
        lambda future, tariff: (future, replace(tariff, buy=tariff.buy * math.nan)),
        lambda future, tariff: (future, replace(tariff, start_s=NOW + 1.0)),
        lambda future, tariff: (future, replace(tariff, step_s=900.0)),
        lambda future, tariff: (future, replace(tariff, buy=tariff.buy[:40], sell=tariff.sell[:40])),
        lambda future, tariff: (replace(future, load_w=future.load_w[:0], pv_w=future.pv_w[:0]), tariff),
    ],
)
def test_what_does_not_fit_together_is_no_plan(wrong: object) -> None:
    with pytest.raises(PlanningError):
        plan(STORAGE, 0.0, *wrong(*evening()), made_s=NOW)  # type: ignore[operator]


def _with(made: Plan, **changes: object) -> Plan:
    return replace(made, slots=(*made.slots[:3], replace(made.slots[3], **changes), *made.slots[4:]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "later_s", "code"),
    [
        (lambda made: made, 0.0, None),
        (lambda made: made, 899.0, None),
        (lambda made: made, 901.0, "plan_old"),
        (lambda made: made, -1.0, "plan_old"),
        (lambda made: replace(made, slots=()), 0.0, "plan_old"),
        (lambda made: _with(made, value=math.nan), 0.0, "plan_broken"),
        (lambda made: _with(made, buy=math.inf), 0.0, "plan_broken"),
        (lambda made: _with(made, start_s=NOW), 0.0, "plan_broken"),
        (lambda made: _with(made, levels=plain(replace(STORAGE, capacity_wh=9000.0))), 0.0, "plan_broken"),
    ],
)
def test_a_plan_that_must_not_be_followed_is_refused(spoil: object, later_s: float, code: str | None) -> None:
    made = spoil(plan(STORAGE, 2000.0, *evening(), made_s=NOW, zone=UTC))  # type: ignore[operator]
    why = refusal(made, STORAGE, now_s=NOW + later_s, max_age_s=900.0)
    assert (why.code if isinstance(why, Reason) else None) == code


def test_mixing_is_by_time_not_by_step() -> None:
    """Two quarter hours of the same powers are a half hour: nearly the same worth."""
    rng = np.random.default_rng(9)
    half = rng.uniform(-2000, 2000, (24, 48))
    buy = np.where(np.arange(48) < 16, 0.15, 0.25)
    coarse = plan(STORAGE, 2000.0, scenarios(half), prices(buy), made_s=NOW)
    fine = plan(
        STORAGE,
        2000.0,
        scenarios(np.repeat(half, 2, axis=1), 900.0),
        prices(np.repeat(buy, 2), step_s=900.0),
        made_s=NOW,
    )
    assert fine.slots[1].value == pytest.approx(coarse.slots[0].value, abs=0.01)


def test_a_finer_grid_of_energy_finds_the_same_levels() -> None:
    made, finer = (
        plan(STORAGE, 2000.0, *evening(), made_s=NOW, method=PlanningMethod(energy_points=points))
        for points in (41, 161)
    )
    spacing = STORAGE.capacity_wh / 40
    for one, two in zip(made.slots, finer.slots, strict=True):
        assert one.levels.charge_wh == pytest.approx(two.levels.charge_wh, abs=2 * spacing)
