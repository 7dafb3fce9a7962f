"""What an installer wants to see before leaving: every unit answers, the broker hears us, a forged order is refused.

Rows {"step", "n", "ok", "text"}: step `unit` (n counts the units of the poll table), `block` (its registers as they
came, in hex; SunSpec models are found from the letters SunS), `broker` (ms of a message to ourselves and back),
`order` (how many of the two forged ones were refused).
"""

import asyncio
import binascii

from micropython import const
from node import sunspec
from node.wait import after, left
from wire.sealing import seal

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_EXCEPTION = const(3)
_NO_MODEL = const(6)
_HEARD = const("heard")  # those of wire.topics
_SET = const("set")
_BROKER_MS = const(10000)
_FORGED = '{"sid": 2147483647, "seq": 1, "act": 0, "v": null, "ttl": 1000, "at": 0}'


async def run(app, tell):
    """All rows; each is told as soon as it is known."""
    rows = []

    def row(step, n, ok, text):
        rows.append({"step": step, "n": n, "ok": ok, "text": text})
        tell(rows[-1])

    units = app.plant.units if app.plant else ()
    if not units:
        row("unit", 0, False, "table.json")
    for n, unit in enumerate(units):
        await _unit(n, unit, row)
    if app.link:
        ms = await _round_trip(app.link)
        row("broker", 0, ms >= 0, str(ms))
        refused = _forged(app.orders)
        row("order", 0, refused == 2, str(refused))
    return rows


async def _unit(n, unit, row):
    flag = None
    if not hasattr(unit.bus, "read"):  # it cannot be asked
        row("unit", n, unit.counts[0] > 0, "tic")
        return
    for block in unit.bus.blocks:
        if block.unit is unit and flag in (None, _OK, _EXCEPTION, _NO_MODEL):
            flag, data = await _block(unit, block)
            if flag in (_OK, _EXCEPTION, _NO_MODEL):
                row("block", block.number, flag == _OK, binascii.hexlify(data).decode() if flag == _OK else str(flag))
    row("unit", n, flag in (_OK, _EXCEPTION, _NO_MODEL), str(flag))


async def _block(unit, block):
    address = block.address
    if block.model:
        flag = await sunspec.walk(unit.bus, unit, block.function)
        start, length = (unit.models or {}).get(block.model, (0, 0))
        if flag != _OK or address + block.count > length:
            return flag or _NO_MODEL, b""
        address += start
    return await unit.bus.read(unit, block.function, address, block.count)


async def _round_trip(link):
    """ms, or -1: nothing came back. The topic is the one that a node may both write and hear."""
    topic = (link.topic + _HEARD).encode()
    usual = link.mqtt.handlers[topic]
    back = []

    def hear(payload, retained):
        if bytes(payload) == b'{"test": 1}':
            back.append(after(0))
        else:
            usual(payload, retained)

    link.mqtt.handlers[topic] = hear
    started = after(0)
    link.note(_HEARD, b'{"test": 1}')
    try:
        while not back and -left(started) < _BROKER_MS:
            await asyncio.sleep_ms(10)
    finally:
        link.mqtt.handlers[topic] = usual
    return -left(started) if back else -1


def _forged(orders):
    """How many of an unsigned and a wrongly signed order were refused for their seal."""
    before = orders.counts.get("seal", 0)
    orders.receive(_FORGED.encode(), False)
    orders.receive(seal(b"not the key", _SET, _FORGED), False)
    return orders.counts.get("seal", 0) - before
