import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.physics.battery import Battery
from gateway.simulator.settings.config import BatterySettings

DT_S = 0.1


def run(battery: Battery, start_s: float, seconds: float, *, rest_w: float = 0.0) -> list[tuple[float, float]]:
    """(end of step, power) for each step of so many seconds."""
    rows = []
    for step in range(round(seconds / DT_S)):
        now_s = start_s + step * DT_S
        rows.append((now_s + DT_S, battery.advance(now_s=now_s, dt_s=DT_S, rest_w=rest_w)))
    return rows


def commanded(power_w: float, **changes: float) -> Battery:
    battery = Battery(BatterySettings(**changes))
    battery.set_power(power_w, 0.0)
    battery.enable(0.0)
    return battery


@given(
    soc=st.floats(0.0, 1.0),
    capacity_wh=st.floats(50.0, 20000.0),
    orders=st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-8000, 8000)), st.floats(-6000, 6000), st.sampled_from([0.1, 0.5, 1.0])
        ),
        min_size=1,
        max_size=120,
    ),
)
@settings(max_examples=150, deadline=None)
def test_energy_is_conserved_and_stays_between_empty_and_full_whatever_is_ordered(
    soc: float, capacity_wh: float, orders: list[tuple[float | None, float, float]]
) -> None:
    limits = {"soc_min": 0.0, "soc_max": 1.0, "dead_time_s": 0.2}
    battery = Battery(BatterySettings(soc=soc, capacity_wh=capacity_wh, **limits))
    stored_wh, now_s, balance = battery.stored_wh, 0.0, battery.balance
    for order_w, rest_w, dt_s in orders:
        if order_w is None:
            battery.release()
        else:
            battery.set_power(order_w, now_s)
            battery.enable(now_s)
        for _ in range(20):
            power_w = battery.advance(now_s=now_s, dt_s=dt_s, rest_w=rest_w)
            now_s += dt_s
            assert -5000.0 <= power_w <= 5000.0
            assert 0.0 <= battery.soc <= 1.0
    gained_wh = balance.in_wh - balance.out_wh - balance.loss_wh - balance.standby_wh
    assert gained_wh == pytest.approx(battery.stored_wh - stored_wh, abs=1e-6)
    assert min(balance.in_wh, balance.out_wh, balance.loss_wh) >= 0.0
    assert balance.standby_wh == pytest.approx(12.0 * now_s / 3600.0)


def test_a_setpoint_shows_after_the_dead_time_and_grows_at_the_ramp() -> None:
    battery = commanded(3000.0, dead_time_s=0.8, ramp_w_per_s=2500.0)
    rows = run(battery, 0.0, 4.0)
    assert all(power_w == 12.0 for end_s, power_w in rows if end_s <= 0.8 + 1e-9)  # standby
    first = next(end_s for end_s, power_w in rows if power_w > 12.0)
    assert first == pytest.approx(0.9)
    for end_s, power_w in rows:
        if end_s > 0.85:
            assert power_w == pytest.approx(min(2500.0 * (end_s - 0.8), 3000.0), abs=1.0)


def test_a_slow_ramp_also_gets_through_the_powers_too_small_to_run_at() -> None:
    battery = commanded(-1000.0, ramp_w_per_s=50.0)
    assert run(battery, 0.0, 25.0)[-1][1] == pytest.approx(-1000.0)


def test_a_setpoint_that_is_not_refreshed_lapses_into_the_own_mode() -> None:
    battery = commanded(3000.0, setpoint_timeout_s=60.0)
    rows = run(battery, 0.0, 59.9, rest_w=-1000.0)
    assert (battery.mode, rows[-1][1]) == ("remote", 3000.0)
    run(battery, 59.9, 5.0, rest_w=-1000.0)
    assert (battery.mode, battery.setpoint_w) == ("own", None)
    assert battery.power_w == pytest.approx(1000.0, abs=1.0)


def test_a_refreshed_setpoint_stays() -> None:
    battery = commanded(3000.0, setpoint_timeout_s=60.0)
    for minute in range(5):
        run(battery, 45.0 * minute, 45.0)
        battery.set_power(3000.0, 45.0 * (minute + 1))
    assert (battery.mode, battery.power_w) == ("remote", 3000.0)
    assert battery.setpoint_writes == 6


def test_release_gives_the_battery_back_at_once() -> None:
    battery = commanded(-2000.0)
    run(battery, 0.0, 3.0, rest_w=700.0)
    battery.release()
    rows = run(battery, 3.0, 1.0, rest_w=700.0)
    assert rows[0][1] == pytest.approx(-1750.0)  # one step of the ramp towards -700 W
    assert rows[-1][1] == pytest.approx(-700.0, abs=1.0)


@pytest.mark.parametrize("rest_w", [-4000.0, -800.0, -60.0, 0.0, 45.0, 900.0, 4500.0])
def test_the_own_mode_brings_the_grid_near_zero_and_keeps_it_there(rest_w: float) -> None:
    battery = Battery(BatterySettings())
    grid_w = [rest_w + power_w for _, power_w in run(battery, 0.0, 60.0, rest_w=rest_w)]
    assert max(abs(power_w) for power_w in grid_w[60:]) <= 50.0


def test_charging_fades_out_towards_full_and_never_passes_it() -> None:
    battery = commanded(5000.0, soc=0.94, setpoint_timeout_s=1e6)
    at = {round(battery.soc, 3): power_w for _, power_w in run(battery, 0.0, 3600.0) if battery.soc}
    powers = [power_w for _, power_w in run(battery, 3600.0, 60.0)]
    assert at
    assert battery.soc <= 1.0
    assert battery.soc > 0.995
    assert max(powers) < 500.0


@pytest.mark.parametrize(
    ("soc", "low_w", "high_w"),
    [
        (0.50, -5000.0, 5000.0),
        (0.975, -5000.0, 2500.0),  # half of the 5 % over which charging fades
        (1.0, -5000.0, 0.0),
        (0.065, -2500.0, 5000.0),  # half of the 3 % above soc_min = 5 %
        (0.05, 0.0, 5000.0),
    ],
)
def test_limits_fade_near_full_and_empty(soc: float, low_w: float, high_w: float) -> None:
    assert Battery(BatterySettings(soc=soc)).limits_w() == pytest.approx((low_w, high_w))


def test_an_empty_battery_only_stands_by() -> None:
    battery = commanded(-3000.0, soc=0.05)
    assert {power_w for _, power_w in run(battery, 0.0, 5.0)} == {12.0}
    assert battery.stored_wh == 500.0


@pytest.mark.parametrize(
    ("power_w", "loss_w"),
    [(100.0, 12.05), (1000.0, 35.0), (-1000.0, 35.0), (5000.0, 235.0)],  # 10 + 0.02 p + 5e-6 p^2
)
def test_the_loss_depends_on_the_power(power_w: float, loss_w: float) -> None:
    assert Battery(BatterySettings()).loss_w(power_w) == pytest.approx(loss_w)


def test_enabling_without_a_setpoint_changes_nothing() -> None:
    battery = Battery(BatterySettings())
    battery.enable(0.0)
    assert battery.mode == "own"
    assert run(battery, 0.0, 10.0, rest_w=800.0)[-1][1] == pytest.approx(-800.0, abs=1.0)
    assert math.isfinite(battery.soc)
