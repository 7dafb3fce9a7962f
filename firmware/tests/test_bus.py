"""A bus between polls, writes and faults: turns, limits, late answers, dead units, half-open connections."""

import asyncio
import itertools
import json
import signal
import statistics
import sys
import time
from pathlib import Path

import pytest
import tables
import wire_share
from node_rig import figure, until
from wire import records

pytestmark = pytest.mark.hil

ONE = [{"bus": 0, "id": 1, "wfc": 16}]

PREPARE = """
import asyncio, json
import far_end
from node import poll_table, report
from node.bus import Bus
from node.modbus import Line, Master, Net
pushed = []
def push(block, flag, data, count):
    pushed.append((block, flag, bytes(data).hex(), count))
def bus_of(end, timeout_ms=30, gap_ms=0):
    return Bus("rs485", Master(Line(lambda: end, 115200), timeout_ms, gap_ms), push)
def block(bus, unit, number, **spec):
    bus.blocks.append(poll_table.block(number, unit, dict({"fc": 3, "a": 0, "n": 1, "ms": 100}, **spec)))
"""


@pytest.fixture
def bus(runner, micropython):
    """Runs code inside the board's interpreter, with far_end.py at the other end of a bus; gives the JSON it prints."""
    board = runner(micropython, heap="800k")  # for the diaries of the tests: long ones when the machine is busy

    def run(code: str):
        return json.loads(board(PREPARE + code))

    return run


