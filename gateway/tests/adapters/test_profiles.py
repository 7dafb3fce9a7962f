"""What a profile can say of set-points and states, and what it must not say."""

import pytest

from gateway.adapters.profiles import Point, Target, find
from gateway.adapters.registers import readings
from gateway.places import config_folder

TARGET = {"address": 1000, "type": "uint16"}
STATE = {"name": "plugged", "address": 1004, "type": "uint32", "every_s": 1, "low": 0, "high": 1}


def test_a_set_point_is_in_watts_unless_it_says_otherwise() -> None:
    assert Target.model_validate(TARGET).unit == "W"


@pytest.mark.parametrize(
    "target",
    [
        {"unit": "W", "scale": 10.0, "sign": -1},
        {"unit": "A", "scale": 0.001},
        {"unit": "share", "scale": 0.01, "sign": -1},
        {"unit": "switch", "on": 1, "off": 0},
        {"unit": "switch", "on": 3, "off": 2},
    ],
)
def test_the_units_of_set_points(target: dict[str, object]) -> None:
    made = Target.model_validate(TARGET | target)
    assert {name: getattr(made, name) for name in target} == target


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"unit": "kW"}, "'W', 'A', 'share' or 'switch'"),
        ({"unit": "switch"}, "on and off are both for the unit switch"),
        ({"unit": "switch", "on": 1}, "on and off are both for the unit switch"),
        ({"unit": "A", "on": 1, "off": 0}, "on and off are both for the unit switch"),
        ({"off": 0}, "on and off are both for the unit switch"),
        ({"unit": "switch", "on": 1, "off": 1}, "on and off are the same"),
        ({"unit": "switch", "on": 1, "off": 0, "scale": 2}, "neither scale nor sign"),
        ({"unit": "switch", "on": 1, "off": 0, "sign": -1}, "neither scale nor sign"),
    ],
)
def test_a_set_point_that_cannot_be_meant_is_refused(target: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Target.model_validate(TARGET | target)


@pytest.mark.parametrize(
    ("raw", "value", "why"),
    [([0, 0], 0, None), ([0, 3], 0, None), ([0, 5], 1, None), ([0, 7], 1, None), ([0, 4], None, "implausible")],
)
def test_the_codes_of_a_state_become_the_number_they_stand_for(
    raw: list[int], value: int | None, why: str | None
) -> None:
    point = Point.model_validate(STATE | {"codes": {"0": 0, "1": 0, "3": 0, "5": 1, "7": 1}})
    reading = readings(find("eastron_sdm630", config_folder()), [point], 1004, raw, 2.0)["plugged"]
    assert (reading.value, reading.why, reading.measured_s) == (value, why, 2.0)


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ({"codes": {"5": 2}}, "the code for 2 is outside 0 to 1"),
        ({"codes": {"5": 1}, "scale": 0.1}, "codes are for whole numbers"),
        ({"codes": {"5": 1}, "counter": True}, "codes are for whole numbers"),
        ({"codes": {"5": 1}, "sf_address": 1006}, "codes are for whole numbers"),
        ({"codes": {"5": 1}, "type": "float32"}, "codes are for whole numbers"),
        ({"codes": {"plugged": 1}}, "valid integer"),
        ({"codes": {}}, "at least 1 item"),
    ],
)
def test_codes_that_cannot_be_meant_are_refused(point: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Point.model_validate(STATE | point)
