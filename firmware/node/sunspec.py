"""Finding SunSpec models: the chain of (model, length, registers…) behind the letters SunS.

Source: SunSpec Information Model Specification V1.9, "Device Information Model Structure".
Loaded while a chain is walked, and dropped again.
"""

from micropython import const
from node.wait import after

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from node.bus import Bus, Unit

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_TIMEOUT = const(1)
_EXCEPTION = const(3)
_NO_MODELS = const((0, 0xFFFF))  # the end of a chain, and what some devices have behind theirs
_LONGEST_CHAIN = const(60)
_REWALK_MS = const(30000)


async def walk(bus: "Bus", unit: "Unit", function: int) -> int:
    """Adds to the unit's `models` {model: (address of its ID register, length with ID and length)} of those its blocks
    want. The flag is OK, also without SunS and where nothing answers behind the last model; else that of the read that
    failed."""
    wanted = {block.model for block in bus.blocks if block.unit is unit and block.model}
    found = {}
    flag, at = await _begin(bus, unit, function)
    before = at - 2
    for _ in range(_LONGEST_CHAIN if at else 0):
        flag, data = await bus.read(unit, function, at, 2)
        if flag == _TIMEOUT:
            flag, data = await _again(bus, unit, function, at, before)
        if flag != _OK:
            break
        model = data[0] << 8 | data[1]
        length = (data[2] << 8 | data[3]) + 2
        if model in wanted:
            wanted.remove(model)
            found[model] = at, length
        before = at
        at += length
        if not wanted or model in _NO_MODELS or at > 0xFFFF:
            break
    if flag not in (_OK, _EXCEPTION):
        return flag
    known = dict(unit.models)  # what a walk that broke off has not come to is where it was
    known.update(found)
    unit.models = known
    unit.walk = after(_REWALK_MS)
    return _OK


async def _begin(bus: "Bus", unit: "Unit", function: int) -> tuple[int, int]:
    """(OK, the address behind SunS or 0), or (the flag of the read that failed, 0)."""
    worst = _TIMEOUT
    for base in (40000, 50000, 0):
        flag, data = await bus.read(unit, function, base, 2)
        if data == b"SunS":
            return _OK, base + 2
        if flag in (_OK, _EXCEPTION):
            worst = _OK
        elif flag != _TIMEOUT or not bus.master.transport.at:  # on a line the others wait meanwhile
            return flag, 0
    return worst, 0


async def _again(bus: "Bus", unit: "Unit", function: int, at: int, before: int) -> tuple[int, bytes]:
    """What is at an address that did not answer. EXCEPTION when it stays silent and what lies before it does not:
    the chain of some devices ends so. On a line that is taken for granted, because the others wait meanwhile."""
    if bus.master.transport.at:
        flag, data = await bus.read(unit, function, at, 2)
        if flag != _TIMEOUT or (await bus.read(unit, function, before, 2))[0] == _TIMEOUT:
            return flag, data
    return _EXCEPTION, b""
