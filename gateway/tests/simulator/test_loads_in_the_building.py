"""A building with flexible loads adds up; one without them is what it always was."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.control import answer
from gateway.simulator.faults import CarAsleep, LoadGone
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

ALL = {"car": {"plugged": True}, "tank": {"temp_c": 45}, "heat_pump": {"temp_c": 19.5}}
SERVED = {name: {"tcp": "127.0.0.1:0"} for name in ALL}


def house(**tables: object) -> Simulation:
    return Simulation(HouseConfig.model_validate(tables))


# (step, base load, PV, battery, grid, phases of the meter) of the house of seed 1 before it could have loads
FORMER = [
    (0, 255.231311, -3904.157905, 12.0, -3636.926594, (-1167.602727, -1230.964221, -1256.614967)),
    (1000, 259.097414, -3935.896251, 3661.126542, -15.672295, (2490.853536, -1240.657219, -1266.696509)),
    (2000, 2447.177700, -3932.667783, 1485.782947, 0.292865, (1405.221657, -579.874923, -825.814282)),
    (3000, 2445.596894, -1686.233787, -358.635810, 400.727297, (303.795230, 172.659243, -73.123245)),
]
FORMER_PV = [3904, 0, 4999, 65534]  # W and its exponent, Hz and its exponent, at the first of them
FORMER_KEYS = (
    "t monotonic base_load_w pv_w battery_w grid_w phases_w soc energy_wh battery_mode setpoint_w setpoint_writes "
    "grid_abs_mean_w faults"
)


def test_a_building_without_loads_is_what_it_was() -> None:
    simulation, rows = house(), []
    for step in range(3001):
        state = simulation.advance(0.1)
        if step == 0:
            assert simulation.pv_registers.read(3, 40084, 4) == FORMER_PV
        if step % 1000 == 0:
            powers_w = (state.base_load_w, state.pv_w, state.battery_w, state.grid_w)
            rows.append((step, *powers_w, simulation.meter.shown.phases_w))
    for row, former in zip(rows, FORMER, strict=True):
        assert row[:5] == pytest.approx(former[:5], abs=2e-6)
        assert row[5] == pytest.approx(former[5], abs=2e-3)  # the noise of the meter is drawn as before
    state_answer = answer(simulation, b'{"do": "state"}')
    assert " ".join(state_answer) == FORMER_KEYS
    assert list(answer(simulation, b'{"do": "trace", "seconds": 1}')) == ["rows"]


def test_loads_that_do_nothing_change_nothing() -> None:
    plain = house()
    idle = house(car={}, tank={"least_c": 20, "temp_c": 50}, heat_pump={"standby_w": 0, "temp_c": 24}, serve=SERVED)
    idle.loads.heat_pump.blocked = True
    for _ in range(600):
        before, after = plain.advance(0.5), idle.advance(0.5)
        assert set(after.loads_w.values()) == {0.0}
        assert (after.base_load_w, after.pv_w, after.battery_w, after.grid_w) == (
            before.base_load_w,
            before.pv_w,
            before.battery_w,
            before.grid_w,
        )
        assert plain.meter.shown == idle.meter.shown
        assert plain.meter_registers.read(4, 0, 60) == idle.meter_registers.read(4, 0, 60)
        assert plain.battery_registers.read(3, 30775, 2) == idle.battery_registers.read(3, 30775, 2)


events = st.lists(
    st.tuples(
        st.sampled_from(["current", "power", "offer", "limit", "plug", "unplug", "bath"]),
        st.sampled_from([0.0, 0.2, 0.5, 1.0]),
        st.integers(1, 120),
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=30, deadline=None)
@given(events=events, seed=st.integers(0, 1000))
def test_the_grid_is_the_sum_and_the_counters_balance(events: list[tuple[str, float, int]], seed: int) -> None:
    simulation = house(seed=seed, clock={"start": "2024-01-20T11:30:00"}, **ALL)
    loads, battery_wh = simulation.loads, simulation.battery.stored_wh
    acts = {
        "current": lambda share: loads.car.charger.set_current(6.0 + 20.0 * share, simulation.building.elapsed_s),
        "power": lambda share: loads.tank.set_power(3000.0 * share, simulation.building.elapsed_s),
        "offer": lambda share: loads.heat_pump.offer(2500.0 * share, simulation.building.elapsed_s),
        "limit": lambda share: simulation.inverter.set_limit(share, simulation.building.elapsed_s),
        "plug": lambda share: loads.car.plug(soc=share),
        "unplug": lambda _: loads.car.unplug(),
        "bath": lambda share: loads.tank.draw(100.0 * share, 60.0, simulation.building.elapsed_s),
    }
    for what, share, seconds in events:
        acts[what](share)
        for _ in range(seconds):
            state = simulation.advance(1.0)
            loads_w = sum(state.loads_w.values())
            assert state.grid_w == pytest.approx(state.base_load_w + loads_w + state.pv_w + state.battery_w, abs=1e-9)
            assert sum(state.loads_phases_w) == pytest.approx(loads_w, abs=1e-9)
            shown = simulation.meter.shown
            assert shown.total_w == pytest.approx(1.005 * state.grid_w, abs=6.0)  # its error, and 5 sigma of noise
    used_wh = sum(state.loads_wh.values())
    lost_wh = simulation.battery.balance.loss_wh + simulation.battery.balance.standby_wh
    assert state.pv_wh + state.import_wh == pytest.approx(
        state.export_wh + state.load_wh + used_wh + lost_wh + simulation.battery.stored_wh - battery_wh, abs=1e-4
    )
    first_wh = 1e-3 / 3600.0 * 20_000  # of the step of a millisecond with which a house begins
    assert state.loads_wh["car"] == pytest.approx(loads.car.balance.drawn_wh, abs=first_wh)
    assert state.loads_wh["tank"] == pytest.approx(loads.tank.balance.heated_wh, abs=first_wh)
    assert state.loads_wh["heat_pump"] == pytest.approx(loads.heat_pump.balance.used_wh, abs=first_wh)


def test_the_battery_follows_what_the_loads_draw() -> None:
    quiet = {"load": {"noise_w": 0, "appliances": False, "kettle_every_s": 0}, "pv": {"kwp": 0}}
    simulation = house(**quiet, battery={"soc": 0.9}, tank={"temp_c": 50, "loss_w_per_k": 0})
    for _ in range(20):
        simulation.loads.tank.set_power(2000.0, simulation.building.elapsed_s)
        state = simulation.advance(1.0)
    assert state.loads_w == {"tank": 2000.0}
    assert state.battery_w == pytest.approx(-2250.0, abs=5.0)  # 250 W of the house and the heater
    assert state.grid_w == pytest.approx(0.0, abs=5.0)


def test_a_limit_throttles_the_roof_after_its_dead_time_is_reported_and_lapses() -> None:
    simulation = house(pv={"clouds": False, "limit_timeout_s": 60}, serve={"pv": {"profile": "sma_tripower"}})
    assert simulation.advance(1.0).pv_w < -3500.0
    simulation.pv_registers.write(6, 40023, [3000])  # 30.00 % of 5000 W
    assert [simulation.advance(0.5).pv_throttled for _ in range(3)] == [False, False, True]
    assert simulation.state.pv_w == -1500.0
    assert answer(simulation, b'{"do": "state"}')["pv"] == {"throttled": True, "limit_w": 1500.0, "limit_writes": 1}
    for _ in range(58):
        assert simulation.advance(1.0).pv_w == -1500.0
    for _ in range(3):
        simulation.advance(1.0)
    assert simulation.state.pv_w < -3500.0
    assert not simulation.state.pv_throttled


def test_a_limit_that_lapses_may_leave_what_the_installer_chose() -> None:
    simulation = house(pv={"clouds": False, "limit_timeout_s": 60, "limit_fallback": 0.5})
    simulation.inverter.set_limit(0.2, 0.0)
    for _ in range(70):
        simulation.advance(1.0)
    assert simulation.state.pv_w == -2500.0


def say(simulation: Simulation, **request: object) -> dict[str, object]:
    return answer(simulation, json.dumps(request).encode())


def test_the_control_line_plugs_in_and_draws_water() -> None:
    simulation = house(**ALL)
    assert say(simulation, do="unplug") == {"ok": True}
    simulation.advance(1.0)
    assert say(simulation, do="state")["loads"]["car"]["plugged"] is False
    assert say(simulation, do="plug", soc=0.25) == {"ok": True}
    assert say(simulation, do="draw", litres=40, seconds=120) == {"ok": True}
    for _ in range(130):
        simulation.advance(1.0)
    state_answer = say(simulation, do="state")["loads"]
    assert set(state_answer) == {"car", "tank", "heat_pump"}
    assert state_answer["car"]["plugged"] is True
    assert state_answer["car"]["power_w"] == pytest.approx(11040.0)
    assert state_answer["car"]["soc"] == pytest.approx(0.25 + 0.9 * state_answer["car"]["session_wh"] / 52_000)
    assert state_answer["tank"]["drawn_wh"] == pytest.approx(
        40 * 1.163 * 30.0, rel=0.15
    )  # from 45 to 12 degrees, mixed
    trace = say(simulation, do="trace", seconds=1)
    assert [set(row) for row in trace["loads_w"]] == [{"car", "tank", "heat_pump"}] * len(trace["rows"])


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "plug"}, "there is no car in this building"),
        ({"do": "unplug"}, "there is no car in this building"),
        ({"do": "draw", "litres": 10}, "there is no tank in this building"),
        ({"do": "fault", "kind": "LoadGone", "device": "heat_pump"}, "there is no heat_pump in this building"),
        ({"do": "fault", "kind": "CarAsleep"}, "there is no car in this building"),
    ],
)
def test_what_is_not_there_is_an_error(request_: dict[str, object], says: str) -> None:
    assert says in say(house(), **request_)["error"]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "plug", "soc": 1.5}, '"soc" is 1.5'),
        ({"do": "draw"}, '"litres" is None'),
        ({"do": "draw", "litres": 10, "seconds": 0}, '"seconds" is 0'),
        ({"do": "fault", "kind": "NanSentinel", "device": "tank", "point": "x"}, "tank has no point 'x'"),
    ],
)
def test_numbers_that_make_no_sense_are_errors(request_: dict[str, object], says: str) -> None:
    assert says in say(house(**ALL), **request_)["error"]


def test_a_sleeping_car_wakes_when_the_fault_ends() -> None:
    simulation = house(car={"plugged": True})
    simulation.begin(CarAsleep(for_s=30.0))
    simulation.begin(LoadGone(device="car"))
    assert say(simulation, do="state")["faults"] == ["CarAsleep(car)", "LoadGone(car)"]
    powers_w = [simulation.advance(1.0).loads_w["car"] for _ in range(60)]
    assert set(powers_w[:30]) == {0.0}
    assert powers_w[-1] == pytest.approx(11040.0)


def test_the_meter_shows_the_loads_on_their_phases() -> None:
    quiet = {"load": {"base_w": 0, "noise_w": 0, "appliances": False, "kettle_every_s": 0}, "pv": {"kwp": 0}}
    still = {"meter": {"error": 0.0, "noise_w": 0.0}, "battery": {"soc": 0.05, "standby_w": 0}}
    simulation = house(**quiet, **still, car={"plugged": True, "phases": 1}, tank={"temp_c": 30, "loss_w_per_k": 0})
    for _ in range(10):
        simulation.advance(1.0)
    phases_w = struct.unpack(">3f", struct.pack(">6H", *simulation.meter_registers.read(4, 12, 6)))
    assert phases_w == pytest.approx((3680.0, 3000.0, 0.0))  # 16 A on the first, the boost of a cold tank on the second
