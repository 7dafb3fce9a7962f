"""Loads are told what they take: surplus that lasts, what the plan gives them, never beyond the import limit."""

from dataclasses import dataclass, replace

import pytest

from gateway.core.control.dispatch import Memory
from gateway.core.control.memory import StoredMemory, from_note, to_note
from gateway.core.model.levels import Levels
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.site import Inverter
from gateway.core.model.state import Mode, Reason
from gateway.core.model.switched import Switched
from gateway.tests.core.building import CAR, POOL, ROOMS, TANK, UTC_S, Building, Device, site

WHY = Reason(code="load_due", numbers={"power_w": 7000.0})
LEVELS = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=9_000.0, export_wh=9_000.0)
SLOT = Slot(start_s=0.0, buy=0.2, sell=0.04, levels=LEVELS, value=0.15, reason=Reason(code="all_surplus"))
LEAST_W = 1380.0  # 6 A of one phase


def request(power_w: float = 0.0, value: float = 0.0, code: str = "load_wait") -> LoadSlot:
    return LoadSlot(power_w=power_w, value=value, reason=replace(WHY, code=code))


def plugged(**changes: float) -> Device:
    return Device(points={"plugged": 1.0, "e_session_wh": 0.0}, **changes)


def warm(temp_c: float = 50.0, **changes: float) -> Device:
    return Device(points={"temp_c": temp_c}, **changes)


def with_car(base_w: object, *, requests: LoadSlot | None = None, **changes: object) -> Building:
    found = {"requests": {"car": requests or request(value=0.1)}, "slot": SLOT} | changes
    base = base_w if callable(base_w) else lambda _t: base_w
    return Building(site=site(CAR), base_w=base, devices={"car-meter": plugged()}, **found)


def test_the_surplus_goes_into_the_car_from_6_a_on() -> None:
    building = with_car(lambda t: -1200.0 if t < 60 else -3000.0)
    building.run(120)
    powers = building.powers("car-meter")
    assert set(powers[1:60]) == {0.0}  # 1.2 kW is less than 6 A; in the first second nothing was known of it
    assert all(power == 0.0 or power >= LEAST_W for power in powers[1:])
    assert powers[-1] == pytest.approx(3000.0, abs=60)
    assert building.sent[-1]["car-meter"].reason.code == "load_takes"
    assert building.switches("car-meter")[0] >= 60 + 19  # it had to be there for 20 s


def test_a_cloud_of_a_few_seconds_switches_nothing() -> None:
    building = with_car(lambda t: -500.0 if t % 50 < 3 else -4000.0)
    building.run(600)
    assert len(building.switches("car-meter")) <= 1


def test_a_car_that_is_not_plugged_in_is_sent_nothing_but_0() -> None:
    building = with_car(-4000.0)
    building.devices["car-meter"].points["plugged"] = 0.0
    building.run(60)
    assert set(building.powers("car-meter")) - {None} == {0.0}
    assert building.sent[-1]["car-meter"].reason.code == "load_absent"


def test_what_the_plan_gives_comes_from_the_grid_and_says_why() -> None:
    building = with_car(500.0, requests=request(7000.0, 0.3, "load_due"))
    building.run(30)
    assert building.powers("car-meter")[-1] == 7000.0
    assert building.sent[-1]["car-meter"].reason.code == "load_due"


def test_the_import_limit_sheds_the_car_in_the_next_second() -> None:
    building = with_car(lambda t: 500.0 if t < 60 else 4000.0, requests=request(7000.0, 0.3))
    building.run(59)
    assert building.grid_w[-1] == pytest.approx(7500.0)
    building.run(1)  # the kettle and the oven: 11 kW, the limit is 9 kW
    assert building.sent[-1]["car-meter"].reason.code == "load_limit"
    assert building.powers("car-meter")[-1] == pytest.approx(5000.0)
    building.run(10)
    assert max(building.grid_w[-8:]) <= 9000.0 + 1
    assert min(building.powers("car-meter")[-10:]) >= 5000.0 - 1  # once, not again and again


