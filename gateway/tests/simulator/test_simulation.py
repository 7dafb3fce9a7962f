import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.faults import MeterFrozen, MeterLate
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation


def house(**tables: object) -> Simulation:
    return Simulation(HouseConfig.model_validate(tables))


@given(
    events=st.lists(st.tuples(st.floats(-6000, 6000), st.floats(0, 5000), st.integers(1, 60)), min_size=1, max_size=20),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_the_grid_is_the_sum_and_the_counters_balance(events: list[tuple[float, float, int]], seed: int) -> None:
    simulation = house(seed=seed)
    before_wh = simulation.battery.stored_wh
    for setpoint_w, appliance_w, seconds in events:
        simulation.battery.set_power(setpoint_w, simulation.building.elapsed_s)
        simulation.battery.enable(simulation.building.elapsed_s)
        simulation.building.add_step(appliance_w, seconds / 2)
        for _ in range(seconds):
            state = simulation.advance(0.5)
            assert state.grid_w == pytest.approx(state.base_load_w + state.pv_w + state.battery_w, abs=1e-9)
            assert state.pv_w <= 0.0 <= state.base_load_w
    net_wh = state.load_wh - state.pv_wh + state.charge_wh - state.discharge_wh
    assert state.import_wh - state.export_wh == pytest.approx(net_wh, abs=1e-6)
    balance = simulation.battery.balance
    lost_wh = balance.loss_wh + balance.standby_wh
    # What came in by roof and grid went to the load, the losses and the cells.
    assert state.pv_wh + state.import_wh == pytest.approx(
        state.export_wh + state.load_wh + lost_wh + simulation.battery.stored_wh - before_wh, abs=1e-4
    )


def test_a_day_takes_seconds() -> None:
    simulation = house(clock={"start": "2024-06-21T00:00:00"})
    begun_s = time.process_time()
    for _ in range(86400):
        state = simulation.advance(1.0)
    assert time.process_time() - begun_s < 30.0
    assert 20_000.0 < state.pv_wh < 40_000.0  # a June day of 5 kWp with clouds
    assert simulation.building.grid_abs_mean_w > 0.0


def test_the_same_seed_gives_the_same_building_and_another_seed_another() -> None:
    def grid(seed: int) -> list[float]:
        simulation = house(seed=seed)
        return [simulation.advance(0.1).grid_w for _ in range(3000)]

    assert grid(1) == grid(1)
    assert grid(1) != grid(2)


def test_the_kettle_boils_soon_and_again_every_two_minutes() -> None:
    simulation = house(load={"appliances": False, "noise_w": 0})
    loads = [simulation.advance(0.5).base_load_w for _ in range(2 * 1200)]
    assert set(loads) == {250.0, 2450.0}
    switched_on = [i / 2 for i in range(1, len(loads)) if loads[i] > loads[i - 1]]
    assert len(switched_on) == 10
    assert 30.0 <= switched_on[0] <= 42.5  # a quarter of 120 s and at most a tenth later
    assert sum(load > 1000.0 for load in loads) / 2 == pytest.approx(10 * 45.0, abs=5.0)


def test_an_appliance_of_a_bench_lasts_as_long_as_it_was_sent() -> None:
    simulation = house(load={"appliances": False, "noise_w": 0, "kettle_every_s": 0})
    simulation.building.add_step(3000.0, 2.0)
    simulation.building.add_step(500.0, None)
    loads = [simulation.advance(0.5).base_load_w for _ in range(6)]
    assert loads == [3750.0] * 4 + [750.0] * 2
    simulation.building.clear_steps()
    assert simulation.advance(0.5).base_load_w == 250.0


def test_the_inverter_limits_what_the_roof_gives() -> None:
    simulation = house(pv={"inverter_limit_w": 1000, "clouds": False})
    assert simulation.advance(1.0).pv_w == -1000.0
    assert simulation.state.pv_throttled


def test_the_meter_shows_the_truth_within_its_error() -> None:
    simulation = house(meter={"error": 0.01, "noise_w": 0, "import_wh": 1000, "export_wh": 2000})
    for _ in range(100):
        state = simulation.advance(1.0)
    shown = simulation.meter.shown
    assert shown.total_w == pytest.approx(1.01 * state.grid_w)
    assert sum(shown.phases_w) == pytest.approx(shown.total_w)
    assert shown.import_wh - 1000 == pytest.approx(1.01 * state.import_wh)
    assert shown.export_wh - 2000 == pytest.approx(1.01 * state.export_wh)


def test_a_frozen_meter_keeps_its_picture_until_the_fault_ends() -> None:
    simulation = house()
    simulation.advance(0.1)
    simulation.begin(MeterFrozen(for_s=5.0))
    frozen = simulation.meter.shown
    for _ in range(48):
        simulation.advance(0.1)
        assert simulation.meter.shown is frozen
    for _ in range(3):
        simulation.advance(0.1)
    assert simulation.meter.shown.taken_s == simulation.state.elapsed_s


def test_a_late_meter_shows_values_one_to_three_seconds_old() -> None:
    simulation = house()
    for _ in range(50):
        simulation.advance(0.1)
    simulation.begin(MeterLate(min_s=1.0, max_s=3.0))
    ages_s = []
    for _ in range(300):
        state = simulation.advance(0.1)
        ages_s.append(state.elapsed_s - simulation.meter.shown.taken_s)
    settled_s = ages_s[30:]
    assert 0.99 <= min(settled_s) <= 1.11
    assert 2.8 <= max(settled_s) <= 3.0


def test_the_trace_holds_the_last_steps_on_the_machines_clock() -> None:
    simulation = Simulation(HouseConfig(), monotonic_s=1000.0)
    simulation.align(1000.0)
    for _ in range(100):
        simulation.advance(0.1)
    rows = simulation.last_rows(2.0)
    assert len(rows) == 20
    assert rows[-1].monotonic_s == pytest.approx(1010.0)
    assert rows[0].monotonic_s == pytest.approx(1008.1)
    assert len(simulation.last_rows(1000.0)) == 100
