"""Reading: the whole node on the board's interpreter, between real sockets, a serial line and a real broker."""

import asyncio
import time

import pytest
import tables
from node_rig import identity, until
from slaves import crc
from wire import records

pytestmark = pytest.mark.hil

TWO_UNITS = [{"bus": 0, "id": 1, "wfc": 16}, {"bus": 0, "id": 2, "wfc": 16}]


async def test_ships_the_raw_registers_of_a_line_and_of_tcp(node, gateway, meter, inverter):
    meter.put(52, 0x447A, 0x0000)  # 1000.0 as the meter writes it
    inverter.put(100, 0xFFFF, 0x8000, 0x0001)
    poll = tables.table(
        [tables.line(), tables.tcp(inverter.port)],
        [{"bus": 0, "id": 1, "wfc": 16}, {"bus": 1, "id": 1, "wfc": 6}],
        [tables.block(0, 52, 2), tables.block(1, 100, 3, fc=3)],
    )
    node.start(poll)
    line, tcp = await asyncio.gather(gateway.record(0), gateway.record(1))
    assert line[6] == (0x447A, 0x0000)
    assert tcp[6] == (0xFFFF, 0x8000, 0x0001)
    assert line[3] != records.CLOCK_UNKNOWN  # though it may have been read before the clock was set
    assert abs(line[1] + records.EPOCH_2000 - time.time()) < 5
    up = gateway.states[-1]
    assert (up["up"], up["table"], up["boot"]) == (True, identity(poll), gateway.batches[0][2])
    assert gateway.batches[0][1] == identity(poll)


async def test_its_clock_is_the_gateway_s_even_in_the_time_of_a_simulated_building(node, gateway, inverter):
    inverter.put(0, 7)
    year_s = 365 * 86400
    gateway.clock.offset_s = -year_s
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1)]))
    row = await gateway.record(0)
    assert abs(row[1] + records.EPOCH_2000 + year_s - time.time()) < 5


async def test_polls_at_multiples_of_the_period(node, gateway, inverter):
    inverter.put(0, 7)
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1, ms=100)]))

    def on_time() -> bool:
        late_ms = [1000 * asked[0] - 100 * i for i, asked in enumerate(inverter.asked[-40:])]
        early, late = sorted(late_ms[:20])[10], sorted(late_ms[20:])[10]
        drifts = abs(late - early) >= 20  # single polls may wait for a busy machine
        return not drifts and max(late_ms) - min(late_ms) < 100  # never a whole period, never two at once

    await until(lambda: len(inverter.asked) > 40 and on_time(), "40 polls in a row at multiples of the period")


FAULTS = {
    "no answer": (lambda *_: None, records.TIMEOUT),
    "another unit": (lambda _, answer: bytes((9,)) + answer[1:], records.WRONG_REPLY),
    "another function": (lambda _, answer: answer[:1] + b"\x03" + answer[2:], records.WRONG_REPLY),
    "fewer registers": (lambda _, answer: answer[:2] + b"\x02" + answer[3:5], records.WRONG_REPLY),
    "more registers": (lambda _, answer: answer[:2] + b"\x06" + answer[3:] + b"\0\0", records.WRONG_REPLY),
    "cut short": (lambda _, answer: answer[:4], records.BAD_FRAME),
    "an exception": (lambda _, answer: answer[:1] + b"\x84\x04", records.EXCEPTION),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_wrong_answer_on_the_line_is_a_flag_and_never_a_number(name, node, gateway, meter):
    fault, flag = FAULTS[name]
    meter.units = {1, 2}
    meter.put(52, 1, 2)
    meter.fault, meter.faults_for = fault, {1}
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 52, 2), tables.block(1, 52, 2)]))
    wrong, right = await asyncio.gather(gateway.record(0, flag), gateway.record(1))
    assert wrong[6] == ((4,) if flag == records.EXCEPTION else ())
    assert right[6] == (1, 2)
    assert not [row for row in gateway.records(0) if row[5] == records.OK]
    meter.fault = None
    assert (await gateway.record(0))[6] == (1, 2)


async def test_a_spoiled_checksum_is_a_flag_and_one_repetition_heals_it(node, gateway, meter):
    meter.put(52, 1, 2)
    meter.spoil = lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,))
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 52, 2)]))
    await gateway.record(0, records.BAD_FRAME)
    meter.spoil = lambda frame: frame
    await gateway.record(0)
    spoiled = [True]
    meter.spoil = lambda frame: bytes(len(frame)) if spoiled and spoiled.pop() else frame
    await until(lambda: not spoiled, "an answer that is spoiled")
    seen = len(gateway.records(0))
    await gateway.record(0)
    assert {row[5] for row in gateway.records(0)[seen:]} == {records.OK}


async def test_ours_is_taken_though_a_foreign_answer_comes_first(node, gateway, meter):
    meter.put(52, 1, 2)
    foreign = bytes((9, 4, 4, 7, 7, 7, 7))
    meter.spoil = lambda frame: foreign + crc(foreign) + frame
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 52, 2)]))
    assert (await gateway.record(0))[6] == (1, 2)
    assert {row[5] for row in gateway.records(0)} == {records.OK}


WRONG_ON_TCP = {name: fault for name, fault in FAULTS.items() if name != "cut short"}


@pytest.mark.parametrize("name", WRONG_ON_TCP)
async def test_a_wrong_answer_on_tcp_is_a_flag_and_never_a_number(name, node, gateway, inverter):
    fault, flag = FAULTS[name]
    inverter.put(52, 1, 2)
    inverter.fault = fault
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 52, 2)]))
    await gateway.record(0, flag)
    assert not [row for row in gateway.records(0) if row[5] == records.OK]
    inverter.fault = None
    assert (await gateway.record(0))[6] == (1, 2)


