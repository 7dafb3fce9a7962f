"""The twin keeps the promises of the node and its links: leases, periods, delays, what is lost and what comes again."""

import time
import tomllib
from itertools import pairwise
from typing import Any

import pytest

from gateway.core.model.state import Mode
from gateway.ports import Cycle
from gateway.rig.toml_text import merged
from gateway.simulator.device_faults import BatteryTakesOnly
from gateway.simulator.faults import BatteryGone, InverterGone, LateAnswers, LoadGone, MeterGone
from gateway.trial.scenario.tables import placed, shipped
from gateway.trial.twin.twin import Twin

QUIET: dict[str, Any] = tomllib.loads("""
[pv]
clouds = false
[load]
base_w = 1500
kettle_every_s = 0
appliances = false
[clock]
start = 2024-06-21T23:30:00
""")
LEASE_S = 10.0  # config/demo/site.toml
STEP_S = 0.1


def twin(*, like: str = "demo", house: dict[str, Any] | None = None, **options: Any) -> Twin:
    house_table, site_table = shipped(like)  # type: ignore[arg-type]
    site_table.pop("tariff", None)
    return Twin.of(*placed(merged(merged(house_table, QUIET), house or {}), site_table), **options)


def seconds_until(found: Twin, mode: str, *, patience_s: float = 200.0) -> float:
    """How long until the battery of the house is in this mode."""
    begun_s = found.now_s
    while found.house.state.battery_mode != mode:
        found.step()
        assert found.now_s - begun_s < patience_s, f"never {mode}"
    return found.now_s - begun_s


def mode_of(found: Twin, device: str = "battery") -> Mode:
    cycle = found.cycle()
    assert cycle is not None
    return next(one.mode for one in cycle.setpoints if one.device == device)


class Seen:
    def __init__(self) -> None:
        self.cycles: list[Cycle] = []

    def show(self, cycle: Cycle) -> None:
        self.cycles.append(cycle)


def test_a_cycle_each_second_follows_the_house() -> None:
    seen = Seen()
    found = twin(observers=[seen])
    found.advance(60)
    gaps = [after.state.now_s - before.state.now_s for before, after in pairwise(seen.cycles)]
    assert len(seen.cycles) == pytest.approx(59, abs=1)
    assert all(gap == pytest.approx(1.0, abs=0.11) for gap in gaps)
    assert found.house.state.grid_w == pytest.approx(0.0, abs=60)


def test_the_same_seed_lives_the_same_seconds() -> None:
    def run() -> list[float]:
        found = twin(house={"load": {"kettle_every_s": 20}})
        return [found.house.state.grid_w for _ in range(40) if found.cycle() is not None]

    assert run() == run()


def test_ten_minutes_of_the_demo_take_a_hundredth_of_them() -> None:
    """Processor time of this process: another program's work is not counted."""
    house, site = shipped("demo")
    found = Twin.of(house, site)
    begun_s = time.process_time()
    found.advance(600)
    assert time.process_time() - begun_s < 6.0


class TestLease:
    def test_a_killed_gateway_gives_the_battery_back_by_its_will(self) -> None:
        found = twin()
        found.advance(20)
        found.kill_gateway()
        assert seconds_until(found, "own") <= 1.0

    def test_a_frozen_gateway_gives_it_back_with_the_lease(self) -> None:
        found = twin()
        found.advance(20)
        found.freeze_gateway(frozen=True)
        assert LEASE_S - 1.25 <= seconds_until(found, "own") <= LEASE_S + 0.5
        found.freeze_gateway(frozen=False)
        assert seconds_until(found, "remote") <= 3.0

    def test_without_a_broker_it_ends_too_and_begins_again_with_it(self) -> None:
        found = twin()
        found.advance(20)
        found.stop_broker()
        assert LEASE_S - 1.25 <= seconds_until(found, "own") <= LEASE_S + 0.5
        found.start_broker()
        assert seconds_until(found, "remote") <= 5.0

    def test_a_node_without_power_leaves_it_to_the_battery_s_own_time_out(self) -> None:
        """60 s from its last write (`setpoint_timeout_s` of the house), which is repeated at half of that."""
        found = twin()
        found.advance(40)
        found.power_node("cellar", on=False)
        assert 29.0 <= seconds_until(found, "own") <= 60.5
        found.power_node("cellar", on=True)
        assert seconds_until(found, "remote") <= 15.0

    def test_a_gateway_that_is_stopped_gives_back_before_it_goes(self) -> None:
        found = twin()
        found.advance(20)
        found.stop_gateway()
        assert seconds_until(found, "own") <= 0.5

    def test_an_order_is_renewed_and_what_holds_is_not_written_again_but_for_its_refresh(self) -> None:
        """A steady load: the set-point is sent each second, and written at half of the battery's 60 s."""
        found = twin(house={"load": {"noise_w": 0}, "meter": {"noise_w": 0, "error": 0.0}})
        found.advance(30)
        before = found.house.battery.setpoint_writes
        found.advance(120)
        assert 3 <= found.house.battery.setpoint_writes - before <= 12

    def test_a_hung_node_is_started_anew_by_its_watchdog(self) -> None:
        found = twin()
        found.advance(20)
        found.hang_node("cellar")
        found.advance(9)
        assert mode_of(found) is not Mode.CONTROL
        found.advance(20)
        assert mode_of(found) is Mode.CONTROL


