"""What an installer checks before leaving: every unit answers, the broker hears us, a forged order is refused.

Rows {"step", "n", "ok", "text"}: step `unit` (n counts the units of the poll table), `block` (its registers as they
came, in hex; SunSpec models are found from the letters SunS; or the flag, with a 0 in front where it was the header that
did not fit), `broker` (ms of a message to ourselves and back),
`order` (how many of the two forged ones were refused). The units are the scan of the buses: each is asked. `found`
follows for a serial line (n counts the buses) on which one is missing: the unit numbers that do answer there, from 1
to 10. A board without a place has the rows of node.board_test instead.
"""

import asyncio
import binascii

from micropython import const
from node import sunspec
from node.wait import after, call, forget, left
from wire.sealing import seal

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Beat, Buffer, Row, Tell
    from node.app import App
    from node.bus import Block, Unit
    from node.link import Link
    from node.orders import Orders

forget("node.sunspec")  # they go when this module goes
forget("wire.sealing")
# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_TIMEOUT = const(1)
_EXCEPTION = const(3)
_WRONG_REPLY = const(5)
_NO_MODEL = const(6)
_HEARD = const("heard")  # those of wire.topics
_SET = const("set")
_TEST = const("test")
_BROKER_MS = const(10000)
_READY_MS = const(60000)  # for network, broker, table and the first answers after a start
_LOOK_MS = const(1000)
_SHOWN = const(36)  # hex digits of a block that travel: nine registers
_FLAWS = const(2)  # of slot: for the lamp
_USUAL = const(10)  # unit numbers to look for
_USUAL_MS = const(100)
_FORGED = '{"sid": 2147483647, "seq": 1, "act": 0, "v": null, "ttl": 1000, "at": 0}'


async def run(app: "Any", tell: "Tell") -> list[dict]:
    """All rows; each is reported as soon as it is known."""
    rows = []

    def row(step: str, n: int, ok: bool, text: str) -> None:
        rows.append({"step": step, "n": n, "ok": ok, "text": text})
        tell(rows[-1])

    if app.mode == "setup":
        call("board_test", "run", app, row)
        return rows
    plant = app.plant
    if not plant.units:
        row("unit", 0, False, "table.json")
    gaps = []
    for n, unit in enumerate(plant.units):
        if await _unit(n, unit, row) == _TIMEOUT and not unit.bus.master.transport.at and unit.bus not in gaps:
            gaps.append(unit.bus)
    for bus in gaps:
        await _found(app, plant.buses.index(bus), row)
    ms = await _round_trip(app.link)
    row("broker", 0, ms >= 0, str(ms))
    refused = _forged(app.orders)
    row("order", 0, refused == 2, str(refused))
    app.memory.put("test", _FLAWS if [1 for row in rows if not row["ok"]] else 0)
    return rows


async def once(app: "App", beat: "Beat") -> None:
    """The job after an update or the setup form: what is found goes to the log and the topic `test`."""
    end = after(_READY_MS)
    while left(end) > 0 and not (app.link.up() and app.identity and not app.plant.silent()):
        beat()
        await asyncio.sleep_ms(_LOOK_MS)
    rows = await run(app, lambda _row: beat())
    for row in rows:
        row["text"] = row["text"][:_SHOWN]
        app.log.out("self-test: %(step)s %(n)d: %(text)s" % row + ("" if row["ok"] else " BAD"))
    good = len([1 for row in rows if row["ok"]])
    app.say("self-test: %d of %d good" % (good, len(rows)))
    app.link.answer({"boot": app.boot, "table": app.identity, "rows": rows}, _TEST)


async def _unit(n: int, unit: "Unit", row: "Row") -> int | None:
    """The flag of its last read; None for one that cannot be asked."""
    flag = None
    if not hasattr(unit.bus, "read"):  # it cannot be asked
        row("unit", n, unit.counts[0] > 0, "tic")
        return None
    for block in unit.bus.blocks:
        if block.unit is unit and flag in (None, _OK, _EXCEPTION, _NO_MODEL):
            flag, data = await _block(unit, block)
            if flag in (_OK, _EXCEPTION, _NO_MODEL):
                row("block", block.number, flag == _OK, binascii.hexlify(data).decode() if flag == _OK else str(flag))
    named = "0" if flag == _WRONG_REPLY and unit.data else ""
    row("unit", n, flag in (_OK, _EXCEPTION, _NO_MODEL), named + str(flag))
    return flag


async def _found(app: "App", number: int, row: "Row") -> None:
    from node import scan

    ask = {"bus": number, "from": 1, "to": _USUAL, "timeout_ms": _USUAL_MS}
    try:
        found = await scan.scan(app, ask, id)
    finally:
        for name in ("scan", "poll_table", "store"):
            forget("node." + name)
    row("found", number, len(found) > 0, " ".join([str(one[1]) for one in found]))


async def _block(unit: "Unit", block: "Block") -> tuple[int, bytes]:
    address = block.address
    if block.model:
        flag = await sunspec.walk(unit.bus, unit, block.function)
        start, length = unit.models.get(block.model, (0, 0))
        if flag != _OK or address + block.count > length:
            return flag or _NO_MODEL, b""
        address += start
    return await unit.bus.read(unit, block.function, address, block.count)


async def _round_trip(link: "Link") -> int:
    """ms, or -1: nothing came back. The topic is the one that a node may both write and hear."""
    topic = (link.topic + _HEARD).encode()
    usual = link.mqtt.handlers[topic]
    back = []

    def hear(payload: "Buffer", retained: bool) -> None:
        if bytes(payload) == b'{"test": 1}':
            back.append(after(0))
        else:
            usual[0](payload, retained)

    link.mqtt.handlers[topic] = (hear,)
    started = after(0)
    link.note(_HEARD, b'{"test": 1}')
    try:
        while not back and -left(started) < _BROKER_MS:
            await asyncio.sleep_ms(10)
    finally:
        link.mqtt.handlers[topic] = usual
    return -left(started) if back else -1


def _forged(orders: "Orders") -> int:
    """How many of an unsigned and a wrongly signed order were refused for their seal."""
    before = orders.counts.get("seal", 0)
    orders.receive(_FORGED.encode(), False)
    orders.receive(seal(b"not the key", _SET, _FORGED), False)
    return orders.counts.get("seal", 0) - before
