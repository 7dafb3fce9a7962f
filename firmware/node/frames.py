"""Bytes of Modbus: requests, checksums and the judgement of answers. Pure, for both interpreters.

Sources: MODBUS Application Protocol V1.1b3, MODBUS over Serial Line V1.02, MODBUS Messaging on TCP/IP V1.0b.
A request lies in `tx` and its answer in `rx` with the unit at the same place `at`: 0 on a line, 6 on TCP.
"""

import struct

from micropython import const
from wire.records import EXCEPTION, OK, WRONG_REPLY

_WRITE_MANY = const(16)

_CRC = (
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
)  # fmt: skip  # polynomial 0xA001 for four bits at a time


def crc16(buffer, size):
    """CRC of the first `size` bytes, sent low byte first."""
    crc = 0xFFFF
    for i in range(size):
        byte = buffer[i]
        crc = _CRC[(crc ^ byte) & 15] ^ (crc >> 4)
        crc = _CRC[(crc ^ (byte >> 4)) & 15] ^ (crc >> 4)
    return crc


def request(tx, at, unit, function, address, count, words=()):
    """Writes unit and request into `tx`; gives the place behind it. `count` is the value of a WRITE_ONE."""
    struct.pack_into(">BBHH", tx, at, unit, function, address, count)
    at += 6
    if function == _WRITE_MANY:
        tx[at] = 2 * count
        at += 1
        for word in words:
            tx[at] = word >> 8
            tx[at + 1] = word & 0xFF
            at += 2
    return at


def line_length(rx, got):
    """Length of the line frame that begins in `rx`, checksum included; 0 while or where it cannot be told."""
    if got < 3:
        return 0
    function = rx[1]
    if function & 0x80:
        return 5
    if function in (1, 2, 3, 4, 23):
        return 5 + rx[2]
    if function in (5, 6, 15, 16):
        return 8
    return 0


def verdict(tx, rx, at, end):
    """OK, EXCEPTION or WRONG_REPLY for the intact answer `rx[at:end]` (without checksum)."""
    function = tx[at + 1]
    size = end - at
    if rx[at] == tx[at]:
        if rx[at + 1] == function | 0x80 and size == 3:
            return EXCEPTION
        if function < 5:
            data = 2 * (tx[at + 4] << 8 | tx[at + 5])
            if rx[at + 1] == function and rx[at + 2] == data and size == 3 + data:
                return OK
        elif size == 6 and rx[at:end] == tx[at:end]:  # a write answers with its address and its value or count
            return OK
    return WRONG_REPLY
