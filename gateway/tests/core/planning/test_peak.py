"""A highest import that costs is weighed against energy, as brute force does it on small cases."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gateway.core.model.history import Scenarios
from gateway.core.model.levels import GridLimits, Storage, follow
from gateway.core.model.plan import Plan
from gateway.core.planning.method import PlanningMethod
from gateway.core.planning.planner import plan
from gateway.core.pricing.prices import PeakPrice, Period, Prices

STORAGE = Storage(
    capacity_wh=3000.0, charge_max_w=2000.0, discharge_max_w=2000.0, charge_efficiency=1.0, discharge_efficiency=1.0
)
METHOD = PlanningMethod(energy_points=13, mixing_per_half_hour=0.0, end_value_share=0.5)
START_WH = 1000.0
HOURS = 5


def future(net_w: np.ndarray, step_s: float = 3600.0) -> Scenarios:
    return Scenarios(start_s=0.0, step_s=step_s, load_w=np.maximum(net_w, 0.0), pv_w=np.minimum(net_w, 0.0))


def priced(buy: np.ndarray, sell: np.ndarray, peak: PeakPrice | None, step_s: float = 3600.0) -> Prices:
    return Prices(start_s=0.0, step_s=step_s, buy=buy, sell=sell, names=("",) * len(buy), peak=peak)


def due(eur_per_kw: float, *due_kw: float, steps: int = HOURS) -> PeakPrice:
    """Periods of equal length and what is due in each."""
    each = steps // len(due_kw)
    ends = [each * (n + 1) for n in range(len(due_kw) - 1)] + [steps]
    periods = tuple(
        Period(first=first, end=end, due_w=1000.0 * kw)
        for first, end, kw in zip([0, *ends], ends, due_kw, strict=False)
    )
    return PeakPrice(eur_per_kw=eur_per_kw, periods=periods)


def to_pay(grid_w: np.ndarray, prices: Prices) -> float:
    """The bill, written out: energy by its price, each period's highest import above what is due."""
    energy = sum(
        (buy if w > 0 else sell) * w / 1000 for w, buy, sell in zip(grid_w, prices.buy, prices.sell, strict=True)
    )
    assert prices.peak is not None
    peaks = [max(0.0, max(grid_w[p.first : p.end]) - p.due_w) / 1000 for p in prices.peak.periods]
    return float(energy + prices.peak.eur_per_kw * sum(peaks))


def least(net_w: np.ndarray, prices: Prices) -> float:
    """Every power profile in steps of 500 W (250 Wh would find no more: all numbers are whole kW and kWh)."""
    powers = np.array(list(product(np.arange(-2000.0, 2001.0, 500.0), repeat=len(net_w))))
    energies = START_WH + np.cumsum(powers, axis=1)
    possible = powers[(energies.min(axis=1) >= 0.0) & (energies.max(axis=1) <= 3000.0)]
    end_wh = START_WH + possible.sum(axis=1)
    grid_w = net_w + possible
    energy = np.maximum(prices.buy * grid_w, prices.sell * grid_w).sum(axis=1) / 1000
    assert prices.peak is not None
    peaks = sum(np.maximum(grid_w[:, p.first : p.end].max(axis=1) - p.due_w, 0.0) / 1000 for p in prices.peak.periods)
    return float((energy + prices.peak.eur_per_kw * peaks - 0.5 * prices.buy.min() * end_wh / 1000).min())


def followed(made: Plan, net_w: np.ndarray, hours: float = 1.0) -> tuple[np.ndarray, float]:
    """Grid powers and the energy at the end, as the loop follows levels and peak target."""
    stored, grid = START_WH, []
    for slot, net in zip(made.slots, net_w, strict=True):
        limits = GridLimits(import_max_w=slot.peak_target_w)
        power = float(follow(slot.levels, STORAGE, energy_wh=stored, net_w=float(net), hours=hours, limits=limits))
        stored += power * hours
        grid.append(net + power)
    return np.array(grid), stored


