"""The loads and the limited inverter on real sockets, asked by a client of others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient

from gateway.simulator.faults import LateAnswers, LoadGone, LoadRefuses, WrongCount
from gateway.tests.simulator.conftest import OpenHouse
from gateway.tests.simulator.raw_modbus import ask_tcp, read_request

FREE = {"tcp": "127.0.0.1:0"}


@asynccontextmanager
async def client_of(address: str, timeout_s: float = 2.0) -> AsyncIterator[AsyncModbusTcpClient]:
    host, port = address.split(":")
    client = AsyncModbusTcpClient(host, port=int(port), timeout=timeout_s, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def test_the_charger_on_its_socket(house_on_links: OpenHouse) -> None:
    async with (
        house_on_links(car={"plugged": True}, more_serve={"car": FREE}) as (simulation, ready),
        client_of(ready.car) as client,
    ):
        assert not (await client.write_register(5004, 8000, device_id=255)).isError()
        for _ in range(10):
            simulation.advance(1.0)
        power = await client.read_holding_registers(1020, count=2, device_id=255)
        assert power.registers == [0x0054, 0x3A80]  # 5 520 000 mW: 3 x 230 V x 8 A, high word first
        assert (await client.read_holding_registers(1004, count=2, device_id=255)).registers == [0, 7]
        two = await client.read_holding_registers(1008, count=4, device_id=255)
        assert (two.isError(), two.exception_code) == (True, 3)
        assert (await client.write_registers(5004, [8000], device_id=255)).exception_code == 1
        assert (await client.read_holding_registers(1020, count=2, device_id=1)).exception_code == 11


async def test_the_heater_on_its_socket(house_on_links: OpenHouse) -> None:
    async with (
        house_on_links(tank={"temp_c": 48.1}, more_serve={"tank": FREE}) as (simulation, ready),
        client_of(ready.tank) as client,
    ):
        assert not (await client.write_register(1000, 1234, device_id=1)).isError()
        for _ in range(3):
            simulation.advance(1.0)
        assert (await client.read_holding_registers(1000, count=2, device_id=1)).registers == [1234, 481]
        assert (await client.read_holding_registers(1005, count=1, device_id=1)).exception_code == 2


@pytest.mark.parametrize(
    ("profile", "write", "shown"),
    [("lambda_eu_l", (102, [1500]), (1012, [1515])), ("stiebel_isg_wpm", (4001, [1]), (4001, [1]))],
)
async def test_the_heat_pump_on_its_socket(
    house_on_links: OpenHouse, profile: str, write: tuple[int, list[int]], shown: tuple[int, list[int]]
) -> None:
    served = {"heat_pump": {**FREE, "profile": profile}}
    async with (
        house_on_links(heat_pump={"temp_c": 21}, more_serve=served) as (simulation, ready),
        client_of(ready.heat_pump) as client,
    ):
        assert not (await client.write_registers(write[0], write[1], device_id=1)).isError()
        for _ in range(40):
            simulation.advance(1.0)
        assert (await client.read_holding_registers(shown[0], count=1, device_id=1)).registers == shown[1]
        assert simulation.loads.heat_pump.running


async def test_the_inverter_with_a_limit_on_its_socket(house_on_links: OpenHouse) -> None:
    served = {"pv": {**FREE, "profile": "sma_tripower", "unit": 3}}
    async with (
        house_on_links(pv={"clouds": False}, more_serve=served) as (simulation, ready),
        client_of(ready.pv) as client,
    ):
        assert not (await client.write_register(40023, 2000, device_id=3)).isError()
        for _ in range(3):
            simulation.advance(1.0)
        assert (await client.read_input_registers(30775, count=2, device_id=3)).registers == [0, 1000]
        assert simulation.state.pv_throttled


async def test_what_is_sent_to_a_device_off_the_network_reaches_nobody(house_on_links: OpenHouse) -> None:
    async with house_on_links(car={"plugged": True}, more_serve={"car": FREE}) as (simulation, ready):
        for write in ("06 1398 1770", "06 139a 001e"):  # failsafe: 6 A after 30 s
            assert await ask_tcp(ready.car, 255, bytes.fromhex(write)) == bytes.fromhex(write)
        simulation.begin(LoadGone(device="car"))
        for _ in range(36):
            simulation.advance(1.0)
            if simulation.state.elapsed_s % 12.0 < 1.0:
                assert await ask_tcp(ready.car, 255, bytes.fromhex("06 138c 2710"), timeout_s=0.05) is None
        assert simulation.loads.car.drawn_a == pytest.approx(6.0)
        simulation.faults.clear()
        assert await ask_tcp(ready.car, 255, read_request(3, 1600, 2)) == bytes.fromhex("03 04 00001770")
        assert simulation.loads.car.charger.setpoint_a == 32.0  # nothing was kept for later


async def test_faults_of_loads_on_their_sockets(house_on_links: OpenHouse) -> None:
    async with house_on_links(tank={}, car={}, more_serve={"tank": FREE, "car": FREE}) as (simulation, ready):
        request = read_request(3, 1000, 1)
        simulation.begin(LoadGone(device="tank"))
        assert await ask_tcp(ready.tank, 1, request, timeout_s=0.2) is None
        assert await ask_tcp(ready.car, 255, read_request(3, 1016, 2)) == bytes.fromhex("03 04 0004cb09")
        simulation.faults.clear()
        simulation.begin(WrongCount(device="tank", by=1))
        assert await ask_tcp(ready.tank, 1, request) == bytes.fromhex("03 04 00000000")
        simulation.faults.clear()
        simulation.begin(LoadRefuses(device="tank"))
        assert await ask_tcp(ready.tank, 1, bytes.fromhex("06 03e8 03e8")) == bytes.fromhex("86 04")
        simulation.faults.clear()
        simulation.begin(LateAnswers(device="tank", min_s=0.2, max_s=0.2))
        assert await ask_tcp(ready.tank, 1, request, timeout_s=0.1) is None


async def test_only_what_is_served_is_reached(house_on_links: OpenHouse) -> None:
    async with house_on_links(car={}, tank={}, more_serve={"tank": FREE}) as (_, ready):
        assert set(ready.as_dict()) == {"ready", "control", "meter", "pv", "battery", "tank"}
