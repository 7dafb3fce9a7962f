"""Bill, self-consumption and climate in one money."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model.levels import Storage, plain
from gateway.core.model.plan import Plan, Slot
from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.goals import Goals, co2_on_grid, in_real_prices, weigh
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.prices import Prices

PARIS = ZoneInfo("Europe/Paris")


def prices(buy: list[float], sell: list[float]) -> Prices:
    names = tuple("HP" for _ in buy)
    return Prices(start_s=0.0, step_s=3600.0, buy=np.array(buy), sell=np.array(sell), names=names)


def test_the_bill_alone_leaves_prices_as_they_are() -> None:
    given_prices = prices([0.2, 0.1], [0.04, 0.04])
    weighed = weigh(Goals(), given_prices, None)
    assert weighed.effective.buy.tolist() == [0.2, 0.1]
    assert weighed.effective.sell.tolist() == [0.04, 0.04]
    assert weighed.notes == ()


def test_each_goal_is_a_price() -> None:
    goals = Goals(cost=0.5, self_consumption_eur_per_kwh=0.03, co2_eur_per_t=100)
    weighed = weigh(goals, prices([0.2, 0.1], [0.04, 0.04]), np.array([60.0, 400.0]))
    # 60 g/kWh at 100 EUR/t are 0.006 EUR/kWh
    assert weighed.effective.buy.tolist() == pytest.approx([0.5 * 0.2 + 0.006, 0.5 * 0.1 + 0.04])
    assert weighed.effective.sell.tolist() == pytest.approx([0.5 * 0.04 - 0.03] * 2)
    assert weighed.real.buy.tolist() == [0.2, 0.1]


def test_selling_above_buying_is_clipped_and_reported() -> None:
    weighed = weigh(Goals(), prices([0.2, 0.1, 0.1], [0.13, 0.13, 0.13]), None)
    assert weighed.effective.sell.tolist() == [0.13, 0.1, 0.1]
    assert weighed.real.sell.tolist() == [0.13, 0.13, 0.13]
    assert [(note.code, dict(note.numbers)) for note in weighed.notes] == [
        ("sell_clipped", {"steps": 2.0, "sell_price": 0.13, "buy_price": 0.1})
    ]


@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_without_co2_figures_the_bill_decides_and_the_lack_is_reported(cost: float) -> None:
    weighed = weigh(Goals(cost=cost, co2_eur_per_t=100), prices([0.2], [0.04]), None)
    assert weighed.effective.buy.tolist() == [0.2]
    assert [note.code for note in weighed.notes] == ["co2_missing"]


@pytest.mark.parametrize("weights", [{"cost": 0.0}, {"cost": -1.0}, {"co2_eur_per_t": -1.0}])
def test_goals_are_never_negative_and_never_none(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one goal"):
        Goals(**weights)


weight = st.floats(0, 10)
price = st.floats(-1, 1)


@given(
    weight, st.floats(0.001, 10), weight, st.lists(st.tuples(price, price, st.floats(0, 1000)), min_size=1, max_size=5)
)
def test_the_planner_never_sees_selling_above_buying(
    cost: float, own: float, co2: float, rows: list[tuple[float, float, float]]
) -> None:
    buy, sell, grams = (list(column) for column in zip(*rows, strict=True))
    goals = Goals(cost=cost, self_consumption_eur_per_kwh=own, co2_eur_per_t=co2)
    effective = weigh(goals, prices(buy, sell), np.array(grams)).effective
    assert (effective.sell <= effective.buy).all()


def test_a_plan_is_reported_in_the_prices_that_people_pay() -> None:
    storage = Storage(capacity_wh=1000.0, charge_max_w=500.0, discharge_max_w=500.0)
    weighed = weigh(Goals(self_consumption_eur_per_kwh=0.1), prices([0.2, 0.1], [0.04, 0.04]), None)
    reasons = (
        Reason(code="all_surplus", numbers={"sell_price": -0.06, "worth_price": 0.15}),
        Reason(code="kept", numbers={"kept_wh": 300.0, "worth_price": 0.15}),
    )
    made = Plan(
        made_s=0.0,
        step_s=3600.0,
        slots=tuple(
            Slot(start_s=3600.0 * i, buy=buy, sell=-0.06, levels=plain(storage), value=0.15, reason=reasons[i])
            for i, buy in enumerate((0.2, 0.1))
        ),
    )
    paid = in_real_prices(made, weighed.real)
    assert [(slot.buy, slot.sell) for slot in paid.slots] == [(0.2, 0.04), (0.1, 0.04)]
    assert [dict(slot.reason.numbers) for slot in paid.slots] == [
        {"sell_price": 0.04, "worth_price": 0.15},
        {"kept_wh": 300.0, "worth_price": 0.15},
    ]
    assert [(slot.levels, slot.value) for slot in paid.slots] == [(slot.levels, slot.value) for slot in made.slots]


def test_co2_of_a_step_is_its_mean_and_yesterday_stands_in() -> None:
    points = PointSeries(times_s=(0.0, 900.0, 1800.0, 2700.0), values=(20.0, 40.0, 60.0, 80.0), step_s=900)
    today = co2_on_grid(points, TimeGrid(start_s=0.0, step_s=1800, steps=2), PARIS)
    tomorrow = co2_on_grid(points, TimeGrid(start_s=86400.0, step_s=1800, steps=3), PARIS)
    assert today is not None
    assert tomorrow is not None
    assert today.tolist() == [30.0, 70.0]
    assert tomorrow.tolist() == [30.0, 70.0, 50.0]  # the third has no figure on any day: the mean of the others
    assert co2_on_grid(points, TimeGrid(start_s=30 * 86400.0, step_s=1800, steps=3), PARIS) is None