@pytest.mark.parametrize(("slope_w_per_s", "most_over_w"), [(25.0, 200.0), (100.0, 800.0)])
def test_the_car_gives_way_to_what_grows_slowly(slope_w_per_s: float, most_over_w: float) -> None:
    """A compressor that starts beside it: the car obeys after 2 s, tells it 2 s later, and a cycle is 1 s."""
    building = with_car(lambda t: 1500.0 + min(max(t - 40, 0) * slope_w_per_s, 5500.0), requests=request(7000.0, 0.3))
    building.run(40 + 5500 / slope_w_per_s + 60)
    assert max(building.grid_w) <= 9000.0 + most_over_w
    assert 1850.0 <= building.powers("car-meter")[-1] <= 2000.0  # what lasted too long was held tighter for a while


@dataclass
class Stubborn(Device):
    """Its thermostat draws `least_w` whatever it is told; its voltage makes `share` of what was reckoned."""

    least_w: float = 0.0
    share: float = 1.0

    def power_w(self, now_s: float) -> float:
        return max(self.share * super().power_w(now_s), self.least_w)


def test_amperes_at_a_high_voltage_stay_under_the_import_limit() -> None:
    building = with_car(2500.0, requests=request(7000.0, 0.3))
    building.devices["car-meter"] = Stubborn(points=plugged().points, share=1.06)  # 244 V
    building.run(120)
    assert max(building.grid_w[60:]) <= 9000.0 + 50.0
    assert building.powers("car-meter")[-1] == pytest.approx(6500.0 / 1.06, abs=150)


@pytest.mark.parametrize(
    ("base_w", "requests", "grid_w"), [(2500.0, request(7000.0, 0.3), 9000.0), (-5000.0, request(value=0.1), 0.0)]
)
def test_what_a_thermostat_draws_by_itself_is_given_to_nobody(base_w: float, requests: LoadSlot, grid_w: float) -> None:
    devices = {"car-meter": plugged(), "tank-meter": Stubborn(points={"temp_c": 50.0}, least_w=2000.0)}
    building = Building(
        site=site(CAR, TANK),
        base_w=lambda _t: base_w,
        devices=devices,
        requests={"car": requests, "tank": request()},
        slot=SLOT,
    )
    building.run(300)
    assert building.powers("tank-meter")[-1] == 0.0
    assert building.powers("car-meter")[-1] > LEAST_W
    assert building.grid_w[-1] == pytest.approx(grid_w, abs=110)


def test_what_does_not_leave_6_a_switches_the_car_off_for_a_minute() -> None:
    building = with_car(lambda t: 8200.0 if 30 < t < 35 else 500.0, requests=request(7000.0, 0.3))
    building.run(150)
    off, on = building.switches("car-meter")
    assert off == 31.0
    assert on - off >= 60.0


def test_it_comes_back_slowly_and_never_swings_at_the_limit() -> None:
    building = with_car(lambda t: 3500.0 if t % 60 < 20 else 500.0, requests=request(7400.0, 0.3))
    building.run(900)
    shed = [t for t, w in enumerate(building.grid_w, start=1) if w > 9000.0 + 1]
    per_event = [t for t in shed if t - 1 not in shed]
    assert all(t % 60 < 5 for t in shed)
    assert len(shed) <= 4 * len(per_event)  # dead time of 2 s and the cycle


def test_a_relay_keeps_its_least_times_through_a_restart() -> None:
    before = StoredMemory(switched={"pool": Switched(runs=True, since_s=UTC_S - 100)})
    memory = Memory.restored(from_note(to_note(before)))
    building = Building(
        site=site(POOL), base_w=lambda _t: 300.0, devices={"pool-meter": Device()}, memory=memory, slot=SLOT,
        requests={"pool": request()},
    )  # fmt: skip
    building.run(900)
    off, *again = building.switches("pool-meter")
    assert off == pytest.approx(500, abs=2)  # 600 s in all
    assert again == []
    assert building.sent[400]["pool-meter"].reason.code == "load_runs_on"


