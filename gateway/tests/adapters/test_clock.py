"""The time of orders where the gateway's own clock is set."""

from dataclasses import dataclass

import pytest

from gateway.adapters.clock import ASKED_WITHIN_S, OrderTime


@dataclass
class SetClock:
    """Its UTC is `ahead_s` before the monotonic one."""

    now_s: float = 1000.0
    ahead_s: float = 1.7e9

    def monotonic_s(self) -> float:
        return self.now_s

    def utc_s(self) -> float:
        return self.now_s + self.ahead_s


@pytest.mark.parametrize("step_s", [-7200.0, -1.5])
def test_orders_go_on_in_the_time_that_nodes_know_until_they_have_asked_again(step_s: float) -> None:
    clock, order = SetClock(), OrderTime()
    assert order.of(clock) == clock.utc_s()
    clock.ahead_s += step_s
    for seconds, ahead_s in ((1.0, -step_s), (ASKED_WITHIN_S - 2.0, -step_s), (1.0, -step_s), (2.0, 0.0), (9.0, 0.0)):
        clock.now_s += seconds
        assert order.of(clock) == pytest.approx(clock.utc_s() + ahead_s)


@pytest.mark.parametrize("step_s", [7200.0, 0.3, -0.3])
def test_a_step_forward_or_a_correction_counts_at_once(step_s: float) -> None:
    clock, order = SetClock(), OrderTime()
    order.of(clock)
    clock.ahead_s += step_s
    assert order.of(clock) == pytest.approx(clock.utc_s())


def test_a_clock_that_is_set_back_and_right_again_was_never_away() -> None:
    clock, order = SetClock(), OrderTime()
    order.of(clock)
    for step_s in (-3600.0, 3600.0, -3600.0):
        clock.ahead_s += step_s
        clock.now_s += ASKED_WITHIN_S - 10.0
        order.of(clock)
    assert order.of(clock) == pytest.approx(clock.utc_s() + 3600.0)  # the second time counts anew
