import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model.levels import GridLimits, Levels, LoadNeed, Storage, change, follow, plain, reach_of
from gateway.core.planning.problem import StepPrices
from gateway.core.planning.storage.dynamic_program import thresholds

STORAGE = Storage(capacity_wh=8000.0, charge_max_w=4000.0, discharge_max_w=3000.0, charge_efficiency=0.9)
POINTS = 41


@pytest.mark.parametrize(
    ("levels", "energy_wh", "net_w", "expected_w"),
    [
        # charge, reserve, fill, export; one hour
        ((0, 0, 8000, 8000), 4000, -1000, 1000.0),  # all surplus
        ((0, 0, 8000, 8000), 4000, 1000, -1000.0),  # all need
        ((0, 0, 8000, 8000), 0, 1000, 0.0),  # empty
        ((0, 0, 8000, 8000), 8000, -1000, 0.0),  # full
        ((0, 0, 8000, 8000), 4000, -9000, 4000.0),  # its power
        ((0, 0, 8000, 8000), 8000, 9000, -3000.0),
        ((2700, 2700, 8000, 8000), 0, 500, 3000.0),  # from the grid up to the charge level: 2700 Wh / 0.9
        ((0, 4000, 8000, 8000), 4500, 1000, -475.0),  # down to the reserve: 500 Wh * 0.95
        ((0, 0, 4450, 8000), 4000, -1000, 500.0),  # up to the fill level: 450 Wh / 0.9
        ((0, 0, 2000, 2000), 4000, -1000, -1900.0),  # above the export level it is sold: 2000 Wh * 0.95
    ],
)
def test_the_levels_say_the_power(levels: tuple[float, ...], energy_wh: float, net_w: float, expected_w: float) -> None:
    named = Levels(**dict(zip(("charge_wh", "reserve_wh", "fill_wh", "export_wh"), levels, strict=True)))
    assert follow(named, STORAGE, energy_wh=energy_wh, net_w=net_w, hours=1.0) == pytest.approx(expected_w)


def test_the_import_limit_goes_before_every_level() -> None:
    limits = GridLimits(import_max_w=3000.0)
    keep = Levels(charge_wh=8000.0, reserve_wh=8000.0, fill_wh=8000.0, export_wh=8000.0)
    powers = [follow(keep, STORAGE, energy_wh=4000.0, net_w=net, hours=0.5, limits=limits) for net in (1000.0, 5000.0)]
    assert powers == pytest.approx([2000.0, -2000.0])  # charges with what is left; gives what is too much


def test_the_export_limit_bounds_what_is_sold() -> None:
    sell = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=0.0, export_wh=0.0)
    limits = GridLimits(export_max_w=500.0)
    assert follow(sell, STORAGE, energy_wh=4000.0, net_w=1000.0, hours=1.0, limits=limits) == pytest.approx(-1500.0)


@given(
    energy_wh=st.floats(0.0, 8000.0),
    net_w=st.floats(-10_000.0, 10_000.0),
    hours=st.sampled_from([1 / 3600, 0.25, 0.5, 1.0]),
)
def test_the_default_levels_are_the_plain_rule(energy_wh: float, net_w: float, hours: float) -> None:
    room_w = (STORAGE.capacity_wh - energy_wh) / hours / STORAGE.charge_efficiency
    held_w = energy_wh / hours * STORAGE.discharge_efficiency
    requested_w = min(max(-net_w, -STORAGE.discharge_max_w, -held_w), STORAGE.charge_max_w, room_w)
    power_w = follow(plain(STORAGE), STORAGE, energy_wh=energy_wh, net_w=net_w, hours=hours)
    assert power_w == pytest.approx(requested_w, abs=1e-6)


# net load with a car of 3 kW in it, from which energy on the car is supplied, stored energy; one hour
@pytest.mark.parametrize(
    ("net_w", "above_wh", "energy_wh", "expected_w"),
    [
        (3500.0, math.inf, 6000.0, -500.0),  # the house alone
        (2000.0, math.inf, 6000.0, 0.0),  # 1 kW of the car is surplus
        (-500.0, math.inf, 6000.0, 500.0),
        (2500.0, 0.0, 6000.0, -2500.0),
        (2500.0, 4000.0, 6000.0, -1900.0),  # down to there: 2000 Wh * 0.95
        (3500.0, 4000.0, 4100.0, -500.0),  # below it the house goes on being supplied
    ],
)
def test_a_load_is_supplied_above_its_energy_only(
    net_w: float, above_wh: float, energy_wh: float, expected_w: float
) -> None:
    loads = (LoadNeed(power_w=3000.0, above_wh=above_wh),)
    found = follow(plain(STORAGE), STORAGE, energy_wh=energy_wh, net_w=net_w, hours=1.0, loads=loads)
    assert found == pytest.approx(expected_w)