class TestLinks:
    def test_a_silent_meter_is_held_then_released_and_taken_back(self) -> None:
        found = twin()
        found.advance(20)
        found.begin(MeterGone(for_s=20.0))
        found.advance(5)
        assert mode_of(found) is Mode.HOLD
        found.advance(6)
        assert mode_of(found) is Mode.RELEASE
        found.advance(20)
        assert mode_of(found) is Mode.CONTROL

    def test_a_dead_inverter_costs_the_meter_no_sample(self) -> None:
        seen = Seen()
        found = twin(observers=[seen])
        found.begin(InverterGone())
        found.advance(60)
        assert len(seen.cycles) >= 58

    def test_answers_that_are_too_late_are_none(self) -> None:
        found = twin()
        found.advance(20)
        found.begin(LateAnswers(device="battery", min_s=1.5, max_s=1.6))
        found.advance(5)
        cycle = found.cycle()
        assert cycle is not None
        assert cycle.state.reading("battery", "p_w").why == "timeout"

    def test_records_that_waited_for_the_broker_come_once_and_in_their_time(self) -> None:
        found = twin()
        found.advance(20)
        found.stop_broker()
        found.advance(60)
        found.start_broker()
        found.advance(10)
        ledger = found.sessions["cellar"].ledger
        assert (ledger.lost, ledger.duplicated) == (0, 0)
        assert ledger.received == ledger.counts()["sent"]
        reading = found.sessions["cellar"].readings["grid"]["p_w"]
        assert found.now_s - reading.measured_s < 2.0

    def test_what_does_not_fit_in_the_ring_is_counted_as_lost(self) -> None:
        found = twin()
        found.advance(20)
        found.stop_broker()
        found.advance(600)
        found.start_broker()
        found.advance(10)
        ledger = found.sessions["cellar"].ledger
        assert ledger.lost > 500
        assert ledger.received + ledger.lost == ledger.counts()["sent"]

    def test_a_restarted_gateway_counts_on_and_trusts_what_was_proven(self) -> None:
        found = twin()
        found.advance(20)
        received = found.sessions["cellar"].ledger.received
        found.kill_gateway()
        found.advance(5)
        found.start_gateway()
        found.advance(3)
        ledger = found.sessions["cellar"].ledger
        assert ledger.received > received + 15
        assert (ledger.lost, ledger.duplicated) == (0, 0)
        assert mode_of(found) is Mode.CONTROL

    def test_a_clock_that_is_set_moves_no_decision(self) -> None:
        found = twin()
        found.advance(20)
        found.step_clock(-86_400.0)
        for _ in range(100):
            assert mode_of(found) is Mode.CONTROL
        assert found.house.state.battery_mode == "remote"


class TestDevices:
    def test_a_tapering_battery_takes_what_it_takes(self) -> None:
        found = twin(house={"clock": {"start": "2024-06-21T13:30:00"}})
        found.advance(20)
        found.begin(BatteryTakesOnly(charge_w=300.0))
        found.advance(5)
        assert found.house.state.battery_w == pytest.approx(300.0)
        assert found.house.state.grid_w < -1500.0

    def test_a_charger_with_its_pauses_is_commanded(self) -> None:
        """Half a second between two exchanges, five between two set-points."""
        found = twin(like="loads", house={"clock": {"start": "2024-06-21T13:30:00"}, "battery": {"soc": 1.0}})
        found.advance(60)
        car = found.house.loads.car
        assert car is not None
        assert car.power_w >= 1380.0
        assert car.charger.hurried_writes == 0
        assert (car.charger.failsafe_a, car.charger.failsafe_s) == (6.0, 30.0)  # armed first
        found.begin(LoadGone(device="car"))
        found.advance(40)
        assert car.charger.in_failsafe(found.now_s)

    def test_a_battery_off_its_link_is_found_again(self) -> None:
        found = twin()
        found.advance(20)
        found.begin(BatteryGone(for_s=30.0))
        found.advance(20)
        assert mode_of(found) is Mode.RELEASE
        found.advance(25)
        assert mode_of(found) is Mode.CONTROL
        assert seconds_until(found, "remote") <= 2.0

    def test_a_plan_is_made_and_followed(self) -> None:
        found = twin(like="loads", plan=True)
        found.advance(5)
        assert found.planner is not None
        assert found.planner.status(found.clock.utc_s()).plan is not None
        found.close()


def test_a_device_that_nobody_answers_for_is_absent() -> None:
    house, site = shipped("demo")
    site["devices"]["attic"] = {**site["devices"]["pv"], "tcp_port": 15099}
    found = Twin.of(house, site)
    found.advance(10)
    cycle = found.cycle()
    assert cycle is not None
    assert cycle.state.reading("attic", "p_w").why == "timeout"
