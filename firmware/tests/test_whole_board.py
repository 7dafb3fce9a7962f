"""The whole node on the hardware layer of the ESP32, with fakes of its modules under it; line and broker are real."""

import ast
import asyncio
import json
import time

import pytest
import tables
from node_rig import HERE, figure, until
from slaves import crc
from wire import records
from wlan import Wlan

pytestmark = pytest.mark.hil

PINS = {"uart": 1, "tx": 17, "rx": 18, "de": 21}
LEASE_S = 2.0
CYCLE_S = 1.0
WIFI = {"ssid": "house", "password": "well kept"}


@pytest.fixture
def board(node, tmp_path):
    """The node, wired as an ESP32."""
    node.heap = "256k"  # the fakes live in it too
    node.modules = f"{HERE / 'port'}:."
    node.conf |= {"serial": {"rs485": PINS}, "wifi": WIFI, "watchdog_ms": 8000}
    node.conf["broker"]["host"] = "localhost"
    node.wiring = {
        "uart": {"1": {"tty": str(tmp_path / "rs485"), "de": 21}},
        "wifi": WIFI | {"join_ms": 300, "lies": 1},
        "diary": "diary.txt",
    }
    (node.directory / "port.json").write_text(json.dumps(node.wiring))
    return node


def diary(board) -> list[tuple]:
    """(microsecond, entry)"""
    lines = (board.directory / "diary.txt").read_text().splitlines()
    return [(int(line.split(" ", 1)[0]), ast.literal_eval(line.split(" ", 1)[1])) for line in lines if line[-1] == ")"]


async def applied(gateway, values, ttl: int = 10000) -> tuple[int, float]:
    """Orders anew each second, as a gateway does: one that comes while the device does not answer is refused.

    (sequence, moment of the order) of the one that was applied
    """
    for _ in range(15):
        begin = time.monotonic()
        seq = await gateway.order(values, ttl=ttl)
        answers = await until(lambda seq=seq: [one for one in gateway.acks if one["seq"] == seq], "an answer")
        if answers[-1]["done"] == "applied":
            return seq, begin
        await asyncio.sleep(1)
    raise AssertionError(f"never applied: {gateway.acks}")


async def test_reads_and_commands_a_line_through_uart_and_driver_pin(board, gateway, meter):
    meter.put(30775, 0xFFFF, 0xFF00)
    units = [{"bus": 0, "id": 1, "wfc": 16}]
    poll = tables.table([tables.line(timeout_ms=1500)], units, [tables.block(0, 30775, 2)], [tables.BATTERY])
    board.start(poll)
    row = await gateway.record(0)
    assert (row[5], row[6]) == (records.OK, (0xFFFF, 0xFF00))
    await applied(gateway, [100])
    assert (1, 40151, [0, 802]) in [entry[1:] for entry in meter.written]
    await until(lambda: len(meter.asked) > 20, "more polls")
    await until(lambda: [entry for _, entry in diary(board)].count(("feed",)) > 3, "the watchdog's food")
    done = diary(board)
    frames = [(when, entry[3]) for when, entry in done if entry[:3] == ("uart", 1, "write")]
    edges = [(when, entry[2]) for when, entry in done if entry[:2] == ("pin", 21)][1:]  # the first is the setting up
    for (sent, frame), (on, high), (off, low) in zip(frames, edges[::2], edges[1::2], strict=False):
        assert (high, low) == (1, 0)
        assert on <= sent < off
        assert crc(frame[:-2]) == frame[-2:]
        assert off - sent >= 1041 * len(frame)  # ten bits a character at 9600 Bd: not a bit is cut off
    assert not [entry for _, entry in done if "cut" in entry or "overflow" in entry]
    assert len(frames) > 20
    assert [entry for _, entry in done].count(("station", "connect", "house")) == 1  # the broker and a lie play no part


async def test_a_battery_is_given_back_on_time_when_the_wlan_goes_and_obeys_again_when_it_is_back(
    board, broker, gateway, meter, capsys
):
    """The battery hangs on the line; one on the same WLAN would be out of reach, and its own time-out is what is left.

    The records of the time without are there afterwards, as is the word of what became of the order.
    """
    meter.put(30775, 0, 0)
    units = [{"bus": 0, "id": 1, "wfc": 16}]
    poll = tables.table([tables.line(timeout_ms=300)], units, [tables.block(0, 30775, 2)], [tables.BATTERY])
    async with Wlan(broker.port, board.directory) as wlan:
        board.conf["broker"]["port"] = wlan.port
        board.start(poll)
        await gateway.ack("safe")
        meter.written.clear()
        seq, begin = await applied(gateway, [700], ttl=round(1000 * LEASE_S))
        wlan.go_away()
        await until(lambda: tables.writes(meter)[-1] == tables.SAFE, "the safe values")
        held_s = meter.written[-1][0] - begin
        asked = len(meter.asked)
        await until(lambda: len(meter.asked) > asked + 20, "polls without a network")
        wlan.come_back()
        expired = await gateway.ack("expired", seq)
        assert (expired["why"], expired["rb"]) == ("", [803])
        await applied(gateway, [500])
        assert tables.writes(meter)[-1] == (40151, [0, 802])
        health = await until(lambda: gateway.health and gateway.health[-1], "the health")
    figure(capsys, f"WLAN gone: safe values {held_s:.2f} s after an order of {LEASE_S} s")
    assert LEASE_S - 0.1 <= held_s <= LEASE_S + CYCLE_S
    assert health["ring"]["lost"] == 0
    assert len({state["boot"] for state in gateway.states if state["up"]}) == 1  # it has not restarted
    seqs = sorted(gateway.stored[gateway.boot])
    assert seqs == list(range(1, len(seqs) + 1))


async def test_its_memory_of_the_broker_is_in_the_nvs(board, gateway, meter):
    meter.put(0, 7)
    board.start(tables.table([tables.line()], [{"bus": 0, "id": 1, "wfc": 16}], [tables.block(0, 0, 1)]))
    await gateway.record(0)
    kept = json.loads((board.directory / "flash" / "nvs.json").read_text())["zen"]
    assert bytes.fromhex(kept["baddr"]) == b"localhost 127.0.0.1"
    board.kill()
    board.start()
    await until(lambda: len({batch[2] for batch in gateway.batches}) == 2, "records of the second start")
    writes = [entry for _, entry in diary(board) if entry[0] == "nvs" and "baddr" in entry[2]]
    assert len(writes) == 1  # the flash is not worn out


async def test_a_restart_by_the_watchdog_is_reported(board, gateway):
    board.wiring["reset_cause"] = 3  # machine.WDT_RESET
    (board.directory / "port.json").write_text(json.dumps(board.wiring))
    board.start()
    await until(lambda: gateway.states and gateway.states[-1]["up"], "the node")
    assert gateway.states[-1]["why"] == "watchdog"


async def test_an_answer_that_the_driver_drowns_out_is_not_heard(board, gateway, meter):
    """The fake can fail: with the driver on another pin than the code thinks, nothing gets through."""
    board.wiring["uart"]["1"]["de"] = 22
    (board.directory / "port.json").write_text(json.dumps(board.wiring))
    meter.put(0, 7)
    board.start(tables.table([tables.line()], [{"bus": 0, "id": 1, "wfc": 16}], [tables.block(0, 0, 1)]))
    await gateway.record(0, records.TIMEOUT)
    assert meter.asked == []
