"""The poll table: all that a node knows of its devices. Compiled by the gateway, kept by the node as `table.json`.

{"v": 1, "node": "cellar",
 "buses":  [{"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 200, "gap_ms": 4},
            {"kind": "tcp", "host": "192.168.1.20", "port": 502, "timeout_ms": 1000, "gap_ms": 0}],
 "units":  [{"bus": 0, "id": 1, "wfc": 16}],
 "blocks": [{"u": 0, "fc": 4, "a": 52, "n": 2, "ms": 1000},
            {"u": 1, "fc": 3, "m": 103, "a": 14, "n": 13, "ms": 1000}],
 "actuators": [{"u": 2, "arm": [], "set": [[40149, "i", -5000, 5000]],
                "go": [[40151, [0, 802]]], "safe": [[40151, [0, 803]]],
                "rb": [[40149, 40149, 0], [40151, 40151, 0]],
                "refresh_ms": 15000, "ttl_ms": 15000, "min_ms": 0, "budget": 0}]}

- A bus is a serial line or one TCP connection; `port` of a serial line is a name that the node's `node.json` explains.
- `wfc` is the function code of writes: 6 (one register at a time) or 16.
- A block is one read of `n` registers from `a`, every `ms`. With `m` it is inside SunSpec model `m`, `a` counts from
  the model's ID register, and the node finds the model by walking the chain from 40000, 50000 or 0.
- An actuator is what an order may do. At the start of a lease and at each refresh the node writes `arm` (the device's
  own reversion timer), then the values of `set`, then `go` (the enable); at the end of the lease `safe`.
  A `set` entry is [address, format, lowest, highest]: format "h" int16, "H" uint16, "i" int32, "I" uint32, with "<"
  behind it for low word first. The node refuses a value outside its range. Without a change it writes again every
  `refresh_ms` (0: never), and no lease is longer than `ttl_ms`.
- Every write is read back, at the address written, with function 3. A row of `rb` says otherwise for one address:
  [address written, address to read, function], with function 0 where the product cannot be read back.
- `min_ms` is the shortest time between two changes; an order that comes too early waits, and the newest wins. Safe
  values do not wait. `budget` counts the writes a day (UTC) to registers that wear out, 0 for those that do not: with
  it a register is written only when it holds something else, the count outlives a restart, and the last write of a
  day is kept for the safe values. A budget needs `min_ms`, `refresh_ms` 0, and registers that can be read back.
- Registers are raw: the node knows no scale, no sign and no name of a device.
"""

import binascii
import json

VERSION = 1
BUS_KINDS = ("rtu", "tcp")
FORMATS = ("h", "H", "i", "I", "i<", "I<")
READ_FUNCTIONS = (3, 4)
WRITE_FUNCTIONS = (6, 16)
MAX_REGISTERS = 125
MAX_SETTINGS = 16  # registers of one order
MAX_BUDGET = 1000  # writes a day
HOUR_MS = 3600000
TTL_LIMIT_MS = 30000  # no lease is longer, whatever a table says


class TableError(ValueError):
    """A poll table with a mistake: says the place and what is allowed there."""


def identity(text: str) -> int:
    """The number by which records name their table: CRC-32 of its JSON text."""
    return binascii.crc32(text.encode()) & 0xFFFFFFFF


