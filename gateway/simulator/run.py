"""The simulator put together and run: physics in real time, servers, control socket, a clean end."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from gateway.simulator.control import serve_control
from gateway.simulator.fault import Device, LoadName
from gateway.simulator.links.line import LineDevice, serve_serial, serve_tcp
from gateway.simulator.links.serial_line import SerialLine, open_terminals
from gateway.simulator.links.telegram_line import TelegramLine
from gateway.simulator.products.registers import RegisterMap
from gateway.simulator.settings.config import HouseConfig, Serve, ServeBattery, ServePv
from gateway.simulator.settings.flexible import ServeCar, ServeHeatPump, ServeTank
from gateway.simulator.simulation import STEP_S, Simulation

TcpLink = ServePv | ServeBattery | ServeCar | ServeTank | ServeHeatPump
LONGEST_STEP_S = 1.0  # after a long stop of the machine the missed time is lived in steps of at most this


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Where the simulator can be reached, as printed when it is ready."""

    control: str
    meter: str
    pv: str
    battery: str
    linky: str | None = None
    car: str | None = None
    tank: str | None = None
    heat_pump: str | None = None
    pool_pump: str | None = None
    ready: Literal[True] = True

    def as_dict(self) -> dict[str, object]:
        """For the ready line; what is not served is not named."""
        return {"ready": True} | {name: value for name, value in asdict(self).items() if value is not None}


async def run_house(
    config: HouseConfig,
    *,
    ready: Callable[[Ready], None],
    watch: Callable[[Simulation], None] | None = None,
) -> None:
    """Live until SIGTERM or SIGINT. `ready` is called once, `watch` about twice a second.

    Raises HouseFileError for a file that cannot be replayed, HouseLinkError for a link that cannot be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with open_house(config) as (simulation, where):
            ready(where)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(live(simulation), name="physics")]
                if watch:
                    tasks.append(group.create_task(_watch(simulation, watch), name="watch"))
                await stop.wait()
                for task in tasks:
                    task.cancel()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def open_house(config: HouseConfig) -> AsyncIterator[tuple[Simulation, Ready]]:
    """A simulated building with all its links open; time stands still until `live` runs."""
    simulation = Simulation(config, monotonic_s=time.monotonic())
    serve = config.serve
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_open_meter(simulation, config))
        where = {
            device: await stack.enter_async_context(
                serve_tcp(
                    registers,
                    device=device,
                    address=link.tcp,
                    unit=link.unit,
                    latency_s=link.latency_s,
                    faults=simulation.faults,
                    seed=config.seed,
                )
            )
            for device, (registers, link) in _on_tcp(simulation, serve).items()
        }
        if serve.linky is not None:
            await stack.enter_async_context(_open_telegram(simulation, serve.linky.serial, seed=config.seed))
        control = await stack.enter_async_context(serve_control(simulation, serve.control))
        linky = str(serve.linky.serial) if serve.linky else None
        yield (
            simulation,
            Ready(
                control=control,
                meter=str(serve.meter.serial),
                pv=where["pv"],
                battery=where["battery"],
                linky=linky,
                car=where.get("car"),
                tank=where.get("tank"),
                heat_pump=where.get("heat_pump"),
                pool_pump=str(serve.meter.serial) if serve.pool_pump else None,
            ),
        )


def _on_tcp(simulation: Simulation, serve: Serve) -> dict[Device, tuple[RegisterMap, TcpLink]]:
    """All that speaks Modbus TCP, with its place."""
    links: dict[Device, tuple[RegisterMap, TcpLink]] = {
        "pv": (simulation.pv_registers, serve.pv),
        "battery": (simulation.battery_registers, serve.battery),
    }
    places: dict[LoadName, TcpLink | None] = {"car": serve.car, "tank": serve.tank, "heat_pump": serve.heat_pump}
    for load, link in places.items():
        if link is not None:
            links[load] = (simulation.load_registers[load], link)
    return links


def _on_the_line(simulation: Simulation, serve: Serve) -> list[LineDevice]:
    """All that shares the meter's serial line."""
    devices = [LineDevice(device="meter", unit=serve.meter.unit, registers=simulation.meter_registers)]
    pump, meter = serve.pool_pump, simulation.pump_meter_registers
    if pump is not None and meter is not None:
        relay = simulation.load_registers["pool_pump"]
        devices.append(LineDevice(device="pool_pump", unit=pump.unit, registers=relay))
        devices.append(LineDevice(device="pool_pump", unit=pump.meter_unit, registers=meter))
    return devices


@asynccontextmanager
async def _open_meter(simulation: Simulation, config: HouseConfig) -> AsyncIterator[None]:
    """The meter, and what shares its serial line."""
    serve, faults = config.serve.meter, simulation.faults
    with open_terminals(serve.serial) as terminals:
        line = SerialLine(terminals, baud=serve.baud, latency_s=serve.latency_s, faults=faults, seed=config.seed)
        devices = _on_the_line(simulation, config.serve)
        async with serve_serial(devices, path=terminals.device_path, baud=serve.baud, faults=faults):
            line.open()
            try:
                yield
            finally:
                line.close()


@asynccontextmanager
async def _open_telegram(simulation: Simulation, link: Path, *, seed: int) -> AsyncIterator[None]:
    """The operator's meter, sending."""
    with open_terminals(link, setting="serve.linky.serial") as terminals:
        line = TelegramLine(terminals, simulation.linky, faults=simulation.faults, seed=seed)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(line.run(), name="telegram")
            try:
                yield
            finally:
                task.cancel()


async def live(simulation: Simulation) -> None:
    """Let the building keep up with the machine's clock, ten steps a second, for ever.

    A late step is as long as the time that passed, so that the building's clock never falls behind.
    """
    simulation.live_by(time.monotonic)
    due_s = simulation.monotonic_s
    while True:
        due_s = max(due_s + STEP_S, time.monotonic())
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        passed_s = time.monotonic() - simulation.monotonic_s
        while passed_s > 0.0:
            simulation.advance(min(passed_s, LONGEST_STEP_S))
            passed_s -= LONGEST_STEP_S


async def _watch(simulation: Simulation, show: Callable[[Simulation], None]) -> None:
    while True:
        show(simulation)
        await asyncio.sleep(0.5)
