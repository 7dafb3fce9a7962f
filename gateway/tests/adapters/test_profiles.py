"""What a profile can say of set-points and states, and what it must not say."""

import json

import pytest

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.commands import Target
from gateway.adapters.products.points import Point
from gateway.adapters.products.profiles import find
from gateway.adapters.products.registers import readings
from gateway.paths import config_folder

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
    ("target", "message"),
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
def test_a_set_point_that_cannot_be_meant_is_refused(target: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
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
    ("point", "message"),
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
def test_codes_that_cannot_be_meant_are_refused(point: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Point.model_validate(STATE | point)


def test_a_pattern_that_stands_for_off_is_the_value_of_off() -> None:
    words = {0: [0x8000, 0], 250: [0xFFFF, 0xFF06]}  # int32: the pattern at night, and -250
    point = Point.model_validate(
        {**STATE, "name": "p_w", "type": "int32", "nan": "0x80000000", "nan_means": 0, "sign": -1, "high": 1000}
    )
    profile = find("eastron_sdm630", config_folder())
    assert {readings(profile, [point], 1004, raw, 2.0)["p_w"].value: raw for raw in words.values()} == words


@pytest.mark.parametrize("point", [{"nan_means": 0}, {"nan_means": 5, "nan": "0x80000000"}])
def test_a_pattern_that_stands_for_off_must_be_there_and_in_range(point: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="nan_means is for a point with nan, from 0 to 1"):
        Point.model_validate(STATE | point)


@pytest.mark.parametrize("profile", ["keba_p30", "mypv_acthor", "lambda_eu_l", "stiebel_isg_wpm", "sma_sunny_tripower"])
def test_zeros_from_a_wrong_address_are_no_proof(profile: str) -> None:
    product = find(profile, config_folder())
    proof = product.point(product.proof or "")
    assert isinstance(proof, Point)
    for words in ([0] * proof.count, [1] * proof.count, [0xFFFF] * proof.count):
        assert readings(product, [proof], proof.address, words, 1.0)[proof.name].value is None


@pytest.mark.parametrize(
    ("profile", "unit", "writes", "function"),
    [
        ("keba_p30", "A", {5016: 6000, 5018: 30, 5004: 6000}, 6),  # failsafe 6 A after 30 s, then the way back: 6 A
        ("mypv_acthor", "W", {1000: 0}, 6),
        ("lambda_eu_l", "W", {102: 0}, 16),
        ("stiebel_isg_wpm", "switch", {4001: 0}, 6),
        ("sma_sunny_tripower", "share", {40023: 10_000}, 6),  # all of the rated power
    ],
)
def test_what_is_written_to_give_them_back(profile: str, unit: str, writes: dict[int, int], function: int) -> None:
    product = find(profile, config_folder())
    setpoint = product.setpoint
    assert setpoint is not None
    assert setpoint.point.unit == unit
    assert {write.address: write.value for write in (*setpoint.arm, *setpoint.safe)} == writes
    assert setpoint.point.address == setpoint.safe[-1].address
    assert product.write_function == function


def test_the_charger_is_asked_for_one_value_of_two_registers_at_a_time() -> None:
    bus = {"kind": "tcp", "host": "10.0.0.7", "port": 502, "timeout_ms": 1000}
    wiring = Wiring(device="car", profile=find("keba_p30", config_folder()), bus=bus, unit=255)
    table = json.loads(compile_table("cellar", [wiring], 10_000).text)
    assert table["units"] == [{"bus": 0, "id": 255, "wfc": 6, "max": 2, "gap_ms": 500}]
    assert sorted((row["a"], row["n"]) for row in table["blocks"]) == [
        (1004, 2),
        (1016, 2),
        (1020, 2),
        (1036, 2),
        (1040, 2),
        (1502, 2),
    ]
