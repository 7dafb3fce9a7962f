"""The hot-water tank against closed forms and the conservation of energy."""

import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.physics.daily import Alarm
from gateway.simulator.physics.heat import step_temperature
from gateway.simulator.physics.tank import Tank
from gateway.simulator.settings.flexible import TankSettings

MIDNIGHT = datetime(2024, 1, 15)  # noqa: DTZ001 - a wall clock
WATER_WH_PER_K = 232.6  # 200 l of 4.1868 kJ/(kg K)


class Cellar:
    """A tank and the clock beside it."""

    def __init__(self, **settings: object) -> None:
        self.tank = Tank(TankSettings.model_validate({"litres": 200, **settings}))
        self.now_s = 0.0

    def live(self, seconds: float, *, dt_s: float = 1.0) -> float:
        """The power at the end."""
        for _ in range(round(seconds / dt_s)):
            local = MIDNIGHT + timedelta(seconds=self.now_s)
            self.tank.advance(now_s=self.now_s, dt_s=dt_s, local=local)
            self.now_s += dt_s
        return self.tank.power_w

    def keep(self, power_w: float, seconds: float, *, dt_s: float = 1.0) -> float:
        """As `live`, the power written again each ten seconds."""
        for _ in range(round(seconds / 10.0)):
            self.tank.set_power(power_w, self.now_s)
            self.live(10.0, dt_s=dt_s)
        return self.tank.power_w


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 3600.0])
def test_it_cools_as_the_exponential_says(dt_s: float) -> None:
    cellar = Cellar(temp_c=60, room_c=20, loss_w_per_k=2.0)
    cellar.live(10 * 3600.0, dt_s=dt_s)
    # 20 + 40 exp(-2 W/K x 10 h / 232.6 Wh/K), whatever the step
    assert cellar.tank.temp_c == pytest.approx(20.0 + 40.0 * math.exp(-20.0 / WATER_WH_PER_K), abs=1e-6)


def test_an_hour_of_heating_without_losses() -> None:
    cellar = Cellar(temp_c=45, loss_w_per_k=0.0, dead_time_s=0.0)
    assert cellar.keep(2000.0, 3600.0, dt_s=10.0) == 2000.0
    assert cellar.tank.temp_c == pytest.approx(45.0 + 2000.0 / WATER_WH_PER_K, abs=1e-6)


def test_a_bath_mixes_the_tank_with_cold_water() -> None:
    cellar = Cellar(temp_c=55, inlet_c=15, loss_w_per_k=0.0, least_c=20)
    cellar.tank.draw(100.0, 600.0, 0.0)
    cellar.live(700.0)
    # half of the water replaced, well mixed all the time: 15 + 40 exp(-100/200)
    assert cellar.tank.temp_c == pytest.approx(15.0 + 40.0 * math.exp(-0.5), abs=1e-6)
    assert cellar.tank.balance.drawn_wh == pytest.approx(WATER_WH_PER_K * 40.0 * (1.0 - math.exp(-0.5)), abs=1e-3)


def test_a_power_is_obeyed_after_the_dead_time_within_the_heater_and_lapses() -> None:
    cellar = Cellar(heater_w=3000, dead_time_s=2.0, setpoint_timeout_s=60.0)
    cellar.tank.set_power(1700.0, 0.0)
    assert [cellar.live(1.0) for _ in range(4)] == [0.0, 0.0, 1700.0, 1700.0]
    cellar.tank.set_power(9000.0, cellar.now_s)
    assert cellar.live(59.0) == 3000.0
    assert cellar.live(2.0) == 0.0  # 60 s after the last word


def test_it_stops_at_its_own_limit_and_goes_on_below_the_hysteresis() -> None:
    cellar = Cellar(temp_c=64.5, limit_c=65, limit_hysteresis_k=3)
    assert cellar.keep(3000.0, 300.0) == 0.0
    assert cellar.tank.temp_c == pytest.approx(65.0, abs=0.1)
    cellar.tank.draw(30.0, 60.0, cellar.now_s)
    assert cellar.keep(3000.0, 70.0) == 3000.0
    cellar.tank.limit_c = 50.0  # as the installer sets it
    assert cellar.keep(3000.0, 10.0) == 0.0


