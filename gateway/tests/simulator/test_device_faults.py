"""What devices do wrong on a sound link, against figures worked out by hand."""

import struct

import pytest

from gateway.simulator.device_faults import (
    BatteryIgnoresOrders,
    BatteryMeterWrong,
    BatteryRestarts,
    BatterySocWrong,
    BatteryTakesOnly,
    CarOnePhase,
    CounterAtZero,
    ForeignMaster,
    InverterIgnoresLimit,
    InverterWithoutSupply,
    LoadIgnoresOrders,
    MeterPhasesSwapped,
    MeterSignFlipped,
    MeterSpike,
    SameWord,
)
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

EXACT = {"error": 0.0, "noise_w": 0.0}
NOON = {"clock": {"start": "2024-06-21T13:30:00"}, "pv": {"clouds": False}}
CAR = {"car": {"plugged": True}, "serve": {"car": {}}}
STILL = {"base_w": 1000.0, "noise_w": 0.0, "kettle_every_s": 0.0, "appliances": False}


def house(**tables: dict[str, object]) -> Simulation:
    """1 kW of load at night, no sun, the battery full of nothing that moves; `tables` change it."""
    start = {"start": "2024-06-21T23:30:00"}
    table = {"clock": start, "load": STILL, "meter": EXACT, "battery": {"soc": 0.05}, **tables}
    return Simulation(HouseConfig.model_validate(table))


def lived(simulation: Simulation, seconds: float) -> Simulation:
    for _ in range(round(seconds / 0.1)):
        simulation.advance(0.1)
    return simulation


def floats(simulation: Simulation, address: int, count: int) -> tuple[float, ...]:
    words = simulation.meter_registers.read(4, address, 2 * count)
    return struct.unpack(f">{count}f", struct.pack(f">{2 * count}H", *words))


class TestMeter:
    def test_a_flipped_meter_shows_and_counts_import_as_export(self) -> None:
        simulation = lived(house(), 1)
        before = floats(simulation, 72, 2)
        simulation.begin(MeterSignFlipped())
        lived(simulation, 360)  # a tenth of an hour at 1012 W (with the battery's standby)
        (power_w,), (imported, exported) = floats(simulation, 52, 1), floats(simulation, 72, 2)
        assert power_w == pytest.approx(-simulation.state.grid_w, abs=0.1)
        assert simulation.state.grid_w == pytest.approx(1012.0, abs=1.0)
        assert imported == pytest.approx(before[0], abs=1e-3)
        assert exported - before[1] == pytest.approx(0.1012, abs=0.002)

    def test_one_reversed_transformer_turns_one_phase(self) -> None:
        simulation = house()
        simulation.begin(MeterSignFlipped(phase=2))
        lived(simulation, 1)
        assert floats(simulation, 12, 3) == pytest.approx((512.0, -300.0, 200.0), abs=0.1)  # 1000 W at 5 : 3 : 2
        assert floats(simulation, 52, 1) == pytest.approx((412.0,), abs=0.1)

    def test_swapped_transformers_leave_the_total(self) -> None:
        simulation = house()
        simulation.begin(MeterPhasesSwapped(first=1, second=3))
        lived(simulation, 1)
        assert floats(simulation, 12, 3) == pytest.approx((200.0, 300.0, 512.0), abs=0.1)
        assert floats(simulation, 52, 1) == pytest.approx((1012.0,), abs=0.1)

    def test_a_spike_is_shown_and_not_counted(self) -> None:
        simulation = lived(house(), 1)
        before = floats(simulation, 72, 2)
        simulation.begin(MeterSpike(w=-52_000.0, for_s=3.0))
        lived(simulation, 1)
        assert floats(simulation, 52, 1) == pytest.approx((-52_000.0,), abs=1.0)
        lived(simulation, 3)
        assert floats(simulation, 52, 1) == pytest.approx((1012.0,), abs=1.0)
        assert floats(simulation, 72, 2)[1] == before[1]

    def test_a_counter_reads_0_and_its_neighbours_do_not(self) -> None:
        simulation = house()
        simulation.begin(CounterAtZero(device="meter", point="energy_import_kwh"))
        lived(simulation, 1)
        imported, exported = floats(simulation, 72, 2)
        assert imported == 0.0
        assert exported > 200.0
        assert floats(simulation, 72, 1) == (0.0,)

    def test_a_counter_that_is_none_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ValueError, match="there are voltage_l1_v"):
            house().begin(CounterAtZero(device="meter", point="energy"))


