"""Ones in every bit are no value where the neighbours say so, whatever the type and the order of its words."""

import pytest

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.node.reading_trust import ReadingTrust
from gateway.adapters.products.points import Point
from gateway.adapters.products.profiles import Profile, find, names
from gateway.adapters.products.registers import readings
from gateway.core.model.state import Reading
from gateway.paths import config_folder
from gateway.tests.adapters.test_proofs import BUS, blocks_of, words_of

ONES = 0xFFFF
MADE = {"schema": "zev-profile/1", "id": "x", "title": "x", "roles": ["load"], "links": {}, "sources": []}
MADE |= {"reply_timeout_ms": 300, "proof": "p0"}


class Device:
    """A product whose blocks are answered one by one."""

    def __init__(self, profile: Profile) -> None:
        self.profile, self.blocks = profile, blocks_of(profile)
        self.trust = ReadingTrust({"x"})
        self.now_s = 0.0

    def says(self, name: str, words: list[int] | None) -> dict[str, Reading]:
        """The block with that point; ones alone without words."""
        self.now_s += 1.0
        block = next(block for block in self.blocks if name in {point.name for point in block.points})
        found = [ONES] * block.registers if words is None else words
        points = [point for point in block.points if isinstance(point, Point)]
        fresh = readings(self.profile, points, block.first, found, self.now_s)
        return dict(self.trust.check(block, found, fresh))


@pytest.mark.parametrize("product", [n for n in names(config_folder()) if find(n, config_folder()).links.tic is None])
def test_a_product_that_answers_ones_to_everything_has_no_value_at_all(product: str) -> None:
    profile, trust = find(product, config_folder()), ReadingTrust({"x"})
    for turn in range(3):
        for block in compile_table("n", [Wiring(device="x", profile=profile, bus=BUS, unit=1)], 10_000).blocks:
            words = [ONES] * block.registers
            points = [point for point in block.points if isinstance(point, Point)]
            seen = trust.check(block, words, readings(profile, points, block.first, words, float(turn)))
            if turn or len(block.points) > 1:  # the very first answer of a switch may be its coil
                assert {name: reading.value for name, reading in seen.items()} == dict.fromkeys(seen)


def test_the_power_of_a_battery_is_no_watt_from_the_first_answer_of_ones_on() -> None:
    """SMA: the power is read alone each second, the frequency every five."""
    device = Device(find("sma_sunny_boy_storage", config_folder()))
    device.says("f_hz", [0, 5_000])
    assert device.says("p_w", [0, 1_500])["p_w"].value == -1_500
    for _ in range(4):
        assert device.says("p_w", None)["p_w"].why == "nan"
    assert device.says("f_hz", None)["f_hz"].why == "nan"
    assert device.says("p_w", None)["p_w"].why == "nan"
    assert device.says("p_w", [0, 1_500])["p_w"].value == -1_500


def test_a_battery_at_rest_may_draw_a_watt() -> None:
    device = Device(find("sma_sunny_boy_storage", config_folder()))
    device.says("f_hz", [0, 5_000])
    for words, power_w in (([0, 12], -12), (None, 1), ([0, 0], 0), (None, 1), (None, 1)):
        assert device.says("p_w", words)["p_w"].value == power_w
    device.says("p_w", [0, 3_000])
    assert device.says("p_w", None)["p_w"].value is None  # from 3 kW to 1 W: the frequency of before proves nothing
    device.says("f_hz", [0, 5_000])
    assert device.says("p_w", None)["p_w"].value == 1  # and that of now does


@pytest.mark.parametrize("kind", ["int16", "uint16", "int32", "uint32", "float32", "uint64"])
@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("together", [True, False], ids=["in one answer", "in answers of their own"])
def test_ones_of_every_type_are_none(kind: str, order: str, *, together: bool) -> None:
    span = {"low": -1e20, "high": 1e20, "every_s": 1}
    points = [{"name": f"p{i}", "address": (4 if together else 40) * i, "type": kind, **span} for i in range(2)]
    profile = Profile.model_validate(MADE | {"points": points, "word_order": order, "merge_gap": 4 if together else 0})
    device = Device(profile)
    assert len(device.blocks) == (1 if together else 2)
    for block in device.blocks:
        device.says(block.points[0].name, words_of(block, {}))
    seen = [device.says(name, None)[name].value for name in ("p0", "p1")]
    seen += [device.says(name, None)[name].value for name in ("p0", "p1")]
    assert seen[1:] == [None] * 3  # after the first block of its own nothing but ones is known


def test_a_single_value_without_neighbours_is_what_it_says() -> None:
    profile = Profile.model_validate(
        MADE | {"points": [{"name": "p0", "address": 1, "type": "int16", "every_s": 1, "low": -9, "high": 9}]}
    )
    assert Device(profile).says("p0", None)["p0"].value == -1


def test_minus_one_beside_sound_neighbours_is_a_value() -> None:
    """SunSpec: an exponent of -1 is all ones, too."""
    device = Device(find("sunspec_inverter", config_folder()))
    block = next(block for block in device.blocks if "p_w" in {point.name for point in block.points})
    words = words_of(block, {"f_hz": 5_000})
    words[1] = ONES  # W_SF
    words[0] = ONES  # W
    words[3] = 0xFFFE  # Hz_SF
    assert device.says("p_w", words)["p_w"].value == pytest.approx(0.1)
