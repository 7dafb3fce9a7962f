import asyncio
import json

import pytest

from gateway.simulator.control import answer
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation
from gateway.tests.simulator.conftest import OpenHouse


@pytest.fixture
def simulation() -> Simulation:
    simulation = Simulation(HouseConfig(), monotonic_s=50.0)
    for _ in range(100):
        simulation.advance(0.1)
    return simulation


def say(simulation: Simulation, **request: object) -> dict[str, object]:
    return answer(simulation, json.dumps(request).encode())


def test_the_state_has_signs_energies_and_the_batterys_mode(simulation: Simulation) -> None:
    state = say(simulation, do="state")
    assert state["grid_w"] == pytest.approx(state["base_load_w"] + state["pv_w"] + state["battery_w"])
    assert set(state["energy_wh"]) == {"pv", "load", "import", "export", "charge", "discharge"}
    assert all(energy >= 0.0 for energy in state["energy_wh"].values())
    assert state["t"] == pytest.approx(1718964300 + 10.0, abs=0.01)  # 2024-06-21 12:05 in Paris is 10:05 UTC
    assert state["monotonic"] == pytest.approx(60.0, abs=0.01)
    assert (state["battery_mode"], state["setpoint_w"], state["setpoint_writes"]) == ("own", None, 0)
    simulation.battery.set_power(-500.0, 10.0)
    simulation.battery.enable(10.0)
    simulation.advance(0.1)
    state = say(simulation, do="state")
    assert (state["battery_mode"], state["setpoint_w"], state["setpoint_writes"]) == ("remote", -500.0, 1)


def test_the_trace_has_ten_rows_a_second(simulation: Simulation) -> None:
    rows = say(simulation, do="trace", seconds=2)["rows"]
    assert len(rows) == 20
    for _, base_load_w, pv_w, battery_w, grid_w in rows:
        assert grid_w == pytest.approx(base_load_w + pv_w + battery_w)


def test_what_the_battery_took_and_its_modes_are_reported_with_their_moments(simulation: Simulation) -> None:
    """1200 W to be drawn, remote operation, then the battery's own mode: SMA's registers 40149 and 40151."""
    begun_s = simulation.monotonic_s
    simulation.battery_registers.write(16, 40149, [0, 1200])
    simulation.battery_registers.write(16, 40151, [0, 802])
    for _ in range(30):
        simulation.advance(0.1)
    simulation.battery_registers.write(16, 40151, [0, 803])
    for _ in range(30):
        simulation.advance(0.1)
    rows = say(simulation, do="writes", device="battery")["rows"]
    assert [row[1:] for row in rows] == [[40149, [0, 1200]], [40151, [0, 802]], [40151, [0, 803]]]
    assert [row[0] - begun_s for row in rows] == pytest.approx([0.0, 0.0, 3.0])
    assert say(simulation, do="writes", device="car")["rows"] == []
    modes = say(simulation, do="modes")["rows"]
    assert [mode for _, mode in modes] == ["own", "remote", "own"]
    for (moment_s, _), after_s in zip(modes[1:], (0.0, 3.0), strict=True):
        assert after_s < moment_s - begun_s < after_s + 2.0  # the battery's own dead time


def test_steps_and_faults_begin_and_are_cleared(simulation: Simulation) -> None:
    before_w = simulation.advance(0.1).base_load_w
    assert say(simulation, do="step", w=3000, seconds=60) == {"ok": True}
    assert say(simulation, do="step", w=100, seconds=None) == {"ok": True}
    assert say(simulation, do="fault", kind="MeterFrozen", for_s=60) == {"ok": True}
    assert simulation.advance(0.1).base_load_w == pytest.approx(before_w + 3100.0, abs=20.0)
    assert say(simulation, do="state")["faults"] == ["MeterFrozen(meter)"]
    assert say(simulation, do="clear") == {"ok": True}
    assert simulation.advance(0.1).base_load_w == pytest.approx(before_w, abs=20.0)
    assert say(simulation, do="state")["faults"] == []


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "dance"}, "state, trace, writes, modes, step, fault, clear"),
        ({}, "state, trace"),
        ({"do": "step"}, '"w" is None'),
        ({"do": "step", "w": True}, '"w" is True'),
        ({"do": "step", "w": 1, "seconds": -1}, '"seconds" is -1'),
        ({"do": "trace"}, '"seconds" is None'),
        ({"do": "fault", "kind": "Flood"}, "MeterFrozen"),
        ({"do": "fault", "kind": "MeterGone", "since": 1}, "has no since"),
        ({"do": "fault", "kind": "MeterGone", "for_s": "long"}, 'for_s: found "long"'),
        ({"do": "fault", "kind": "MeterGone", "device": "pv"}, 'device: found "pv"'),
        ({"do": "fault", "kind": "NanSentinel", "point": "x"}, "has no point 'x'"),
    ],
)
def test_what_is_not_understood_is_an_error_that_says_what_there_is(
    simulation: Simulation, request_: dict[str, object], says: str
) -> None:
    assert says in say(simulation, **request_)["error"]


def test_what_is_no_object_is_an_error(simulation: Simulation) -> None:
    for line in (b"", b"[]\n", b"\xff\n", b'{"do":\n'):
        assert "error" in answer(simulation, line)


async def test_the_socket_speaks_json_lines(house_on_links: OpenHouse) -> None:
    async with house_on_links() as (_, ready):
        host, port = ready.control.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(30):
            writer.write(b'{"do":"state"}\n{"do":"no"}\n')
            assert "grid_w" in json.loads(await reader.readline())
            assert "error" in json.loads(await reader.readline())
    async with asyncio.timeout(30):
        assert await reader.read() == b""  # the house ends: so does the talk
    writer.close()
    await writer.wait_closed()
