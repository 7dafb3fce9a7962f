"""The control socket: one JSON object per line each way. For benches and tests; a real building has none."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from gateway.simulator.faults import fault_of
from gateway.simulator.load_status import load_status
from gateway.simulator.physics.meter import phases_w
from gateway.simulator.settings.mistakes import HouseLinkError
from gateway.simulator.simulation import Simulation

IDLE_S = 3600.0  # a client that says nothing for so long is let go
MAX_LINE = 65536

Answer = dict[str, Any]
AnyLoad = TypeVar("AnyLoad")


def answer(simulation: Simulation, line: bytes) -> Answer:
    """What one line is answered with; {"error": ...} for anything not understood."""
    try:
        request = json.loads(line)
    except ValueError:
        return {"error": "a line is one JSON object"}
    if not isinstance(request, dict):
        return {"error": "a line is one JSON object"}
    command = COMMANDS.get(str(request.get("do")))
    if command is None:
        return {"error": f'"do" is {request.get("do")!r}; there are {", ".join(COMMANDS)}'}
    try:
        return command(simulation, request)
    except ValueError as error:
        return {"error": str(error)}


@asynccontextmanager
async def serve_control(simulation: Simulation, address: str) -> AsyncIterator[str]:
    """Listen at "host:port"; gives where it really listens."""
    host, _, port = address.rpartition(":")
    open_writers: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        try:
            await _talk(simulation, reader, writer)
        finally:
            open_writers.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(talk, host, int(port), limit=MAX_LINE)
    except OSError as error:
        raise HouseLinkError(f"{address} cannot be had ({error.strerror}): choose another serve.control") from error
    try:
        bound = server.sockets[0].getsockname()
        yield f"{bound[0]}:{bound[1]}"
    finally:
        server.close()
        for writer in list(open_writers):
            writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await server.wait_closed()


async def _talk(simulation: Simulation, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, TimeoutError):
        while True:
            async with asyncio.timeout(IDLE_S):
                try:
                    line = await reader.readline()
                except ValueError:  # longer than MAX_LINE
                    return
                if not line:
                    return
                writer.write(json.dumps(answer(simulation, line)).encode() + b"\n")
                await writer.drain()


def whole_state(simulation: Simulation, _request: Answer | None = None) -> Answer:
    """The building now, as `{"do": "state"}` is answered: W by the sign rule, Wh since the start."""
    state = simulation.state
    return {
        "t": state.utc_s,
        "monotonic": simulation.monotonic_s,
        "base_load_w": state.base_load_w,
        "pv_w": state.pv_w,
        "battery_w": state.battery_w,
        "grid_w": state.grid_w,
        "phases_w": phases_w(state),
        "soc": state.soc,
        "energy_wh": {
            "pv": state.pv_wh,
            "load": state.load_wh,
            "import": state.import_wh,
            "export": state.export_wh,
            "charge": state.charge_wh,
            "discharge": state.discharge_wh,
        },
        "battery_mode": state.battery_mode,
        "setpoint_w": state.setpoint_w,
        "setpoint_writes": simulation.battery.setpoint_writes,
        "grid_abs_mean_w": simulation.building.grid_abs_mean_w,
        "faults": simulation.faults.names(),
        **_more(simulation),
    }


def _more(simulation: Simulation) -> Answer:
    """What only some buildings have: flexible loads, and an inverter that takes limits."""
    more: Answer = {}
    if simulation.loads.by_name:
        more["loads"] = load_status(simulation)
    if simulation.inverter.writes:
        limit_w = simulation.inverter.limit_w(simulation.state.elapsed_s)
        more["pv"] = {
            "throttled": simulation.state.pv_throttled,
            "limit_w": limit_w,
            "limit_writes": simulation.inverter.writes,
        }
    return more


def _trace(simulation: Simulation, request: Answer) -> Answer:
    rows = simulation.last_rows(_number(request, "seconds", low=0.0, high=600.0))
    return {
        "rows": [
            [row.monotonic_s, row.state.base_load_w, row.state.pv_w, row.state.battery_w, row.state.grid_w]
            for row in rows
        ],
        **({"loads_w": [dict(row.state.loads_w) for row in rows]} if simulation.loads.by_name else {}),
    }


def _writes(simulation: Simulation, request: Answer) -> Answer:
    """What a device took: its moment, the address, the words."""
    device = request.get("device")
    rows = [row for row in simulation.writes if row.device == device]
    return {"rows": [[row.monotonic_s, row.address, list(row.words)] for row in rows]}


def _modes(simulation: Simulation, _request: Answer) -> Answer:
    """Since when the battery is or was in each mode, the oldest first."""
    rows: list[tuple[float, str]] = []
    for row in simulation.trace:
        if not rows or rows[-1][1] != row.state.battery_mode:
            rows.append((row.monotonic_s, row.state.battery_mode))
    return {"rows": rows}


def _step(simulation: Simulation, request: Answer) -> Answer:
    seconds = None if request.get("seconds") is None else _number(request, "seconds", low=0.0, high=1e7)
    simulation.building.add_step(_number(request, "w", low=-1e6, high=1e6), seconds)
    return {"ok": True}


def _fault(simulation: Simulation, request: Answer) -> Answer:
    fields = {name: value for name, value in request.items() if name not in ("do", "kind")}
    simulation.begin(fault_of(str(request.get("kind")), fields))
    return {"ok": True}


def _clear(simulation: Simulation, _request: Answer) -> Answer:
    simulation.faults.clear()
    simulation.building.clear_steps()
    return {"ok": True}


def _plug(simulation: Simulation, request: Answer) -> Answer:
    car = _there(simulation.loads.car, "car")
    car.plug(soc=None if request.get("soc") is None else _number(request, "soc", low=0.0, high=1.0))
    return {"ok": True}


def _unplug(simulation: Simulation, _request: Answer) -> Answer:
    _there(simulation.loads.car, "car").unplug()
    return {"ok": True}


def _draw(simulation: Simulation, request: Answer) -> Answer:
    tank = _there(simulation.loads.tank, "tank")
    seconds = 60.0 if request.get("seconds") is None else _number(request, "seconds", low=1.0, high=86400.0)
    tank.draw(_number(request, "litres", low=0.0, high=1e5), seconds, simulation.building.elapsed_s)
    return {"ok": True}


def _there(load: AnyLoad | None, name: str) -> AnyLoad:
    if load is None:
        raise ValueError(f"there is no {name} in this building")
    return load


def _number(request: Answer, name: str, *, low: float, high: float) -> float:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f'"{name}" is {value!r}; allowed is a number from {low:g} to {high:g}')
    if not low <= value <= high:
        raise ValueError(f'"{name}" is {value!r}; allowed is a number from {low:g} to {high:g}')
    return float(value)


COMMANDS: dict[str, Callable[[Simulation, Answer], Answer]] = {
    "state": whole_state,
    "trace": _trace,
    "writes": _writes,
    "modes": _modes,
    "step": _step,
    "fault": _fault,
    "clear": _clear,
    "plug": _plug,
    "unplug": _unplug,
    "draw": _draw,
}
