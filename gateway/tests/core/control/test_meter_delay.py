"""The meter's delay is learned from our own set-points, told as a range, and given up when it is contradicted."""

import json
import random
from dataclasses import replace

import pytest

from gateway.core.control import meter_delay
from gateway.core.control.level_rule import LevelRule
from gateway.core.control.memory import Memory, StoredMemory, from_note, to_note
from gateway.core.model.switched import Switched
from gateway.tests.core.plant import SITE, Plant


def kettles(t: float) -> float:
    return 400 + (2_000 if int(t / 25) % 2 else 0)


def proven(plant: Plant) -> tuple[float, float]:
    assert plant.memory.batteries.net.delay is not None
    return meter_delay.proven_s(plant.memory.batteries.net.delay, SITE.meter_delay_s, 10_000.0)


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 1.0, 2.0, 2.9])
def test_a_meter_that_is_always_equally_late_is_known_within_half_a_second(delay_s) -> None:
    plant = Plant(load_w=kettles, meter_delay_s=lambda: delay_s, noise_w=10)
    plant.run(200)
    low, high = proven(plant)
    assert low - 0.15 <= delay_s <= high + 0.15
    assert high - low <= 0.7


def test_before_the_battery_has_moved_nothing_is_proven() -> None:
    plant = Plant(load_w=lambda _: 400.0, meter_delay_s=lambda: 1.0, noise_w=10)
    plant.run(60)
    assert proven(plant) == SITE.meter_delay_s


@pytest.mark.parametrize("seed", range(3))
def test_a_meter_that_is_never_equally_late_is_not_believed_to_be(seed) -> None:
    draw = random.Random(seed)
    plant = Plant(load_w=kettles, meter_delay_s=lambda: draw.uniform(0.5, 3.0), noise_w=10)
    plant.run(300)
    low, high = proven(plant)
    assert high - low >= 1.0


def test_a_meter_that_changes_its_ways_is_found_out_and_nothing_swings() -> None:
    late = [0.5]
    plant = Plant(load_w=kettles, meter_delay_s=lambda: late[0], noise_w=10)
    plant.run(300)
    late[0] = 2.5
    plant.run(300)
    low, high = proven(plant)
    assert low <= 2.5 <= high + 0.1
    rest = [abs(w) for t, w in plant.grid_w if t > 450 and t % 25 > 10]  # the kettle changes each 25 s
    assert max(rest) <= 100


def test_what_must_survive_a_restart_goes_to_plain_json_and_back() -> None:
    stored = StoredMemory(
        levels=frozenset({LevelRule.KEEP}),
        resting=("battery",),
        working=("a", "b"),
        switched={"ev": Switched(runs=True, since_s=1.7e9)},
        delay_s=(0.45, 0.8),
    )
    assert from_note(json.loads(json.dumps(to_note(stored)))) == stored


@pytest.mark.parametrize("ill", [[1.0], [2.0, 1.0], [-1.0, 1.0], ["x", 1], [float("nan"), 1.0], [0.0, 9e999], "ab", 7])
def test_a_delay_that_cannot_be_is_forgotten_alone(ill) -> None:
    note = {**to_note(StoredMemory(resting=("battery",))), "delay_s": ill}
    old = {key: value for key, value in note.items() if key != "delay_s"}  # as an earlier release wrote it
    assert from_note(note) == from_note(old) == StoredMemory(resting=("battery",))


def restarted(first: Plant, *, delay_s: float, bounds_s: tuple[float, float] = SITE.meter_delay_s) -> Plant:
    """Another run with what the first one left in the store."""
    note = json.loads(json.dumps(to_note(first.memory.stored)))
    memory = Memory.restored(from_note(note))
    site = replace(SITE, meter_delay_s=bounds_s)
    return Plant(load_w=kettles, meter_delay_s=lambda: delay_s, noise_w=10, memory=memory, site=site)


def test_what_was_learned_holds_after_a_restart_from_the_first_moment() -> None:
    first = Plant(load_w=kettles, meter_delay_s=lambda: 1.0, noise_w=10)
    first.run(200)
    known = proven(first)
    assert first.memory.stored.delay_s == known != SITE.meter_delay_s
    again = restarted(first, delay_s=1.0)
    again.run(3)
    assert again.memory.stored.delay_s == known
    again.run(200)
    low, high = proven(again)
    assert low - 0.15 <= 1.0 <= high + 0.15


def test_a_delay_that_was_learned_of_another_meter_is_given_up_and_nothing_swings() -> None:
    first = Plant(load_w=kettles, meter_delay_s=lambda: 0.5, noise_w=10)
    first.run(200)
    again = restarted(first, delay_s=2.5)
    again.run(300)
    low, high = proven(again)
    assert low <= 2.5 <= high + 0.1
    assert max(abs(w) for t, w in again.grid_w if t > 150 and t % 25 > 10) <= 100


def test_what_is_configured_now_goes_before_what_was_learned() -> None:
    first = Plant(load_w=kettles, meter_delay_s=lambda: 1.0, noise_w=10)
    first.run(200)
    for bounds_s in ((0.0, 0.5), (0.9, 1.0)):  # all of it outside; a part of it inside
        again = restarted(first, delay_s=0.5, bounds_s=bounds_s)
        again.run(3)
        range_s = again.memory.stored.delay_s or bounds_s
        assert bounds_s[0] <= range_s[0] <= range_s[1] <= bounds_s[1]


@pytest.mark.parametrize("junk", [None, {}, [], {"latches": {"x": 1}}, {"latches": {}, "resting": 3}])
def test_what_cannot_be_understood_is_a_fresh_start(junk) -> None:
    assert from_note(junk) == StoredMemory()