def test_loads_that_are_supplied_from_several_energies_are_so_one_after_the_other() -> None:
    loads = (LoadNeed(power_w=1000.0), LoadNeed(power_w=800.0, above_wh=6000.0), LoadNeed(power_w=300.0, above_wh=0.0))
    found = [
        follow(plain(STORAGE), STORAGE, energy_wh=energy_wh, net_w=2400.0, hours=1.0, loads=loads)
        for energy_wh in (7900.0, 6100.0, 5900.0)
    ]
    assert found == pytest.approx([-1400.0, -600.0, -600.0])  # 300 W of the house, 300, 800


def test_numbers_and_arrays_give_the_same() -> None:
    rng = np.random.default_rng(1)
    energy, net = rng.uniform(0, 8000, 50), rng.uniform(-6000, 6000, 50)
    levels = Levels(charge_wh=1000.0, reserve_wh=2000.0, fill_wh=6000.0, export_wh=7000.0)
    many = follow(levels, STORAGE, energy_wh=energy, net_w=net, hours=0.5)
    pairs = zip(energy.tolist(), net.tolist(), strict=True)
    assert many.tolist() == [follow(levels, STORAGE, energy_wh=e, net_w=n, hours=0.5) for e, n in pairs]


def test_the_closed_form_costs_no_more_than_any_other_power() -> None:
    """On random convex values of stored energy, against all places where the cost can have its least: the kinks."""
    rng = np.random.default_rng(7)
    grid = np.linspace(0.0, STORAGE.capacity_wh, POINTS)
    for _ in range(300):
        sell, buy = np.sort(rng.uniform(0.0, 0.4, 2))
        storage = Storage(
            capacity_wh=8000.0,
            charge_max_w=rng.uniform(0, 6000),
            discharge_max_w=rng.uniform(0, 6000),
            charge_efficiency=rng.uniform(0.8, 1.0),
            discharge_efficiency=rng.uniform(0.8, 1.0),
            wear_price=rng.uniform(0.0, 0.03),
        )
        worth = np.sort(rng.uniform(-0.1, 0.5, POINTS - 1))[::-1]  # EUR/kWh
        value = np.concatenate([[0.0], np.cumsum(-worth * np.diff(grid) / 1000.0)])
        energy, net = rng.uniform(0, 8000), rng.uniform(-6000, 6000)
        limits = GridLimits(import_max_w=max(net, 0.0) + rng.uniform(0, 4000))
        marks = thresholds(StepPrices(buy=np.array([buy]), sell=np.array([sell])), storage)[0]
        levels = [grid[np.count_nonzero(worth > mark)] for mark in marks]
        reach = reach_of(storage, net_w=net, hours=0.5, limits=limits)

        def cost(moved: float, *, storage: Storage = storage, net: float = net, e: float = energy) -> float:
            power = max(moved / storage.charge_efficiency, moved * storage.discharge_efficiency) / 0.5
            grid_kwh = (net + power) * 0.5 / 1000.0
            paid = buy * max(grid_kwh, 0.0) + sell * min(grid_kwh, 0.0)  # noqa: B023 - called in this round only
            wear = storage.wear_price * abs(power) * 0.5 / 1000.0
            return paid + wear + float(np.interp(e + moved, grid, value))  # noqa: B023

        lowest = -min(reach.discharge, energy)
        highest = min(reach.charge, 8000.0 - energy)
        kinks = np.concatenate([grid - energy, [0.0, reach.surplus, -reach.deficit, lowest, highest]])
        best = min(cost(moved) for moved in np.clip(kinks, lowest, highest))
        assert cost(float(change(reach, energy, *levels))) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity_wh": 0.0},
        {"capacity_wh": float("nan")},
        {"charge_max_w": -1.0},
        {"charge_efficiency": 0.0},
        {"discharge_efficiency": 1.1},
        {"wear_price": float("inf")},
    ],
)
def test_a_storage_that_cannot_be_planned_cannot_exist(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="capacity_wh"):
        Storage(**{"capacity_wh": 8000.0, "charge_max_w": 4000.0, "discharge_max_w": 4000.0, **wrong})
