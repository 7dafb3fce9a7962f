"""Flows: what goes in comes out, whatever the totals and the estimates are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.accounts.flows import Totals, by_order, flows, reconciled
from gateway.core.accounts.quarter_account import Flows

WH = st.floats(min_value=0.0, max_value=10_000.0).map(lambda wh: round(wh, 1))
TOTALS = st.builds(Totals, pv=WH, imported=WH, exported=WH, charged=WH, discharged=WH)


def sums(found: Flows) -> Totals:
    return Totals(
        pv=found.pv_to_load_wh + found.pv_to_battery_wh + found.pv_to_grid_wh,
        imported=found.grid_to_load_wh + found.grid_to_battery_wh,
        exported=found.pv_to_grid_wh + found.battery_to_grid_wh,
        charged=found.pv_to_battery_wh + found.grid_to_battery_wh,
        discharged=found.battery_to_load_wh + found.battery_to_grid_wh,
    )


def each(totals: Totals) -> list[float]:
    return [totals.pv, totals.imported, totals.exported, totals.charged, totals.discharged]


@given(totals=TOTALS, out=WH, in_=WH)
def test_the_sums_of_flows_are_the_totals_and_none_is_below_0(totals: Totals, out: float, in_: float) -> None:
    agreed = reconciled(totals)
    found = flows(agreed, out, in_)
    assert each(sums(found)) == pytest.approx(each(agreed), abs=1e-3)
    assert min(getattr(found, name) for name in Flows.__slots__) >= -1e-6


@given(totals=TOTALS)
def test_totals_that_can_be_true_are_left_alone(totals: Totals) -> None:
    possible = (
        totals.used >= 0.0
        and totals.charged <= totals.pv + totals.imported
        and totals.exported <= totals.pv + totals.discharged
    )
    assert (each(reconciled(totals)) == pytest.approx(each(totals), abs=1e-9)) or not possible


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        # 3000 made: 1000 used at once, 1500 stored, 500 exported
        (
            Totals(pv=3000, imported=0, exported=500, charged=1500, discharged=0),
            {"pv_to_load_wh": 1000, "pv_to_battery_wh": 1500, "pv_to_grid_wh": 500},
        ),
        # night: 800 from the battery, 200 bought
        (
            Totals(pv=0, imported=200, exported=0, charged=0, discharged=800),
            {"battery_to_load_wh": 800, "grid_to_load_wh": 200},
        ),
        # bought to store: 700 for the building, 300 of it for the battery with 100 of sun
        (
            Totals(pv=100, imported=900, exported=0, charged=300, discharged=0),
            {"pv_to_load_wh": 100, "grid_to_load_wh": 600, "grid_to_battery_wh": 300},
        ),
        # sold from the battery: 400 of 500 leave, 100 are used
        (
            Totals(pv=0, imported=0, exported=400, charged=0, discharged=500),
            {"battery_to_load_wh": 100, "battery_to_grid_wh": 400},
        ),
    ],
)
def test_pv_serves_the_building_first_then_batteries_then_the_grid(totals: Totals, expected: dict[str, float]) -> None:
    found = flows(totals, *by_order(totals))
    assert {name: getattr(found, name) for name in Flows.__slots__ if getattr(found, name)} == pytest.approx(expected)


def test_what_was_seen_second_by_second_goes_before_the_order_of_the_whole_quarter_hour() -> None:
    """A cloud: charged from PV for half of it, then out of the battery into the grid; the totals alone hide it."""
    totals = Totals(pv=500, imported=0, exported=200, charged=200, discharged=200)
    assert flows(totals, 0.0, 0.0).battery_to_grid_wh == 0.0
    assert flows(totals, 150.0, 0.0).battery_to_grid_wh == 150.0