class TestBattery:
    @pytest.mark.parametrize(("ordered_w", "takes_w"), [(4000.0, 300.0), (200.0, 200.0), (-4000.0, -1000.0)])
    def test_the_cells_take_and_give_only_so_much(self, ordered_w: float, takes_w: float) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(BatteryTakesOnly(charge_w=300.0, discharge_w=1000.0))
        simulation.battery.set_power(ordered_w, 0.0)
        simulation.battery.enable(0.0)
        lived(simulation, 5)
        assert simulation.state.battery_w == pytest.approx(takes_w)

    def test_one_that_ignores_orders_goes_on_and_says_that_it_took_them(self) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(BatteryIgnoresOrders(w=-1500.0))
        simulation.battery_registers.write(16, 40149, [0, 0, 0, 802])  # 0 W
        lived(simulation, 5)
        assert simulation.state.battery_w == pytest.approx(-1500.0)
        assert (simulation.state.battery_mode, simulation.state.setpoint_w) == ("remote", 0.0)

    def test_without_a_power_it_goes_on_in_its_own_mode(self) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(BatteryIgnoresOrders())
        simulation.battery_registers.write(16, 40149, [0, 0, 0, 802])
        lived(simulation, 5)
        assert simulation.state.grid_w == pytest.approx(0.0, abs=20.0)

    @pytest.mark.parametrize(
        ("fault", "shown_w"), [(BatteryMeterWrong(factor=-1.0), 500), (BatteryMeterWrong(w=52_000.0), -52_000)]
    )
    def test_it_reports_another_power_than_it_has(self, fault: BatteryMeterWrong, shown_w: int) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(fault)
        simulation.battery.set_power(500.0, 0.0)
        simulation.battery.enable(0.0)
        lived(simulation, 5)
        (raw,) = struct.unpack(">i", struct.pack(">2H", *simulation.battery_registers.read(3, 30775, 2)))
        assert (raw, round(simulation.state.battery_w)) == (shown_w, 500)  # SMA: positive when it delivers

    def test_it_reports_another_charge_than_it_has(self) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(BatterySocWrong(soc=0.0))
        assert lived(simulation, 1).battery_registers.read(3, 30845, 2) == [0, 0]
        assert simulation.state.soc > 0.49

    def test_one_that_starts_anew_is_silent_and_has_forgotten_its_set_point(self) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.battery_registers.write(16, 40149, [0, 0, 0, 802])
        lived(simulation, 1)
        simulation.begin(BatteryRestarts(for_s=10.0))
        lived(simulation, 1)
        assert simulation.faults.is_silent("battery")
        assert simulation.state.battery_mode == "own"
        assert not lived(simulation, 10).faults.is_silent("battery")

    def test_a_foreign_master_writes_again_and_again(self) -> None:
        simulation = house(battery={"soc": 0.5})
        simulation.begin(ForeignMaster(device="battery", w=3000.0, every_s=1.0, for_s=30.0))
        for _ in range(20):
            simulation.battery.set_power(-5000.0, simulation.now_s)
            lived(simulation, 1)
        writes = simulation.battery.setpoint_writes
        assert 39 <= writes <= 41  # each of the two once a second
        assert lived(simulation, 20).battery.setpoint_writes - writes <= 12


