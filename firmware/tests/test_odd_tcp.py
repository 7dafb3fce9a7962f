"""Devices on TCP with manners of their own: other headers than asked for, deaf after connecting, chains without an end."""

import asyncio
import struct
import time

import pytest
import tables
from node_rig import until
from slaves import TcpSlave
from wire import records

pytestmark = pytest.mark.hil

ONE = [{"bus": 0, "id": 1, "wfc": 16}]
TWO_BLOCKS = [tables.block(0, 0, 2, ms=100), tables.block(0, 10, 2, ms=100)]
HEADERS = {  # frame → frame
    "transaction 0": lambda frame: b"\0\0" + frame[2:],
    "transaction + 1": lambda frame: struct.pack(">H", struct.unpack_from(">H", frame)[0] + 1) + frame[2:],
    "transaction swapped": lambda frame: frame[1::-1] + frame[2:],
    "unit 0": lambda frame: frame[:6] + b"\0" + frame[7:],
    "unit 255": lambda frame: frame[:6] + b"\xff" + frame[7:],
    "both": lambda frame: b"\0\0" + frame[2:6] + b"\0" + frame[7:],
}


def poll(port: int, **bus) -> dict:
    return tables.table([tables.tcp(port, **bus)], ONE, TWO_BLOCKS)


@pytest.mark.parametrize("how", HEADERS)
async def test_another_header_is_refused_by_name(how, node, gateway, inverter):
    inverter.put(0, *range(20))
    inverter.whole = HEADERS[how]
    node.start(poll(inverter.port))
    row = await gateway.record(0, records.WRONG_REPLY)
    assert row[6] == (1,)  # what tells it from another function or count
    await gateway.record(1, records.WRONG_REPLY)
    assert {row[5] for row in gateway.records()} == {records.WRONG_REPLY}
    assert inverter.connections == 1


@pytest.mark.parametrize("how", HEADERS)
async def test_another_header_is_believed_where_the_table_says_so(how, node, gateway, inverter):
    """Now and then 0.5 s late at a time-out of 0.2 s: only its connection tells then whose answer it is."""
    inverter.put(0, *range(20))
    inverter.whole = HEADERS[how]
    node.start(poll(inverter.port, lenient=True))
    await asyncio.gather(gateway.record(0), gateway.record(1))
    inverter.delay_s = 0.5
    asked = len(inverter.asked)
    await until(lambda: len(inverter.asked) > asked + 1, "questions that are answered late")
    inverter.delay_s = 0.0
    await asyncio.gather(gateway.record(0), gateway.record(1))
    rows = {(row[4], row[6]) for row in gateway.records() if row[5] == records.OK}
    assert rows == {(0, (0, 1)), (1, (10, 11))}


async def test_a_late_answer_is_no_wrong_header(node, gateway, inverter):
    inverter.put(0, *range(20))
    inverter.delay_s = 0.3
    node.start(poll(inverter.port))
    await until(lambda: len(gateway.records()) > 2, "records")
    assert {row[5] for row in gateway.records()} == {records.TIMEOUT}


SPEED = 5  # of the node's time


class Dongle(TcpSlave):
    """Deaf for `deaf_s` of the node's time after each connect; with `sulks` for ever on a connection that was asked too soon."""

    def __init__(self, deaf_s: float, *, sulks: bool, **values):
        super().__init__(**values)
        self.deaf_s = deaf_s
        self.sulks = sulks

    async def _serve(self, reader, writer):
        deaf_until = time.monotonic() + self.deaf_s / SPEED
        sulking = False
        self.connections += 1
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(6)
                request = await reader.readexactly(struct.unpack_from(">H", head, 4)[0])
                if sulking or time.monotonic() < deaf_until:
                    sulking = self.sulks
                    continue
                answer = self.answer(request)
                self._send(writer, head[:4] + struct.pack(">H", len(answer)) + answer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


@pytest.mark.parametrize("sulks", [False, True], ids=["deaf", "sulking"])
@pytest.mark.parametrize("deaf_s", [1.2, 5.0])
async def test_a_device_that_is_deaf_after_connecting_is_left_alone_first(deaf_s, sulks, node, gateway):
    async with Dongle(deaf_s, sulks=sulks, words=dict.fromkeys(range(20), 7)) as dongle:
        node.speed = SPEED
        node.start(poll(dongle.port, timeout_ms=1000))
        row = await gateway.record(0, patience_s=60)
        first = gateway.records()[0]
        assert row[1] - first[1] < 25  # by the node's clock, from its first failure
        seen = dongle.connections
        assert seen <= 4
        await until(lambda: len([r for r in gateway.records() if r[5] == records.OK]) > 30, "its values")
        assert dongle.connections == seen  # and it is not left any more
        for writer in dongle.writers:
            writer.transport.abort()
        await until(lambda: dongle.connections == seen + 1, "the next connection", 30)
        await gateway.record(0, patience_s=30)  # which it had the time for
        assert dongle.connections == seen + 1


CHAINS = {  # registers from 40000 on, each with SunS and model 1 of 66 in front; what lies behind is told by `behind`
    "exception": ([103, 50, *range(50)], "exception"),
    "silence": ([103, 50, *range(50)], "silence"),
    "end": ([103, 50, *range(50), 0xFFFF, 0], "exception"),
    "zeros": ([103, 50, *range(50), 0, 0], "zeros"),
    "model without length": ([103, 50, *range(50), 700, 0, 701, 0], "exception"),
}


@pytest.mark.parametrize("name", CHAINS)
async def test_what_a_chain_has_counts_however_it_ends(name, node, gateway, inverter):
    chain, behind = CHAINS[name]
    words = [0x5375, 0x6E53, 1, 66, *[0] * 66, *chain]
    inverter.put(40000, *words)
    if behind == "zeros":
        inverter.put(40000 + len(words), *[0] * 400)
    end = 40000 + len(words)

    def fault(request, right):
        address = struct.unpack_from(">H", request, 2)[0]
        return None if behind == "silence" and address >= end else right

    inverter.fault = fault
    blocks = [tables.block(0, 14, 13, ms=200, m=103, fc=3), tables.block(0, 2, 6, ms=200, m=160, fc=3)]
    node.speed = SPEED
    node.start(tables.table([tables.tcp(inverter.port, timeout_ms=1000)], ONE, blocks))
    row = await gateway.record(0)
    assert row[6] == tuple(range(12, 25))  # behind ID and length
    await gateway.record(1, records.NO_MODEL)
    heads = [one for one in inverter.asked if one[4] == 2]
    assert len(heads) <= 9
    begin = row[1]
    await until(lambda: gateway.records(1)[-1][1] > begin + 9, "nine seconds of the node's clock", 30)
    assert [one for one in inverter.asked if one[4] == 2] == heads  # nothing was walked again
    assert {row[5] for row in gateway.records(0)} == {records.OK}
    assert {row[5] for row in gateway.records(1)} == {records.NO_MODEL}
