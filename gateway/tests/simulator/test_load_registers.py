"""Register maps of the loads and of the inverter that takes a limit; addresses and numbers as in the makers' lists."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulator.faults import InverterRefuses, LoadRefuses, NanSentinel
from gateway.simulator.products.registers import Refused, point_words
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

QUIET = {"load": {"noise_w": 0.0, "appliances": False}, "pv": {"clouds": False}}


def house(seconds: float = 1.0, **tables: object) -> Simulation:
    simulation = Simulation(HouseConfig.model_validate(QUIET | tables))
    for _ in range(round(seconds)):
        simulation.advance(1.0)
    return simulation


def read(simulation: Simulation, load: str, address: int, form: str, function: int = 3) -> int:
    size = struct.calcsize(">" + form) // 2
    words = simulation.load_registers[load].read(function, address, size)
    (value,) = struct.unpack(">" + form, struct.pack(f">{size}H", *words))
    return int(value)


def refused(simulation: Simulation, load: str, how: str, function: int, address: int, what: object) -> int:
    """The exception code."""
    with pytest.raises(Refused) as caught:
        getattr(simulation.load_registers[load], how)(function, address, what)
    return caught.value.code


class TestCharger:
    def charging(self, seconds: float = 10.0, **car: object) -> Simulation:
        return house(seconds, car={"plugged": True, **car}, serve={"car": {}})

    def test_what_it_measures(self) -> None:
        simulation = self.charging(3600 + 6, capacity_wh=1e6)
        assert read(simulation, "car", 1000, "I") == 3  # charging
        assert read(simulation, "car", 1004, "I") == 7  # locked at the vehicle
        assert [read(simulation, "car", address, "I") for address in (1008, 1010, 1012)] == [16_000] * 3  # mA
        assert read(simulation, "car", 1020, "I") == 11_040_000  # mW
        assert read(simulation, "car", 1036, "I") == pytest.approx(10 * (1_234_567 + 11_040), abs=1)  # 0.1 Wh
        assert read(simulation, "car", 1502, "I") == pytest.approx(110_400, abs=1)
        assert [read(simulation, "car", address, "I") for address in (1040, 1042, 1044)] == [230] * 3
        assert read(simulation, "car", 1100, "I") == 32_000
        assert read(simulation, "car", 1110, "I") == 32_000

    def test_one_phase_draws_on_one_phase(self) -> None:
        simulation = self.charging(phases=1)
        assert [read(simulation, "car", address, "I") for address in (1008, 1010, 1012)] == [16_000, 0, 0]
        assert simulation.load_registers["car"].read(3, 1020, 2) == [0x0038, 0x2700]  # 3 680 000 mW, high word first

    def test_the_states_of_car_and_cable(self) -> None:
        simulation = house(car={}, serve={"car": {}})
        states = [(read(simulation, "car", 1000, "I"), read(simulation, "car", 1004, "I"))]
        simulation.loads.car.plug()
        simulation.advance(1.0)
        states.append((read(simulation, "car", 1000, "I"), read(simulation, "car", 1004, "I")))
        simulation.load_registers["car"].write(6, 5004, [0])
        simulation.advance(1.0)
        states.append((read(simulation, "car", 1000, "I"), read(simulation, "car", 1004, "I")))
        # not ready without a car, ready while it wakes, suspended at 0 A
        assert states == [(1, 3), (2, 7), (5, 7)]

    @pytest.mark.parametrize(("cable", "states"), [("fixed", [3, 7, 7]), ("socket", [0, 7, 5]), ("left", [1, 7, 5])])
    def test_the_cable_is_fixed_or_the_car_owner_s(self, cable: str, states: list[int]) -> None:
        """Without a car, at one that may charge, and at one that may not."""
        simulation = house(car={"cable": cable}, serve={"car": {}})
        found = [read(simulation, "car", 1004, "I")]
        simulation.loads.car.plug()
        found.append(read(simulation, "car", 1004, "I"))
        simulation.load_registers["car"].write(6, 5004, [0])
        assert [*found, read(simulation, "car", 1004, "I")] == states

    def test_it_is_a_p30_and_measures_behind_its_relay(self) -> None:
        simulation = house(car={}, serve={"car": {}})
        assert read(simulation, "car", 1016, "I") == 314_121  # six digits from 3 on: evcc issue 14228
        assert [read(simulation, "car", address, "I") for address in (1020, 1040, 1042, 1044)] == [0] * 4

    def test_a_current_in_milliamperes_is_offered(self) -> None:
        simulation = self.charging()
        simulation.load_registers["car"].write(6, 5004, [10_500])
        for _ in range(4):
            simulation.advance(1.0)
        assert read(simulation, "car", 1100, "I") == 10_500
        assert read(simulation, "car", 1020, "I") == 7_245_000  # 3 x 230 V x 10.5 A

    def test_the_failsafe_comes_after_its_time_without_a_request_and_ends_with_the_next(self) -> None:
        simulation = self.charging()
        registers = simulation.load_registers["car"]
        registers.write(6, 5016, [6000])
        registers.write(6, 5018, [30])
        for _ in range(29):
            simulation.advance(1.0)
        assert simulation.loads.car.drawn_a == pytest.approx(16.0)
        for _ in range(4):
            simulation.advance(1.0)
        assert simulation.loads.car.drawn_a == pytest.approx(6.0)
        assert read(simulation, "car", 1600, "I") == 6000
        assert read(simulation, "car", 1602, "I") == 30
        for _ in range(4):
            simulation.advance(1.0)
        assert simulation.loads.car.drawn_a == pytest.approx(16.0)

    def test_charging_is_switched_off_at_5014(self) -> None:
        simulation = self.charging()
        simulation.load_registers["car"].write(6, 5014, [0])
        for _ in range(4):
            simulation.advance(1.0)
        assert read(simulation, "car", 1020, "I") == 0

    @pytest.mark.parametrize(
        ("function", "address", "count", "code"),
        [
            (4, 1020, 2, 1),  # function 3 only
            (3, 1020, 4, 3),  # one value in a request
            (3, 1020, 1, 3),
            (3, 1021, 2, 2),  # half a value
            (3, 1002, 2, 2),
            (3, 5004, 2, 2),  # a current cannot be read back
        ],
    )
    def test_what_it_does_not_answer(self, function: int, address: int, count: int, code: int) -> None:
        assert refused(self.charging(1), "car", "read", function, address, count) == code

    @pytest.mark.parametrize(
        ("function", "address", "value", "code"),
        [
            (16, 5004, 6000, 1),  # function 6 only
            (6, 5004, 5999, 3),
            (6, 5004, 32_001, 3),
            (6, 5016, 3000, 3),
            (6, 5018, 4, 3),
            (6, 5018, 601, 3),
            (6, 5014, 2, 3),
            (6, 1100, 6000, 2),
        ],
    )
    def test_what_it_does_not_take(self, function: int, address: int, value: int, code: int) -> None:
        simulation = self.charging(1)
        assert refused(simulation, "car", "write", function, address, [value]) == code
        assert simulation.loads.car.charger.setpoint_a == 32.0


class TestHeater:
    def heating(self, **tank: object) -> Simulation:
        return house(tank={"temp_c": 52.34, "loss_w_per_k": 0, **tank}, serve={"tank": {}})

    def test_power_is_written_and_read_at_1000(self) -> None:
        simulation = self.heating()
        assert read(simulation, "tank", 1000, "H") == 0
        simulation.load_registers["tank"].write(6, 1000, [1750])
        simulation.advance(1.0)
        assert read(simulation, "tank", 1000, "H") == 0  # not yet: it reads the actual power
        simulation.advance(1.0)
        assert read(simulation, "tank", 1000, "H") == 1750
        assert read(simulation, "tank", 1003, "H") == 9  # heating
        assert read(simulation, "tank", 1077, "H") == 1  # with surplus
        assert read(simulation, "tank", 1062, "H") == 76  # 7.6 A

    def test_the_other_points(self) -> None:
        simulation = self.heating()
        assert simulation.load_registers["tank"].read(3, 1000, 5) == [0, 523, 650, 0, 60]
        assert read(simulation, "tank", 1014, "H") == 3000
        assert read(simulation, "tank", 1061, "H") == 230
        assert read(simulation, "tank", 1071, "H") == 3300

    def test_limit_and_validity_can_be_set(self) -> None:
        simulation = self.heating()
        registers = simulation.load_registers["tank"]
        registers.write(16, 1002, [500])
        registers.write(16, 1004, [5])
        registers.write(16, 1000, [3000])
        simulation.advance(2.0)
        assert read(simulation, "tank", 1000, "H") == 0  # 52 degrees are above 50
        registers.write(16, 1002, [600])
        for _ in range(3):
            simulation.advance(1.0)
        assert read(simulation, "tank", 1000, "H") == 3000
        for _ in range(3):
            simulation.advance(1.0)
        assert read(simulation, "tank", 1000, "H") == 0  # 5 s are over

    def test_its_boost_shows(self) -> None:
        simulation = house(2.0, tank={"temp_c": 30}, serve={"tank": {}})
        assert (read(simulation, "tank", 1000, "H"), read(simulation, "tank", 1077, "H")) == (3000, 2)

    @pytest.mark.parametrize(
        ("how", "function", "address", "what", "code"),
        [
            ("read", 4, 1000, 1, 1),
            ("read", 3, 999, 1, 2),
            ("read", 3, 1004, 2, 2),
            ("write", 6, 1001, [1], 2),
            ("write", 16, 1000, [1, 2], 2),
            ("write", 6, 1004, [0], 3),
            ("write", 5, 1000, [1], 1),
        ],
    )
    def test_what_it_refuses(self, how: str, function: int, address: int, what: object, code: int) -> None:
        assert refused(self.heating(), "tank", how, function, address, what) == code


class TestLambda:
    def pump(self, seconds: float = 60.0, offer_w: int | None = None, **pump: object) -> Simulation:
        simulation = house(1.0, heat_pump={"temp_c": 21.26, **pump}, serve={"heat_pump": {}})
        if offer_w is not None:
            simulation.load_registers["heat_pump"].write(16, 102, [offer_w])
        for _ in range(round(seconds)):
            simulation.advance(1.0)
        return simulation

    def test_what_it_measures_at_rest(self) -> None:
        simulation = self.pump(1.0)
        assert read(simulation, "heat_pump", 1012, "h") == 15
        assert read(simulation, "heat_pump", 5004, "h") == 213  # rooms
        assert read(simulation, "heat_pump", 1004, "h") == 2426  # flow, 0.01 degree
        assert read(simulation, "heat_pump", 3002, "h") == 243  # buffer
        assert read(simulation, "heat_pump", 1003, "H") == 0  # standby
        assert read(simulation, "heat_pump", 2, "h") == round(10 * simulation.loads.heat_pump.outdoor_c)

    def test_an_offered_surplus_is_used_and_shown_and_lapses(self) -> None:
        simulation = self.pump(50.0, offer_w=1900, run_s=0)
        assert read(simulation, "heat_pump", 104, "h") == 1900
        assert read(simulation, "heat_pump", 1012, "h") == read(simulation, "heat_pump", 103, "h") == 1915
        assert read(simulation, "heat_pump", 1003, "H") == 1  # heating
        assert read(simulation, "heat_pump", 1010, "H") == 7600  # 0.01 %
        cop = read(simulation, "heat_pump", 1013, "h") / 100.0
        assert read(simulation, "heat_pump", 1011, "h") == pytest.approx(19 * cop, abs=1)  # 0.1 kW
        for _ in range(15):
            simulation.advance(1.0)
        assert read(simulation, "heat_pump", 1012, "h") == 15

    def test_counters_are_32_bits_with_the_low_word_first(self) -> None:
        simulation = self.pump(1.0, used_wh=0x123456)
        assert simulation.load_registers["heat_pump"].read(3, 1020, 2) == [0x3456, 0x0012]

    @pytest.mark.parametrize(
        ("how", "function", "address", "what", "code"),
        [
            ("read", 4, 1012, 1, 1),
            ("read", 3, 102, 1, 2),  # the surplus can only be written
            ("read", 3, 1021, 1, 2),
            ("write", 6, 102, [100], 1),  # function 16 even for one register
            ("write", 16, 103, [100], 2),
            ("write", 16, 102, [100, 100], 2),
        ],
    )
    def test_what_it_refuses(self, how: str, function: int, address: int, what: object, code: int) -> None:
        assert refused(self.pump(1.0), "heat_pump", how, function, address, what) == code


class TestStiebel:
    def pump(self, **pump: object) -> Simulation:
        served = {"heat_pump": {"profile": "stiebel_isg_wpm"}}
        return house(1.0, heat_pump={"temp_c": 21.26, "target_c": 20.5, "raise_k": 2, **pump}, serve=served)

    def test_what_it_measures(self) -> None:
        simulation = self.pump(used_wh=12_345_678)
        assert read(simulation, "heat_pump", 502, "h", 4) == 213
        assert read(simulation, "heat_pump", 514, "h", 4) == 243
        assert read(simulation, "heat_pump", 521, "H", 4) == 0x8000  # this plant makes no hot water
        assert simulation.load_registers["heat_pump"].read(4, 3511, 2) == [345, 12]  # kWh and MWh
        assert read(simulation, "heat_pump", 5000, "H", 4) == 2

    def test_sg_ready_forces_and_blocks(self) -> None:
        simulation = self.pump()
        registers = simulation.load_registers["heat_pump"]
        seen = []
        for pair in ([1, 0], [0, 0], [0, 1], [1, 1]):
            registers.write(16, 4001, pair)
            simulation.advance(1.0)
            pump = simulation.loads.heat_pump
            seen.append((read(simulation, "heat_pump", 5000, "H", 4), pump.forced, pump.blocked))
            assert registers.read(3, 4001, 2) == pair
        # forced, normal, blocked; both at once are not in the maker's table
        assert seen == [(3, True, False), (2, False, False), (1, False, True), (2, False, False)]

    def test_forced_it_runs_and_says_so(self) -> None:
        simulation = self.pump()
        assert read(simulation, "heat_pump", 2500, "H", 4) == 0
        simulation.load_registers["heat_pump"].write(6, 4001, [1])
        for _ in range(30):
            simulation.advance(1.0)
        assert simulation.state.loads_w["heat_pump"] == 1815.0
        assert read(simulation, "heat_pump", 2500, "H", 4) != 0
        simulation.load_registers["heat_pump"].write(6, 4000, [0])  # SG Ready is switched off
        simulation.advance(1.0)
        assert not simulation.loads.heat_pump.forced

    def test_a_missing_value_is_the_pattern_of_the_maker(self) -> None:
        simulation = self.pump()
        simulation.begin(NanSentinel(device="heat_pump", point="room_temperature_dc"))
        assert read(simulation, "heat_pump", 502, "H", 4) == 0x8000

    @pytest.mark.parametrize(
        ("how", "function", "address", "what", "code"),
        [
            ("read", 3, 502, 1, 2),  # measured values are input registers
            ("read", 4, 4001, 1, 2),
            ("read", 4, 503, 1, 2),
            ("read", 1, 502, 1, 1),
            ("write", 6, 4001, [2], 3),
            ("write", 6, 4003, [1], 2),
            ("write", 6, 502, [1], 2),
        ],
    )
    def test_what_it_refuses(self, how: str, function: int, address: int, what: object, code: int) -> None:
        assert refused(self.pump(), "heat_pump", how, function, address, what) == code


class TestTripower:
    def roof(self, **tables: object) -> Simulation:
        return house(serve={"pv": {"profile": "sma_tripower"}}, **tables)

    def read(self, simulation: Simulation, address: int, form: str) -> int:
        size = struct.calcsize(">" + form) // 2
        words = simulation.pv_registers.read(4, address, size)
        (value,) = struct.unpack(">" + form, struct.pack(f">{size}H", *words))
        return int(value)

    def test_what_it_measures(self) -> None:
        simulation = self.roof(pv={"clouds": False, "produced_wh": 0x1_2345_6789})
        assert self.read(simulation, 30775, "i") == round(-simulation.state.pv_w)
        assert self.read(simulation, 30775, "i") > 3500
        assert 4990 <= self.read(simulation, 30803, "I") <= 5010
        assert self.read(simulation, 30513, "Q") == pytest.approx(0x1_2345_6789, abs=2)
        assert self.read(simulation, 30529, "I") == pytest.approx(0x2345_6789, abs=2)
        assert self.read(simulation, 30201, "I") == 307
        assert self.read(simulation, 40210, "I") == 1079

    def test_at_night_power_and_frequency_are_the_pattern_for_no_value(self) -> None:
        simulation = self.roof(clock={"start": "2024-06-21T01:00:00"})
        assert simulation.pv_registers.read(3, 30775, 2) == [0x8000, 0x0000]
        assert simulation.pv_registers.read(3, 30803, 2) == [0xFFFF, 0xFFFF]

    @pytest.mark.parametrize(
        ("address", "value", "power_w"), [(40016, 40, 2000), (40023, 4050, 2025), (40023, 0, 0), (40016, 0, 0)]
    )
    def test_a_limit_is_a_share_of_the_rated_power(self, address: int, value: int, power_w: int) -> None:
        simulation = self.roof()
        simulation.pv_registers.write(6, address, [value])
        for _ in range(3):
            simulation.advance(1.0)
        assert self.read(simulation, 30775, "i") == power_w  # by day 0 W is a value
        simulation.pv_registers.write(16, 40023, [10_000])
        for _ in range(3):
            simulation.advance(1.0)
        assert self.read(simulation, 30775, "i") > 3500

    @pytest.mark.parametrize(
        ("how", "function", "address", "what", "code"),
        [
            ("read", 3, 40023, 1, 2),  # a limit cannot be read back
            ("read", 3, 30776, 2, 2),
            ("read", 1, 30775, 2, 1),
            ("write", 6, 40016, [101], 3),
            ("write", 6, 40023, [10_001], 3),
            ("write", 6, 40023, [0xFFFF], 3),  # -0.01 %: only a battery could take that
            ("write", 16, 40023, [100, 0], 2),
            ("write", 6, 40210, [303], 2),
            ("write", 5, 40023, [1], 1),
        ],
    )
    def test_what_it_refuses(self, how: str, function: int, address: int, what: object, code: int) -> None:
        simulation = self.roof()
        with pytest.raises(Refused) as caught:
            getattr(simulation.pv_registers, how)(function, address, what)
        assert caught.value.code == code
        assert simulation.inverter.writes == 0

    def test_a_missing_value_by_day(self) -> None:
        simulation = self.roof()
        simulation.begin(NanSentinel(device="pv", point="active_power_w"))
        assert self.read(simulation, 30775, "I") == 0x8000_0000


def test_a_refusing_device_takes_nothing_and_goes_on_answering() -> None:
    simulation = house(car={"plugged": True}, serve={"car": {}, "pv": {"profile": "sma_tripower"}})
    simulation.begin(LoadRefuses(device="car", code=6))
    simulation.begin(InverterRefuses())
    assert refused(simulation, "car", "write", 6, 5004, [6000]) == 6
    assert simulation.loads.car.charger.writes == 0
    with pytest.raises(Refused) as caught:
        simulation.pv_registers.write(6, 40023, [5000])
    assert caught.value.code == 4
    assert read(simulation, "car", 1016, "I") == 314_121


def big_house(pump: str) -> Simulation:
    """Everything served, with more watts than 16 bits can show."""
    return house(
        car={"plugged": True},
        tank={"heater_w": 90_000},
        heat_pump={"power_w": 80_000, "most_w": 90_000, "ramp_w_per_s": 1e6, "temp_c": 10},
        pv={"kwp": 500, "inverter_limit_w": 400_000},
        serve={"car": {}, "tank": {}, "heat_pump": {"profile": pump}, "pv": {"profile": "sma_tripower"}},
    )


PUMPS = ("lambda_eu_l", "stiebel_isg_wpm")
near = st.one_of(*(st.integers(first, first + 25) for first in (0, 95, 500, 1000, 4000, 5000, 30_775, 40_010)))
request = st.tuples(
    st.sampled_from(["read", "write"]),
    st.sampled_from([1, 3, 4, 5, 6, 16, 23]),
    near | st.integers(0, 65_000),
    st.lists(st.integers(0, 65_535), min_size=1, max_size=5),
)


@settings(max_examples=100, deadline=None)
@given(device=st.sampled_from(["car", "tank", *PUMPS, "pv"]), requests=st.lists(request, min_size=1, max_size=10))
def test_any_request_is_answered_in_full_or_refused(
    device: str, requests: list[tuple[str, int, int, list[int]]]
) -> None:
    simulation = big_house(device if device in PUMPS else "lambda_eu_l")
    load = "heat_pump" if device in PUMPS else device
    registers = simulation.pv_registers if device == "pv" else simulation.load_registers[load]
    for how, function, address, words in requests:
        with contextlib.suppress(Refused):
            if how == "write":
                registers.write(function, address, words)
                simulation.advance(1.0)
                continue
            answer = registers.read(function, address, len(words))
            assert len(answer) == len(words)
            assert all(0 <= word <= 0xFFFF for word in answer)


@pytest.mark.parametrize(("form", "value", "words"), [("h", 40_000, [0x7FFF]), ("H", -1, [0]), ("H", 70_000, [0xFFFF])])
def test_a_number_beyond_its_register_is_shown_as_the_nearest(form: str, value: int, words: list[int]) -> None:
    assert point_words(form, value) == words
