"""What a load does with what it is sent: the rest goes to others; one that does not follow is named and given back."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from gateway.core.model.state import Mode
from gateway.tests.core.building import CAR, POOL, TANK, Building, Device, site
from gateway.tests.core.control.test_loads import SLOT, plugged, request, warm

SURPLUS_W = -6_000.0


@dataclass
class Astray(Device):
    """Does with what it is sent what `does` makes of it (W)."""

    does: Callable[[float], float] = lambda power_w: power_w

    def power_w(self, now_s: float) -> float:
        return self.does(super().power_w(now_s))


def house(car: Device, *, base_w: float = SURPLUS_W, **changes: object) -> Building:
    found = {"requests": {"car": request(value=0.1), "tank": request(value=0.08)}, "slot": SLOT} | changes
    devices = {"car-meter": car, "tank-meter": warm(50.0)}
    return Building(site=site(CAR, TANK), base_w=lambda _t: base_w, devices=devices, **found)


def car(does: Callable[[float], float]) -> Astray:
    return Astray(points=plugged().points, does=does)


def told(building: Building, device: str, code: str) -> list[int]:
    """The seconds in which this was the device's reason."""
    return [i for i, sent in enumerate(building.sent) if device in sent and sent[device].reason.code == code]


@pytest.mark.parametrize("little", [lambda w: min(w, 2_000.0), lambda w: w / 3.0], ids=["so much", "a third"])
def test_what_a_car_does_not_take_is_given_to_others_until_it_takes_more(little: Callable[[float], float]) -> None:
    sluggish = car(little)
    building = house(sluggish)
    building.run(100)
    assert building.powers("car-meter")[-1] == pytest.approx(6_000.0, abs=200.0)  # it may take more at any moment
    assert building.sent[-1]["car-meter"].reason.code == "load_takes_less"
    assert building.powers("tank-meter")[-1] == 3_000.0
    assert building.grid_w[-1] == pytest.approx(SURPLUS_W + 5_000.0, abs=50.0)
    sluggish.does = lambda w: w
    building.run(60)
    assert building.grid_w[-1] == pytest.approx(0.0, abs=200.0)
    assert building.sent[-1]["car-meter"].reason.code == "load_takes"


@pytest.mark.parametrize(
    "does",
    [lambda _w: 3_600.0, lambda w: w + 1_500.0, lambda w: 7_000.0 - w],
    ids=["its own app", "always more", "the other way round"],
)
def test_a_car_that_draws_more_than_it_is_sent_is_named_and_given_back_within_20_s(
    does: Callable[[float], float],
) -> None:
    building = house(car(does), base_w=500.0)
    building.run(60)
    named = told(building, "car-meter", "load_not_followed")
    assert named
    assert named[0] <= 32  # its orders may have been under way for 8 s, and then 20 s at most
    assert building.sent[-1]["car-meter"].mode is Mode.RELEASE


def test_it_is_tried_again_after_a_pause_that_doubles() -> None:
    follows = [False]
    building = house(car(lambda w: w if follows[0] else 3_600.0), base_w=500.0)
    building.run(1_300)
    back = told(building, "car-meter", "load_not_followed")
    tries = [i for i, (before, after) in enumerate(pairwise(back)) if after - before > 5]
    assert [tries[0] + 1, tries[1] - tries[0]] == pytest.approx([300, 600], abs=3)
    follows[0] = True
    building.run(1_300)
    assert building.sent[-1]["car-meter"].mode is Mode.CONTROL


def test_beyond_the_import_limit_it_is_asked_for_less_all_the_same() -> None:
    building = house(car(lambda _w: 7_000.0), base_w=500.0)
    building.run(60)
    assert building.sent[-1]["car-meter"].mode is Mode.RELEASE
    building.base_w = lambda _t: 4_000.0  # 11 kW at a limit of 9
    building.run(5)
    assert building.sent[-1]["car-meter"].mode is Mode.CONTROL
    assert building.powers("car-meter")[-1] == 0.0


def test_the_thermostat_of_a_tank_is_not_held_against_it() -> None:
    building = house(plugged(), base_w=500.0)
    building.devices["tank-meter"] = Astray(points={"temp_c": 50.0}, does=lambda w: max(w, 2_000.0))
    building.run(120)
    assert not told(building, "tank-meter", "load_not_followed")


@pytest.mark.parametrize("share", [0.9, 1.0, 1.1], ids=["207 V", "230 V", "253 V"])
def test_a_car_at_the_voltages_of_the_grid_follows(share: float) -> None:
    building = house(car(lambda w: share * w), base_w=-4_000.0)
    building.run(600)
    assert not told(building, "car-meter", "load_not_followed")
    assert not told(building, "car-meter", "load_takes_less")


def test_a_pump_that_runs_though_it_was_switched_off_is_named() -> None:
    devices = {"pool-meter": Astray(does=lambda _w: 1_100.0)}
    building = Building(
        site=site(POOL), base_w=lambda _t: 500.0, devices=devices, requests={"pool": request(value=0.01)}, slot=SLOT
    )
    building.run(60)
    assert told(building, "pool-meter", "load_not_followed")
