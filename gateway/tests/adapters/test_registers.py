"""Bytes of real products become readings, or an absence with its reason; never a guess."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.products import registers
from gateway.adapters.products.points import Point
from gateway.adapters.products.profiles import Profile, find, names
from gateway.paths import config_folder


def read(profile: Profile, name: str, words: list[int], *, first: int | None = None):
    point = profile.point(name)
    assert point is not None
    start = point.span[0] if first is None else first
    return registers.readings(profile, [point], start, words, 1.0)[name]


def product(name: str) -> Profile:
    return find(name, config_folder())


# What a maker's document says that its registers mean: product, point, registers, value.
ROWS = [
    # Eastron SDM630 protocol document, example of input register 0: 43 66 33 34 is 230.2 V
    ("eastron_sdm630", "u_l1_v", [0x4366, 0x3334], 230.2),
    # 1.5 kWh as float32 3F C0 00 00, in Wh
    ("eastron_sdm630", "e_import_wh", [0x3FC0, 0x0000], 1500.0),
    # SunSpec 103: W 3456, W_SF 0, producing is negative here
    ("sunspec_inverter", "p_w", [3456, 0], -3456.0),
    # W 3456 with exponent -1 is 345.6 W
    ("sunspec_inverter", "p_w", [3456, 0xFFFF], -345.6),
    ("sunspec_inverter", "f_hz", [5001, 0xFFFE], 50.01),
    # SMA: delivering 1500 W natively positive, so drawn -1500 W
    ("sma_sunny_boy_storage", "p_w", [0, 1500], -1500.0),
    ("sma_sunny_boy_storage", "p_w", [0xFFFF, 0xFA24], 1500.0),
    ("sma_sunny_boy_storage", "soc", [0, 57], 0.57),
    ("sma_sunny_boy_storage", "e_charge_wh", [0, 0, 1, 0], 65536.0),
    # Waveshare wiki, Development Protocol V3, 03 Read Software Version: 00 C8 is V2.00
    ("waveshare_relay", "version", [0x00C8], 2.0),
]


@pytest.mark.parametrize(("profile", "point", "words", "expected"), ROWS)
def test_a_product_s_registers_are_scaled_and_turned(
    profile: str, point: str, words: list[int], expected: float
) -> None:
    assert read(product(profile), point, words).value == pytest.approx(expected, rel=1e-6)


# The same, with the address that the document gives the point.
ROWS_OF_LOADS = [
    ("keba_p30", "p_w", 1020, [0x00A8, 0x8730], 11_044.656),  # 11 044 656 mW
    ("keba_p30", "plugged", 1004, [0, 7], 1),
    ("keba_p30", "plugged", 1004, [0, 3], 0),  # locked at the charger alone
    ("keba_p30", "e_session_wh", 1502, [0, 12_345], 1_234.5),
    ("keba_p30", "u_l1_v", 1040, [0, 231], 231),
    ("mypv_acthor", "p_w", 1000, [2_750], 2_750),
    ("mypv_acthor", "temp_c", 1001, [523], 52.3),
    ("mypv_acthor", "u_l1_v", 1061, [229], 229),
    ("lambda_eu_l", "p_w", 1012, [1_850], 1_850),
    ("lambda_eu_l", "temp_c", 5004, [215], 21.5),
    ("lambda_eu_l", "flow_c", 1004, [3_412], 34.12),
    ("lambda_eu_l", "e_import_wh", 1020, [0x4240, 0x000F], 1_000_000),  # low word first
    ("stiebel_isg_wpm", "temp_c", 502, [208], 20.8),
    ("stiebel_isg_wpm", "outdoor_c", 506, [0xFFDD], -3.5),
    ("sma_sunny_tripower", "p_w", 30775, [0x0000, 0x1388], -5_000),
    ("sma_sunny_tripower", "p_w", 30775, [0x8000, 0x0000], 0),  # at night
    ("sma_sunny_tripower", "f_hz", 30803, [0, 5_001], 50.01),
]


@pytest.mark.parametrize(("profile", "point", "address", "words", "expected"), ROWS_OF_LOADS)
def test_registers_of_loads_and_of_a_curtailable_inverter(
    profile: str, point: str, address: int, words: list[int], expected: float
) -> None:
    made = product(profile)
    found = made.point(point)
    assert isinstance(found, Point)
    assert (found.address, found.count) == (address, len(words))
    assert registers.readings(made, [found], address, words, 1.0)[point].value == pytest.approx(expected)


def test_every_product_with_registers_has_bytes_of_its_maker() -> None:
    """Telegrams have theirs in test_telegrams.py."""
    shipped = {name for name in names(config_folder()) if product(name).links.tic is None}
    assert shipped == {row[0] for row in (*ROWS, *ROWS_OF_LOADS)}


@pytest.mark.parametrize(
    ("profile", "point", "words", "why"),
    [
        ("sma_sunny_boy_storage", "p_w", [0x8000, 0], "nan"),
        ("sma_sunny_boy_storage", "soc", [0xFFFF, 0xFFFF], "nan"),
        ("sunspec_inverter", "p_w", [0x8000, 0], "nan"),
        ("sunspec_inverter", "p_w", [100, 0x8000], "nan"),  # exponent "not implemented"
        ("sunspec_inverter", "p_w", [100, 77], "nan"),  # exponent beyond the SunSpec range
        ("sunspec_inverter", "e_produced_wh", [0, 0, 0], "nan"),  # an accumulator of 0 means absent
        ("eastron_sdm630", "p_w", [0x7FC0, 0x0000], "nan"),  # IEEE NaN
        ("eastron_sdm630", "p_w", [0x7F80, 0x0000], "implausible"),  # infinity
        ("eastron_sdm630", "p_w", [0x453B], "wrong_reply"),  # one register too few
    ],
)
def test_what_is_no_value_is_absent_with_its_reason(profile: str, point: str, words: list[int], why: str) -> None:
    reading = read(product(profile), point, words)
    assert (reading.value, reading.why) == (None, why)


@given(st.floats(45, 65))
def test_a_frequency_read_with_swapped_words_is_never_a_frequency(frequency: float) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", frequency))
    if high == low:
        return
    swapped = read(product("eastron_sdm630"), "f_hz", [low, high])
    straight = read(product("eastron_sdm630"), "f_hz", [high, low])
    assert straight.value == pytest.approx(frequency, rel=1e-6)
    assert swapped.value is None or abs(swapped.value - frequency) > 1e-3


def test_fifty_hertz_with_swapped_words_fails_the_proof() -> None:
    for frequency in (49.98, 50.0, 50.02):
        high, low = struct.unpack(">HH", struct.pack(">f", frequency))
        assert read(product("eastron_sdm630"), "f_hz", [low, high]).why == "implausible"


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from(["big", "little"]))
def test_a_written_number_is_read_back(value: int, order: str) -> None:
    point = Point(name="x", address=0, type="int32", word_order=order, every_s=1, low=-3e9, high=3e9)
    words = registers.encode("int32", value, order)
    reading = registers.readings(product("eastron_sdm630"), [point], 0, words, 0.0)["x"]
    assert reading.value == value


def test_a_number_too_large_for_its_register_is_refused() -> None:
    with pytest.raises(ValueError, match="40000 does not fit int16"):
        registers.encode("int16", 40_000, "big")
