"""Several batteries as one: one sign, inside their bounds, few at small powers, without changing places."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control.limits import Bounds, Limit
from gateway.core.control.pool import PoolBattery, storage
from gateway.core.control.pool_shares import shares_w
from gateway.tests.core.plant import BATTERY


def member(id_: str, soc: float = 0.5, low_w: float = -5000.0, high_w: float = 5000.0) -> PoolBattery:
    bounds = Bounds(low_w=low_w, high_w=high_w, low_by=Limit.DISCHARGE_POWER, high_by=Limit.CHARGE_POWER)
    return PoolBattery(battery=replace(BATTERY, id=id_), soc=soc, bounds=bounds)


MEMBERS = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.floats(-5000.0, 0.0), st.floats(0.0, 5000.0)), min_size=2, max_size=4
).map(lambda rows: [member(f"b{i}", *row) for i, row in enumerate(rows)])


@given(members=MEMBERS, total_w=st.floats(-20_000, 20_000), before=st.sets(st.sampled_from(["b0", "b1", "b2"])))
def test_shares_have_one_sign_stay_inside_bounds_and_sum_up(members, total_w, before) -> None:
    shares = shares_w(total_w, members, sorted(before))
    reached_w = min(max(total_w, sum(m.bounds.low_w for m in members)), sum(m.bounds.high_w for m in members))
    assert sum(shares.values()) == pytest.approx(reached_w, abs=1e-3)
    assert all(share * total_w >= 0 for share in shares.values())
    assert all(m.bounds.low_w - 1e-6 <= shares[m.battery.id] <= m.bounds.high_w + 1e-6 for m in members)


def test_a_small_power_is_one_converter_s_a_large_one_everybody_s() -> None:
    members = [member("a", 0.6), member("b", 0.5)]
    assert [w for w in shares_w(-300, members, ()).values() if w] == [-300]
    assert all(w < -2000 for w in shares_w(-8000, members, ()).values())


def test_who_works_goes_on_until_another_one_has_clearly_more() -> None:
    assert shares_w(-300, [member("a", 0.50), member("b", 0.53)], ("a",)) == {"a": -300, "b": 0}
    assert shares_w(-300, [member("a", 0.50), member("b", 0.56)], ("a",)) == {"a": 0, "b": -300}


def test_between_one_and_two_converters_nothing_flips() -> None:
    """Loss of one: 10 + 1e-6 p²·4, of two less from some 2.2 kW on; a load that swings around it keeps its number."""
    members, working, counts = [member("a", 0.6), member("b", 0.5)], (), []
    for i in range(60):
        shares = shares_w(-(2250 + (60 if i % 2 else -60)), members, working)
        working = tuple(id_ for id_, w in shares.items() if w)
        counts.append(len(working))
    assert len(set(counts[2:])) == 1


def test_a_full_battery_s_part_is_taken_by_the_other_one() -> None:
    assert shares_w(4000, [member("a", 1.0, high_w=0.0), member("b", 0.5)], ()) == {"a": 0, "b": 4000}


def test_planning_sees_known_losses_as_efficiency() -> None:
    lossy = replace(BATTERY, loss_constant_w=10, loss_linear=0.02, loss_quadratic_per_w=5e-6)
    # at 2500 W: 10 + 50 + 31.25 = 91.25 W
    assert storage((lossy,)).charge_efficiency == pytest.approx(1 - 91.25 / 2500)
    assert storage((lossy,)).discharge_efficiency == pytest.approx(2500 / 2591.25)
