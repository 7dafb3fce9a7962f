"""Labels of a telegram become readings: right, or absent with a reason."""

import pytest

from gateway.adapters.products import telegrams
from gateway.adapters.products.profiles import Profile, find
from gateway.paths import config_folder

NONE = 0xFFFFFFFF
ALARM = {"ADIR1": 50, "ADIR3": 61, "IINST1": 50, "IINST2": 12, "IINST3": 61}
PEAK = {"PTEC": int.from_bytes(b"HP..", "big")}


def read(profile: str, name: str, numbers: dict[str, int]):
    """The reading of a point from a block of its own; labels that are not given are absent."""
    product: Profile = find(profile, config_folder())
    point = product.point(name)
    assert point is not None
    words = [number for label, _ in point.wire_labels for number in divmod(numbers.get(label, NONE), 65536)]
    return telegrams.readings([point], words, 1.0).get(name)


@pytest.mark.parametrize(
    ("profile", "point", "numbers", "value"),
    [
        ("linky_standard", "p_w", {"SINSTS": 1500, "SINSTI": 0}, 1500),
        ("linky_standard", "p_w", {"SINSTS": 0, "SINSTI": 2300}, -2300),  # injecting is negative
        ("linky_standard", "p_w", {"SINSTS": 0, "SINSTI": 0}, 0),
        ("linky_standard", "p_w", {"SINSTS": 1500}, 1500),  # no injection contract
        ("linky_standard", "e_import_wh", {"EAST": 123456789}, 123456789),  # every Wh of a counter is kept
        ("linky_standard", "producer", {"STGE": 0x00020300}, 1),
        ("linky_standard", "tempo_tomorrow", {"STGE": 0x0C000000}, 3),
        ("linky_standard", "peak_notice", {"STGE": 0x10020000}, 1),
        ("linky_standard", "peak_running", {"STGE": 0x40020000}, 1),
        ("linky_standard", "peak_running", {"STGE": 0x3F02FFFF}, 0),
        ("linky_historique", "p_w", {"PAPP": 540}, 540),
        # a short frame, 50 A, 12 A and 61 A: 123 A at 230 V
        ("linky_historique", "p_w", ALARM, 28290),
        ("linky_historique", "p_l3_w", ALARM, 61 * 230),
        ("linky_historique", "p_from_current", ALARM, 1),
        ("linky_historique", "p_from_current", {"PAPP": 540}, 0),
        ("linky_historique", "i_l1_a", ALARM, 50),
        ("linky_historique", "over_l1_a", ALARM, 50),
        ("linky_historique", "over_l1_a", {"ADPS": 47}, 47),
        ("linky_historique", "p_w", {**ALARM, **PEAK, "PAPP": 13800}, 13800),  # a long frame of the same meter
        ("linky_historique", "tariff", PEAK, 2),
        ("linky_historique", "tariff", {"PTEC": int.from_bytes(b"PM..", "big")}, 4),
        ("linky_historique", "peak_notice", {"PEJP": 30}, 30),
        ("linky_historique", "tariff", {"PTEC": int.from_bytes(b"HP..", "big")}, 2),
        ("linky_historique", "tempo_tomorrow", {"DEMAIN": int.from_bytes(b"ROUG", "big")}, 3),
    ],
)
def test_a_label_is_a_number_under_the_sign_rule(profile: str, point: str, numbers: dict[str, int], value: int) -> None:
    assert read(profile, point, numbers).value == value


@pytest.mark.parametrize(
    ("profile", "point", "numbers", "why"),
    [
        ("linky_standard", "p_w", {"SINSTI": 2300}, "nan"),
        ("linky_standard", "p_w", {"SINSTS": 0}, "nan"),  # it may inject, and does not tell
        ("linky_historique", "p_w", {"PAPP": 0}, "nan"),
        ("linky_historique", "p_w", {"IINST1": 50, "IINST3": 61}, "nan"),  # a group was damaged
        ("linky_historique", "p_w", {**ALARM, **PEAK}, "nan"),  # PAPP was damaged: it may have been 0
        ("linky_historique", "p_l1_w", {**ALARM, **PEAK}, "nan"),  # beside export nobody knows its sign
        ("linky_standard", "e_import_wh", {}, "nan"),
        ("linky_standard", "u_l1_v", {"URMS1": 999}, "implausible"),
        ("linky_historique", "tariff", {"PTEC": int.from_bytes(b"XX..", "big")}, "implausible"),
        ("linky_historique", "tariff", {"PTEC": 0xFFFEFDFC}, "implausible"),
    ],
)
def test_what_is_no_value_is_absent_with_its_reason(
    profile: str, point: str, numbers: dict[str, int], why: str
) -> None:
    reading = read(profile, point, numbers)
    assert (reading.value, reading.why) == (None, why)


def test_what_a_contract_does_not_have_is_not_missed() -> None:
    assert read("linky_historique", "peak_notice", {}) is None
    assert read("linky_historique", "over_l2_a", {}) is None
    assert read("linky_historique", "p_l1_w", PEAK) is None
    assert read("linky_standard", "e_export_wh", {}) is None
    assert read("linky_standard", "e_export_wh", {"EAIT": 5}).value == 5
