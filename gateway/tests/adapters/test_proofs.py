"""A device is known by what it says in every state of its life: at rest, at night, in a fault, while it cools."""

import json
from collections.abc import Mapping

import pytest

from gateway.adapters.node.poll_tables import Block, Wiring, compile_table
from gateway.adapters.node.reading_trust import ReadingTrust
from gateway.adapters.products.points import COILS, Point
from gateway.adapters.products.profiles import Profile, find, names
from gateway.adapters.products.registers import encode, readings
from gateway.core.model.state import Reading
from gateway.paths import config_folder

BUS = {"kind": "tcp", "host": "10.0.0.7", "port": 502, "timeout_ms": 1000}


def blocks_of(profile: Profile) -> tuple[Block, ...]:
    return compile_table("n", [Wiring(device="x", profile=profile, bus=BUS, unit=1)], 10_000).blocks


def words_of(block: Block, raw: Mapping[str, object]) -> list[int]:
    """Registers of a block; `raw` is the number or the registers of each point, 0 where nothing is said."""
    words = [0] * block.registers
    for point in block.points:
        assert isinstance(point, Point)
        value = raw.get(point.name, 0)
        if point.table in COILS:
            continue
        order = point.word_order or block.profile.word_order
        found = value if isinstance(value, list) else encode(point.type, int(value), order)  # type: ignore[call-overload]
        start = point.address - block.first
        words[start : start + point.count] = found
    return words


def answered(trust: ReadingTrust, profile: Profile, raw: Mapping[str, object], at_s: float) -> dict[str, Reading]:
    """All that a device answers at a moment, as the gateway takes it."""
    seen: dict[str, Reading] = {}
    for turn in range(2):  # what was read before the proof is read again after it
        for block in blocks_of(profile):
            words = words_of(block, raw)
            fresh = readings(
                profile, [p for p in block.points if isinstance(p, Point)], block.first, words, at_s + turn
            )
            seen |= trust.check(block, words, fresh)
    return seen


