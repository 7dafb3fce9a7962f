"""Single questions on a bus, between the polls of the node: which units answer, what a register holds."""

import asyncio
import binascii
import json

from micropython import const
from node import poll_table, store
from node.wait import forget

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Console, Spec, Tell

# Those of wire.records, as numbers: a name costs flash and heap.
_OK = const(0)
_TIMEOUT = const(1)
_EXCEPTION = const(3)
_WRONG_REPLY = const(5)
_WRONG_HEADER = const(6)  # that of node.modbus
_BAUDS = const(8)  # there are no more of wire.table


async def scan(app: "Console", ask: "Spec", tell: "Tell") -> list:
    """[[baud, unit, function, flag], ...] of all that is not silent; the reference is in node.console."""
    found = []
    if ask["from"] < 0 or ask["to"] > 255:  # a list without end would fill the memory
        raise ValueError("from, to: allowed is 0 to 255")
    for baud in ask.get("baud", (None,))[:_BAUDS]:
        for unit in range(ask["from"], ask["to"] + 1):
            tell([baud, unit])
            for function in (3, 4):
                flag = (await _question(app, ask, baud, unit, function, 0, 1))[0]
                await asyncio.sleep_ms(2)  # the polls of the bus get their turn
                if flag != _TIMEOUT:
                    found.append([baud, unit, function, flag])
                if flag in (_OK, _EXCEPTION):
                    break
    return found


async def read(app: "Console", ask: "Spec") -> dict:
    flag, data = await _question(app, ask, None, ask["unit"], ask["fc"], ask["a"], ask["n"])
    return {"flag": flag, "data": binascii.hexlify(data).decode()}


async def _question(
    app: "Console", ask: "Spec", baud: int | None, unit: int, function: int, address: int, count: int
) -> tuple[int, bytes]:
    """(flag, bytes). A bus of the node on the same line closes it meanwhile, and opens it again when it is due."""
    spec = ask["bus"]
    buses = app.plant.buses if app.plant else ()
    if isinstance(spec, int):
        spec = json.loads(store.load("table.json", str))["buses"][spec]
    spec = dict(spec)
    spec["timeout_ms"] = ask.get("timeout_ms") or spec.get("timeout_ms", 200)
    if baud:
        spec["baud"] = baud
    lock = asyncio.Lock()
    for bus in buses:
        if bus.name == poll_table.name(spec):
            lock = bus.lock
            break
    async with lock:
        if buses and lock is bus.lock:
            bus.master.close()
        one: "Any" = poll_table.bus(spec, app).master
        forget("node.poll_table")
        try:
            flag = await one.ask(unit, function, address, count)
            if flag == _WRONG_HEADER:
                flag = _WRONG_REPLY
            return flag, bytes(one.view[one.data : one.data + 2 * count]) if flag == _OK else b""
        finally:
            one.close()