async def test_a_late_answer_on_tcp_is_not_taken_for_the_next_one(node, gateway, inverter):
    inverter.put(0, 0)
    count = iter(range(1, 10000))

    def counting(request, answer):
        inverter.put(0, next(count))
        return answer

    inverter.fault = counting
    inverter.delay_s = 0.15  # time-out 0.1 s, next request at once: the answer to the last one comes during this one
    node.start(tables.table([tables.tcp(inverter.port, timeout_ms=100)], TWO_UNITS, [tables.block(0, 0, 1, ms=100)]))
    await gateway.record(0, records.TIMEOUT)
    inverter.fault, inverter.delay_s = None, 0
    inverter.put(0, 55555)
    assert (await gateway.record(0))[6] == (55555,)
    assert {row[6] for row in gateway.records(0) if row[5] == records.OK} == {(55555,)}


async def test_a_dead_unit_does_not_starve_the_others_and_is_found_again(node, gateway, meter):
    meter.units = {1}
    meter.put(0, 7)
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 0, 1), tables.block(1, 0, 1)]))
    await gateway.record(1, records.TIMEOUT)
    for _ in range(3):  # a busy machine can only take from the rate, never add to it: not three times in a row
        begin = time.monotonic()
        await until(lambda since=begin: time.monotonic() > since + 6, "six seconds of polling")
        good = [asked for asked in meter.asked if asked[1] == 1 and begin < asked[0] < begin + 6]
        dead = [asked for asked in meter.asked if asked[1] == 2 and begin < asked[0] < begin + 6]
        assert len(dead) <= 8
        if len(good) >= 0.95 * 6 / 0.2:
            break
    assert len(good) >= 0.95 * 6 / 0.2
    meter.units = {1, 2}
    await gateway.record(1, patience_s=10)


async def test_a_lost_connection_is_opened_again(node, gateway, inverter):
    inverter.put(0, 7)
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1)]))
    await gateway.record(0)
    await inverter.stop()
    await gateway.record(0, records.NO_LINK)
    await inverter.__aenter__()
    await gateway.record(0, patience_s=10)


async def test_a_missing_serial_port_is_a_flag_and_found_when_it_comes(node, gateway, meter):
    meter.put(0, 7)
    aside = meter.link.rename(meter.link.with_name("unplugged"))
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 0, 1)]))
    await gateway.record(0, records.NO_LINK)
    aside.rename(meter.link)
    assert (await gateway.record(0, patience_s=10))[6] == (7,)


def chain(inverter, at: int, models: list[tuple[int, int]]) -> dict[int, int]:
    """Puts a SunSpec chain of (model, length) into a slave; gives the address of each."""
    inverter.put(at, 0x5375, 0x6E53)
    at += 2
    places = {}
    for model, length in models:
        places[model] = at
        inverter.put(at, model, length, *range(1, length + 1))
        at += 2 + length
    inverter.put(at, 0xFFFF, 0)
    return places


async def test_finds_a_sunspec_model_wherever_the_chain_puts_it(node, gateway, inverter):
    chain(inverter, 40000, [(1, 66), (120, 26), (103, 50)])
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 14, 3, fc=3, m=103)]))
    assert (await gateway.record(0))[6] == (13, 14, 15)  # 14 from the ID is the 13th behind ID and length
    inverter.units = set()
    await until(lambda: len([r for r in gateway.records(0) if r[5] == records.TIMEOUT]) > 2, "the unit to be offline")
    inverter.words.clear()
    chain(inverter, 50000, [(1, 65), (103, 50)])  # after its restart the chain is another
    inverter.units = {1}
    assert (await gateway.record(0, patience_s=10))[6] == (13, 14, 15)


@pytest.mark.parametrize("models", [[(1, 66), (101, 50)], [(1, 66), (103, 10)], []], ids=["other", "short", "no chain"])
async def test_a_missing_sunspec_model_is_a_flag(models, node, gateway, inverter):
    if models:
        chain(inverter, 40000, models)
    node.start(tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 14, 3, fc=3, m=103)]))
    await gateway.record(0, records.NO_MODEL)


async def test_reports_its_health(node, gateway, meter):
    meter.put(0, 7)
    node.start(tables.table([tables.line()], TWO_UNITS, [tables.block(0, 0, 1), tables.block(1, 0, 1)]))
    health = await until(lambda: gateway.health and gateway.health[-1], "the health")
    assert health["clock"] == records.CLOCK_SYNCED
    assert health["uptime_s"] >= 9
    assert health["ring"]["lost"] == 0
    ok, timeouts, bad, exceptions, median_ms = health["units"][0]
    assert ok >= 45
    assert (bad, exceptions) == (0, 0)
    assert timeouts <= 2  # the simulated meter may be kept waiting by a busy machine
    assert median_ms < 100
    assert health["units"][1][0] == 0
    assert health["units"][1][1] >= 3


async def test_on_a_computer_with_64_bits_it_is_the_same_node(micropython_64, node, gateway, battery):
    """There the tick and small integers never wrap, and every object takes twice the room."""
    node.micropython, node.heap = micropython_64, "256k"
    battery.units = {3}
    battery.put(30775, 0xFFFF, 0xFF00)
    node.start(tables.battery_table(battery.port))
    await gateway.ack("safe")
    assert (await gateway.record(0))[6] == (0xFFFF, 0xFF00)
    applied = await gateway.ack("applied", await gateway.order([-1200]))
    assert (applied["v"], applied["rb"]) == ([-1200], [2**32 - 1200, 802])
    health = await until(lambda: gateway.health, "the health")
    assert health[-1]["clock"] == records.CLOCK_SYNCED