def test_it_heats_by_itself_when_it_is_too_cold_whatever_it_is_sent() -> None:
    cellar = Cellar(temp_c=39.9, least_c=40, least_hysteresis_k=5, heater_w=3000, loss_w_per_k=0.0)
    powers_w = []
    while cellar.tank.temp_c < 44.99:
        powers_w.append(cellar.keep(0.0, 10.0, dt_s=10.0))
        assert cellar.tank.work == "boost"
    assert set(powers_w) == {3000.0}
    assert len(powers_w) * 10.0 == pytest.approx(5.1 * WATER_WH_PER_K / 3000.0 * 3600.0, abs=30.0)
    cellar.live(20.0)
    assert (cellar.tank.power_w, cellar.tank.work) == (0.0, "rest")


def test_water_is_drawn_by_the_clock_once_a_day() -> None:
    cellar = Cellar(draws={"07:00": 50, "20:30": 80}, loss_w_per_k=0.0, temp_c=60, least_c=20)
    cooled = []
    for _ in range(48):
        before_c = cellar.tank.temp_c
        cellar.live(3600.0, dt_s=30.0)
        if cellar.tank.temp_c < before_c:
            cooled.append(round(cellar.now_s / 3600.0))
    assert cooled == [8, 21, 32, 45]  # the hours that hold 07:00 and 20:30, on two days


def test_an_alarm_rings_once_a_date_also_when_the_clock_is_put_forward_or_back() -> None:
    days = [
        # the clock is put back from 03:00 to 02:00, so that 02:30 comes twice; it is put forward from 02:00 to 03:00
        [(27, 1.5), (27, 2.5), (27, 2.9), (27, 2.0), (27, 2.5), (27, 3.0), (28, 2.4), (28, 2.5)],
        [(31, 1.9), (31, 3.0), (31, 3.1)],
    ]
    expected = [[False, True, False, False, False, False, False, True], [False, True, False]]
    for moments, rings in zip(days, expected, strict=True):
        alarm = Alarm("02:30")
        local = [datetime(2024, 10, 1) + timedelta(days=day, hours=hour) for day, hour in moments]  # noqa: DTZ001
        assert [alarm.rings(moment) for moment in local] == rings


def test_a_course_without_losses_is_the_limit_of_one_with_little() -> None:
    common = {"around_c": 20.0, "power_w": 500.0, "capacity_wh_per_k": 100.0, "hours": 1.0}
    straight = step_temperature(50.0, loss_w_per_k=0.0, **common)
    bent = step_temperature(50.0, loss_w_per_k=1e-6, **common)
    assert (straight.end_c, straight.mean_c) == (55.0, 52.5)
    assert (bent.end_c, bent.mean_c) == pytest.approx((55.0, 52.5), abs=1e-5)


steps = st.lists(
    st.tuples(st.sampled_from(["power", "draw", "wait"]), st.floats(0.0, 4000.0), st.integers(5, 900)), max_size=25
)


@settings(max_examples=50, deadline=None)
@given(
    steps=steps,
    temp_c=st.floats(15.0, 64.0),
    loss=st.sampled_from([0.0, 1.8, 20.0]),
    dt_s=st.sampled_from([0.5, 5.0, 60.0]),
)
def test_heat_in_less_heat_out_is_what_the_water_keeps(
    steps: list[tuple[str, float, int]], temp_c: float, loss: float, dt_s: float
) -> None:
    cellar = Cellar(temp_c=temp_c, loss_w_per_k=loss)
    tank, heated_wh = cellar.tank, 0.0
    for what, number, seconds in steps:
        if what == "power":
            tank.set_power(number, cellar.now_s)
        elif what == "draw":
            tank.draw(number / 40.0, seconds, cellar.now_s)
        for _ in range(max(round(seconds / dt_s), 1)):
            heated_wh += cellar.live(dt_s, dt_s=dt_s) * dt_s / 3600.0
            assert 0.0 <= tank.power_w <= 3000.0
            assert 12.0 - 1e-9 <= tank.temp_c <= 65.3  # one step of 60 s at 3 kW is 0.21 K
    balance = tank.balance
    assert balance.heated_wh == pytest.approx(heated_wh, abs=1e-6)
    stored_wh = 200.0 * 1.163 * (tank.temp_c - temp_c)
    assert stored_wh == pytest.approx(balance.heated_wh - balance.lost_wh - balance.drawn_wh, abs=1e-6)