WRITES = {  # unit, address, words → frames without their checksum, by the examples of the specification
    "coils one at a time": ({"wfc": 5}, (7, [1, 0]), ["01050007ff00", "010500080000"]),
    "registers one at a time": ({"wfc": 6}, (7, [258, 3]), ["010600070102", "010600080003"]),
    "coils at once": ({"wfc": 15}, (7, [1, 0, 1]), ["010f000700030105"]),
    "registers at once": ({"wfc": 16}, (7, [258, 3]), ["0110000700020401020003"]),
    "written and read back": ({"wfc": 23}, (7, [258, 3]), ["01170007000200070002" + "0401020003"]),
    "split": (
        {"wfc": 16, "max": 3},
        (7, [1, 2, 3, 4]),
        ["0110000700020400010002", "0110000900020400030004"],  # two each: no pair is cut
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_keep_to_what_the_unit_can(name, bus):
    spec, write, frames = WRITES[name]
    flag, said = bus(f"""
end = far_end.Line()
bus = bus_of(end)
flag = asyncio.run(bus.write(poll_table.unit(dict(id=1, **{spec}), bus), [{write}]))
print(json.dumps([flag, [frame[:-2].hex() for frame in end.said]]))
""")
    assert (flag, said) == (records.OK, frames)


def test_a_value_that_is_not_read_back_as_written_is_a_wrong_reply(bus):
    flag = bus("""
def other(frame):
    answer = far_end.device(frame)[:-3] + b"!"
    return answer + far_end.crc(answer)
bus = bus_of(far_end.Line(other))
print(asyncio.run(bus.write(poll_table.unit({"id": 1, "wfc": 23}, bus), [(7, [258, 3])])))
""")
    assert flag == records.WRONG_REPLY


def test_two_equal_writes_both_go_out_and_before_a_poll_that_waits(bus):
    """The bus is never free: a poll is under way or waits whenever a write comes, and between the writes of a row."""
    said = bus("""
async def main():
    end = far_end.Line()
    bus = bus_of(end)
    unit = poll_table.unit({"id": 1, "wfc": 6}, bus)
    for i in range(40):
        block(bus, unit, i, a=i)
    task = asyncio.create_task(bus.run(int))
    while len(end.said) < 10:
        await asyncio.sleep_ms(0)
    begin = len(end.said)
    await asyncio.gather(*[bus.write(unit, [(1000, [5])] * 3) for _ in range(4)])
    await asyncio.sleep_ms(20)
    task.cancel()
    print(json.dumps([frame[1] for frame in end.said[begin:]]))
asyncio.run(main())
""")
    assert said.count(6) == 12
    assert said.index(6) <= 1  # one exchange may be under way
    assert said[said.index(6) :][:12] == [6] * 12
    assert said[-1] == 3  # and polling goes on


def test_the_gap_of_one_unit_holds_and_does_not_hold_up_the_others(bus):
    """Unit 1 wants 60 ms between two exchanges, polls and writes alike; unit 2 has 40 blocks that are always due."""
    said = bus("""
from time import ticks_ms, ticks_diff
async def main():
    times = []
    def answer(frame):
        times.append((frame[0], ticks_ms()))
        return far_end.device(frame)
    bus = bus_of(far_end.Line(answer))
    one, two = poll_table.unit({"id": 1, "wfc": 16, "gap_ms": 60}, bus), poll_table.unit({"id": 2, "wfc": 16}, bus)
    for i in range(40):
        block(bus, two, i, a=i)
    block(bus, one, 40)
    block(bus, one, 41)
    task = asyncio.create_task(bus.run(int))
    while sum(unit == 1 for unit, _ in times) < 8:
        await asyncio.sleep_ms(10)
    await bus.write(one, [(0, [1]), (1, [1])])
    task.cancel()
    begin = times[0][1]
    print(json.dumps([(unit, ticks_diff(ms, begin)) for unit, ms in times]))
asyncio.run(main())
""")
    ones = [ms for unit, ms in said if unit == 1]
    gaps = [after - before for before, after in itertools.pairwise(ones)]
    assert min(gaps) >= 59  # whole ms
    assert statistics.median(gaps) < 90  # a busy machine may be late now and then
    alone = [after - before for (_, before), (_, after) in itertools.pairwise(said)]
    assert sum(ms >= 30 for ms in alone) < len(gaps) / 2  # nobody else waits while unit 1 does


def test_writes_to_a_unit_that_wants_pauses_are_not_starved_by_its_own_polls(bus):
    """Two blocks that are always due wait for the same moment as the write does."""
    said = bus("""
async def main():
    end = far_end.Line()
    bus = bus_of(end)
    unit = poll_table.unit({"id": 1, "wfc": 6, "gap_ms": 30}, bus)
    block(bus, unit, 0, ms=10)
    block(bus, unit, 1, ms=10)
    task = asyncio.create_task(bus.run(int))
    while len(end.said) < 3:
        await asyncio.sleep_ms(1)
    begin = len(end.said)
    await asyncio.wait_for_ms(bus.write(unit, [(i, [1]) for i in range(8)]), 5000)
    await asyncio.sleep_ms(100)
    task.cancel()
    print(json.dumps([frame[1] for frame in end.said[begin:]]))
asyncio.run(main())
""")
    assert said.count(6) == 8
    last = max(i for i, function in enumerate(said) if function == 6)
    assert said[:last].count(3) <= 4  # one may be under way; a busy machine may be late
    assert said[-1] == 3  # and polling goes on


def test_a_bus_shows_that_it_lives_with_little_to_do_and_with_nobody_there(bus):
    """An hour in which every sleep is over at once; longest time between two beats, in ms."""
    silences = bus("""
import node.wait
now = [0]
node.wait.ticks_ms = lambda: now[0]
nap = asyncio.sleep_ms
def sleep_ms(ms):
    now[0] = (now[0] + max(ms, 0)) & ((1 << 30) - 1)
    return nap(0)
asyncio.sleep_ms = sleep_ms
async def main(ends):
    end = far_end.Line(ends)
    bus = bus_of(end)
    unit = poll_table.unit({"id": 1, "wfc": 16}, bus)
    if ends:
        block(bus, unit, 0, ms=3600000)
    beats, longest = [now[0]], [0]
    def beat():
        longest[0] = max(longest[0], now[0] - beats[-1])
        beats.append(now[0])
    task = asyncio.create_task(bus.run(beat))
    while now[0] < 3700000 * (1 + bool(ends)):
        await nap(0)
    task.cancel()
    return longest[0], len(end.said)
print(json.dumps([asyncio.run(main(far_end.device)), asyncio.run(main(None))]))
""")
    (longest, polls), (idle, none) = silences
    assert max(longest, idle) <= 4000
    assert (polls, none) == (3, 0)  # at 0, 1 and 2 h


def test_counts_time_outs_checksums_and_exceptions_apart(bus):
    health = bus("""
answers = ["right", "spoiled", "right", "none", "right", "refused", "right", "foreign", "right"]
def answer(frame):
    kind = answers.pop(0)
    right = far_end.device(frame)
    if kind == "none":
        return b""
    if kind == "spoiled":
        return right[:-1] + bytes((right[-1] ^ 1,))
    if kind == "refused":
        right = bytes((1, 0x83, 2))
        return right + far_end.crc(right)
    if kind == "foreign":
        right = b"\\2" + right[1:-2]
        return right + far_end.crc(right)
    return right
async def main():
    bus = bus_of(far_end.Line(answer))
    unit = poll_table.unit({"id": 1, "wfc": 16}, bus)
    while answers:
        await bus.read(unit, 3, 0, 2)
    print(json.dumps(report.unit(unit)))
asyncio.run(main())
""")
    ok, timeouts, bad, exceptions, median_ms = health
    assert (ok, timeouts, bad, exceptions) == (5, 1, 2, 1)
    assert median_ms <= 5


@pytest.mark.parametrize("way", ["line", "tcp"])
async def test_coils_and_inputs_travel_packed(way, node, gateway, meter, inverter):
    """The examples of 6.1 and 6.2 of the specification: 19 coils CD 6B 05 and 22 inputs AC DB 35."""
    device, bus = (meter, tables.line()) if way == "line" else (inverter, tables.tcp(inverter.port))
    for at, data in ((0x13, "CD6B05"), (0xC4, "ACDB35")):
        packed = int.from_bytes(bytes.fromhex(data), "little")
        device.coils.update({at + i: packed >> i & 1 for i in range(24)})
    device.put(0, 7)
    blocks = [tables.block(0, 0x13, 19, fc=1), tables.block(0, 0xC4, 22, fc=2), tables.block(0, 0, 1)]
    node.start(tables.table([bus], ONE, blocks))
    rows = await asyncio.gather(*(gateway.record(i) for i in range(3)))
    assert [row[6] for row in rows] == [(0xCD6B, 0x0500), (0xACDB, 0x3500), (7,)]


async def test_a_late_answer_on_the_line_is_not_taken_for_the_next_one(node, gateway, meter):
    """Each answer comes after 0.3 s, waited for are 0.2 s; both blocks look the same but for their address."""
    meter.put(0, 1111, 1111)
    meter.put(10, 2222, 2222)
    blocks = [tables.block(0, 0, 2, ms=100), tables.block(0, 10, 2, ms=100)]
    meter.delay_s = 0.3
    node.start(tables.table([tables.line(timeout_ms=180)], ONE, blocks))  # 19 ms on the wire come on top
    await gateway.record(1, records.TIMEOUT)
    meter.delay_s = 0.0
    await asyncio.gather(gateway.record(0), gateway.record(1))
    rows = {(row[4], row[6]) for row in gateway.records() if row[5] == records.OK}
    assert rows == {(0, (1111, 1111)), (1, (2222, 2222))}


@pytest.mark.parametrize("way", ["line", "tcp"])
async def test_zeros_are_never_taken_for_values(way, node, gateway, meter, inverter):
    """As after a reconnect: a frame of the right length, all zeros, checksum and header too."""
    device, bus = (meter, tables.line()) if way == "line" else (inverter, tables.tcp(inverter.port))
    device.put(52, 1, 2)
    if way == "line":
        device.spoil = lambda frame: bytes(len(frame))
    else:
        device.whole = lambda frame: bytes(len(frame))
    node.start(tables.table([bus], ONE, [tables.block(0, 52, 2)]))
    await gateway.record(0, records.BAD_FRAME)
    assert not [row for row in gateway.records(0) if row[5] == records.OK]
    device.spoil = device.whole = lambda frame: frame
    assert (await gateway.record(0))[6] == (1, 2)


async def test_a_half_open_connection_is_found_and_opened_again(node, gateway, inverter):
    """The peer has forgotten the connection without a word: it neither answers nor closes, but takes new ones."""
    inverter.put(0, 7)
    node.start(tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 0, 1)]))
    await gateway.record(0)
    inverter.forget()
    silent = await gateway.record(0, records.TIMEOUT)
    assert silent[6] == ()
    again = await gateway.record(0)
    assert again[6] == (7,)
    by_its_clock_s = again[1] - silent[1] + (again[2] - silent[2]) / 1000
    assert 0 < by_its_clock_s < 2  # two time-outs of 0.2 s, and the period
    assert inverter.connections == 2