@pytest.mark.parametrize("back_s", [0.0, -86_400.0, 86_400.0])
def test_a_clock_that_is_set_leaves_no_relay_on_for_ever(back_s: float) -> None:
    building = Building(
        site=site(POOL), base_w=lambda t: -1500.0 if t < 60 else 300.0, devices={"pool-meter": Device()}, slot=SLOT,
        requests={"pool": request(value=0.1)},
    )  # fmt: skip
    building.run(60)
    assert building.powers("pool-meter")[-1] == 900.0
    building.utc_offset_s += back_s
    building.run(700)
    assert building.powers("pool-meter")[-1] == 0.0


def test_without_a_meter_every_load_gets_its_own_mode() -> None:
    building = with_car(-4000.0)
    building.run(40)
    assert building.powers("car-meter")[-1] > 0
    building.is_blind = True
    building.run(20)
    modes = [sent["car-meter"].mode for sent in building.sent[40:]]
    assert set(modes[4:8]) == {Mode.HOLD}
    assert set(modes[10:]) == {Mode.RELEASE}
    assert building.powers("car-meter")[-1] is None


def test_a_load_that_takes_nothing_leaves_the_surplus_to_the_next_one() -> None:
    devices = {"car-meter": plugged(most_w=0.0), "tank-meter": warm()}
    requests = {"car": request(value=0.12), "tank": request(value=0.1)}
    building = Building(site=site(CAR, TANK), base_w=lambda _t: -4000.0, devices=devices, requests=requests, slot=SLOT)
    building.run(200)
    assert building.sent[-1]["car-meter"].reason.code == "load_idle"
    assert building.powers("tank-meter")[-1] == 3000.0


def test_a_tank_takes_what_is_there_until_it_is_warm() -> None:
    devices = {"tank-meter": warm()}
    building = Building(
        site=site(TANK), base_w=lambda _t: -700.0, devices=devices, requests={"tank": request(value=0.1)}, slot=SLOT
    )
    building.run(60)
    assert building.powers("tank-meter")[-1] == pytest.approx(700.0, abs=50)
    devices["tank-meter"].points["temp_c"] = 60.0
    building.run(5)
    assert building.sent[-1]["tank-meter"].reason.code == "load_warm"
    assert building.powers("tank-meter")[-1] == 0.0


def test_rooms_that_the_thermostat_keeps_in_their_band_have_room_for_surplus() -> None:
    devices = {"rooms-meter": warm(20.5)}  # comfort from 19.5 to 22
    building = Building(
        site=site(ROOMS), base_w=lambda _t: -3000.0, devices=devices, requests={"rooms": request(value=0.1)}, slot=SLOT
    )
    building.run(60)
    assert building.powers("rooms-meter")[-1] == 2500.0
    codes = []
    for temp_c in (21.9, 22.0, 21.6, 21.4):  # until they are at the highest; once off, from half a degree below
        devices["rooms-meter"].points["temp_c"] = temp_c
        building.run(85)  # a minute is its least time, and surplus must last
        codes.append(building.sent[-1]["rooms-meter"].reason.code)
    assert codes == ["load_takes", "load_warm", "load_warm", "load_takes"]


def test_a_load_that_likes_surplus_and_has_none_says_that_it_runs_for_its_least_time() -> None:
    building = with_car(lambda t: -3000.0 if t < 40 else 1000.0)
    building.run(38)
    assert building.powers("car-meter")[-1] > LEAST_W
    building.run(25)  # it is on for less than a minute yet
    reason = building.sent[-1]["car-meter"].reason
    assert (building.powers("car-meter")[-1], reason.code) == (LEAST_W, "load_runs_on")


def test_a_tank_that_is_too_cold_has_its_own_mode_until_it_is_warm_enough() -> None:
    devices = {"tank-meter": warm(own_w=2000.0)}
    building = Building(
        site=site(TANK), base_w=lambda _t: 500.0, devices=devices, requests={"tank": request()}, slot=SLOT
    )
    modes = []
    for temp_c in (50.0, 42.5, 44.0, 45.5):  # low_c is 45
        devices["tank-meter"].points["temp_c"] = temp_c
        building.run(4)
        modes.append(building.sent[-1]["tank-meter"].mode)
    assert modes == [Mode.CONTROL, Mode.RELEASE, Mode.RELEASE, Mode.CONTROL]


