"""The ROM loader of an ESP32-S3 on a pty, as far as esptool talks to it, and the flash behind it.

Written from Espressif's "Serial Protocol" (docs of esptool): SLIP frames, direction, command, size, checksum, data. It
takes the stub that esptool uploads for granted and then speaks as the stub does: status of two bytes, raw MD5.
"""

import hashlib
import os
import select
import struct
import threading
import tty
import zlib
from pathlib import Path

CHIP_ID = 9  # ESP32-S3
SPI_W0 = 0x60002058  # where the answer of a flash command is read
FLASH_ID = 0x1740C8  # 8 MB
SLOW_BUT_ALIVE = 0x20120707  # any value: the stub says 0


class Loader:
    def __init__(self, link: Path, chip_id: int = CHIP_ID, size: int = 8 << 20):
        self.flash = bytearray(b"\xff" * size)
        self.chip_id = chip_id
        self.commands = []
        self.registers = {SPI_W0: FLASH_ID}
        self.stub = False
        self.spoil = False  # flash that does not keep what is written
        self.at = 0
        self.inflate = None
        self.master, self.slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self.slave)
        self.link = link
        link.symlink_to(os.ttyname(self.slave))
        self.wake, self.end = os.pipe()
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def close(self) -> None:
        os.write(self.end, b"x")
        self.thread.join()
        self.link.unlink()
        for handle in (self.master, self.slave, self.wake, self.end):
            os.close(handle)

    def _live(self) -> None:
        buffer = b""
        while True:
            ready, _, _ = select.select([self.master, self.wake], [], [])
            if self.wake in ready:
                return
            buffer += os.read(self.master, 65536)
            while buffer.count(b"\xc0") > 1:
                _, frame, buffer = buffer.split(b"\xc0", 2)
                if frame:
                    self._take(frame.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
                else:
                    buffer = b"\xc0" + buffer

    def _take(self, frame: bytes) -> None:
        direction, command, size, _checksum = struct.unpack_from("<BBHI", frame)
        data = frame[8:]
        assert direction == 0
        assert size == len(data)
        self.commands.append(command)
        for _ in range(8 if command == 0x08 else 1):
            value, body, status = self._do(command, data)
            body += bytes((status, 0) if self.stub else (status, 0, 0, 0))
            self._send(struct.pack("<BBHI", 1, command, len(body), value) + body)
        if command == 0x06 and not self.stub:  # MEM_END starts what was uploaded
            self.stub = True
            self._send(b"OHAI")

    def _send(self, frame: bytes) -> None:
        os.write(self.master, b"\xc0" + frame.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0")

    def _do(self, command: int, data: bytes) -> tuple[int, bytes, int]:
        """(value, data, status)"""
        if command == 0x08:
            return (0 if self.stub else SLOW_BUT_ALIVE), b"", 0
        if command == 0x0A:
            return self.registers.get(struct.unpack("<I", data)[0], 0), b"", 0
        if command == 0x14:
            return 0, struct.pack("<IB7BII", 0, 0, *(0,) * 7, self.chip_id, 0), 0
        if command in (0x02, 0x10):
            _size, _blocks, _block, self.at = struct.unpack_from("<IIII", data)
            self.inflate = zlib.decompressobj() if command == 0x10 else None
        elif command in (0x03, 0x11):
            size = struct.unpack_from("<I", data)[0]
            block = data[16 : 16 + size]
            block = self.inflate.decompress(block) if command == 0x11 else block
            if not self.spoil:
                self.flash[self.at : self.at + len(block)] = block
            self.at += len(block)
        elif command == 0x13:
            offset, size = struct.unpack_from("<II", data)
            digest = hashlib.md5(self.flash[offset : offset + size])  # noqa: S324 - the protocol's choice
            return 0, digest.digest() if self.stub else digest.hexdigest().encode(), 0
        elif command not in (0x04, 0x05, 0x06, 0x07, 0x09, 0x0B, 0x0D, 0x0F, 0x12):
            return 0, b"", 1
        return 0, b"", 0
