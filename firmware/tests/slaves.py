"""Modbus devices that answer as told, right or wrong. Independent of the node's own Modbus: no code is shared."""

import asyncio
import os
import struct
import sys
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Fault = Callable[[bytes, bytes], "bytes | None"]
"""(request, right answer), both unit + PDU, to the answer to give; None gives none."""


def crc(data: bytes) -> bytes:
    """CRC-16 of MODBUS over Serial Line V1.02, appendix B, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


@dataclass(kw_only=True)
class Slave:
    """Registers by address, the same for functions 3 and 4, and coils, the same for 1 and 2; only `units` answer."""

    units: set[int] = field(default_factory=lambda: {1})
    words: dict[int, int] = field(default_factory=dict)
    coils: dict[int, int] = field(default_factory=dict)
    fault: Fault | None = None
    faults_for: set[int] | None = None  # the units that have it; None: all
    delay_s: float = 0.0
    asked: list[tuple[float, int, int, int, int]] = field(default_factory=list)  # monotonic, unit, function, address, n
    written: list[tuple[float, int, int, list[int]]] = field(default_factory=list)  # monotonic, unit, address, words

    def put(self, address: int, *words: int) -> None:
        self.words.update({address + i: word for i, word in enumerate(words)})

    def answer(self, request: bytes) -> bytes | None:
        unit, function, address, count = struct.unpack_from(">BBHH", request)
        now = time.monotonic()
        self.asked.append((now, unit, function, address, count))
        if unit not in self.units:
            return None
        if self.fault and (self.faults_for is None or unit in self.faults_for):
            return self.fault(request, self._right(now, request, unit, function, address, count))
        return self._right(now, request, unit, function, address, count)

    def _right(self, now: float, request: bytes, unit: int, function: int, address: int, count: int) -> bytes:
        if function in (1, 2):
            bits = [self.coils.get(address + i, 0) for i in range(count)]
            data = sum(bit << i for i, bit in enumerate(bits)).to_bytes((count + 7) // 8, "little")
            return bytes((unit, function, len(data))) + data
        if function in (5, 15):
            bits = [count >> 15] if function == 5 else [request[7 + i // 8] >> i % 8 & 1 for i in range(count)]
            self.written.append((now, unit, address, bits))
            self.coils.update({address + i: bit for i, bit in enumerate(bits)})
            return request[:6]
        if function == 23:
            to, size = struct.unpack_from(">HH", request, 6)
            self.written.append((now, unit, to, list(struct.unpack_from(f">{size}H", request, 11))))
            self.put(to, *self.written[-1][3])
        if function in (3, 4, 23):
            if any(address + i not in self.words for i in range(count)):
                return bytes((unit, function | 0x80, 2))
            return struct.pack(
                f">BBB{count}H", unit, function, 2 * count, *(self.words[address + i] for i in range(count))
            )
        words = [count] if function == 6 else list(struct.unpack_from(f">{count}H", request, 7))
        self.written.append((now, unit, address, words))
        self.put(address, *words)
        return request[:6]


class TcpSlave(Slave):
    """A Modbus TCP server on a free port of this machine; `whole` changes a frame with its header."""

    port: int = 0
    connections: int = 0
    whole = staticmethod(lambda frame: frame)

    async def __aenter__(self):
        self.writers, self.forgotten = set(), set()
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc):
        await self.stop()

    async def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await self.server.wait_closed()

    def forget(self) -> None:
        """The connections that there are stay open and are never answered again."""
        self.forgotten = set(self.writers)

    async def _serve(self, reader, writer):
        self.connections += 1
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(6)
                request = await reader.readexactly(struct.unpack_from(">H", head, 4)[0])
                answer = self.answer(request)
                if answer is not None:
                    frame = head[:4] + struct.pack(">H", len(answer)) + answer
                    asyncio.get_running_loop().call_later(self.delay_s, self._send, writer, frame)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def _send(self, writer, frame: bytes) -> None:
        if not writer.transport.is_closing() and writer not in self.forgotten:
            writer.write(self.whole(frame))


class LineSlave(Slave):
    """Devices on the far end of a pty; `noise` is put in front of the next answer, `spoil` changes a whole frame."""

    def __init__(self, link: Path, **values):
        super().__init__(**values)
        self.link = link
        self.spoil = lambda frame: frame

    async def __aenter__(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        self.link.symlink_to(os.ttyname(self.slave))
        self.buffer = b""
        asyncio.get_running_loop().add_reader(self.master, self._read)
        return self

    async def __aexit__(self, *_exc):
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self.slave)
        self.link.unlink()

    def _read(self) -> None:
        self.buffer += os.read(self.master, 4096)
        while len(self.buffer) >= 8:
            counter = {15: 6, 16: 6, 23: 10}.get(self.buffer[1])
            if counter and len(self.buffer) <= counter:
                return
            size = counter + 3 + self.buffer[counter] if counter else 8
            if len(self.buffer) < size:
                return
            frame, self.buffer = self.buffer[:size], self.buffer[size:]
            assert crc(frame[:-2]) == frame[-2:], f"the node sent {frame.hex()}"
            answer = self.answer(frame[:-2])
            if answer is not None:
                whole = self.spoil(answer + crc(answer))
                asyncio.get_running_loop().call_later(self.delay_s, os.write, self.master, whole)


async def _serve_alone() -> None:
    """A device in a process of its own, which can be stopped; prints its port."""
    async with TcpSlave(words={i: i for i in range(100)}) as slave:
        sys.stdout.write(f"{slave.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_alone())
