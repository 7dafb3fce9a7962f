"""The heat pump and its rooms against closed forms, a climate table and the conservation of energy."""

import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.physics.heat_pump import HeatPump, outdoor_c
from gateway.simulator.settings.flexible import HeatPumpSettings

WINTER = datetime(2024, 1, 20)  # noqa: DTZ001 - a wall clock
SUMMER = datetime(2024, 7, 20)  # noqa: DTZ001 - a wall clock


class House:
    """A heat pump and the clock beside it."""

    def __init__(self, begin: datetime = WINTER, **settings: object) -> None:
        self.heat_pump = HeatPump(HeatPumpSettings.model_validate(settings))
        self.begin, self.now_s = begin, 0.0

    def live(self, seconds: float, *, dt_s: float = 10.0, offer_w: float | None = None) -> list[float]:
        """The powers of the steps, an offer written again in each of them."""
        powers_w = []
        for _ in range(round(seconds / dt_s)):
            if offer_w is not None:
                self.heat_pump.offer(offer_w, self.now_s)
            local = self.begin + timedelta(seconds=self.now_s)
            powers_w.append(self.heat_pump.advance(now_s=self.now_s, dt_s=dt_s, local=local))
            self.now_s += dt_s
        return powers_w


def test_rooms_that_nobody_heats_cool_as_the_exponential_says() -> None:
    house = House(
        temp_c=20, gains_w=0, outdoor_mean_c=0, outdoor_season_k=0, outdoor_day_k=0, loss_w_per_k=200,
        capacity_wh_per_k=8000,
    )  # fmt: skip
    house.heat_pump.blocked = True
    house.live(20 * 3600.0, dt_s=600.0)
    assert house.heat_pump.temp_c == pytest.approx(20.0 * math.exp(-200.0 * 20.0 / 8000.0), abs=1e-6)


def test_its_own_thermostat_keeps_the_rooms_within_its_hysteresis() -> None:
    house = House(target_c=20.5, hysteresis_k=0.6)
    temps_c = []
    for _ in range(4 * 24 * 3):
        house.live(900.0, dt_s=30.0)
        temps_c.append(house.heat_pump.temp_c)
    # the shortest run of 300 s is worth 0.07 K at 1.8 kW and a COP of 3
    assert 20.1 < min(temps_c) < 20.3
    assert 20.7 < max(temps_c) < 20.9


def test_the_rooms_get_cop_times_the_electricity_of_the_compressor() -> None:
    house = House(temp_c=15, outdoor_mean_c=2, outdoor_season_k=0, outdoor_day_k=0, ramp_w_per_s=1e6)
    assert house.live(600.0)[-1] == 1815.0  # and 15 W of pumps
    assert house.heat_pump.heat_w == pytest.approx(1800.0 * (3.8 - 0.08 * 5.0))  # 5 K below 7 degrees
    assert house.heat_pump.balance.heat_wh == pytest.approx(1800.0 * 3.4 / 6.0)
    assert house.heat_pump.balance.used_wh == pytest.approx(1815.0 / 6.0)


def test_a_run_and_a_rest_last_long_enough_unless_it_is_blocked() -> None:
    house = House(SUMMER, temp_c=22, target_c=20, raise_k=3, run_s=300, rest_s=300)
    assert house.live(60.0, offer_w=900)[-1] == 915.0
    house.heat_pump.offer(0, house.now_s)
    assert house.live(230.0)[-1] == 615.0  # its least power until 300 s have gone
    assert house.live(20.0)[-1] == 15.0
    assert set(house.live(270.0, offer_w=900)) == {15.0}
    assert house.live(30.0, offer_w=900)[-1] == 915.0
    house.heat_pump.blocked = True
    assert house.live(10.0, offer_w=900) == [15.0]


