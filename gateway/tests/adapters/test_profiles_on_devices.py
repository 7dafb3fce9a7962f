"""What the profiles ask is what the simulated products answer: both were written from the makers' lists, not from each
other."""

import json

import pytest

from gateway.adapters.node.poll_tables import Wiring, compile_table
from gateway.adapters.products.profiles import Profile, find
from gateway.adapters.products.registers import encode, readings
from gateway.core.model.state import Reading
from gateway.paths import config_folder
from gateway.simulator.products.registers import RegisterMap
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation

BUS = {"kind": "tcp", "host": "10.0.0.7", "port": 502, "timeout_ms": 1000}


def house(*, pump: str = "lambda_eu_l", **tables: object) -> Simulation:
    served = {"car": {}, "tank": {}, "heat_pump": {"profile": pump}, "pv": {"profile": "sma_tripower"}}
    loads = {"car": {"plugged": True}, "tank": {"temp_c": 48}, "heat_pump": {"temp_c": 19}}
    simulation = Simulation(HouseConfig.model_validate({**loads, "serve": served, **tables}))
    for _ in range(120):
        simulation.advance(1.0)
    return simulation


def product(name: str) -> Profile:
    return find(name, config_folder())


def ask(name: str, registers: RegisterMap) -> dict[str, Reading]:
    """All that a node would read, request by request."""
    table = compile_table("cellar", [Wiring(device="x", profile=product(name), bus=BUS, unit=1)], 10_000)
    reported: dict[str, Reading] = {}
    for block, row in zip(table.blocks, json.loads(table.text)["blocks"], strict=True):
        words = registers.read(row["fc"], row["a"], row["n"])
        reported |= readings(block.profile, block.points, block.first, words, 1.0)
    return reported


def obey(name: str, registers: object, value: int) -> None:
    """An order as a node writes it: arm, set, go."""
    profile = product(name)
    setpoint = profile.setpoint
    writes = [(write.address, write.type, write.value) for write in setpoint.arm]
    writes += [(setpoint.point.address, setpoint.point.type, value)]
    writes += [(write.address, write.type, write.value) for write in setpoint.go]
    for address, kind, number in writes:
        registers.write(profile.write_function, address, encode(kind, number, profile.word_order))


def give_back(name: str, registers: object) -> None:
    profile = product(name)
    for write in profile.setpoint.safe:
        registers.write(profile.write_function, write.address, encode(write.type, write.value, profile.word_order))


def test_the_charger() -> None:
    simulation = house()
    reported = ask("keba_p30", simulation.load_registers["car"])
    assert reported["p_w"].value == pytest.approx(simulation.state.loads_w["car"])
    assert reported["plugged"].value == 1
    assert reported["e_session_wh"].value == pytest.approx(simulation.loads.car.session_wh, abs=0.1)
    assert reported["u_l1_v"].value == 230
    simulation.loads.car.unplug()
    assert ask("keba_p30", simulation.load_registers["car"])["plugged"].value == 0


def test_the_heater() -> None:
    simulation = house()
    reported = ask("mypv_acthor", simulation.load_registers["tank"])
    assert reported["temp_c"].value == pytest.approx(simulation.loads.tank.temp_c, abs=0.05)
    assert (reported["p_w"].value, reported["power_max_w"].value, reported["limit_c"].value) == (0, 3000, 65)


def test_the_heat_pump_that_reports_its_power() -> None:
    simulation = house()
    reported = ask("lambda_eu_l", simulation.load_registers["heat_pump"])
    assert reported["p_w"].value == pytest.approx(simulation.state.loads_w["heat_pump"], abs=0.5)
    assert reported["temp_c"].value == pytest.approx(simulation.loads.heat_pump.temp_c, abs=0.05)
    assert reported["outdoor_c"].value == pytest.approx(simulation.loads.heat_pump.outdoor_c, abs=0.05)
    assert reported["e_import_wh"].value == pytest.approx(4_321_098 + simulation.state.loads_wh["heat_pump"], abs=1)
    assert all(reading.why is None for reading in reported.values())


def test_the_heat_pump_that_is_a_switch() -> None:
    simulation = house(pump="stiebel_isg_wpm")
    reported = ask("stiebel_isg_wpm", simulation.load_registers["heat_pump"])
    assert reported["temp_c"].value == pytest.approx(simulation.loads.heat_pump.temp_c, abs=0.05)
    assert reported["sg_state"].value == 2
    assert {name: reading.why for name, reading in reported.items() if reading.why} == {"hot_water_c": "nan"}


@pytest.mark.parametrize(("start", "sign"), [("2024-06-21T12:05:00", -1), ("2024-06-21T01:00:00", 0)])
def test_the_inverter_by_day_and_by_night(start: str, sign: int) -> None:
    simulation = house(clock={"start": start})
    reported = ask("sma_sunny_tripower", simulation.pv_registers)
    assert reported["p_w"].value == pytest.approx(simulation.state.pv_w, abs=0.5)
    assert (reported["p_w"].value < 0, reported["f_hz"].value is None) == (sign < 0, sign == 0)


def test_orders_move_the_devices_and_the_way_back_leads_to_their_own_mode() -> None:
    simulation = house()
    registers = simulation.load_registers
    obey("keba_p30", registers["car"], 10_000)  # mA
    obey("mypv_acthor", registers["tank"], 1800)  # W
    obey("lambda_eu_l", registers["heat_pump"], 2300)  # W
    obey("sma_sunny_tripower", simulation.pv_registers, 2500)  # 0.01 %
    for _ in range(40):
        simulation.advance(1.0)
        registers["car"].read(3, 1040, 2)
    state = simulation.state
    assert state.loads_w == pytest.approx({"car": 6900.0, "tank": 1800.0, "heat_pump": 2315.0})
    assert state.pv_w == -1250.0
    charger = simulation.loads.car.charger
    assert (charger.failsafe_a, charger.failsafe_s) == (6.0, 30.0)
    for load, name in (("car", "keba_p30"), ("tank", "mypv_acthor"), ("heat_pump", "lambda_eu_l")):
        give_back(name, registers[load])
    give_back("sma_sunny_tripower", simulation.pv_registers)
    for _ in range(30):
        simulation.advance(1.0)
    state = simulation.state
    # the car at 6 A, the heater off, the heat pump as its thermostat wants it, the roof free
    assert state.loads_w == pytest.approx({"car": 4140.0, "tank": 0.0, "heat_pump": 1815.0})
    assert state.pv_w < -3000.0


def test_a_switch_forces_the_heat_pump_and_frees_it() -> None:
    simulation = house(pump="stiebel_isg_wpm", heat_pump={"temp_c": 21.5, "run_s": 0})
    registers = simulation.load_registers["heat_pump"]
    powers_w = []
    for value in (0, 1, 0):
        obey("stiebel_isg_wpm", registers, value)
        for _ in range(320):
            simulation.advance(1.0)
        powers_w.append(simulation.state.loads_w["heat_pump"])
    assert powers_w == [15.0, 1815.0, 15.0]