HZ = 5_000  # 0.01 Hz
V230 = [0x4366, 0x0000]
# product, state of its life, raw numbers by point, what must be known: point and value
LIVES = [
    ("keba_p30", "no power on its relay", {"product_code": 314_121, "plugged": 7},
     {"plugged": 1, "p_w": 0, "u_l1_v": 0}),
    ("keba_p30", "no car", {"product_code": 304_020, "plugged": 1}, {"plugged": 0, "p_w": 0}),
    ("keba_p30", "a P40 that charges", {"product_code": 4_012_345, "plugged": 7, "p_w": 11_000_000, "u_l1_v": 231},
     {"plugged": 1, "p_w": 11_000}),
    ("lambda_eu_l", "cooling", {"flow_c": 650, "temp_c": 245, "buffer_c": 80}, {"p_w": 0, "flow_c": 6.5}),
    ("lambda_eu_l", "its flow sensor is broken", {"flow_c": -30_000, "temp_c": 210, "p_w": 900}, {"p_w": 900}),
    ("lambda_eu_l", "no room device", {"flow_c": 3_300, "temp_c": -3_000, "buffer_c": 320, "p_w": 900}, {"p_w": 900}),
    ("stiebel_isg_wpm", "cooling", {"flow_c": 65, "temp_c": 245, "sg_state": 2}, {"flow_c": 6.5, "temp_c": 24.5}),
    ("stiebel_isg_wpm", "no flow sensor", {"flow_c": -0x8000, "temp_c": 208, "sg_state": 1}, {"temp_c": 20.8}),
    ("mypv_acthor", "at rest, its mains side off", {"limit_c": 600, "temp_c": 412}, {"p_w": 0, "temp_c": 41.2}),
    ("sma_sunny_tripower", "night", {"p_w": -0x80000000, "f_hz": 0xFFFFFFFF, "device_class": 8001}, {"p_w": 0}),
    ("sma_sunny_boy_storage", "off the mains", {"f_hz": 0xFFFFFFFF, "soc": 42}, {"p_w": 0, "soc": 0.42}),
    ("sunspec_inverter", "night", {"p_w": -0x8000, "f_hz": 0xFFFF, "state": 2}, {"state": 2}),
    ("sunspec_inverter", "night with the frequency of its standby", {"f_hz": 0, "state": 1}, {"state": 1, "p_w": 0}),
    ("sunspec_inverter", "fault", {"f_hz": 0, "state": 7}, {"state": 7, "p_w": 0}),
    ("eastron_sdm630", "without L1", {"f_hz": [0, 0], "u_l2_v": V230, "p_w": [0x447A, 0x0000]}, {"p_w": 1000}),
    ("waveshare_relay", "off", {"version": 200}, {"is_on": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("product", "life", "raw", "known"), LIVES, ids=[f"{row[0]}: {row[1]}" for row in LIVES])
@pytest.mark.parametrize("is_new", [True, False], ids=["never seen before", "seen before"])
def test_a_sound_device_is_believed_in_every_state_of_its_life(
    product: str, life: str, raw: dict[str, object], known: dict[str, float], *, is_new: bool
) -> None:
    profile, trust = find(product, config_folder()), ReadingTrust(set() if is_new else {"x"})
    seen = answered(trust, profile, raw, 0.0)
    assert {name: seen[name].value for name in known} == pytest.approx(known)
    assert trust.trusted == {"x"}


def test_every_product_with_registers_has_a_state_of_rest_above() -> None:
    shipped = {name for name in names(config_folder()) if find(name, config_folder()).links.tic is None}
    assert shipped == {row[0] for row in LIVES}


@pytest.mark.parametrize("product", sorted({row[0] for row in LIVES}))
@pytest.mark.parametrize("word", [0x0000, 0x0001, 0x8000, 0xFFFF])
def test_a_device_that_answers_the_same_to_everything_is_none(product: str, word: int) -> None:
    profile, trust = find(product, config_folder()), ReadingTrust(set())
    raw = {point.name: [word] * point.count for point in profile.registers}
    seen = answered(trust, profile, raw, 0.0)
    if (product, word) == ("sunspec_inverter", 1):
        return  # state 1 is off: that chain of models was found before it was read
    assert {name: one.value for name, one in seen.items() if one.value is not None} == {}
    assert trust.trusted == set()


def test_a_product_that_was_exchanged_is_no_longer_believed() -> None:
    profile, trust = find("keba_p30", config_folder()), ReadingTrust(set())
    answered(trust, profile, {"product_code": 314_121, "plugged": 7, "u_l1_v": 230}, 0.0)
    seen = answered(trust, profile, {"product_code": 3_122_411, "plugged": 7, "u_l1_v": 77_000}, 60.0)
    assert {reading.value for reading in seen.values()} == {None}
    assert trust.trusted == set()


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        (314_121, True),
        (304_020, True),
        (312_200, True),
        (4_012_345, True),
        (3_122_411, False),
        (412_200, False),
        (0, False),
    ],
)
def test_the_codes_of_the_charger_are_those_of_real_ones(code: int, *, is_one: bool) -> None:
    """P30: six digits from 3 on (evcc issues 14228 and 33957); P40: seven from 4 on."""
    trust = ReadingTrust(set())
    answered(trust, find("keba_p30", config_folder()), {"product_code": code}, 0.0)
    assert ("x" in trust.trusted) == is_one


@pytest.mark.parametrize(("state", "plugged"), [(0, 0), (1, 0), (3, 0), (5, 1), (7, 1), (2, None), (9, None)])
def test_the_states_of_a_charger_s_cable(state: int, plugged: int | None) -> None:
    raw = {"product_code": 314_121, "plugged": state}
    assert answered(ReadingTrust({"x"}), find("keba_p30", config_folder()), raw, 0.0)["plugged"].value == plugged


def test_a_proof_of_its_own_range_must_name_a_point() -> None:
    made = json.loads((config_folder() / "devices" / "keba_p30.json").read_text())
    with pytest.raises(ValueError, match="proofs names 'u_l9_v', which is no point"):
        Profile.model_validate(made | {"proofs": [{"point": "u_l9_v"}]})
    wrong = {"name": "x", "address": 1, "type": "uint16", "every_s": 1, "low": 0, "high": 9, "within": [[5, 12]]}
    with pytest.raises(ValueError, match="within has 5 to 12, no part of the range"):
        Profile.model_validate(made | {"points": [*made["points"], wrong]})
