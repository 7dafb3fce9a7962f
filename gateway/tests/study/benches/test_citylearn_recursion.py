"""The recursion against enumeration of every way through the energy grid."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.study.benches.citylearn.grid_goal import EnergyPrices, GridGoal
from gateway.study.benches.citylearn.grid_recursion import GridRecursion, blurred, noise_of
from gateway.study.benches.citylearn.part_load import PartLoad

CURVED = PartLoad(
    capacity_wh=4000.0,
    power_w=3000.0,
    power_shares=(0.0, 0.5, 1.0),
    efficiencies=(0.9, 0.95, 0.92),
    fills=(0.0, 0.75, 1.0),
    limits=(1.0, 1.0, 0.4),
)
POINTS = 5


def bought(price) -> EnergyPrices:
    """Export earns nothing."""
    return EnergyPrices(buy=np.asarray(price), sell=np.zeros_like(price))


powers = some.floats(-3000.0, 3000.0)


def least_by_enumeration(
    recursion: GridRecursion, net_w, prices: EnergyPrices, mean_w: float, end: float, start: int
) -> float:
    """The least cost after the first step at energy `start` with the first action of 0 W before, over all ways."""
    best = np.inf
    actions = dict(zip(recursion._changes.tolist(), recursion.actions_w.tolist(), strict=True))
    for way in product(range(POINTS), repeat=len(net_w) - 1):
        cost, here, before_w = 0.0, start, net_w[0]
        for k, there in enumerate(way, start=1):
            action_w = actions.get(there - here)
            if action_w is None or abs(action_w) > CURVED.limit_w(np.array(1000.0 * here)) + 1e-6:
                break
            grid_w = net_w[k] + action_w
            even = recursion.goal.flat_per_kw / 1000.0 * (grid_w - mean_w) ** 2
            cost += (
                prices.buy[0, k] * max(grid_w, 0.0)
                + prices.sell[0, k] * min(grid_w, 0.0)
                + even
                + recursion.goal.ramp_h * abs(grid_w - before_w)
            )
            here, before_w = there, grid_w
        else:
            best = min(best, cost - end * 1000.0 * here)
    return best


@given(net_w=some.lists(powers, min_size=4, max_size=4), end=some.floats(0.0, 2.0), start=some.integers(0, POINTS - 1))
@settings(max_examples=25)
def test_no_way_is_cheaper_when_grid_power_follows_the_actions(net_w, end, start) -> None:
    """With a constant net load the grid power before a step is an action's own: nothing is interpolated."""
    level = [net_w[0]] * 4
    prices = EnergyPrices(buy=np.array([[1.0, 0.7, 1.6, 1.1]]), sell=np.array([[0.0, 0.5, 0.2, 0.0]]))
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=0.3, flat_per_kw=0.1), hours=1.0, points=POINTS)
    outlook = recursion.solve(np.array([[level]]), prices, np.array([500.0]), end_value=np.array([end]))
    idle = recursion._changes.tolist().index(0)
    expected = least_by_enumeration(recursion, level, prices, 500.0, end, start)
    assert outlook._table[idle, 0, 0, start] == pytest.approx(expected, rel=1e-4, abs=0.1)


def test_without_a_goal_only_energy_counts_also_when_the_load_changes() -> None:
    net_w, prices = [200.0, -2500.0, 1800.0, 2600.0], bought([[1.0, 0.5, 1.0, 2.0]])
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=0.0, flat_per_kw=0.0), hours=1.0, points=POINTS)
    outlook = recursion.solve(np.array([[net_w]]), prices, np.array([0.0]), end_value=np.array([0.3]))
    idle = recursion._changes.tolist().index(0)
    for start in range(POINTS):
        expected = least_by_enumeration(recursion, net_w, prices, 0.0, 0.3, start)
        assert outlook._table[idle, 0, 0, start] == pytest.approx(expected, rel=1e-4, abs=0.1)


def test_the_first_step_of_one_known_future_is_the_cheapest_of_all() -> None:
    """Cheap hour first, then two dear ones: fill at the price of 0.2 what the evening needs."""
    net_w, prices = [500.0, 1500.0, 1500.0], bought([[0.2, 2.0, 2.0]])
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=0.0, flat_per_kw=0.0), hours=1.0, points=41)
    outlook = recursion.solve(np.array([[net_w]]), prices, np.array([0.0]), end_value=np.array([0.0]))
    power_w = outlook.power_w(np.array([0.0]), np.array([500.0]))
    assert power_w[0] == pytest.approx(3000.0)


def test_a_grid_that_wishes_no_steps_is_held_where_it_was() -> None:
    net_w = np.array([[[900.0, 900.0, 900.0]]])
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=50.0, flat_per_kw=0.0), hours=1.0, points=41)
    outlook = recursion.solve(net_w, bought(np.ones((1, 3))), np.array([900.0]), end_value=np.array([1.0]))
    half = np.array([2000.0])
    assert outlook.grid_w(half, np.array([700.0]), np.array([1100.0])) == pytest.approx([700.0])
    assert outlook.grid_w(half, np.array([1300.0]), np.array([1100.0])) == pytest.approx([1300.0])


