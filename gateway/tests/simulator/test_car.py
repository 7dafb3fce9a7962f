"""The car and its charger against arithmetic done by hand, and against the conservation of energy."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.physics.car import Car
from gateway.simulator.settings.flexible import CarSettings

MIDNIGHT = datetime(2024, 1, 15)  # noqa: DTZ001 - a wall clock


class Parked:
    """A car and the clock beside it."""

    def __init__(self, **settings: object) -> None:
        self.car = Car(CarSettings.model_validate({"plugged": True, **settings}))
        self.now_s = 0.0

    def live(self, seconds: float, *, dt_s: float = 1.0, listening: bool = True) -> float:
        """The power at the end."""
        for _ in range(round(seconds / dt_s)):
            if listening:
                self.car.charger.hear(self.now_s)
            self.car.advance(now_s=self.now_s, dt_s=dt_s, local=MIDNIGHT + timedelta(seconds=self.now_s))
            self.now_s += dt_s
        return self.car.power_w

    def offer(self, current_a: float) -> None:
        self.car.charger.set_current(current_a, self.now_s)


@pytest.mark.parametrize(
    ("phases", "current_a", "power_w"),
    [
        (3, 6.0, 4140.0),  # 3 x 230 V x 6 A
        (3, 10.0, 6900.0),
        (3, 32.0, 11040.0),  # the car takes 16 A at most
        (1, 6.0, 1380.0),
        (1, 13.0, 2990.0),
        (1, 0.0, 0.0),
    ],
)
def test_a_car_draws_what_it_is_offered_up_to_its_own_most(phases: int, current_a: float, power_w: float) -> None:
    parked = Parked(phases=phases)
    parked.offer(current_a)
    assert parked.live(20.0) == pytest.approx(power_w)


def test_it_wakes_slowly_and_then_follows_after_its_dead_time() -> None:
    parked = Parked(wake_s=6.0, dead_time_s=2.0)
    parked.offer(6.0)
    assert [parked.live(1.0) for _ in range(8)] == [0.0] * 6 + [pytest.approx(4140.0)] * 2
    parked.offer(16.0)
    assert [round(parked.live(1.0)) for _ in range(4)] == [4140, 4140, 11040, 11040]
    parked.car.unplug()
    assert parked.live(1.0) == 0.0
    parked.car.plug()
    assert [round(parked.live(1.0)) for _ in range(8)] == [0] * 6 + [11040] * 2


def test_an_hour_at_six_amperes() -> None:
    parked = Parked(phases=1, soc=0.4, capacity_wh=50_000, efficiency=0.9, wake_s=0.0, dead_time_s=0.0)
    parked.offer(6.0)
    parked.live(3600.0)
    assert parked.car.session_wh == pytest.approx(1380.0)
    assert parked.car.stored_wh == pytest.approx(20_000.0 + 1242.0)  # 90 % of them


@pytest.mark.parametrize(
    ("soc", "current_a"),
    [
        (0.89, 16.0),  # the last tenth of the capacity fades: 16 A x (1 - soc) / 0.1
        (0.95, 8.0),
        (0.98, 3.2),
        (0.999, 0.8),  # never less than a twentieth
        (1.0, 0.0),
    ],
)
def test_the_current_fades_near_full(soc: float, current_a: float) -> None:
    parked = Parked(soc=soc, wake_s=0.0, capacity_wh=1e9)
    parked.live(1.0)
    assert parked.car.drawn_a == pytest.approx(current_a, rel=1e-3)


def test_it_ends_exactly_full_and_then_draws_nothing() -> None:
    parked = Parked(soc=0.97, soc_max=0.98, capacity_wh=10_000)
    assert parked.live(4 * 3600.0, dt_s=10.0) == pytest.approx(0.0, abs=1e-3)
    assert parked.car.soc == pytest.approx(0.98)
    assert parked.car.balance.drawn_wh == pytest.approx(100.0 / 0.9)


def test_the_failsafe_comes_when_nobody_asks_and_goes_with_the_next_word() -> None:
    parked = Parked()
    charger = parked.car.charger
    charger.set_failsafe_current(6.0)
    charger.failsafe_s = 30.0
    parked.offer(16.0)
    parked.live(20.0)
    assert parked.live(29.0, listening=False) == pytest.approx(11040.0)
    assert parked.live(5.0, listening=False) == pytest.approx(4140.0)  # after 30 s and the dead time of 2 s
    assert parked.live(4.0) == pytest.approx(11040.0)


def test_without_a_failsafe_time_the_set_point_stays() -> None:
    parked = Parked()
    parked.offer(10.0)
    assert parked.live(7200.0, dt_s=10.0, listening=False) == pytest.approx(6900.0)


@pytest.mark.parametrize("current_a", [0.1, 3.0, 5.999, 32.1, -6.0])
def test_a_current_that_cannot_be_offered_is_refused(current_a: float) -> None:
    parked = Parked()
    with pytest.raises(ValueError, match="0 or 6 to 32 A"):
        parked.offer(current_a)
    with pytest.raises(ValueError, match="0 or 6 to 32 A"):
        parked.car.charger.set_failsafe_current(current_a)


def test_writes_that_come_too_fast_are_counted() -> None:
    parked = Parked()
    for wait_s in (5.0, 5.0, 4.0, 1.0):
        parked.offer(10.0)
        parked.live(wait_s)
    parked.offer(0.0)
    assert (parked.car.charger.writes, parked.car.charger.hurried_writes) == (5, 2)


def test_it_comes_and_goes_by_the_clock_and_has_used_energy_meanwhile() -> None:
    parked = Parked(arrives="18:00", leaves="07:30", drive_wh=8000, soc=0.5, capacity_wh=40_000)
    parked.offer(0.0)
    seen = {}
    for half_hour in range(96):
        parked.live(1800.0, dt_s=60.0)
        seen[half_hour / 2] = (parked.car.plugged, round(parked.car.stored_wh))
    assert seen[0.0] == (True, 20_000)  # midnight lies between the two
    assert [hour for hour in seen if seen[hour][0] != seen.get(hour - 0.5, (True, 0))[0]] == [7.5, 18.0, 31.5, 42.0]
    assert {stored for _, stored in seen.values()} == {20_000, 12_000, 4_000}


def test_a_car_that_is_asleep_draws_nothing() -> None:
    parked = Parked()
    parked.car.asleep = True
    assert parked.live(60.0) == 0.0
    parked.car.asleep = False
    assert parked.live(60.0) == pytest.approx(11040.0)


steps = st.lists(
    st.tuples(
        st.sampled_from(["offer", "plug", "unplug", "wait"]),
        st.sampled_from([0.0, 6.0, 9.5, 16.0, 32.0]),
        st.integers(1, 600),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=50, deadline=None)
@given(steps=steps, phases=st.sampled_from([1, 3]), soc=st.floats(0.0, 0.9), dt_s=st.sampled_from([0.5, 5.0, 60.0]))
def test_nothing_gets_lost_and_no_limit_is_passed(
    steps: list[tuple[str, float, int]], phases: int, soc: float, dt_s: float
) -> None:
    parked = Parked(phases=phases, soc=soc, soc_max=0.9, capacity_wh=9_000)
    car, drawn_wh = parked.car, 0.0
    for what, current_a, seconds in steps:
        if what == "offer":
            parked.offer(current_a)
        elif what == "plug":
            car.plug(soc=0.2 if current_a == 6.0 else None)
        elif what == "unplug":
            car.unplug()
        for _ in range(max(round(seconds / dt_s), 1)):
            drawn_wh += parked.live(dt_s, dt_s=dt_s) * dt_s / 3600.0
            assert 0.0 <= car.drawn_a <= 16.0 + 1e-9
            assert car.plugged or car.power_w == 0.0
    balance = car.balance
    assert drawn_wh == pytest.approx(balance.drawn_wh, abs=1e-6)
    assert balance.lost_wh == pytest.approx(0.1 * drawn_wh, abs=1e-6)
    assert car.stored_wh - soc * 9_000 == pytest.approx(0.9 * drawn_wh - balance.driven_wh, abs=1e-6)
    assert 0.0 <= car.soc <= 0.9 + 1e-9
