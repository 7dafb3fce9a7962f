"""Register images against bytes worked out by hand from the makers' documents."""

import struct

import pytest

from gateway.simulator.faults import NanSentinel
from gateway.simulator.products.registers import Refused
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation


def house(**tables: object) -> Simulation:
    tables = {"meter": {"error": 0.0, "noise_w": 0.0}, "load": {"noise_w": 0.0, "appliances": False}, **tables}
    simulation = Simulation(HouseConfig.model_validate(tables))
    simulation.advance(0.1)
    return simulation


def as_bytes(words: list[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)


class TestMeter:
    def test_power_is_a_float_high_word_first_at_52_and_import_is_positive(self) -> None:
        simulation = house(pv={"kwp": 0.0}, battery={"soc": 0.05, "standby_w": 0.0})
        # 250 W are the float 0x437A0000
        assert simulation.meter_registers.read(4, 52, 2) == [0x437A, 0x0000]

    def test_export_is_negative(self) -> None:
        simulation = house(battery={"soc": 1.0})
        (power_w,) = struct.unpack(">f", as_bytes(simulation.meter_registers.read(4, 52, 2)))
        assert power_w == pytest.approx(simulation.state.grid_w, abs=0.01)
        assert power_w < -3000.0

    def test_phases_sum_up_and_voltage_and_current_fit(self) -> None:
        registers = house().meter_registers
        floats = struct.unpack(">30f", as_bytes(registers.read(4, 0, 60)))
        volts, amperes, watts = floats[0:3], floats[3:6], floats[6:9]
        assert sum(watts) == pytest.approx(floats[26], abs=0.05)  # register 52
        assert all(220.0 < volt < 245.0 for volt in volts)
        for volt, ampere, watt, apparent in zip(volts, amperes, watts, floats[9:12], strict=True):
            assert volt * ampere == pytest.approx(apparent, abs=0.1)
            assert apparent >= abs(watt)

    def test_counters_are_kilowatt_hours_at_72_and_74(self) -> None:
        simulation = house(meter={"error": 0.0, "import_wh": 12_345.0, "export_wh": 678.0})
        imported, exported = struct.unpack(">2f", as_bytes(simulation.meter_registers.read(4, 72, 4)))
        assert imported == pytest.approx(12.345, abs=0.001)
        assert exported == pytest.approx(0.678, abs=0.001)

    def test_frequency_is_at_70(self) -> None:
        (hertz,) = struct.unpack(">f", as_bytes(house().meter_registers.read(4, 70, 2)))
        assert 49.9 < hertz < 50.1

    def test_the_serial_number_is_a_whole_number_in_holding_64512(self) -> None:
        (number,) = struct.unpack(">I", as_bytes(house().meter_registers.read(3, 64512, 2)))
        assert number > 0
        assert struct.unpack(">f", as_bytes(house().meter_registers.read(3, 28, 2))) == (2.0,)  # code of 9600 baud

    @pytest.mark.parametrize(
        ("function", "address", "count", "code"),
        [
            (4, 53, 2, 2),  # odd start
            (4, 52, 3, 3),  # odd count
            (4, 0, 62, 3),  # more than 60 registers
            (3, 52, 2, 2),  # measured values only with function 4
            (4, 64512, 2, 2),
            (4, 380, 4, 2),
            (1, 0, 2, 1),
        ],
    )
    def test_what_the_meter_refuses(self, function: int, address: int, count: int, code: int) -> None:
        with pytest.raises(Refused) as caught:
            house().meter_registers.read(function, address, count)
        assert caught.value.code == code

    def test_a_missing_value_is_a_float_nan(self) -> None:
        simulation = house()
        simulation.begin(NanSentinel(device="meter", point="active_power_w"))
        assert simulation.meter_registers.read(4, 52, 2) == [0x7FC0, 0x0000]
        assert simulation.meter_registers.read(4, 70, 2)[0] in (0x4247, 0x4248)  # 50 Hz is 0x42480000; the others stay


class TestInverter:
    def walk(self, simulation: Simulation) -> dict[int, list[int]]:
        """Models by number, found as any SunSpec master finds them."""
        read = simulation.pv_registers.read
        assert as_bytes(read(3, 40000, 2)) == b"SunS"
        at, models = 40002, {}
        while (head := read(3, at, 2))[0] != 0xFFFF:
            models[head[0]] = read(3, at, 2 + head[1])
            at += 2 + head[1]
        assert head == [0xFFFF, 0]
        return models

    def test_the_chain_is_1_103_120_with_the_lengths_of_the_models(self) -> None:
        models = self.walk(house())
        assert {number: words[1] for number, words in models.items()} == {1: 66, 103: 50, 120: 26}
        assert as_bytes(models[1][2:18]).rstrip(b"\0") == b"Zen-e-Ville"

    @pytest.mark.parametrize(
        ("limit_w", "raw", "exponent"),
        [(4000, 4000, 0x0000), (1234, 12340, 0xFFFF)],  # the exponent -1 below 3 kW
    )
    def test_power_is_an_integer_with_an_exponent_that_changes(self, limit_w: int, raw: int, exponent: int) -> None:
        simulation = house(pv={"kwp": 9.0, "inverter_limit_w": limit_w, "clouds": False})
        model = self.walk(simulation)[103]
        assert model[14:16] == [raw, exponent]
        assert model[38] == 5  # THROTTLED

    def test_other_points_are_where_the_model_puts_them(self) -> None:
        simulation = house(pv={"produced_wh": 0x12345678, "clouds": False})
        model = self.walk(simulation)[103]
        assert model[6] == 0xFFFE  # A_SF -2
        assert model[13] == 0xFFFF  # V_SF -1
        assert 4990 <= model[16] <= 5010  # Hz
        assert model[17] == 0xFFFE  # Hz_SF
        assert model[24:27] == [0x1234, 0x5678, 0]  # WH and its exponent
        assert model[38] == 4  # MPPT
        amperes, volts, watts = model[2] / 100, model[10] / 10, model[14] * 10.0 ** (0 if model[15] == 0 else -1)
        assert amperes * volts == pytest.approx(watts, rel=0.01)

    def test_the_inverter_sleeps_at_night_and_then_gives_exactly_nothing(self) -> None:
        model = self.walk(house(clock={"start": "2024-06-21T01:00:00"}))[103]
        assert (model[14], model[38]) == (0, 2)

    def test_the_rating_is_in_model_120(self) -> None:
        model = self.walk(house())[120]
        assert model[2:5] == [4, 5000, 0]  # PV, 5000 W

    def test_nothing_is_answered_before_the_marker_or_behind_the_end(self) -> None:
        registers = house().pv_registers
        for address, count in ((39999, 2), (40150, 3), (0, 2)):
            with pytest.raises(Refused) as caught:
                registers.read(3, address, count)
            assert caught.value.code == 2

    @pytest.mark.parametrize(
        ("point", "offset", "pattern"),
        [("active_power_w", 14, [0x8000]), ("frequency_hz", 16, [0xFFFF]), ("energy_wh", 24, [0, 0])],
    )
    def test_a_missing_value_is_the_pattern_of_its_type(self, point: str, offset: int, pattern: list[int]) -> None:
        simulation = house()
        simulation.begin(NanSentinel(device="pv", point=point))
        assert self.walk(simulation)[103][offset : offset + len(pattern)] == pattern


class TestStorage:
    def read(self, simulation: Simulation, address: int, form: str) -> int:
        size = struct.calcsize(form) // 2
        (value,) = struct.unpack(">" + form, as_bytes(simulation.battery_registers.read(3, address, size)))
        return int(value)

    def charged(self, power_w: float) -> Simulation:
        simulation = house()
        simulation.battery.set_power(power_w, simulation.building.elapsed_s)
        simulation.battery.enable(simulation.building.elapsed_s)
        for _ in range(50):
            simulation.advance(0.1)
        return simulation

    def test_power_at_30775_is_positive_when_it_delivers(self) -> None:
        assert self.read(self.charged(-2000.0), 30775, "i") == 2000
        charging = self.charged(3000.0)
        assert charging.battery_registers.read(3, 30775, 2) == [0xFFFF, 0xF448]  # -3000

    def test_the_other_points(self) -> None:
        simulation = self.charged(3000.0)
        assert self.read(simulation, 30845, "I") == 50  # percent
        assert 4990 <= self.read(simulation, 30803, "I") <= 5010  # 0.01 Hz
        assert self.read(simulation, 30201, "I") == 307  # ok
        assert self.read(simulation, 30955, "I") == 2292  # charging
        assert self.read(simulation, 31393, "I") == 3000
        assert self.read(simulation, 31395, "I") == 0
        assert self.read(simulation, 40187, "I") == 10000
        assert self.read(simulation, 31397, "Q") == int(3_210_987 + simulation.state.charge_wh)
        assert self.read(simulation, 31401, "Q") == int(2_987_654 + simulation.state.discharge_wh)

    def test_points_that_a_storage_lacks_say_so(self) -> None:
        assert house().battery_registers.read(4, 30773, 2) == [0x8000, 0x0000]

    def test_a_missing_value_is_the_pattern_of_its_type(self) -> None:
        simulation = house()
        simulation.begin(NanSentinel(device="battery", point="active_power_w"))
        simulation.begin(NanSentinel(device="battery", point="soc_pct"))
        assert simulation.battery_registers.read(3, 30845, 2) == [0xFFFF, 0xFFFF]

    @pytest.mark.parametrize("address", [40149, 40151, 30776, 30777, 0, 40236])
    def test_what_cannot_be_read(self, address: int) -> None:
        with pytest.raises(Refused) as caught:
            house().battery_registers.read(3, address, 2)
        assert caught.value.code == 2

    def test_a_written_setpoint_turns_the_sign_and_counts_once_enabled(self) -> None:
        simulation = house()
        simulation.battery_registers.write(16, 40149, [0xFFFF, 0xF448])  # -3000: charge
        assert simulation.battery.mode == "own"
        simulation.battery_registers.write(16, 40151, [0, 802])
        assert (simulation.battery.mode, simulation.battery.setpoint_w) == ("remote", 3000.0)
        simulation.battery_registers.write(16, 40151, [0, 803])
        assert simulation.battery.mode == "own"

    def test_setpoint_and_enable_may_come_in_one_message(self) -> None:
        simulation = house()
        simulation.battery_registers.write(16, 40149, [0x0000, 0x07D0, 0, 802])  # deliver 2000 W
        assert (simulation.battery.mode, simulation.battery.setpoint_w) == ("remote", -2000.0)

    @pytest.mark.parametrize(
        ("function", "address", "words", "code"),
        [
            (6, 40149, [1], 3),  # half of a 32-bit value
            (16, 40149, [1], 3),
            (16, 40150, [0, 1], 2),
            (16, 40151, [0, 804], 3),
            (16, 40153, [0, 0], 2),
            (16, 40149, [0, 0, 0, 802, 0, 0], 2),
            (16, 30775, [0, 0], 2),
        ],
    )
    def test_what_cannot_be_written(self, function: int, address: int, words: list[int], code: int) -> None:
        simulation = house()
        with pytest.raises(Refused) as caught:
            simulation.battery_registers.write(function, address, words)
        assert caught.value.code == code
        assert simulation.battery.setpoint_writes == 0


def test_a_fault_at_a_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="has no point 'watt'"):
        house().begin(NanSentinel(device="pv", point="watt"))
