"""Quarter hours from cycles: means of what was seen, nothing of what was not."""

import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model.quarters import ENOUGH, QUARTER_S, Filling, Quarter, fill

NOON = 1_718_971_200  # 2024-06-21 12:00 UTC


def lived(cycles: list[tuple[float, float | None, float | None, bool]]) -> list[Quarter]:
    filling, found = Filling(), []
    for utc_s, load_w, pv_w, curtailed in cycles:
        filling, done = fill(filling, utc_s, load_w=load_w, pv_w=pv_w, curtailed=curtailed)
        found += [done] if done else []
    return found


def seconds(start_s: float, count: int, load_w: float | None = 400.0, pv_w: float | None = -1000.0):
    return [(start_s + i, load_w, pv_w, False) for i in range(count)]


def test_a_quarter_is_the_mean_over_its_time_not_over_its_cycles() -> None:
    often = [(NOON + i, 100.0, 0.0, False) for i in range(450)]
    rarely = [(NOON + 450 + 3 * i, 400.0, 0.0, False) for i in range(151)]
    [quarter] = lived([*often, *rarely])
    # 450 s at 100 W and 450 s at 400 W; the cycle that changes the power owns the time before it
    assert quarter.start_s == NOON
    assert math.isclose(quarter.load_w or 0, 250.0, rel_tol=0.01)


def test_a_quarter_that_was_seen_too_little_has_no_value() -> None:
    late = int(QUARTER_S * (1 - ENOUGH)) + 10
    [quarter] = lived(seconds(NOON + late, QUARTER_S - late + 2))
    assert (quarter.load_w, quarter.pv_w) == (None, None)
    [quarter] = lived(seconds(NOON, QUARTER_S + 1, load_w=None))
    assert (quarter.load_w, quarter.pv_w) == (None, -1000.0)


def test_a_curtailed_roof_says_nothing_about_the_sun() -> None:
    cycles = seconds(NOON, QUARTER_S + 1)
    cycles[300] = (NOON + 300, 400.0, -1000.0, True)
    [quarter] = lived(cycles)
    assert (quarter.load_w, quarter.pv_w) == (400.0, None)


def test_the_grid_of_a_quarter_is_its_mean_too() -> None:
    """A kettle of 2.4 kW for 3 of 15 minutes beside 300 W: 780 W are what a meter of quarter hours counts."""
    filling, done = Filling(), None
    for second in range(QUARTER_S + 1):
        grid_w = 2700.0 if 60 < second <= 240 else 300.0
        filling, done = fill(filling, NOON + second, load_w=None, pv_w=None, grid_w=grid_w)
    assert done is not None
    assert done.grid_w is not None
    assert math.isclose(done.grid_w, 780.0, rel_tol=1e-3)


def test_a_clock_that_jumps_ends_no_quarter() -> None:
    assert lived([*seconds(NOON, 850), *seconds(NOON + 7200, 100)]) == []
    assert lived([*seconds(NOON, 850), *seconds(NOON - 7200, 100)]) == []


def test_a_day_of_25_hours_has_100_quarters() -> None:
    midnight = 1_729_980_000  # 2024-10-27 00:00 in Paris, which is 22:00 UTC of the day before
    found = lived([(midnight + 4.0 * i, 300.0, 0.0, False) for i in range(25 * 900 + 1)])
    assert len(found) == 100
    assert len({quarter.start_s for quarter in found}) == 100


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(0, 9000) | st.none()), max_size=60))
def test_a_mean_lies_between_the_least_and_the_most(steps: list[tuple[float, float | None]]) -> None:
    utc_s, cycles = float(NOON), []
    for step_s, load_w in steps * 40:
        utc_s += step_s
        cycles.append((utc_s, load_w, None, False))
    shown = [load_w for _, load_w in steps if load_w is not None]
    for quarter in lived(cycles):
        assert quarter.pv_w is None
        assert quarter.load_w is None or min(shown) - 1e-6 <= quarter.load_w <= max(shown) + 1e-6
