"""Bytes of Modbus: requests, checksums and the judgement of answers. Pure, for both interpreters.

Sources: MODBUS Application Protocol V1.1b3, MODBUS over Serial Line V1.02, MODBUS Messaging on TCP/IP V1.0b.
A request lies in `tx` and its answer in `rx` with the unit at the same place `at`: 0 on a line, 6 on TCP.
"""

import struct
from array import array

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Buffer

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_EXCEPTION = const(3)
_WRONG_REPLY = const(5)

_WRITE_COIL = const(5)
_WRITE_REGISTER = const(6)
_WRITE_COILS = const(15)
_READ_WRITE = const(23)

# Polynomial 0xA001 for four bits at a time, low byte first: 0x0000, 0xCC01, 0xD801, 0x1400, …
_CRC = array(
    "H",
    b"\x00\x00\x01\xcc\x01\xd8\x00\x14\x01\xf0\x00\x3c\x00\x28\x01\xe4"
    b"\x01\xa0\x00\x6c\x00\x78\x01\xb4\x00\x50\x01\x9c\x01\x88\x00\x44",
)


def crc16(buffer: "Buffer", size: int) -> int:
    """CRC of the first `size` bytes, sent low byte first."""
    crc = 0xFFFF
    table = _CRC
    for i in range(size):
        crc ^= buffer[i]
        crc = table[crc & 15] ^ (crc >> 4)
        crc = table[crc & 15] ^ (crc >> 4)
    return crc


def data_bytes(function: int, count: int) -> int:
    """Bytes that `count` coils or registers take in the answer to a read."""
    return (count + 7) >> 3 if function < 3 else 2 * count


def request(
    tx: bytearray,
    at: int,
    unit: int,
    function: int,
    address: int,
    count: int,
    words: list[int] | tuple[()] = (),
    to: int = 0,
) -> int:
    """Writes unit and request into `tx`, which holds zeros behind `at`; gives the place behind it.

    `count` is the value of a function 5 or 6, and of 23 what is read, while `words` are written at `to`. A coil among
    `words` is 0 or 1.
    """
    if function == _WRITE_COIL and count:
        count = 0xFF00
    struct.pack_into(">BBHH", tx, at, unit, function, address, count)
    at += 6
    if function > _WRITE_REGISTER:
        size = len(words)
        if function == _READ_WRITE:
            struct.pack_into(">HH", tx, at, to, size)
            at += 4
        tx[at] = data_bytes(function == _WRITE_COILS or 3, size)
        at += 1
        if function == _WRITE_COILS:
            for i in range(size):
                tx[at + (i >> 3)] |= words[i] << (i & 7)
        else:
            struct.pack_into(">%dH" % size, tx, at, *words)
        at += tx[at - 1]
    return at


def length(tx: bytearray, rx: "Buffer", at: int) -> int:
    """Length of the answer to the request in `tx` that begins with `rx[at:]`, with a checksum; 0 when none does.

    Three bytes decide it.
    """
    function = tx[at + 1]
    if rx[at] == tx[at]:
        if rx[at + 1] == function | 0x80:
            return 5
        if rx[at + 1] == function:
            if _WRITE_COIL <= function != _READ_WRITE:
                return 8
            data = data_bytes(function, tx[at + 4] << 8 | tx[at + 5])
            if rx[at + 2] == data:
                return 5 + data
    return 0


def verdict(tx: bytearray, rx: "Buffer", at: int, end: int) -> int:
    """OK, EXCEPTION or WRONG_REPLY for the intact answer `rx[at:end]` (without checksum)."""
    function = tx[at + 1]
    size = end - at + 2
    if length(tx, rx, at) == size:
        if rx[at + 1] != function:
            return _EXCEPTION
        if (
            # what is written and read in one go comes back as it was written
            tx[at + 2 : at + 6] != tx[at + 6 : at + 10] or rx[at + 3 : end] == tx[at + 11 : at + 6 + size]
            if function == _READ_WRITE
            # a write answers with its address and its value or count
            else function < _WRITE_COIL or rx[at:end] == tx[at:end]
        ):
            return _OK
    return _WRONG_REPLY