def test_equal_prices_move_nothing() -> None:
    """Losses would be for nothing; doing nothing is exact, whatever the energy is between the points."""
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=0.0, flat_per_kw=0.0), hours=1.0, points=21)
    net_w = np.full((1, 3, 6), 800.0)
    outlook = recursion.solve(net_w, bought(np.ones((1, 6))), np.array([800.0]), end_value=np.array([1.0]))
    assert outlook.power_w(np.array([1234.5]), np.array([800.0])).tolist() == [0.0]


def test_several_buildings_are_planned_as_if_each_were_alone() -> None:
    random = np.random.default_rng(5)
    recursion = GridRecursion(CURVED, GridGoal(ramp_kwh_per_kw=0.3, flat_per_kw=0.1), hours=1.0, points=11)
    net_w, price = random.normal(500, 900, (3, 4, 8)), random.uniform(0.5, 2.0, (3, 8))
    energy_wh, before_w, end = np.array([0.0, 1700.0, 4000.0]), np.array([0.0, 500.0, -800.0]), np.full(3, 0.9)
    mean_w = net_w.mean(axis=(1, 2))
    together = recursion.solve(net_w, bought(price), mean_w, end_value=end).power_w(energy_wh, before_w)
    for n in range(3):
        one = slice(n, n + 1)
        alone = recursion.solve(net_w[one], bought(price[one]), mean_w[one], end_value=end[one])
        assert alone.power_w(energy_wh[one], before_w[one]).tolist() == together[one].tolist()


@given(energy_wh=some.floats(0.0, 4000.0), power_w=some.floats(-6000.0, 6000.0))
def test_what_is_stored_is_what_came_in_less_losses(energy_wh: float, power_w: float) -> None:
    after, moved = CURVED.moved(np.array([energy_wh]), np.array([power_w]), 1.0)
    gain = after[0] - energy_wh
    assert 0.0 <= after[0] <= CURVED.capacity_wh
    assert abs(moved[0]) <= CURVED.limit_w(np.array(energy_wh)) + 1e-6
    assert gain - 1e-6 <= moved[0] <= gain / 0.9 + 1e-6 if gain >= 0 else gain - 1e-6 <= moved[0] <= 0.9 * gain + 1e-6


IDEAL = PartLoad(capacity_wh=4000.0, power_w=2000.0, efficiencies=(1.0, 1.0))  # points and actions 1000 W apart


def test_a_noise_costs_its_mean_and_lets_changes_within_it_pass() -> None:
    """500 W give or take 1000 W: 1500 Wh bought or 500 Wh given for nothing, 750 Wh on the mean.

    Action b: mean of max(500 + b +- 1000, 0), ramp 0.3 max(|b - before| - 1000, 0), end value 0.5 (2000 + b).
    """
    recursion = GridRecursion(IDEAL, GridGoal(ramp_kwh_per_kw=0.3, flat_per_kw=0.0), hours=1.0, points=POINTS)
    outlook = recursion.solve(
        np.full((1, 1, 2), 500.0),
        bought(np.ones((1, 2))),
        np.zeros(1),
        end_value=np.array([0.5]),
        noise_w=np.array([[[0.0, -1000.0], [0.0, 1000.0]]]),
    )
    for row, before_w in enumerate(recursion.actions_w.tolist()):
        expected = min(
            0.5 * (max(500.0 + b - 1000.0, 0.0) + max(500.0 + b + 1000.0, 0.0))
            + 0.3 * max(abs(b - before_w) - 1000.0, 0.0)
            - 0.5 * (2000.0 + b)
            for b in range(-2000, 2001, 1000)
        )
        assert outlook._table[row, 0, 0, 2] == pytest.approx(expected, abs=0.01)


def test_what_a_blur_took_away_comes_back_as_a_noise_without_a_mean() -> None:
    random = np.random.default_rng(9)
    net_w = random.normal(500.0, 300.0, (2, 28, 24))
    soft = blurred(net_w, steps=2.0)
    noise = noise_of(net_w, soft)
    assert noise.mean(axis=1) == pytest.approx(0.0, abs=1e-9)
    assert noise[:, :, 0] == pytest.approx(0.0, abs=1e-9)  # the first step is not blurred
    assert np.abs(noise).mean(axis=1) == pytest.approx(np.abs(net_w - soft).mean(axis=1), rel=0.05, abs=1e-9)
    assert noise_of(net_w[:, :1], soft[:, :1]).tolist() == np.zeros((2, 1, 24)).tolist()


def test_weights_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="not below zero"):
        GridGoal(ramp_kwh_per_kw=-0.1, flat_per_kw=0.0)


def test_a_blur_keeps_the_mean_the_first_step_and_what_lasts() -> None:
    random = np.random.default_rng(9)
    net_w = random.normal(500.0, 300.0, (2, 6, 24))
    lasting = np.array([-200.0, -100.0, 0.0, 0.0, 100.0, 200.0])[:, None]
    net_w += lasting
    soft = blurred(net_w, steps=1.2)
    assert soft.mean(axis=1) == pytest.approx(net_w.mean(axis=1))
    assert soft[:, :, 0] == pytest.approx(net_w[:, :, 0])
    assert np.abs(np.diff(soft[:, :, 1:])).mean() < 0.7 * np.abs(np.diff(net_w[:, :, 1:])).mean()
    assert soft[:, :, 1:].mean(axis=2) == pytest.approx(net_w[:, :, 1:].mean(axis=2), abs=60.0)
    assert blurred(net_w, steps=0.0) == pytest.approx(net_w)
