"""A power in the numbers of a product, and what a number read back stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.products.commands import Target
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import Rating, power_of, raw_setpoint
from gateway.tests.adapters.test_readback import readable

ONE, THREE = Rating(phases=1), Rating(phases=3)


def product(**target: object) -> Profile:
    profile = readable()
    setpoint = profile.setpoint
    assert setpoint is not None
    point = Target.model_validate({"address": 7, "type": "uint16", **target})
    return profile.model_copy(update={"setpoint": setpoint.model_copy(update={"point": point})})


MILLIAMPERES = product(unit="A", scale=0.001)
AMPERES = product(unit="A")
PERCENT_OF_PV = product(unit="share", scale=0.01, sign=-1)
RELAY = product(unit="switch", on=4, off=2)


@pytest.mark.parametrize(
    ("profile", "rating", "power_w", "raw", "back_w"),
    [
        (MILLIAMPERES, ONE, 1380.0, 6000, 1380.0),  # 1380 / 230 = 6 A
        (MILLIAMPERES, THREE, 4140.0, 6000, 4140.0),  # 4140 / (3 x 230) = 6 A
        (MILLIAMPERES, THREE, 11_040.0, 16_000, 11_040.0),
        (AMPERES, ONE, 1600.0, 6, 1380.0),  # 6.96 A: 7 A would be more than wanted
        (AMPERES, ONE, 0.0, 0, 0.0),
        (PERCENT_OF_PV, Rating(rated_w=6000.0), -4500.0, 75, -4500.0),
        (PERCENT_OF_PV, Rating(rated_w=6000.0), -4559.0, 75, -4500.0),  # 75.98 %: 76 % would let too much out
        (RELAY, Rating(rated_w=2400.0), 2400.0, 4, 2400.0),
        (RELAY, Rating(rated_w=2400.0), 0.0, 2, 0.0),
    ],
)
def test_a_power_is_sent_in_the_product_s_unit(
    profile: Profile, rating: Rating, power_w: float, raw: int, back_w: float
) -> None:
    assert raw_setpoint(profile, power_w, rating) == [raw]
    assert power_of(profile, raw, rating) == pytest.approx(back_w)


def test_a_relay_that_holds_something_else_is_not_on() -> None:
    assert power_of(RELAY, 3, Rating(rated_w=2400.0)) == 0.0


def test_a_share_of_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="rated power"):
        raw_setpoint(PERCENT_OF_PV, -100.0, ONE)


@given(st.floats(1380.0, 7360.0))
def test_a_charger_never_gets_more_than_wanted_and_never_less_than_6_a(power_w: float) -> None:
    [raw] = raw_setpoint(MILLIAMPERES, power_w, ONE)
    assert raw >= 6000
    assert power_w - 0.231 <= power_of(MILLIAMPERES, raw, ONE) <= power_w + 0.001  # one milliampere is 0.23 W
