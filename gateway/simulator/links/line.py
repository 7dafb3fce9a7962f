"""The devices' Modbus servers. The only module that knows pymodbus."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.simulator.fault import Device
from gateway.simulator.faults import (
    ActiveFaults,
    LateAnswers,
    WrongCount,
    WrongFunction,
)
from gateway.simulator.link_faults import DeafAfterConnecting, OtherHeader
from gateway.simulator.products.registers import ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refused, RegisterMap, Writable
from gateway.simulator.settings.mistakes import HouseLinkError

COIL_READS = (1, 2)
READS = (3, 4)
WRITES = (5, 6, 15, 16)
OTHER_FUNCTION = {3: 4, 4: 3, 6: 16, 16: 6}
UNNAMED = 0x80  # pymodbus answers a request that it cannot decode with this function code
OTHER_UNITS = 0  # pymodbus: the device that stands for every unit not named


class Manners:
    """How a device behaves on its link: the hooks that pymodbus calls for each packet and message."""

    def __init__(self, *, device: Device, unit: int, faults: ActiveFaults, serial: bool) -> None:
        self._device: Device = device
        self._unit = unit
        self._faults = faults
        self._serial = serial
        self._asked = 0
        self.coils = 0  # of the last read of coils, which pymodbus rounds up to whole registers

    def trace_packet(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - pymodbus calls it so
        """Bytes on the way in are looked at; bytes on the way out are kept back where a real device is silent."""
        if not sending:
            place = 1 if self._serial else 7  # behind the unit, or behind the MBAP header
            self._asked = data[place] if len(data) > place else self._asked
            return data
        others = self._serial and data[0] != self._unit  # on a bus nobody answers for somebody else
        return b"" if others or self.is_gone() else data

    def trace_pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001 - pymodbus calls it so
        """Answers as a device gives them, or spoiled by a fault."""
        if not sending:
            self.coils = pdu.count if pdu.function_code in COIL_READS else 0
            return pdu
        if pdu.function_code == UNNAMED:
            pdu.function_code = UNNAMED | self._asked
            pdu.exception_code = ILLEGAL_VALUE if self._asked in (*COIL_READS, *READS, *WRITES) else ILLEGAL_FUNCTION
        wrong_count = self._faults.find(WrongCount, self._device)
        if wrong_count and pdu.function_code in READS:
            pdu.registers = _recounted(list(pdu.registers), wrong_count.by)
        if self._faults.find(WrongFunction, self._device):
            pdu.function_code = OTHER_FUNCTION.get(pdu.function_code, pdu.function_code)
        return pdu

    def is_gone(self) -> bool:
        """Off the network: what is sent to it reaches nobody."""
        return self._faults.is_silent(self._device)

    def late_s(self, draw: Random) -> float:
        """How much later than usual an answer leaves."""
        late = self._faults.find(LateAnswers, self._device)
        return draw.uniform(late.min_s, late.max_s) if late else 0.0

    def is_deaf(self, connected_s: float) -> bool:
        """Whether a connection of this age is not heard yet."""
        deaf = self._faults.find(DeafAfterConnecting, self._device)
        return deaf is not None and connected_s < deaf.deaf_s

    def headed(self, data: bytes) -> bytes:
        """An answer on TCP under the header that the device gives it."""
        other = self._faults.find(OtherHeader, self._device)
        if other is None:
            return data
        number = int.from_bytes(data[:2], "big")
        transaction = {
            "zero": b"\0\0",
            "next": ((number + 1) & 0xFFFF).to_bytes(2, "big"),
            "swapped": data[1::-1],
            "right": data[:2],
        }[other.transaction]
        unit = data[6:7] if other.unit is None else bytes([other.unit])
        return transaction + data[2:6] + unit + data[7:]


class TcpDevice(ModbusTcpServer):
    """A Modbus TCP server whose answers leave after the device's own time, in the order of the requests."""

    def __init__(
        self, devices: list[SimDevice], *, address: tuple[str, int], manners: Manners, latency_s: float, seed: int
    ) -> None:
        super().__init__(devices, address=address, trace_packet=manners.trace_packet, trace_pdu=manners.trace_pdu)
        self._manners = manners
        self._latency_s = latency_s
        self._random = Random(f"tcp {seed}")
        self._last_s = 0.0

    def callback_new_connection(self) -> ServerRequestHandler:
        """A handler that hands its answers to us instead of sending them itself."""
        handler: ServerRequestHandler = super().callback_new_connection()  # type: ignore[no-untyped-call]  # theirs
        handler.low_level_send = partial(self._send_later, handler, self.loop.time())
        return handler

    def _send_later(self, handler: ServerRequestHandler, connected_s: float, data: bytes, **_udp_peer: object) -> None:
        if self._manners.is_deaf(self.loop.time() - connected_s):
            return
        data = self._manners.headed(data)
        due_s = self.loop.time() + self._latency_s + self._manners.late_s(self._random)
        self._last_s = max(due_s, self._last_s + 1e-6)
        self.loop.call_at(self._last_s, _send, handler, data)


