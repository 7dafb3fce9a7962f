"""What lies around an answer on a serial line: idle bytes, our own request, noise. The frame is looked for."""

import json

import pytest
from wire import records

pytestmark = pytest.mark.hil

LINE = """
import asyncio, json
import far_end
from node import poll_table
from node.bus import Bus
from node.modbus import Line, Master
def refusal(frame):
    body = bytes((frame[0], frame[1] | 0x80, 2))
    return body + far_end.crc(body)
def bus_of(answer):
    return Bus("rs485", Master(Line(lambda: far_end.Line(answer), 115200), 60, 0), None)
async def read(bus, address, count, function=3, unit=1):
    one = poll_table.unit({"id": unit, "wfc": 6}, bus)
    flag, data = await bus.read(one, function, address, count)
    return flag, data.hex()
"""
ROWS = {  # what is on the line for `right`, the answer to `frame`; then the flag
    "nothing else": ("right", records.OK),
    "00 before": ("b'\\0' + right", records.OK),
    "ff before": ("b'\\xff' + right", records.OK),
    "ff 00 ff before": ("b'\\xff\\0\\xff' + right", records.OK),
    "our unit before": ("b'\\1' + right", records.OK),
    "unit and function before": ("b'\\1\\3' + right", records.OK),
    "half an answer before": ("right[:5] + right", records.OK),
    "00 behind": ("right + b'\\0\\0'", records.OK),
    "our request before": ("frame + right", records.OK),
    "request and 00 before": ("frame + b'\\0' + right + b'\\0'", records.OK),
    "00, request, ff before": ("b'\\0' + frame + b'\\xff' + right", records.OK),
    "somebody else's before": ("b'\\5' + right[1:-2] + far_end.crc(b'\\5' + right[1:-2]) + right", records.OK),
    "a long noise before": ("bytes(range(160)) + right", records.OK),
    "00 before a refusal": ("b'\\0' + refusal(frame)", records.EXCEPTION),
    "our request before a refusal": ("frame + refusal(frame)", records.EXCEPTION),
    "only our request": ("frame", records.TIMEOUT),
    "00 before a damaged one": ("b'\\0' + right[:-1] + bytes((right[-1] ^ 1,))", records.BAD_FRAME),
    "too much noise": ("bytes(300) + right", records.BAD_FRAME),
    "somebody else's": ("b'\\5' + right[1:-2] + far_end.crc(b'\\5' + right[1:-2])", records.WRONG_REPLY),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_answer_is_found_among_other_bytes(name, board):
    """Addresses, too, that look like the begin of an answer: 0x0400 of two registers is `01 03 04` in the request."""
    around, flag = ROWS[name]
    said = board(
        LINE
        + f"""
def answer(frame):
    right = far_end.device(frame)
    return {around}
async def main():
    bus = bus_of(answer)
    found = []
    for address, count in ((100, 1), (0x400, 2), (7, 3), (0, 20)):
        found.append(await read(bus, address, count))
    print(json.dumps(found))
asyncio.run(main())
"""
    )
    found = json.loads(said)
    rows = [(100, 1), (0x400, 2), (7, 3), (0, 20)]
    for (address, count), (got, data) in zip(rows, found, strict=True):
        assert got == flag, address
        if got == records.OK:
            assert data == "".join(f"{address + i:04x}" for i in range(count))


WRITES = {  # function of the write, answer as above; then the flag and how many times it was written
    "5, heard": (5, "frame + right", records.OK, 1),
    "6, heard": (6, "frame + right", records.OK, 1),
    "6, heard behind 00": (6, "b'\\0' + frame + b'\\0' + right", records.OK, 1),
    "16, heard": (16, "frame + right", records.OK, 1),
    "6, heard and not answered": (6, "frame", records.TIMEOUT, 2),
    "16, heard and not answered": (16, "frame", records.TIMEOUT, 2),
    "6, no longer heard": (6, "right", records.OK, 1),
}


@pytest.mark.parametrize("name", WRITES)
def test_our_own_voice_is_no_answer_to_a_write(name, board):
    """With functions 5 and 6 the right answer is the request itself. That we hear ourselves shows in the reads."""
    function, around, flag, times = WRITES[name]
    heard = "" if name.endswith("no longer heard") else "frame + "
    said = board(
        LINE
        + f"""
said = []
def answer(frame):
    right = far_end.device(frame)
    if frame[1] == 3:
        return {heard}right
    said.append(frame)
    return {around}
async def main():
    bus = bus_of(answer)
    one = poll_table.unit({{"id": 1, "wfc": {function}}}, bus)
    print(await read(bus, 100, 1), await bus.write(one, [(7, [1])]), len(said))
asyncio.run(main())
"""
    )
    assert said.split()[2:] == [str(flag), str(times)]