def test_a_tank_that_is_too_cold_is_heated_where_plan_or_rule_mean_it() -> None:
    """A heater that does nothing in its own mode would stay cold for ever."""
    building = Building(
        site=site(TANK), base_w=lambda _t: 500.0, devices={"tank-meter": warm(40.0)}, slot=SLOT,
        requests={"tank": request(3000.0, 2.0, "load_heats")},
    )  # fmt: skip
    building.run(30)
    assert building.sent[-1]["tank-meter"].mode is Mode.CONTROL
    assert building.powers("tank-meter")[-1] == 3000.0


def test_the_battery_has_the_surplus_first_where_its_value_is_higher_there() -> None:
    building = with_car(-4000.0, soc=0.5)
    building.site = site(CAR, battery=True)
    building.run(60)
    assert building.battery_w == pytest.approx(4000.0, abs=50)
    assert building.powers("car-meter")[-1] == 0.0
    building.soc = 1.0  # full: what it cannot take goes into the car, although it is worth less there
    building.run(60)
    assert building.powers("car-meter")[-1] == pytest.approx(4000.0, abs=60)


def test_the_car_has_it_where_its_value_is_higher_in_the_car_and_the_battery_takes_the_rest() -> None:
    building = with_car(lambda t: -4000.0 - 100.0 * (t % 5), requests=request(value=0.3))
    building.site = site(CAR, battery=True)
    building.run(300)
    assert building.powers("car-meter")[-1] == pytest.approx(4000.0, abs=60)
    assert all(power >= -1e-6 for power in (sent["battery"].power_w or 0.0 for sent in building.sent[60:]))
    assert max(abs(w) for w in building.grid_w[100:]) <= 500.0


def test_the_battery_makes_way_for_a_car_before_it_draws() -> None:
    """It charges from the grid with 5 kW when the car is told to take 7 kW: together more than the limit of 9 kW."""
    charging = replace(SLOT, levels=replace(LEVELS, charge_wh=9_000.0, reserve_wh=9_000.0))
    building = with_car(500.0, requests=request(), slot=charging)
    building.site = site(CAR, battery=True)
    building.run(30)
    assert building.battery_w == 5000.0
    building.requests = {"car": request(7000.0, 0.3)}
    building.run(30)
    assert max(building.grid_w) <= 9000.0 + 1
    assert building.powers("car-meter")[-1] == 7000.0
    assert building.battery_w == pytest.approx(1500.0, abs=20)


def test_a_plan_of_no_numbers_moves_nothing() -> None:
    building = with_car(500.0, requests=request())
    building.run(20)
    building.requests = {"car": request(float("nan"), float("inf"))}
    building.run(20)
    assert set(building.powers("car-meter")[1:]) == {0.0}
    assert building.sent[-1]["car-meter"].reason.code == "load_unplanned"


@pytest.mark.parametrize("sun_w", [5000.0, 2500.0])
def test_curtailed_pv_goes_into_the_car_that_the_plan_means_it_for(sun_w: float) -> None:
    """Nothing may be exported: without the plan's word nobody would see that there is any surplus."""
    inverter = Inverter(id="roof", rated_w=6000.0)
    building = with_car(300.0, requests=request(), sun_w=lambda _t: sun_w)
    building.site = site(CAR, pv=("roof",), curtailable=(inverter,), export_limit_w=0.0)
    building.run(60)
    assert building.pv_w[-1] == pytest.approx(-280.0, abs=30)
    assert building.powers("car-meter")[-1] == 0.0
    building.requests = {"car": request(3680.0, 0.1, "load_surplus")}
    building.run(120)
    expected_w = min(sun_w - 300.0, 3680.0)
    assert all(expected_w - 150.0 <= w <= expected_w + 400.0 for w in building.powers("car-meter")[-60:])  # 300 W more
    assert min(building.grid_w[5:]) >= -1.0
