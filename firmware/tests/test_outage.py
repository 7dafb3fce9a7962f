"""Whole outages: long ones, with a restart in between, from the beginning; the slave's diary is the witness."""

import asyncio
import json
import time

import pytest
import tables
from node_rig import FIRMWARE, Broker, Gateway, Node, free_port, until
from wire import records, topics

pytestmark = pytest.mark.hil

ONE = [{"bus": 0, "id": 1, "wfc": 16}]
MOST_S = 0.05  # between the slave's diary and the record, beside what a busy machine adds
JITTER_S = 0.15


def counting(slave):
    """Each answer of register 0 and 1 is a number of its own: the diary is `slave.asked`, in the same order."""
    slave.put(0, 0, 0)
    count = iter(range(1, 1 << 30))

    def fault(request, answer):
        number = next(count)
        slave.put(0, number >> 16, number & 0xFFFF)
        return answer[:3] + number.to_bytes(4, "big")

    slave.fault = fault


def stored(gateway) -> dict:
    """(boot, seq) → row, for everything that the gateway stored; a record that came twice is the same both times."""
    rows = {}
    for _, _, boot, _, batch in gateway.batches:
        for row in batch:
            if row[0] in gateway.stored.get(boot, ()):
                assert rows.setdefault((boot, row[0]), row)[5:] == row[5:]
    return rows


