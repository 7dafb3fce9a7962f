"""Finding SunSpec models: the chain of (model, length, registers…) behind the letters SunS.

Source: SunSpec Information Model Specification V1.9, "Device Information Model Structure".
"""

from micropython import const
from wire.records import EXCEPTION, NO_MODEL, OK

BASES = (40000, 50000, 0)
SUNS = b"SunS"
_END = const(0xFFFF)
_LONGEST_CHAIN = const(60)


async def walk(bus, unit, function):
    """(flag, {model: (address of its ID register, length with ID and length)}) of the models the unit's blocks want.

    The flag is OK, NO_MODEL without SunS, or that of the read that failed.
    """
    found = {}
    for base in BASES:
        flag, data = await bus.read(unit, function, base, 2)
        if flag == OK and data == SUNS:
            break
        if flag not in (OK, EXCEPTION):
            return flag, found
    else:
        return NO_MODEL, found
    at = base + 2
    for _ in range(_LONGEST_CHAIN):
        flag, data = await bus.read(unit, function, at, 2)
        if flag != OK:
            return flag, found
        model = data[0] << 8 | data[1]
        length = (data[2] << 8 | data[3]) + 2
        if model == _END or at + length > 0xFFFF:
            break
        if model in unit.wanted and model not in found:
            found[model] = (at, length)
        if len(found) == len(unit.wanted):
            break
        at += length
    return OK, found
