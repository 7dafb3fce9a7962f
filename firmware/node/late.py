"""Questions that got no answer: a unit that is silent is asked less, and what still comes is taken for nothing else.

On a serial line an answer names its unit, its function and its size, but no address: one that comes late looks right to
another question of the same size. So for a while only questions are asked that it cannot be taken for; questions of other
sizes go on, and so do all other units. Loaded for the call.
"""

from micropython import const
from node.modbus_frames import crc16, data_bytes
from node.wait import after, left

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from node.bus import Block, Unit
    from node.modbus import Master

# Those of wire.records, as numbers: a name costs flash and heap.
_TIMEOUT = const(1)
_BAD_FRAME = const(2)
_WRONG_REPLY = const(5)
_WRONG_HEADER = const(6)  # that of node.modbus
_OFFLINE = const(3)  # that of node.bus
_PROBE_MS = const(1000)  # first pause of an offline unit, doubled up to …
_PROBE_MAX_MS = const(8000)
_PROBE_TIMEOUTS = const(20)  # … or, when longer, so many time-outs: a probe costs the bus 5 % of its time
_LATE_MS = const(5000)  # converters and busy devices were seen to answer up to 3 s late
_WRITE_COIL = const(5)
_READ_WRITE = const(23)


def note(unit: "Unit", flag: int, ms: int) -> int:
    """After a question without an answer, which took `ms`. Gives the flag, told more exactly than in passing."""
    master = unit.bus.master
    unit.failures += 1
    unit.data = b""
    if flag == _WRONG_HEADER:  # a gateway of 0.1.0 knows no such flag, and reads no register beside this one
        flag, unit.data = _WRONG_REPLY, b"\0\1"
    if not master.transport.at:
        # a late answer is noise to the next question: it may come meanwhile
        unit.hold_ms = max(unit.hold_ms, ms, unit.gap_ms)
        if flag == _BAD_FRAME:
            flag = _named(master)
        _keep_off(unit, master.tx)
    if unit.failures >= _OFFLINE:
        longest = max(_PROBE_MAX_MS, _PROBE_TIMEOUTS * master.timeout_ms)
        unit.hold_ms = min(max(2 * unit.hold_ms, _PROBE_MS), longest)
    return flag


def alike(unit: "Unit", function: int, address: int, count: int) -> bool:
    """Whether an answer that is still owed to another question could be taken for that to this one."""
    unit.owed = _owed(unit)
    for _, function_, address_, count_ in unit.owed:
        if function_ == function and data_bytes(function, count_) == data_bytes(function, count):
            if (address_, count_) != (address, count):
                return True
    return False


def _keep_off(unit: "Unit", tx: bytearray) -> None:
    """What could take the answer to the question in `tx` for its own waits until that can no longer come."""
    function, address, count = tx[1], tx[2] << 8 | tx[3], tx[4] << 8 | tx[5]
    if function >= _WRITE_COIL:  # a write is answered with its address
        return
    unit.owed = _owed(unit) + [(after(_LATE_MS), function, address, count)]
    blocks = [one for one in unit.bus.blocks if one.unit is unit]
    if [one for one in blocks if alike(unit, *_question(one))]:
        for one in blocks:
            if one.function == function and data_bytes(function, one.count) == data_bytes(function, count):
                one.due = after(_LATE_MS)
    for one in blocks:
        if one.model and one.model not in unit.models:  # it would walk: questions of two registers each
            one.due = after(_LATE_MS)


def _owed(unit: "Unit") -> list[tuple]:
    """What is still owed; a tick that has wrapped meanwhile means nothing."""
    return [one for one in unit.owed if 0 < left(one[0]) <= _LATE_MS]


def _question(block: "Block") -> tuple[int, int, int]:
    start = block.unit.models.get(block.model, (0, 0))[0] if block.model else 0
    return block.function, start + block.address, block.count


def _named(master: "Master") -> int:
    """What came instead of an answer: BAD_FRAME, or WRONG_REPLY for an intact frame, or TIMEOUT for our own question."""
    tx, view = master.tx, master.view
    if view[:8] == tx[:8]:
        return _TIMEOUT
    function = view[1]
    size = 8
    if function & 0x80:
        size = 5
    elif function < _WRITE_COIL or function == _READ_WRITE:
        size = 5 + view[2]
    return _BAD_FRAME if crc16(view, size) else _WRONG_REPLY