def case(seed: int) -> tuple[np.ndarray, Prices]:
    """A net load in whole kW, prices in whole tenths, with a price of the peak that matters little to much."""
    rng = np.random.default_rng(seed)
    net_w = rng.integers(-2, 5, HOURS) * 1000.0
    buy = rng.integers(1, 5, HOURS) * 0.1
    peak = due(float(rng.choice([0.05, 0.3, 1.0, 4.0])), float(rng.integers(0, 3)))
    return net_w, priced(buy, buy * 0.5, peak)


def cost_of(net_w: np.ndarray, prices: Prices, *, planned: Prices) -> float:
    """What is paid with `prices` where the plan was made on those `planned`."""
    made = plan(STORAGE, START_WH, future(net_w[None]), planned, made_s=0.0, method=METHOD)
    grid_w, end_wh = followed(made, net_w)
    return to_pay(grid_w, prices) - 0.5 * float(prices.buy.min()) * end_wh / 1000


@pytest.mark.parametrize("seed", range(25))
def test_a_certain_future_costs_no_more_than_the_best_of_all_profiles(seed: int) -> None:
    """But for the last step of the search for the peak target, a 128th of the range that is searched."""
    net_w, prices = case(seed)
    assert prices.peak is not None
    tolerance = 1e-6 + prices.peak.eur_per_kw * 6.0 / 128
    assert cost_of(net_w, prices, planned=prices) <= least(net_w, prices) + tolerance
    assert cost_of(net_w, prices, planned=prices) <= cost_of(net_w, prices, planned=replace(prices, peak=None)) + 1e-9


def test_each_month_has_its_own_peak() -> None:
    """3 kW in the second and in the fifth hour; 2 kW are due in the first month, nothing in the second."""
    net_w = np.array([0.0, 3000.0, 0.0, 0.0, 3000.0, 0.0])
    prices = priced(np.full(6, 0.2), np.full(6, 0.1), due(2.0, 2.0, 0.0, steps=6))
    made = plan(STORAGE, START_WH, future(net_w[None]), prices, made_s=0.0, method=METHOD)
    grid_w, _ = followed(made, net_w)
    assert max(grid_w[:3]) == pytest.approx(2000.0, abs=50.0)  # 1 kWh of 3 is for the first
    assert max(grid_w[3:]) == pytest.approx(
        1000.0, abs=50.0
    )  # 2 kWh, bought in the third and fourth hour, for the other
    assert [slot.peak_target_w for slot in made.slots[:3]] == [made.slots[0].peak_target_w] * 3


def test_what_lies_below_what_is_due_is_planned_as_ever_and_held_below_it() -> None:
    rng = np.random.default_rng(4)
    net_w = rng.uniform(-1500.0, 1500.0, (12, 48))
    buy = np.where(np.arange(48) < 16, 0.15, 0.25)
    prices = priced(buy, np.full(48, 0.04), due(4.0, 6.0, steps=48), step_s=1800.0)
    ever, made = (
        plan(STORAGE, START_WH, future(net_w, 1800.0), each, made_s=0.0)
        for each in (replace(prices, peak=None), prices)
    )
    assert [slot.levels for slot in made.slots] == [slot.levels for slot in ever.slots]
    assert {slot.peak_target_w for slot in made.slots} == {6000.0}
    assert {slot.peak_target_w for slot in ever.slots} == {math.inf}
    assert [note.code for note in made.notes] == ["peak_kept"]
    assert ever.notes == ()


def test_energy_is_kept_and_bought_for_a_peak_that_only_some_scenarios_bring() -> None:
    """One price at all hours: without the peak nothing would be kept; half of the scenarios need 3 kW for an hour."""
    net_w = np.full((10, 24), 300.0)
    net_w[::2, 18] = 3000.0
    prices = priced(np.full(24, 0.2), np.full(24, 0.04), due(4.0, 0.5, steps=24))
    made = plan(STORAGE, 0.0, future(net_w), prices, made_s=0.0)
    before = made.slots[17]
    assert before.energy_wh is not None
    assert before.energy_wh >= 2000.0
    assert made.slots[0].peak_target_w < 1500.0
    ever = plan(STORAGE, 0.0, future(net_w), replace(prices, peak=None), made_s=0.0)
    assert ever.slots[17].energy_wh == pytest.approx(0.0, abs=1.0)
