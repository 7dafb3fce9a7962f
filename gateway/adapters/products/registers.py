"""Raw registers to readings. A value is either right or absent with a reason; it is never a guess."""

import math
import struct
from collections.abc import Mapping, Sequence

from gateway.adapters.products.points import COILS, Point
from gateway.adapters.products.profiles import Profile
from gateway.core.model.state import Reading

TINY = 1e-6  # a float32 closer to zero than this is no measurement but a sign of swapped words
SUNSSF_MIN, SUNSSF_MAX = -10, 10  # SunSpec Information Model Specification, type sunssf

ONES = 0xFFFF  # a register of which every bit is 1
LONG = ("uint32", "uint64")  # so large a number that all its ones are nobody's measurement

_FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f", "uint64": ">Q"}


def readings(
    profile: Profile, points: Sequence[Point], first: int, registers: Sequence[int], measured_s: float
) -> Mapping[str, Reading]:
    """Readings of the points inside a block that begins at address `first`."""
    if points and points[0].table in COILS:
        return {p.name: _coil(p, registers, p.address - first, measured_s) for p in points}
    return {p.name: _reading(profile, p, registers[p.span[0] - first :], measured_s) for p in points}


def are_ones(registers: Sequence[int]) -> bool:
    """Whether every bit is 1: what many a product answers where it has nothing to say."""
    return bool(registers) and all(word == ONES for word in registers)


def encode(kind: str, value: int, word_order: str) -> list[int]:
    """Registers of a whole number; ValueError when it does not fit the type."""
    try:
        packed = struct.pack(_FORMATS[kind], value)
    except struct.error as error:
        raise ValueError(f"{value} does not fit {kind}") from error
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return words if word_order == "big" else words[::-1]


def _reading(profile: Profile, point: Point, registers: Sequence[int], measured_s: float) -> Reading:
    start = point.span[0]
    words = list(registers[point.address - start :][: point.count])
    if len(words) < point.count:
        return Reading.absent("wrong_reply", measured_s)
    if (point.word_order or profile.word_order) == "little":
        words.reverse()
    packed = struct.pack(f">{point.count}H", *words)
    exponent = 0 if point.sf_address is None else _exponent(registers[point.sf_address - start])
    if point.nan_means is not None and _is_nan(point, packed):
        return Reading(value=point.nan_means, measured_s=measured_s)
    raw = float(struct.unpack(_FORMATS[point.type], packed)[0])
    ones_alone = point.type in LONG and are_ones(words)
    if exponent is None or math.isnan(raw) or ones_alone or _is_nan(point, packed):
        return Reading.absent("nan", measured_s)
    value = _meant(point, int(raw)) if point.codes else raw * point.scale * 10.0**exponent * point.sign
    swapped = point.type == "float32" and 0 < abs(raw) < TINY
    if value is None or swapped or not point.allows(value):
        return Reading.absent("implausible", measured_s)
    return Reading(value=value or 0.0, measured_s=measured_s)


def _is_nan(point: Point, packed: bytes) -> bool:
    """Whether that is the maker's pattern for "no value"."""
    return point.nan is not None and int.from_bytes(packed, "big") == int(point.nan, 16)


def _meant(point: Point, raw: int) -> int | None:
    """The number that the code of a state stands for; None for one that is not known."""
    return (point.codes or {}).get(raw)


def _coil(point: Point, registers: Sequence[int], number: int, measured_s: float) -> Reading:
    """The coil of that number behind the block's first, packed as gateway/wire/table.py says."""
    if number // 16 >= len(registers):
        return Reading.absent("wrong_reply", measured_s)
    packed = registers[number // 16].to_bytes(2, "big")
    raw = packed[number % 16 // 8] >> number % 8 & 1
    value = raw * point.scale * point.sign
    if not point.low <= value <= point.high:
        return Reading.absent("implausible", measured_s)
    return Reading(value=value or 0.0, measured_s=measured_s)


def _exponent(register: int) -> int | None:
    """The SunSpec exponent; None for "not implemented" and for what is none."""
    value: int = struct.unpack(">h", struct.pack(">H", register))[0]
    return value if SUNSSF_MIN <= value <= SUNSSF_MAX else None
