"""Batches of records as they arrive, taken apart (the node puts them together in `firmware/node/ring.py`)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.wire import records

# By the number of the flag (`gateway.wire.records`); also the reasons of an absent reading.
FLAG_NAMES = ("ok", "timeout", "bad_frame", "exception", "no_link", "wrong_reply", "no_model")
HEADER_REPLY = 1  # the register of a WRONG_REPLY that came under another transaction or from another unit
WRONG_HEADER = "wrong_header"  # that of a WRONG_REPLY with HEADER_REPLY


class BatchError(ValueError):
    """A batch that is not one: says where it stops making sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One answer of a block, or its failure; `s` and `ms` as in `gateway.wire.records`."""

    seq: int
    s: int
    ms: int
    clock: int
    block: int
    flag: int
    registers: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One message of records: the poll table they refer to, the node's boot and the oldest sequence it holds.

    `sent_s` is the moment it left, on the clock of its records.
    """

    table: int
    boot: int
    oldest: int
    sent_s: float
    records: Sequence[Record]


def decode(payload: bytes) -> Batch:
    """The batch in a message. Raises BatchError for anything that is not exactly one."""
    if len(payload) < records.HEADER_SIZE:
        raise BatchError(f"batch of {len(payload)} bytes is shorter than its header")
    version, count, table, boot, oldest, s, ms = struct.unpack_from(records.HEADER, payload, 0)
    if version != records.VERSION:
        raise BatchError(f"batch version {version}, this side speaks {records.VERSION}")
    if ms > 999:
        raise BatchError(f"batch of ms {ms}")
    found: list[Record] = []
    at = records.HEADER_SIZE
    for _ in range(count):
        record = _record(payload, at)
        found.append(record)
        at += records.record_size(len(record.registers))
    if at != len(payload):
        raise BatchError(f"{len(payload) - at} bytes behind the last record")
    return Batch(table=table, boot=boot, oldest=oldest, sent_s=s + ms / 1000, records=found)


def _record(payload: bytes, at: int) -> Record:
    if at + records.RECORD_SIZE > len(payload):
        raise BatchError(f"batch ends inside the record at {at}")
    seq, s, ms, clock, block, flag, n = struct.unpack_from(records.RECORD, payload, at)
    if at + records.record_size(n) > len(payload):
        raise BatchError(f"batch ends inside the registers of the record at {at}")
    if ms > 999 or clock > records.CLOCK_SYNCED or flag >= len(FLAG_NAMES):
        raise BatchError(f"record at {at} has ms {ms}, clock {clock}, flag {flag}")
    registers = struct.unpack_from(f">{n}H", payload, at + records.RECORD_SIZE)
    return Record(seq=seq, s=s, ms=ms, clock=clock, block=block, flag=flag, registers=registers)
