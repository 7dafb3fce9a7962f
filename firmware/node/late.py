"""Answers that did not come on a serial line and still may. Loaded while one is owed.

Such an answer names unit, function and size, but no address: it looks right to another question of the same size. So for
a while only questions are asked that it cannot be taken for; questions of other sizes go on, and so do all other units.
"""

from micropython import const
from node.modbus_frames import crc16, data_bytes
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from node.bus import Block, Unit

# Those of wire.records, as numbers: a name costs flash and heap.
_BAD_FRAME = const(2)
_WRONG_REPLY = const(5)
_LATE_MS = const(5000)  # converters and busy devices were seen to answer up to 3 s late
_SHORTEST = const(5)  # bytes of a frame with its checksum
_LONGEST = const(256)
_WRITE_COIL = const(5)


def keep_off(unit: "Unit", flag: int, ms: int) -> int:
    """After a question without an answer, which took `ms`: what could take its answer for its own waits.

    Gives the flag, which for an intact frame of somebody else is WRONG_REPLY.
    """
    tx = unit.bus.master.tx
    function, address, count = tx[1], tx[2] << 8 | tx[3], tx[4] << 8 | tx[5]
    # a late answer is noise to the next question: it may come meanwhile
    unit.hold_ms = max(unit.hold_ms, ms, unit.gap_ms)
    if function < _WRITE_COIL:  # a write is answered with its address
        unit.owed = _owed(unit) + [(after(_LATE_MS), function, address, count)]
        blocks = [one for one in unit.bus.blocks if one.unit is unit]
        if [one for one in blocks if alike(unit, *_question(one))]:
            for one in blocks:
                if one.function == function and data_bytes(function, one.count) == data_bytes(function, count):
                    one.due = after(_LATE_MS)
        for one in blocks:
            if one.model and one.model not in unit.models:  # it would walk: questions of two registers each
                one.due = after(_LATE_MS)
    if flag == _BAD_FRAME and _is_frame(unit.bus.master.view):
        return _WRONG_REPLY
    return flag


def alike(unit: "Unit", function: int, address: int, count: int) -> bool:
    """Whether an answer that is still owed to another question could be taken for that to this one."""
    unit.owed = _owed(unit)
    for _, function_, address_, count_ in unit.owed:
        if function_ == function and data_bytes(function, count_) == data_bytes(function, count):
            if (address_, count_) != (address, count):
                return True
    return False


def _owed(unit: "Unit") -> list[tuple]:
    """What is still owed; a tick that has wrapped meanwhile means nothing."""
    return [one for one in unit.owed if 0 < left(one[0]) <= _LATE_MS]


def _question(block: "Block") -> tuple[int, int, int]:
    start = block.unit.models.get(block.model, (0, 0))[0] if block.model else 0
    return block.function, start + block.address, block.count


def _is_frame(view: memoryview) -> bool:
    return bool([size for size in range(_SHORTEST, _LONGEST) if not crc16(view, size)])
