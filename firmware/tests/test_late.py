"""Answers that come when nobody waits for them any more: each record has its own registers, or none."""

import json
from collections import Counter

import pytest
from wire import records

pytestmark = pytest.mark.hil

SPEED = 20  # of the node's time; both ends of the line live in it
COUNT = 2  # registers of each block: none is told from another by its size

# Two units with four blocks each. A register holds its address and, in the high byte, its unit.
LINE = """
import asyncio, json, random, sys
import far_end
from time import ticks_diff, ticks_ms
from node import poll_table
from node.bus import Bus
from node.modbus import Line, Master
pushed = []
begin = ticks_ms()
def now():
    return ticks_diff(ticks_ms(), begin)
def push(number, flag, data, count):
    pushed.append((now(), number, flag, bytes(data).hex()))
def answer(frame):
    unit, function, address, count = frame[0], frame[1], frame[2] << 8 | frame[3], frame[5]
    body = bytes((unit, function, 2 * count)) + b"".join(bytes((unit, address + i)) for i in range(count))
    return body + far_end.crc(body)
async def main(timeout_ms, delay, in_turn, seconds):
    end = far_end.LateLine(delay, in_turn)
    end.answer = answer
    bus = Bus("rs485", Master(Line(lambda: end, 115200), timeout_ms, 0), push)
    for u in range(2):
        unit = poll_table.unit({"id": 1 + u, "wfc": 16}, bus)
        for i in range(4):
            spec = {"fc": 3, "a": 10 * i, "n": 2, "ms": 200}
            bus.blocks.append(poll_table.block(4 * u + i, unit, spec))
    asyncio.create_task(bus.run(int))
    while now() < 1000 * seconds:
        await asyncio.sleep_ms(100)
    print(json.dumps(pushed))
"""

SICK_S = 30  # then the line is sound again
SOUND_S = 20
LATE = {  # ms before each answer, as code; the time-out; whether an answer waits for the one before it
    "0.7 s late": ("700", 300, True),
    "3 s late": ("3000", 1000, True),
    "as often late as not": ("random.choice((5, 5, 700))", 300, True),
    "as often late as not, one overtakes another": ("random.choice((5, 5, 700))", 300, False),
    "late by anything": ("random.randint(5, 3000)", 1000, True),
    "late by anything, one overtakes another": ("random.randint(5, 3000)", 100, False),
    "now and then very late": ("5 if random.getrandbits(4) else 2500", 100, False),
}


@pytest.mark.parametrize("how", LATE)
def test_a_record_has_its_own_registers_or_none(how, runner, micropython):
    late, timeout_ms, in_turn = LATE[how]
    delay = f"lambda _frame: {late} if now() < {1000 * SICK_S} else 5"
    run = f"random.seed({timeout_ms})\nasyncio.run(main({timeout_ms}, {delay}, {in_turn}, {SICK_S + SOUND_S}))"
    pushed = json.loads(runner(micropython, heap="4m")(LINE + run, speed=SPEED))
    for _, number, flag, data in pushed:
        if flag == records.OK:
            unit, first = 1 + number // 4, 10 * (number % 4)
            assert data == "".join(f"{unit:02x}{first + i:02x}" for i in range(COUNT)), number
    good = Counter(number for ms, number, flag, _ in pushed if flag == records.OK and ms > 1000 * SICK_S)
    assert min(good[number] for number in range(8)) > 10  # each is back after ten seconds at most


def test_a_single_question_waits_too_where_a_late_answer_could_be_taken_for_its_own(runner, micropython):
    """As the reading back of an order does. The same question is no other one, and other sizes cannot be mistaken."""
    run = """
async def ask():
    end = far_end.LateLine(lambda _frame: 5 if now() > 400 else 700)
    end.answer = answer
    bus = Bus("rs485", Master(Line(lambda: end, 115200), 300, 0), push)
    unit = poll_table.unit({"id": 1, "wfc": 16}, bus)
    found = []
    for address, count in ((10, 2), (10, 2), (20, 2), (20, 3)):
        flag, data = await bus.read(unit, 3, address, count)
        found.append([flag, data.hex()])
    await asyncio.sleep_ms(5000)
    flag, data = await bus.read(unit, 3, 20, 2)
    found.append([flag, data.hex()])
    print(json.dumps(found))
asyncio.run(ask())
"""
    lost, same, alike, other, later = json.loads(runner(micropython)(LINE + run, speed=SPEED))
    assert lost[0] == records.TIMEOUT
    assert same == [records.OK, "010a010b"]
    assert alike[0] == records.TIMEOUT
    assert other == [records.OK, "011401150116"]
    assert later == [records.OK, "01140115"]