class TestInverter:
    def test_a_limit_without_effect_is_taken_all_the_same(self) -> None:
        simulation = house(**NOON, serve={"pv": {"profile": "sma_tripower"}})
        full_w = lived(simulation, 2).state.pv_w
        simulation.begin(InverterIgnoresLimit())
        simulation.pv_registers.write(6, 40023, [1000])  # 10 % of 5 kW
        assert lived(simulation, 5).state.pv_w == pytest.approx(full_w, rel=0.01)
        simulation.faults.clear()
        assert lived(simulation, 5).state.pv_w == pytest.approx(-500.0)

    def test_without_sun_nobody_is_at_its_address_and_by_day_somebody_is(self) -> None:
        night, noon = house(), house(**NOON)
        for simulation in (night, noon):
            simulation.begin(InverterWithoutSupply())
            lived(simulation, 1)
        assert (night.faults.is_silent("pv"), noon.faults.is_silent("pv")) == (True, False)

    def test_every_register_reads_all_ones(self) -> None:
        simulation = house(**NOON)
        simulation.begin(SameWord(device="pv"))
        assert lived(simulation, 1).pv_registers.read(3, 40070, 5) == [0xFFFF] * 5


class TestLoads:
    def test_a_car_of_three_phases_draws_one(self) -> None:
        simulation = lived(house(**CAR), 10)
        assert simulation.state.loads_w["car"] == pytest.approx(3 * 230 * 16)
        simulation.begin(CarOnePhase())
        lived(simulation, 5)
        assert simulation.state.loads_w["car"] == pytest.approx(230 * 16)
        assert simulation.state.loads_phases_w == pytest.approx((3680.0, 0.0, 0.0))
        read = simulation.load_registers["car"].read
        assert [read(3, address, 2)[1] for address in (1008, 1010, 1012)] == [16_000, 0, 0]

    def test_a_charger_at_rest_shows_no_voltage(self) -> None:
        simulation = house(**CAR)
        simulation.load_registers["car"].write(6, 5004, [0])
        lived(simulation, 10)
        read = simulation.load_registers["car"].read
        assert [read(3, address, 2) for address in (1004, 1020, 1040)] == [[0, 7], [0, 0], [0, 0]]  # evcc#1520
        simulation.load_registers["car"].write(6, 5004, [6000])
        assert lived(simulation, 10).load_registers["car"].read(3, 1040, 2) == [0, 230]

    @pytest.mark.parametrize(("w", "drawn_w"), [(None, 3000.0), (700.0, 700.0)])
    def test_a_heater_that_ignores_orders(self, w: float | None, drawn_w: float) -> None:
        simulation = house(tank={}, serve={"tank": {}})
        simulation.begin(LoadIgnoresOrders(device="tank", w=w))
        simulation.load_registers["tank"].write(6, 1000, [0])
        assert lived(simulation, 5).state.loads_w["tank"] == pytest.approx(drawn_w)

    def test_a_relay_that_sticks(self) -> None:
        simulation = house(pool_pump={}, serve={"pool_pump": {}})
        assert lived(simulation, 1).state.loads_w["pool_pump"] == 0.0
        simulation.begin(LoadIgnoresOrders(device="pool_pump"))
        assert lived(simulation, 1).state.loads_w["pool_pump"] == 900.0

    def test_a_charger_that_ignores_orders_gives_all(self) -> None:
        simulation = house(**CAR)
        simulation.load_registers["car"].write(6, 5004, [0])
        simulation.begin(LoadIgnoresOrders(device="car"))
        assert lived(simulation, 15).state.loads_w["car"] == pytest.approx(3 * 230 * 16)

    def test_a_heat_pump_that_ignores_offers_follows_its_thermostat(self) -> None:
        tables = {"heat_pump": {"temp_c": 22.0}, "serve": {"heat_pump": {}}}
        offered, deaf = house(**tables), house(**tables)
        deaf.begin(LoadIgnoresOrders(device="heat_pump"))
        for simulation in (offered, deaf):
            assert simulation.loads.heat_pump is not None
            simulation.loads.heat_pump.offer(2000.0, 0.0)
            lived(simulation, 30)
        assert offered.state.loads_w["heat_pump"] > 600.0
        assert deaf.state.loads_w["heat_pump"] == pytest.approx(15.0)
