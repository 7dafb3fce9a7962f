"""Finding SunSpec models: the chain of (model, length, registers…) behind the letters SunS.

Source: SunSpec Information Model Specification V1.9, "Device Information Model Structure".
Loaded while a chain is walked, and dropped again.
"""

from micropython import const

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from node.bus import Bus, Unit

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_EXCEPTION = const(3)
_END = const(0xFFFF)
_LONGEST_CHAIN = const(60)


async def walk(bus: "Bus", unit: "Unit", function: int) -> int:
    """Sets the unit's `models` to {model: (address of its ID register, length with ID and length)} of those its blocks
    want. The flag is OK, also without SunS, or that of the read that failed."""
    wanted: "Any" = {block.model for block in bus.blocks if block.unit is unit}
    found = {}
    for base in (40000, 50000, 0):
        flag, data = await bus.read(unit, function, base, 2)
        if flag not in (_OK, _EXCEPTION):
            return flag
        if data == b"SunS":
            at = base + 2
            break
    else:
        wanted = ()
    for _ in range(_LONGEST_CHAIN):
        if not wanted:
            break
        flag, data = await bus.read(unit, function, at, 2)
        if flag != _OK:
            return flag
        model = data[0] << 8 | data[1]
        length = (data[2] << 8 | data[3]) + 2
        if model == _END or at + length > 0xFFFF:
            break
        if model in wanted:
            wanted.remove(model)
            found[model] = at, length
        at += length
    unit.models = found
    return _OK
