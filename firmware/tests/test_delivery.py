"""Delivery: nothing is lost or doubled by an outage, what had to go is counted, tables change safely."""

import asyncio
import time

import pytest
import tables
from node_rig import KEY, figure, identity, until
from test_orders import ENABLE, SAFE, setpoint, writes
from wire import records

pytestmark = pytest.mark.hil

BACK_S = 5  # node.link promises it of a broker that was away for less than half a minute
ONE = [{"bus": 0, "id": 1, "wfc": 16}]


@pytest.fixture
async def polling(node, gateway, inverter):
    """A node that reads four blocks five times a second each."""
    inverter.put(0, *range(20))
    blocks = [tables.block(0, i, 10) for i in range(4)]
    node.start(tables.table([tables.tcp(inverter.port)], ONE, blocks), ring_bytes=16000)
    await gateway.record(3)
    return node


def sequences(gateway) -> list[int]:
    return sorted(next(iter(gateway.stored.values())))


async def all_stored(gateway, beyond: int) -> list[int]:
    """Everything from 1 up to beyond a sequence, without gaps."""

    def whole():
        seqs = sequences(gateway)
        return seqs if seqs[-1] > beyond and len(seqs) == seqs[-1] else None

    return await until(whole, "all records")


async def test_a_killed_broker_costs_no_record_and_five_seconds_at_most(polling, gateway, broker, capsys):
    broker.kill()
    await asyncio.sleep(2)  # the outage itself
    last = sequences(gateway)[-1]
    await broker.start()
    begin = time.monotonic()
    await until(lambda: gateway.batches[-1][0] > begin, "the first batch")
    back_s = gateway.batches[-1][0] - begin
    seqs = await all_stored(gateway, last + 40)
    figure(
        capsys, f"broker killed: back in {back_s:.1f} s; {len(seqs)} records, 0 lost, {gateway.copies} copies dropped"
    )
    assert back_s < BACK_S
    assert len(gateway.stored) == 1  # the node has not restarted


async def test_a_broker_that_hangs_is_left(polling, gateway, broker):
    broker.freeze()
    await asyncio.sleep(13)  # longer than the node waits for an acknowledgement
    last = sequences(gateway)[-1]
    broker.thaw()
    await all_stored(gateway, last + 250)


async def test_records_that_the_broker_took_but_the_gateway_did_not_store_come_again(polling, gateway):
    gateway.hears = False
    start = len(gateway.batches)
    await until(lambda: len(gateway.batches) > start + 10, "some batches that are not stored")
    gateway.hears = True
    await all_stored(gateway, gateway.batches[-1][4][-1][0] + 1)


async def test_what_a_full_ring_drops_is_counted_and_its_gap_is_reported(node, gateway, broker, inverter):
    inverter.put(0, *range(60))
    node.start(tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 0, 50, ms=100)]), ring_bytes=2000)
    await gateway.record(0)
    broker.kill()
    asked = len(inverter.asked)
    await until(lambda: len(inverter.asked) > asked + 40, "40 records of 114 bytes; 17 fit")
    on_the_way = sum(len(batch[4]) for batch in gateway.batches[-2:])  # one side may know of them, and the other not
    await broker.start()
    begin = time.monotonic()
    await until(lambda: gateway.batches[-1][0] > begin, "the first batch", BACK_S)
    health = await until(lambda: gateway.health and gateway.health[-1], "the health")
    lost = health["ring"]["lost"]
    seqs = sequences(gateway)
    missing = seqs[-1] - len(seqs)
    assert missing > 10
    assert abs(lost - missing) <= on_the_way < 10
    assert gateway.batches[-1][3] > missing  # `oldest` has passed the gap: nobody waits for it


async def test_a_table_comes_by_message_is_kept_and_is_there_after_a_restart(node, gateway, inverter):
    inverter.put(0, 1, 2, 3)
    node.start()
    await until(lambda: gateway.states and gateway.states[-1]["up"], "the node")
    assert gateway.states[-1]["table"] == 0
    poll = tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 0, 3)])
    await gateway.configure(poll)
    assert (await gateway.record(0))[6] == (1, 2, 3)
    assert gateway.batches[-1][1] == gateway.states[-1]["table"] == identity(poll)
    await until(lambda: node.table() == poll, "the table in the file")
    connections = inverter.connections
    await gateway.configure(poll)
    await gateway.record(0)
    assert inverter.connections == connections  # equal: nothing to do
    node.kill()
    node.start()
    await until(lambda: gateway.batches[-1][2] != gateway.batches[0][2], "records of the next boot")
    assert gateway.batches[-1][1] == identity(poll)


async def test_a_new_table_first_gives_the_devices_back(node, gateway, battery, inverter):
    battery.units, inverter.units = {3}, {3}
    old, new = tables.battery_table(battery.port), tables.battery_table(inverter.port)
    node.start(old)
    await gateway.ack("safe")
    seq = await gateway.order([700])
    await gateway.ack("applied", seq)
    await gateway.configure(new)
    await gateway.ack("safe", seq)
    await gateway.ack("safe")  # of the new one's start
    assert writes(battery) == [SAFE, setpoint(700), ENABLE, SAFE]
    assert writes(inverter) == [SAFE]
    await gateway.ack("applied", await gateway.order([5]))


async def test_records_keep_the_table_they_were_read_with(polling, gateway, broker, inverter):
    old = gateway.batches[-1][1]
    new = tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 5, 1)])
    await gateway.configure(new)
    await until(lambda: gateway.batches[-1][1] == identity(new), "records of the new table")
    counts = {(batch[1], len(row[6])) for batch in gateway.batches for row in batch[4] if row[5] == records.OK}
    assert counts == {(old, 10), (identity(new), 1)}


BAD_TABLES = {
    "forged": (tables.table([], []), bytes(32), "seal"),
    "mistaken": (tables.table([], ONE), KEY, "units[0].bus"),
    "incomplete": (tables.table([{"kind": "rtu", "timeout_ms": 100}], ONE), KEY, "port"),
    "no mapping": (tables.table(["bus"], ONE), KEY, "Error"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
async def test_a_bad_table_is_refused_and_the_old_one_stays(name, polling, gateway):
    poll, key, why = BAD_TABLES[name]
    await gateway.configure(poll, key=key)
    await gateway.record(0)
    health = await until(lambda: gateway.health and gateway.health[-1], "the health")
    assert why in health["cfg"]
    assert len(gateway.stored) == 1


async def test_a_table_beyond_the_heap_or_the_message_is_refused_and_the_node_goes_on(node, gateway, inverter):
    inverter.put(0, *range(20))
    node.heap = "100k"
    node.start(tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 0, 10)]), ring_bytes=16000)
    await gateway.record(0)
    for count in (140, 400):  # 8 kB sealed fill the heap, 24 kB are not even received
        poll = tables.table([tables.tcp(1)], ONE, [tables.block(0, i, 10) for i in range(count)])
        await gateway.configure(poll)
        await gateway.record(0)
    await gateway.say("cfg", b"", retain=True)
    await gateway.record(0)
    assert len(gateway.stored) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"v": 1}', "null"])
async def test_a_spoiled_table_file_leaves_the_node_reachable(text, node, gateway, inverter):
    inverter.put(0, 7)
    node.start()
    node.kill()
    (node.directory / "table.json").write_text(text)
    node.start()
    await until(lambda: gateway.states and gateway.states[-1]["up"], "the node")
    await gateway.configure(tables.table([tables.tcp(inverter.port)], ONE, [tables.block(0, 0, 1)]))
    await gateway.record(0)
