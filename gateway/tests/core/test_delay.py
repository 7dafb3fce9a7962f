"""The meter's delay is learned from our own set-points, told as a range, and given up when it is contradicted."""

import json
import random

import pytest

from gateway.core import delay
from gateway.core.follow import Latches
from gateway.core.memory import Lasting, kept, recalled
from gateway.core.switched import Switched

from .plant import SITE, Plant


def kettles(t: float) -> float:
    return 400 + (2_000 if int(t / 25) % 2 else 0)


def believed(plant: Plant) -> tuple[float, float]:
    assert plant.memory.delay is not None
    return delay.believed_s(plant.memory.delay, SITE.meter_delay_s, 10_000.0)


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 1.0, 2.0, 2.9])
def test_a_meter_that_is_always_equally_late_is_known_within_half_a_second(delay_s) -> None:
    plant = Plant(load_w=kettles, meter_delay_s=lambda: delay_s, noise_w=10)
    plant.run(200)
    low, high = believed(plant)
    assert low - 0.15 <= delay_s <= high + 0.15
    assert high - low <= 0.7


def test_before_the_battery_has_moved_nothing_is_believed() -> None:
    plant = Plant(load_w=lambda _: 400.0, meter_delay_s=lambda: 1.0, noise_w=10)
    plant.run(60)
    assert believed(plant) == SITE.meter_delay_s


@pytest.mark.parametrize("seed", range(3))
def test_a_meter_that_is_never_equally_late_is_not_believed_to_be(seed) -> None:
    draw = random.Random(seed)
    plant = Plant(load_w=kettles, meter_delay_s=lambda: draw.uniform(0.5, 3.0), noise_w=10)
    plant.run(300)
    low, high = believed(plant)
    assert high - low >= 1.0


def test_a_meter_that_changes_its_ways_is_found_out_and_nothing_swings() -> None:
    late = [0.5]
    plant = Plant(load_w=kettles, meter_delay_s=lambda: late[0], noise_w=10)
    plant.run(300)
    late[0] = 2.5
    plant.run(300)
    low, high = believed(plant)
    assert low <= 2.5 <= high + 0.1
    rest = [abs(w) for t, w in plant.grid_w if t > 450 and t % 25 > 10]  # the kettle changes each 25 s
    assert max(rest) <= 100


def test_what_must_survive_a_restart_goes_to_plain_json_and_back() -> None:
    lasting = Lasting(
        latches=Latches(kept=True),
        resting=("battery",),
        working=("a", "b"),
        consumers={"ev": Switched(runs=True, since_s=1.7e9)},
    )
    assert recalled(json.loads(json.dumps(kept(lasting)))) == lasting


@pytest.mark.parametrize("junk", [None, {}, [], {"latches": {"x": 1}}, {"latches": {}, "resting": 3}])
def test_what_cannot_be_understood_is_a_fresh_start(junk) -> None:
    assert recalled(junk) == Lasting()
