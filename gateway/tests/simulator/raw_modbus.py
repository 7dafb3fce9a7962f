"""A Modbus master of a few lines, written from the specification and not from what it tests."""

import asyncio
import os
import struct
import termios
import time
import tty
from pathlib import Path


def read_request(function: int, address: int, count: int) -> bytes:
    return struct.pack(">BHH", function, address, count)


def write_many(address: int, *words: int) -> bytes:
    return struct.pack(">BHHB", 16, address, len(words), 2 * len(words)) + struct.pack(f">{len(words)}H", *words)


def check_bytes(frame: bytes) -> bytes:
    """CRC-16/MODBUS by polynomial division, bit by bit (reflected 0x8005, start 0xFFFF)."""
    remainder = 0xFFFF
    for byte in frame:
        for bit in range(8):
            carry = (remainder ^ (byte >> bit)) & 1
            remainder >>= 1
            if carry:
                remainder ^= 0xA001
    return struct.pack("<H", remainder)


async def ask_tcp(address: str, unit: int, pdu: bytes, timeout_s: float = 2.0) -> bytes | None:
    """The PDU of the answer, its header checked; None for silence."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(struct.pack(">HHHB", 0x1234, 0, len(pdu) + 1, unit) + pdu)
        async with asyncio.timeout(timeout_s):
            tid, protocol, length, answered_by = struct.unpack(">HHHB", await reader.readexactly(7))
            assert (tid, protocol, answered_by) == (0x1234, 0, unit)
            return await reader.readexactly(length - 1)
    except TimeoutError:
        return None
    finally:
        writer.close()
        await writer.wait_closed()


class SerialMaster:
    """The far end of the line: whole frames out, whatever comes within the time in."""

    def __init__(self, path: Path) -> None:
        self._port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._port)
        self._heard = bytearray()
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._port, self._hear)
        self.first_byte_s = 0.0

    def _hear(self) -> None:
        if not self._heard:
            self.first_byte_s = time.monotonic()
        self._heard += os.read(self._port, 256)
        self._news.set()

    async def ask(self, unit: int, pdu: bytes, *, size: int, timeout_s: float = 1.0) -> bytes:
        """Up to `size` bytes that came as the answer."""
        frame = bytes([unit]) + pdu
        return await self.send(frame + check_bytes(frame), size=size, timeout_s=timeout_s)

    async def send(self, frame: bytes, *, size: int, timeout_s: float = 1.0) -> bytes:
        termios.tcflush(self._port, termios.TCIFLUSH)
        self._heard.clear()
        os.write(self._port, frame)
        try:
            async with asyncio.timeout(timeout_s):
                while len(self._heard) < size:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        return bytes(self._heard)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._port)
        os.close(self._port)