def parse(text: str) -> dict:
    """The table of a JSON text; TableError when anything in it is not as described above."""
    try:
        table = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the stack
        raise TableError("table is not JSON")
    _need(isinstance(table, dict) and table.get("v") == VERSION, "v", "this firmware reads version %d" % VERSION)
    for key in ("buses", "units", "blocks", "actuators"):
        _need(isinstance(table.get(key), list), key, "a list")
    for i, bus in enumerate(table["buses"]):
        _need(bus.get("kind") in BUS_KINDS, "buses[%d].kind" % i, "rtu or tcp")
        _whole(bus.get("timeout_ms"), 1, 10000, "buses[%d].timeout_ms" % i)
    for i, unit in enumerate(table["units"]):
        _whole(unit.get("bus"), 0, len(table["buses"]) - 1, "units[%d].bus" % i)
        _whole(unit.get("id"), 0, 255, "units[%d].id" % i)
        _need(unit.get("wfc") in WRITE_FUNCTIONS, "units[%d].wfc" % i, "6 or 16")
    for i, block in enumerate(table["blocks"]):
        _check_block(block, "blocks[%d]." % i, len(table["units"]))
    for i, actuator in enumerate(table["actuators"]):
        _check_actuator(actuator, "actuators[%d]." % i, len(table["units"]))
    return table


def _check_block(block: dict, where: str, units: int) -> None:
    _whole(block.get("u"), 0, units - 1, where + "u")
    _need(block.get("fc") in READ_FUNCTIONS, where + "fc", "3 or 4")
    _whole(block.get("a"), 0, 65535, where + "a")
    _whole(block.get("n"), 1, MAX_REGISTERS, where + "n")
    _whole(block.get("ms"), 100, 3600000, where + "ms")
    _whole(block.get("m", 1), 1, 65534, where + "m")


def _check_actuator(actuator: dict, where: str, units: int) -> None:
    _whole(actuator.get("u"), 0, units - 1, where + "u")
    _whole(actuator.get("ttl_ms"), 1000, TTL_LIMIT_MS, where + "ttl_ms")
    refresh_ms = actuator.get("refresh_ms")
    _need(refresh_ms == 0 or _is_whole(refresh_ms, 500, 600000), where + "refresh_ms", "0, or from 500 to 600000")
    _whole(actuator.setdefault("min_ms", 0), 0, HOUR_MS, where + "min_ms")
    _whole(actuator.setdefault("budget", 0), 0, MAX_BUDGET, where + "budget")
    actuator["refresh_ms"] = refresh_ms or HOUR_MS  # by then what is not to be refreshed is at least looked at
    for key in ("arm", "go", "safe"):
        for address, words in actuator.setdefault(key, []):
            _whole(address, 0, 65535, where + key)
            for word in words:
                _whole(word, 0, 65535, where + key)
    _whole(len(actuator.get("set", ())), 1, MAX_SETTINGS, "the registers of " + where + "set")
    for address, form, low, high in actuator["set"]:
        _whole(address, 0, 65535, where + "set")
        _need(form in FORMATS and low <= high, where + "set", "[address, format, lowest, highest]")
    actuator["reads"] = _reads(actuator, where)
    if actuator["budget"]:
        readable = all(function for reads in actuator["reads"] for _, function in reads)
        kind = actuator["budget"] > 1 and actuator["min_ms"] and not refresh_ms and readable
        _need(kind, where + "budget", "two or more, with min_ms, refresh_ms 0 and registers that can be read back")


def _reads(actuator: dict, where: str) -> list:
    """(address, function) to read back each write of an order, and each of the safe values: what the node walks."""
    other = {}
    for written, address, function in actuator.get("rb", ()):
        _whole(address, 0, 65535, where + "rb")
        _need(function in (0, 3, 4), where + "rb", "function 3, 4 or 0")
        other[written] = (address, function)
    order = [write[0] for write in actuator["arm"] + actuator["set"] + actuator["go"]]
    safe = [write[0] for write in actuator["safe"]]
    return [[other.get(address, (address, 3)) for address in addresses] for addresses in (order, safe)]


def _whole(value: object, low: int, high: int, where: str) -> None:
    _need(_is_whole(value, low, high), where, "a whole number from %d to %d" % (low, high))


def _is_whole(value: object, low: int, high: int) -> bool:
    """A bool counts as no whole number, on both interpreters."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _need(condition: object, where: str, allowed: str) -> None:
    if not condition:
        raise TableError("%s: allowed is %s" % (where, allowed))