async def test_a_stopped_peer_costs_the_other_buses_nothing_and_is_found_again(node, gateway, meter):
    """The kernel of a stopped process still accepts and takes bytes: nothing but silence tells."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("slaves.py"))), stdout=asyncio.subprocess.PIPE
    )
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 15))
        meter.put(0, 7)
        units = [*ONE, {"bus": 1, "id": 1, "wfc": 16}]
        poll = tables.table([tables.line(), tables.tcp(port)], units, [tables.block(0, 0, 1), tables.block(1, 5, 1)])
        node.start(poll)
        await gateway.record(1)
        process.send_signal(signal.SIGSTOP)
        await gateway.record(1, records.TIMEOUT)
        for _ in range(8):  # a busy machine can only take from the rate, never add to it: not each time
            asked, begin = len(meter.asked), time.monotonic()
            await until(lambda since=begin: time.monotonic() > since + 3, "three seconds with a stopped peer")
            polls = len([one for one in meter.asked[asked:] if one[0] < begin + 3])
            if polls >= 0.95 * 3 / 0.2:
                break
        assert polls >= 0.95 * 3 / 0.2
        process.send_signal(signal.SIGCONT)
        assert (await gateway.record(1, patience_s=10))[6] == (5,)
    finally:
        process.kill()
        await process.communicate()


async def test_a_dead_unit_of_five_leaves_the_others_their_rate(micropython, tmp_path, capsys):
    """9600 Bd in real time: five reads of 10 registers take 42 ms each of every 300 ms, 70 % of the line."""
    period_s, seconds = 0.3, 12
    folder = tmp_path / "node"
    folder.mkdir()
    poll = wire_share.table(9600, 5, 1, round(1000 * period_s), registers=10)
    async with wire_share.Line(folder / "rs485", 9600, "1,2,3,4,5") as line:
        async with wire_share.node(micropython, folder, poll):
            for _ in range(4):  # a busy machine can only take from the rates, never add: not each time
                for _ in range(20):
                    row = await line.exchange()
                await line.only("1,2,3,4")
                begin, answered, probes = row[1], dict.fromkeys(range(1, 6), 0), 0
                while row[1] - begin < seconds:
                    row = await line.exchange()
                    answered[row[4]] += row[5]
                    probes += not row[5]
                await line.only("1,2,3,4,5")
                while not (row[4] == 5 and row[5]):  # and it is found again
                    row = await line.exchange()
                rates = [answered[unit] * period_s / seconds for unit in range(1, 5)]
                if min(rates) >= 0.95:
                    break
    figure(capsys, f"one of five is dead: the others keep {min(rates):.1%} of their rate, with {probes} probes")
    assert min(rates) >= 0.95
    assert 3 <= probes <= 8


@pytest.mark.parametrize("baud", wire_share.BAUDS)
async def test_makes_use_of_the_line(baud, micropython, tmp_path, capsys):
    share = await wire_share.measure(micropython, tmp_path / "node", baud, seconds=0.75)
    figure(capsys, str(share))
    assert share["share"] >= 0.85
    assert share["least_silence_us"] >= 1e6 * wire_share.silence_s(baud, wire_share.BITS)