@pytest.mark.parametrize(
    ("offer_w", "taken_w"), [(0, 0.0), (599, 0.0), (600, 600.0), (1900, 1900.0), (2500, 2500.0), (9000, 2500.0)]
)
def test_an_offered_power_is_used_from_the_least_to_the_most(offer_w: float, taken_w: float) -> None:
    house = House(SUMMER, temp_c=20.9)
    assert house.live(120.0, offer_w=offer_w)[-1] == 15.0 + taken_w


def test_an_offer_ends_at_the_raised_temperature_and_lapses_when_nobody_repeats_it() -> None:
    house = House(SUMMER, temp_c=22.45, target_c=20.5, raise_k=2.0, run_s=0, rest_s=0)
    powers_w = house.live(1800.0, offer_w=2500)
    assert powers_w[5] == 2515.0
    assert set(powers_w[20:]) == {15.0}  # 0.05 K x 8 kWh/K are 400 Wh: two minutes at 2.5 kW and a COP of 4.7
    assert 22.4 < house.heat_pump.temp_c < 22.55
    lapsing = House(SUMMER, temp_c=20.9, run_s=0)
    lapsing.live(30.0, offer_w=900)
    assert lapsing.live(50.0)[-1] == 915.0
    assert lapsing.live(20.0)[-1] == 15.0


def test_forced_it_heats_to_the_raised_target() -> None:
    house = House(SUMMER, temp_c=21.0, target_c=20.5, raise_k=1.0)
    assert house.live(300.0)[-1] == 15.0
    house.heat_pump.forced = True
    assert house.live(300.0)[-1] == 1815.0
    house.live(12 * 3600.0, dt_s=60.0)
    assert 21.1 < house.heat_pump.temp_c < 21.9


@pytest.mark.parametrize(
    ("moment", "low_c", "high_c"),
    [  # means of Lille-Lesquin 1991-2020 (Météo-France): January 4.0, July 18.9 degrees
        (datetime(2024, 1, 15), 3.0, 5.0),  # noqa: DTZ001
        (datetime(2024, 7, 15), 17.5, 19.5),  # noqa: DTZ001
    ],
)
def test_outdoors_it_is_as_cold_as_it_should_be(moment: datetime, low_c: float, high_c: float) -> None:
    temps_c = [outdoor_c(HeatPumpSettings(), moment + timedelta(hours=hour)) for hour in range(24)]
    assert low_c < sum(temps_c) / 24.0 < high_c
    assert temps_c.index(min(temps_c)) == 5
    assert temps_c.index(max(temps_c)) == 17


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["offer", "force", "free", "block", "wait"]), st.floats(0, 4000), st.integers(5, 90)),
        max_size=20,
    ),
    temp_c=st.floats(14.0, 24.0),
    dt_s=st.sampled_from([0.5, 10.0, 60.0]),
    begin=st.sampled_from([WINTER, SUMMER]),
)
def test_heat_in_less_heat_out_is_what_the_rooms_keep(
    steps: list[tuple[str, float, int]], temp_c: float, dt_s: float, begin: datetime
) -> None:
    house = House(begin, temp_c=temp_c)
    pump, used_wh = house.heat_pump, 0.0
    for what, number, minutes in steps:
        if what == "offer":
            pump.offer(number, house.now_s)
        elif what in ("force", "free", "block"):
            pump.forced, pump.blocked = what == "force", what == "block"
        powers_w = house.live(dt_s * minutes, dt_s=dt_s)
        used_wh += sum(powers_w) * dt_s / 3600.0
        assert all(power_w == 15.0 or 615.0 <= power_w <= 2515.0 for power_w in powers_w)
    balance = pump.balance
    assert balance.used_wh == pytest.approx(used_wh, abs=1e-6)
    assert 8000.0 * (pump.temp_c - temp_c) == pytest.approx(
        balance.heat_wh + balance.gains_wh - balance.lost_wh, abs=1e-5
    )
    assert balance.heat_wh <= 5.5 * balance.used_wh  # more than any COP of this climate would be made of nothing
