"""Which simulated device answers for a device of the site file, and how long its link takes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.simulator.fault import Device
from gateway.simulator.faults import ActiveFaults, LateAnswers, NoiseOnLine, WrongCount, WrongFunction
from gateway.simulator.products.registers import ILLEGAL_FUNCTION, Refused, RegisterMap, Writable
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import Simulation
from gateway.site.file.sections import DeviceSection
from gateway.wire.records import BAD_FRAME, EXCEPTION, OK, TIMEOUT, WRONG_REPLY

CHARACTER_BITS = 10  # 8N1
TCP_S = 0.003  # a request and its answer on a local network, beyond the device's own time
READ_BYTES = 8 + 5  # RTU: the request, and what an answer has beside its registers
WRITE_BYTES = 9 + 8
TCP_NAMES: Mapping[str, Device] = {
    "pv": "pv",
    "battery": "battery",
    "car": "car",
    "tank": "tank",
    "heat-pump": "heat_pump",
}
"""By the name that a device on Modbus TCP has in the site file, which also gives it its port (`gateway.rig`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAnswer:
    """What came of one exchange: the flag of its record, its registers (an exception's code), and its time."""

    flag: int
    words: Sequence[int]
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One simulated device on its link; a serial one shares its `baud` with others."""

    device: Device
    registers: RegisterMap
    latency_s: float
    faults: ActiveFaults
    baud: int | None = None  # None: Modbus TCP
    noise: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - seeded play

    def read(self, function: int, address: int, count: int, *, timeout_s: float) -> WireAnswer:
        """Ask for so many registers or coils."""
        found = self._before(self._line_s(READ_BYTES + 2 * count), timeout_s)
        if found.flag != OK:
            return found
        try:
            words = self.registers.read(function, address, count)
        except Refused as refused:
            return WireAnswer(flag=EXCEPTION, words=(refused.code,), took_s=found.took_s)
        wrong = self.faults.find(WrongCount, self.device) or self.faults.find(WrongFunction, self.device)
        return WireAnswer(flag=WRONG_REPLY if wrong else OK, words=() if wrong else words, took_s=found.took_s)

    def write(self, function: int, address: int, words: Sequence[int], *, timeout_s: float) -> WireAnswer:
        """Write registers or a coil."""
        found = self._before(self._line_s(WRITE_BYTES + 2 * len(words)), timeout_s)
        if found.flag != OK:
            return found
        try:
            if not isinstance(self.registers, Writable):
                raise Refused(ILLEGAL_FUNCTION)  # noqa: TRY301 - the device's answer
            self.registers.write(function, address, words)
        except Refused as refused:
            return WireAnswer(flag=EXCEPTION, words=(refused.code,), took_s=found.took_s)
        wrong = self.faults.find(WrongFunction, self.device)
        return WireAnswer(flag=WRONG_REPLY if wrong else OK, words=(), took_s=found.took_s)

    def _line_s(self, size: int) -> float:
        return TCP_S if self.baud is None else size * CHARACTER_BITS / self.baud

    def _before(self, line_s: float, timeout_s: float) -> WireAnswer:
        """What the link makes of an exchange before the device sees it: OK, or what went wrong."""
        silent = WireAnswer(flag=TIMEOUT, words=(), took_s=timeout_s)
        if self.faults.is_silent(self.device):
            return silent
        took_s = line_s + self.latency_s
        if not self.faults.any:
            return WireAnswer(flag=OK, words=(), took_s=took_s)
        at: Device = "meter" if self.baud else self.device  # all of a serial line are late or noisy together
        late = self.faults.find(LateAnswers, at)
        if late:
            took_s += self.noise.uniform(late.min_s, late.max_s)
        noisy = self.faults.find(NoiseOnLine, "meter") if self.baud else None
        if noisy and self.noise.random() > (1.0 - noisy.flips) ** (line_s * self.baud / CHARACTER_BITS):  # type: ignore[operator]  # a serial line
            return WireAnswer(flag=BAD_FRAME, words=(), took_s=timeout_s)
        return silent if took_s > timeout_s else WireAnswer(flag=OK, words=(), took_s=took_s)


def wires_of(house: Simulation, config: HouseConfig, devices: Mapping[str, DeviceSection]) -> dict[str, Wire | None]:
    """By device of the site file; None for one that nobody of the house answers for."""
    serial, tcp = _serial(house, config), _tcp(house, config)
    return {
        id_: serial.get(device.unit or 1) if device.bus is not None else tcp.get(TCP_NAMES.get(id_, "linky"))
        for id_, device in devices.items()
    }


def _serial(house: Simulation, config: HouseConfig) -> dict[int, Wire]:
    """By unit on the line of the meter."""
    meter, pump = config.serve.meter, config.serve.pool_pump

    def wire(device: Device, registers: RegisterMap) -> Wire:
        noise = random.Random(f"line {config.seed}")  # noqa: S311 - seeded play
        return Wire(
            device=device,
            registers=registers,
            latency_s=meter.latency_s,
            faults=house.faults,
            baud=meter.baud,
            noise=noise,
        )

    found = {meter.unit: wire("meter", house.meter_registers)}
    if pump is not None and house.pump_meter_registers is not None:
        found[pump.unit] = wire("pool_pump", house.load_registers["pool_pump"])
        found[pump.meter_unit] = wire("pool_pump", house.pump_meter_registers)
    return found


def _tcp(house: Simulation, config: HouseConfig) -> dict[Device, Wire]:
    serve = config.serve
    latencies = {"pv": serve.pv.latency_s, "battery": serve.battery.latency_s}
    maps: dict[Device, RegisterMap] = {"pv": house.pv_registers, "battery": house.battery_registers}
    for load, link in (("car", serve.car), ("tank", serve.tank), ("heat_pump", serve.heat_pump)):
        if link is not None:
            latencies[load], maps[load] = link.latency_s, house.load_registers[load]  # type: ignore[index]  # names of loads
    return {
        device: Wire(device=device, registers=registers, latency_s=latencies[device], faults=house.faults)
        for device, registers in maps.items()
    }
