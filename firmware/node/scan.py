"""Single questions on a bus, between the polls of the node: which units answer, what a register holds."""

import asyncio
import binascii

from node.plant import master
from wire.records import EXCEPTION, OK, TIMEOUT


async def scan(app, ask, tell):
    """[[baud, unit, function, flag], ...] of all that is not silent; the reference is in node.console."""
    found = []
    for baud in ask.get("baud", (None,)):
        for unit in range(ask["from"], ask["to"] + 1):
            tell([baud, unit])
            for function in (3, 4):
                flag = (await _question(app, ask, baud, unit, function, 0, 1))[0]
                if flag != TIMEOUT:
                    found.append([baud, unit, function, flag])
                if flag in (OK, EXCEPTION):
                    break
    return found


async def read(app, ask, _tell):
    flag, data = await _question(app, ask, None, ask["unit"], ask["fc"], ask["a"], ask["n"])
    return {"flag": flag, "data": binascii.hexlify(data).decode()}


async def _question(app, ask, baud, unit, function, address, count):
    """(flag, bytes). A bus of the node that lives on the same line makes room, and opens it again when it is due."""
    spec = ask["bus"]
    buses = app.plant.buses if app.plant else ()
    if isinstance(spec, int):
        spec = buses[spec].spec
    spec = dict(spec)
    spec["timeout_ms"] = ask.get("timeout_ms") or spec.get("timeout_ms", 200)
    if baud:
        spec["baud"] = baud
    lock = asyncio.Lock()
    for bus in buses:
        if bus.spec.get("port") == spec.get("port") and bus.spec.get("host") == spec.get("host"):
            lock = bus.lock
            break
    async with lock:
        if buses and lock is bus.lock:
            bus.master.way.close()
        one = master(spec, app.conf.get("serial", {}))
        try:
            flag = await one.ask(unit, function, address, count)
            return flag, bytes(one.view[one.data : one.data + 2 * count]) if flag == OK else b""
        finally:
            one.way.close()