@asynccontextmanager
async def serve_tcp(
    registers: RegisterMap,
    *,
    device: Device,
    address: str,
    unit: int,
    latency_s: float,
    faults: ActiveFaults,
    seed: int = 0,
) -> AsyncIterator[str]:
    """A device on Modbus TCP; gives the "host:port" it listens at. HouseLinkError when that cannot be had."""
    host, _, port = address.rpartition(":")
    manners = Manners(device=device, unit=unit, faults=faults, serial=False)
    units = [
        _device(unit, registers, manners),
        # A gateway in the inverter answers for units that are not there.
        SimDevice(id=OTHER_UNITS, simdata=_memory(), action=_nobody),
    ]
    server = TcpDevice(units, address=(host, int(port)), manners=manners, latency_s=latency_s, seed=seed)
    await _start(server, f"{address} is in use or not an address of this machine: choose another serve.{device}.tcp")
    try:
        listening = server.transport
        assert isinstance(listening, asyncio.Server)  # noqa: S101 - what `loop.create_server` gives
        bound = listening.sockets[0].getsockname()
        yield f"{bound[0]}:{bound[1]}"
    finally:
        server.close()


class LineManners:
    """How the devices behave that share a serial line: each as it does alone."""

    def __init__(self, units: Mapping[int, Manners]) -> None:
        self._units = units
        self._asked = next(iter(units.values()))

    def trace_packet(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - pymodbus calls it so
        """Of the device that was asked, or that answers."""
        self._asked = self._units.get(data[0] if data else 0, self._asked)
        return self._asked.trace_packet(sending, data)

    def trace_pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:  # noqa: FBT001 - pymodbus calls it so
        """Of the device that the message is for, or from."""
        return self._units.get(pdu.dev_id, self._asked).trace_pdu(sending, pdu)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDevice:
    """One of the devices on a serial line."""

    device: Device
    unit: int
    registers: RegisterMap


@asynccontextmanager
async def serve_serial(
    devices: Sequence[LineDevice], *, path: str, baud: int, faults: ActiveFaults
) -> AsyncIterator[None]:
    """Devices at a serial port (8N1)."""
    each = {one.unit: Manners(device=one.device, unit=one.unit, faults=faults, serial=True) for one in devices}
    manners = LineManners(each)
    server = ModbusSerialServer(
        [
            *(_device(one.unit, one.registers, each[one.unit]) for one in devices),
            SimDevice(id=OTHER_UNITS, simdata=_memory(), action=_nobody),
        ],
        framer=FramerType.RTU,
        port=path,
        baudrate=baud,
        trace_packet=manners.trace_packet,
        trace_pdu=manners.trace_pdu,
    )
    await _start(server, f"{path} cannot be opened")
    try:
        yield
    finally:
        server.close()


def _device(unit: int, registers: RegisterMap, manners: Manners) -> SimDevice:
    """A unit whose every address is ours to answer: the memory of pymodbus is only the tray that we fill."""

    async def answer(
        function: int,
        start: int,
        address: int,
        count: int,
        tray: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if manners.is_gone():
            return ExcCodes.GATEWAY_NO_RESPONSE  # which is not sent either
        try:
            if values is not None:
                _writable(registers).write(function, address, [int(value) for value in values])
            elif function in COIL_READS:
                _lay_out(tray, address, registers.read(function, address, manners.coils))
            elif function not in WRITES:  # pymodbus reads back what it wrote with functions 5 and 6: the echo
                tray[address - start : address - start + count] = registers.read(function, address, count)
        except Refused as refused:
            return ExcCodes(refused.code)
        return None

    return SimDevice(id=unit, simdata=_memory(), use_bit_addressing=True, action=answer)


def _lay_out(tray: list[int], address: int, packed: list[int]) -> None:
    """Coils where pymodbus looks for them: coil i is bit i % 16 of register i / 16."""
    bits = [word >> (8 if i < 8 else 0) >> i % 8 & 1 for word in packed for i in range(16)]
    for coil, bit in enumerate(bits, start=address):
        tray[coil // 16] = tray[coil // 16] & ~(1 << coil % 16) | bit << coil % 16


def _writable(registers: RegisterMap) -> Writable:
    if not isinstance(registers, Writable):
        raise Refused(ILLEGAL_FUNCTION)
    return registers


async def _nobody(
    _function: int, _start: int, _address: int, _count: int, _tray: list[int], _values: list[int] | list[bool] | None
) -> ExcCodes | None:
    return ExcCodes.GATEWAY_NO_RESPONSE


def _memory() -> SimData:
    return SimData(address=0, count=65536, values=0, datatype=DataType.REGISTERS)


async def _start(server: ModbusTcpServer | ModbusSerialServer, failure: str) -> None:
    try:
        with _silenced(logging.getLogger("pymodbus.logging")):  # the failure is ours to tell, in our words
            await server.serve_forever(background=True)
    except RuntimeError as error:  # what pymodbus makes of an OSError
        raise HouseLinkError(failure) from error


@contextmanager
def _silenced(logger: logging.Logger) -> Iterator[None]:
    """No warnings of a logger for a while."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _recounted(registers: list[int], by: int) -> list[int]:
    """More or fewer registers than asked, at least one."""
    wanted = max(len(registers) + by, 1)
    return (registers + [0] * max(by, 0))[:wanted]


def _send(handler: ServerRequestHandler, data: bytes) -> None:
    """Send unless the peer has gone meanwhile."""
    transport = handler.transport
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.write(data)