def check_times(rows, slave) -> list[float]:
    """Errors in s of each answered record against the slave's own diary (its monotonic clock on this machine)."""
    to_utc = time.time() - time.monotonic()
    errors = []
    for row in rows:
        if row[5] == records.OK:
            asked = slave.asked[(row[6][0] << 16 | row[6][1]) - 1][0] + to_utc
            errors.append(row[1] + row[2] / 1000 + records.EPOCH_2000 - asked)
    errors.sort()
    assert abs(errors[len(errors) // 2]) < MOST_S, errors[len(errors) // 2]
    assert errors[0] > -MOST_S - JITTER_S
    assert errors[-1] < MOST_S + JITTER_S
    return errors


def poll_table(slave, ms=200):
    return tables.table([tables.tcp(slave.port)], ONE, [tables.block(0, 0, 2, ms=ms)])


def written(segments) -> int:
    """How many have all their records: a power cut would cost those that are still to come."""
    return len([path for path in segments.glob("*") if path.stat().st_size > 41 * 18])


async def whole(gateway, boot: int, beyond: int) -> list[int]:
    """All sequences of a boot from 1 to beyond a number."""

    def found():
        seqs = sorted(gateway.stored.get(boot, ()))
        return seqs if seqs and seqs[-1] > beyond and len(seqs) == seqs[-1] else None

    return await until(found, f"all records of boot {boot}: {len(gateway.stored.get(boot, ()))}", 40)


async def test_a_node_that_starts_without_broker_and_clock_dates_everything_later(
    micropython, mosquitto, inverter, tmp_path
):
    counting(inverter)
    broker = Broker(mosquitto, tmp_path)
    node = Node(micropython, tmp_path / "node", FIRMWARE, broker.port)
    gateway = Gateway(broker.port)
    gateway.time_port = free_port()
    node.conf["time"] = {"port": gateway.time_port}
    node.start(poll_table(inverter), ring_bytes=16000)
    try:
        await until(lambda: len(inverter.asked) > 75, "fifteen seconds of polling", 20)
        await broker.start()
        async with gateway:
            await until(lambda: gateway.batches, "the first batch")
            [boot] = {batch[2] for batch in gateway.batches}
            await whole(gateway, boot, 80)

            def is_synced() -> bool:
                return any(row[3] == records.CLOCK_SYNCED for row in stored(gateway).values())

            await until(is_synced, "a record of a node that knows the time")
            rows = stored(gateway).values()
            assert {row[3] for row in rows} == {records.CLOCK_HELD, records.CLOCK_SYNCED}
            assert len(rows) >= 80
            check_times(rows, inverter)
    finally:
        node.kill()
        broker.kill()
    assert "Traceback" not in node.said()


async def test_a_node_without_any_clock_sends_its_uptime_after_eight_seconds(node, gateway, inverter):
    counting(inverter)
    node.conf["time"] = {"port": 9}  # nobody
    node.start(poll_table(inverter))
    await until(lambda: gateway.states and gateway.states[-1]["up"], "the node")
    begin = time.monotonic()
    await until(lambda: gateway.batches, "the first batch")
    assert 6 < gateway.batches[0][0] - begin < 10
    assert {row[3] for row in gateway.records()} == {records.CLOCK_UNKNOWN}


async def test_records_on_flash_survive_a_kill_and_come_once_with_their_times(node, gateway, broker, inverter):
    counting(inverter)
    # 18 bytes a record of 2 registers, ten a second: three quarters of the ring are 41 records
    small = {"ring_bytes": 1000, "spill_kb": 64}
    node.start(poll_table(inverter, ms=100), **small)
    await until(lambda: len(gateway.stored) and len(next(iter(gateway.stored.values()))) > 20, "some records")
    [first] = gateway.stored
    broker.kill()
    segments = node.directory / "spill"
    await until(lambda: written(segments) >= 3, "three segments on flash", 60)
    node.kill()
    assert written(segments) == 3
    asked = len(inverter.asked)
    node.start(**small)
    await until(lambda: len(inverter.asked) > asked + 20, "the next boot")
    await broker.start()
    await until(lambda: len(gateway.stored) == 2 and not list(segments.glob("*")), "the flash to be empty", 40)
    kept = sorted(gateway.stored[first])
    assert kept == list(range(1, kept[-1] + 1))
    assert kept[-1] > 3 * 40
    second = next(boot for boot in gateway.stored if boot != first)
    await whole(gateway, second, 20)
    rows = stored(gateway)
    check_times(rows.values(), inverter)
    health = await until(lambda: [h for h in gateway.health if h["boot"] == second], "the health")
    assert health[-1]["ring"]["lost"] == 0
    assert health[-1]["ring"]["spill"][2] == 0


async def test_a_node_whose_records_go_nowhere_says_so_and_connects_again(node, gateway, inverter):
    node.speed = 10
    gateway.hears = False
    inverter.put(0, 1, 2)
    slow = tables.table([tables.tcp(inverter.port, timeout_ms=3000)], ONE, [tables.block(0, 0, 2, ms=2000)])
    await gateway.say(topics.STATE, json.dumps({"up": True, "sid": 1}), node=topics.GATEWAY, retain=True)
    node.start(slow)
    await until(lambda: any(not health["heard"] for health in gateway.health), "a health that says so", 20)
    first = next(health for health in gateway.health if not health["heard"])
    assert first["uptime_s"] > 30
    assert gateway.health[0]["heard"]
    await until(lambda: "not heard" in node.said(), "a new connection", 20)
    up = [state for state in gateway.states if state["up"]]
    await until(lambda: len([s for s in gateway.states if s["up"]]) > len(up), "the node again")
    gateway.hears = True
    await until(lambda: gateway.health[-1]["heard"], "to be heard", 20)


async def test_while_the_gateway_is_down_nobody_connects_again(node, gateway, inverter):
    node.speed = 20
    gateway.hears = False
    inverter.put(0, 1, 2)
    slow = tables.table([tables.tcp(inverter.port, timeout_ms=3000)], ONE, [tables.block(0, 0, 2, ms=2000)])
    await gateway.say(topics.STATE, json.dumps({"up": False, "sid": 1}), node=topics.GATEWAY, retain=True)
    node.start(slow)
    await until(lambda: gateway.health and gateway.health[-1]["uptime_s"] > 180, "three minutes", 20)
    assert not gateway.health[-1]["heard"]
    assert len([state for state in gateway.states if state["up"]]) == 1


@pytest.mark.parametrize(
    ("speed", "outage_s", "ms"),
    [
        pytest.param(10, 60, 500, id="a minute of fast time"),
        pytest.param(1, 3, 100, id="three seconds"),  # in which the times can be compared
        pytest.param(1, 60, 500, id="a minute", marks=[pytest.mark.soak, pytest.mark.timeout(200)]),
    ],
)
async def test_a_time_without_a_broker_loses_nothing_and_doubles_nothing(
    speed, outage_s, ms, node, gateway, broker, inverter
):
    counting(inverter)
    node.speed = speed
    poll = tables.table([tables.tcp(inverter.port, timeout_ms=2000)], ONE, [tables.block(0, 0, 2, ms=ms)])
    node.start(poll, ring_bytes=6600)
    await until(lambda: gateway.stored and len(next(iter(gateway.stored.values()))) > 10, "some records")
    [boot] = gateway.stored
    last = max(gateway.stored[boot])
    broker.kill()
    await asyncio.sleep(outage_s / speed)  # the outage itself
    await broker.start()
    missed = outage_s * 1000 // ms
    seqs = await whole(gateway, boot, last + missed)
    assert len(gateway.stored) == 1
    numbers = [row[6] for row in stored(gateway).values() if row[5] == records.OK]
    assert len(numbers) == len(set(numbers))  # no answer is in two records
    assert len(seqs) >= last + missed
    if speed == 1:
        check_times(stored(gateway).values(), inverter)
