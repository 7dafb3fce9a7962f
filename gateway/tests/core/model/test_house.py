"""What the building draws: in step with its parts, and with a range where one of them says nothing; never 0 instead."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.loads.tank import Tank
from gateway.core.model.house import HELD_S, HouseLoad, HouseMemory, estimated, possible_w
from gateway.core.model.load import Band
from gateway.core.model.series import Series, with_sample
from gateway.core.model.site import Inverter, LoadDevice, Site
from gateway.core.model.state import Reading, SiteState
from gateway.tests.core.plant import BATTERY

NOON, MIDNIGHT = 1_718_970_600.0, 1_718_924_400.0  # of the sun in Lens, on the longest day
DUSK = NOON + 8.2 * 3600.0  # the sun is 0.3 degrees high
LENS = (50.43, 2.83)
TANK = LoadDevice(
    load=Tank(id="tank", litres=200.0, band=Band(low_w=0.0, high_w=3000.0)), device="tank", takes_orders=True
)
SITE = Site(
    grid="grid",
    pv=("pv",),
    batteries=(BATTERY,),
    grid_setpoint_w=0.0,
    import_limit_w=9_000.0,
    export_limit_w=6_000.0,
    loads=(TANK,),
    peak_w={"pv": 5_000.0},
    places=(LENS,),
    meter_delay_s=(0.0, 0.5),
)
Power = Callable[[float], float]


def zero(_: float) -> float:
    return 0.0


class House:
    """Powers as functions of time, each read at its own moments; what is silent is not read any more."""

    def __init__(
        self,
        base_w: Power,
        *,
        site: Site = SITE,
        utc_s: float = NOON,
        lag_s: float = 0.0,
        silent: Iterable[str] = (),
        **parts: Power,
    ) -> None:
        self.base_w, self.site, self.utc_s, self.lag_s = base_w, site, utc_s, lag_s
        self.parts = {"pv": zero, "battery": zero, "tank": zero, **parts}
        self.every_s = {"grid": 1.0, "pv": 1.0, "battery": 1.0, "tank": 2.0}
        self.phase_s = {"grid": 0.0, "pv": 0.2, "battery": 0.4, "tank": 1.3}
        self.silent = set(silent)
        self.memory = HouseMemory()
        self.devices: dict[str, Mapping[str, Reading]] = {}
        self.now_s = 100.0
        for device in self.every_s:
            self._read(device)

    def grid_w(self, t: float) -> float:
        return self.base_w(t) + sum(power(t) for power in self.parts.values())

    def run(self, seconds: float) -> list[HouseLoad]:
        """A cycle after each sample of the meter, in tenths of a second."""
        found = []
        for _ in range(round(seconds * 10)):
            self.now_s = round(self.now_s + 0.1, 1)
            for device, every_s in self.every_s.items():
                if round(10 * (self.now_s - self.phase_s[device])) % round(10 * every_s) == 0:
                    self._read(device)
            if round(10 * self.now_s) % 10 == 0:
                state = SiteState(now_s=self.now_s, utc_s=self.utc_s, devices=dict(self.devices))
                load, self.memory = estimated(self.memory, state, self.site)
                found.append(load)
        return found

    def _read(self, device: str) -> None:
        if device in self.silent:
            self.devices[device] = {"p_w": Reading.absent("timeout", self.now_s)}
            return
        power = self.grid_w if device == "grid" else self.parts[device]
        lag_s = self.lag_s if device == "grid" else 0.0
        self.devices[device] = {"p_w": Reading(value=power(self.now_s - lag_s), measured_s=self.now_s)}


def step(at_s: float, power_w: float) -> Power:
    return lambda t: power_w if t >= at_s else 0.0


def pulse(start_s: float, end_s: float, power_w: float) -> Power:
    return lambda t: power_w if start_s <= t < end_s else 0.0


def watts(found: list[HouseLoad]) -> list[float | None]:
    return [None if one.load_w is None else round(one.load_w) for one in found]


@pytest.mark.parametrize("lag_s", [0.0, 0.4])
@pytest.mark.parametrize("phase", range(10))
def test_a_load_that_is_switched_is_no_spike_of_the_building(phase: int, lag_s: float) -> None:
    """3 kW on, and off 20 s later, at any moment within the second."""
    tank = pulse(110.0 + phase / 10, 130.0 + phase / 10, 3_000.0)
    found = House(lambda _: 400.0, tank=tank, lag_s=lag_s).run(60)
    assert set(watts(found)) == {400}


@pytest.mark.parametrize("phase", range(10))
@pytest.mark.parametrize("silent_w", [0.0, 3_000.0])
def test_a_true_step_shows_within_two_seconds_of_the_meter_s_sample(phase: int, silent_w: float) -> None:
    begun_s = 110.0 + phase / 10
    house = House(lambda t: 2_400.0 if t >= begun_s else 400.0, tank=lambda _: silent_w)
    found = dict(zip((101.0 + i for i in range(30)), watts(house.run(30)), strict=True))
    seen_s = 110.0 if phase == 0 else 111.0
    assert {w for t, w in found.items() if t < seen_s} == {400}
    assert {w for t, w in found.items() if t >= seen_s + 2.0} == {2_400}


def test_a_battery_that_answers_a_kettle_is_no_second_kettle() -> None:
    """It begins 1.2 s after the kettle and ramps for 1.5 s; the meter shows the sum."""
    kettle = step(110.0, 2_000.0)

    def battery(t: float) -> float:
        return -min(max(t - 111.2, 0.0) / 1.5, 1.0) * 2_000.0

    found = watts(House(lambda t: 400.0 + kettle(t), battery=battery, lag_s=0.3).run(40))
    assert found[:8] == [400] * 8
    assert all(w is not None and (w == 400 or abs(w - 2_400) <= 300) for w in found)
    assert found[-20:] == [2_400] * 20


def test_the_mean_is_that_of_the_parts() -> None:
    """Ten switchings of the tank and five kettles in 10 minutes: what a quarter hour adds up."""
    tank = lambda t: 3_000.0 if int(t / 33.7) % 2 else 0.0  # noqa: E731
    kettle = lambda t: 300.0 + (2_000.0 if t % 120.0 < 40.0 else 0.0)  # noqa: E731
    house = House(kettle, tank=tank)
    found = [one.load_w or 0.0 for one in house.run(600)]
    true = [kettle(101.0 + i) for i in range(600)]
    assert sum(found) / 600 == pytest.approx(sum(true) / 600, rel=0.02)


def test_an_inverter_that_is_silent_by_day_leaves_a_range_with_the_truth_in_it() -> None:
    house = House(lambda _: 400.0, pv=lambda _: -3_000.0)
    assert house.run(5)[-1] == HouseLoad(load_w=400.0, low_w=400.0, high_w=400.0)
    house.silent.add("pv")
    found = house.run(60)
    late = [one for one in found if one.missing]
    assert len(late) > 50
    assert {one.missing for one in late} == {("pv",)}
    assert {(one.load_w, one.low_w, one.high_w) for one in late} == {(400.0, 0.0, 2_400.0)}  # -2600 and 5 kW at most
    assert not late[-1].is_sure
    house.silent.clear()
    assert house.run(5)[-1] == HouseLoad(load_w=400.0, low_w=400.0, high_w=400.0)


@pytest.mark.parametrize(
    ("silent", "power_w", "low_w", "high_w"),
    [
        ("battery", -1_200.0, 0.0, 4_200.0),  # grid −800: it may charge or discharge with 5 kW
        ("tank", 1_500.0, 0.0, 1_900.0),  # grid 1900: up to 3 kW of it
    ],
)
def test_each_part_that_is_silent_has_the_range_of_its_ratings(
    silent: str, power_w: float, low_w: float, high_w: float
) -> None:
    house = House(lambda _: 400.0, **{silent: lambda _: power_w})
    house.run(10)
    house.silent.add(silent)
    last = house.run(20)[-1]
    assert (last.load_w, last.low_w, last.high_w, last.missing) == (400.0, low_w, high_w, (silent,))


def test_what_was_never_known_is_no_number_and_still_a_range() -> None:
    house = House(lambda _: 400.0, pv=lambda _: -3_000.0, site=replace(SITE, peak_w={}), silent={"pv"})
    last = house.run(10)[-1]
    assert (last.load_w, last.low_w, last.high_w) == (None, 0.0, None)  # -2600 W or more, and the building draws
    assert not last.is_sure


def test_a_late_meter_is_bridged_and_a_lost_one_is_nothing() -> None:
    house = House(lambda _: 400.0)
    house.run(10)
    house.silent.add("grid")
    found = house.run(HELD_S + 20)
    held = [one for one in found if one.missing and one.load_w is not None]
    assert {(one.load_w, one.missing) for one in held} == {(400.0, ("grid",))}
    assert HELD_S - 2 <= len(held) <= HELD_S
    assert found[-1] == HouseLoad(missing=("grid",))


def test_what_a_silent_device_may_draw() -> None:
    noon, dusk, night = (SiteState(now_s=9.0, utc_s=utc_s, devices={}) for utc_s in (NOON, DUSK, MIDNIGHT))
    assert possible_w("battery", SITE, noon) == (-5_000.0, 5_000.0)
    assert possible_w("tank", SITE, noon) == (0.0, 3_000.0)
    assert possible_w("pv", SITE, noon) == (-5_000.0, 0.0)
    least_w, most_w = possible_w("pv", SITE, dusk)
    assert -800.0 < least_w < most_w == 0.0
    # who knows that it is night gives it the value 0: it is asked here only where an inverter shone at such an hour
    assert possible_w("pv", SITE, night) == (-5_000.0, 0.0)
    limited = replace(SITE, curtailable=(Inverter(id="pv", rated_w=4_000.0),))
    assert possible_w("pv", limited, noon) == (-4_000.0, 0.0)
    least_w, most_w = possible_w("pv", replace(SITE, peak_w={}, places=()), noon)
    assert (least_w, most_w) == (float("-inf"), 0.0)
    for is_on, power_w in ((0.0, 0.0), (1.0, 3_000.0)):  # a relay whose meter is silent
        relay = {"tank": {"is_on": Reading(value=is_on, measured_s=9.0)}}
        assert possible_w("tank", SITE, replace(noon, devices=relay)) == (0.0, power_w)


@given(
    st.lists(st.tuples(st.floats(0.1, 3.0), st.floats(-5_000, 5_000)), min_size=1, max_size=30),
    st.floats(0, 60),
    st.floats(0, 5),
)
def test_a_series_gives_nothing_beyond_its_samples(
    steps: list[tuple[float, float]], back_s: float, span_s: float
) -> None:
    series: Series | None = None
    at_s = 0.0
    for dt_s, power_w in steps:
        at_s += dt_s
        series = with_sample(series, at_s, power_w)
    assert series is not None
    low_w, high_w = series.between(at_s - back_s, at_s - back_s + span_s)
    assert min(series.powers_w) <= low_w <= high_w <= max(series.powers_w)
    assert low_w - 1e-6 <= series.at(at_s - back_s) <= high_w + 1e-6
    assert with_sample(series, at_s, 1.0) is series  # the same sample again
