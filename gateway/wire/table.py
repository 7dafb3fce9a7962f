"""The poll table: all that a node knows of its devices. Compiled by the gateway, kept by the node as `table.json`.

{"v": 1, "node": "cellar",
 "buses":  [{"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 200, "gap_ms": 4},
            {"kind": "tcp", "host": "192.168.1.20", "port": 502, "timeout_ms": 1000, "gap_ms": 0},
            {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"}],
 "units":  [{"bus": 0, "id": 1, "wfc": 16}],
 "blocks": [{"u": 0, "fc": 4, "a": 52, "n": 2, "ms": 1000},
            {"u": 1, "fc": 3, "m": 103, "a": 14, "n": 13, "ms": 1000},
            {"u": 2, "labels": [["SINSTS", "d"], ["EAST", "c"]], "ms": 1000}],
 "actuators": [{"u": 2, "arm": [], "set": [[40149, "i", -5000, 5000]],
                "go": [[40151, [0, 802]]], "safe": [[40151, [0, 803]]],
                "refresh_ms": 15000, "ttl_ms": 15000}]}

- A bus is a serial line or one TCP connection; `port` of a serial line is a name that the node's `node.json` explains.
- A bus of kind `tic` is the customer telegram of a Linky meter: only heard, at 1200 or 9600 Bd, beginning with `baud`.
- `wfc` is the function code of writes: 6 (one register at a time) or 16.
- A block is one read of `n` registers from `a`, every `ms`. With `m` it is inside SunSpec model `m`, `a` counts from
  the model's ID register, and the node finds the model by walking the chain from 40000, 50000 or 0.
- A block of a telegram names labels, each with a form: "d" a decimal number, "c" one that is a counter, "x" a
  hexadecimal number, "s" up to four characters. Each becomes two registers (u32), 0xFFFFFFFF when the frame had none or
  none with a fitting checksum, when its data have another form, or when a counter falls or leaps by more than 1000 (it
  is believed again with the third number in a row that follows from the one before). A record is made at the end of a
  frame, at most one per `ms`; after 8 s without a frame one that says TIMEOUT, BAD_FRAME when groups came whose
  checksum did not fit, or NO_LINK. Labels that name a person (ADCO, ADSC, PRM, MSG1, MSG2) never leave the node.
- An actuator is what an order may do. At the start of a lease and at each refresh the node writes `arm` (the device's
  own reversion timer), then the values of `set`, then `go` (the enable); at the end of the lease `safe`.
  A `set` entry is [address, format, lowest, highest]: format "h" int16, "H" uint16, "i" int32, "I" uint32, with "<"
  behind it for low word first. The node refuses a value outside its range.
- Registers are raw: the node knows no scale, no sign and no name of a device.
"""

import binascii
import json

VERSION = 1
BUS_KINDS = ("rtu", "tcp", "tic")
LABEL_FORMS = ("d", "c", "x", "s")
MAX_LABELS = 30
PERSONAL_LABELS = ("ADCO", "ADSC", "PRM", "MSG1", "MSG2")
FORMATS = ("h", "H", "i", "I", "i<", "I<")
READ_FUNCTIONS = (3, 4)
WRITE_FUNCTIONS = (6, 16)
MAX_REGISTERS = 125
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"
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
        _need(bus.get("kind") in BUS_KINDS, "buses[%d].kind" % i, "rtu, tcp or tic")
        if bus["kind"] == "tic":
            line = (
                bus.get("bits"),
                bus.get("parity"),
                bus.get("baud") in (1200, 9600),
                isinstance(bus.get("port"), str),
            )
            _need(line == (7, "E", True, True), "buses[%d]" % i, "a port with 7 bits, parity E and baud 1200 or 9600")
        else:
            _whole(bus.get("timeout_ms"), 1, 10000, "buses[%d].timeout_ms" % i)
    heard = []
    for i, unit in enumerate(table["units"]):
        _whole(unit.get("bus"), 0, len(table["buses"]) - 1, "units[%d].bus" % i)
        _whole(unit.get("id"), 0, 255, "units[%d].id" % i)
        _need(unit.get("wfc") in WRITE_FUNCTIONS, "units[%d].wfc" % i, "6 or 16")
        _need(unit["bus"] not in heard, "units[%d].bus" % i, "one meter for each telegram")
        if table["buses"][unit["bus"]]["kind"] == "tic":
            heard.append(unit["bus"])
    forms: dict = {}  # of labels, by unit
    for i, block in enumerate(table["blocks"]):
        _whole(block.get("u"), 0, len(table["units"]) - 1, "blocks[%d].u" % i)
        _whole(block.get("ms"), 100, 3600000, "blocks[%d].ms" % i)
        if _hears(table, block["u"]):
            _check_labels(block.get("labels"), forms.setdefault(block["u"], {}), "blocks[%d].labels" % i)
        else:
            _check_block(block, "blocks[%d]." % i)
    for i, actuator in enumerate(table["actuators"]):
        _check_actuator(actuator, "actuators[%d]." % i, len(table["units"]))
        _need(not _hears(table, actuator["u"]), "actuators[%d].u" % i, "a unit that can be asked")
    return table


def _hears(table: dict, unit: int) -> bool:
    """Whether a unit is the meter of a telegram."""
    return bool(table["buses"][table["units"][unit]["bus"]]["kind"] == "tic")


def _check_block(block: dict, where: str) -> None:
    _need(block.get("fc") in READ_FUNCTIONS, where + "fc", "3 or 4")
    _whole(block.get("a"), 0, 65535, where + "a")
    _whole(block.get("n"), 1, MAX_REGISTERS, where + "n")
    _whole(block.get("m", 1), 1, 65534, where + "m")


def _check_labels(labels: list, forms: dict, where: str) -> None:
    _need(isinstance(labels, list) and 0 < len(labels) <= MAX_LABELS, where, "1 to %d labels" % MAX_LABELS)
    for label in labels:
        pair = isinstance(label, list) and len(label) == 2 and isinstance(label[0], str)
        _need(pair and label[1] in LABEL_FORMS, where, "[label, one of d, c, x, s]")
        name = label[0]
        _need(2 <= len(name) <= 8 and not name.strip(_LETTERS), where, "labels of the telegram")
        _need(name not in PERSONAL_LABELS, where, "no label that names a person, as %s does" % name)
        _need(forms.setdefault(name, label[1]) == label[1], where, "one form for %s" % name)


def _check_actuator(actuator: dict, where: str, units: int) -> None:
    _whole(actuator.get("u"), 0, units - 1, where + "u")
    _whole(actuator.get("ttl_ms"), 1000, TTL_LIMIT_MS, where + "ttl_ms")
    _whole(actuator.get("refresh_ms"), 500, 600000, where + "refresh_ms")
    for key in ("arm", "go", "safe"):
        for address, words in actuator.get(key, ()):
            _whole(address, 0, 65535, where + key)
            for word in words:
                _whole(word, 0, 65535, where + key)
    _need(len(actuator.get("set", ())) > 0, where + "set", "at least one register")
    for address, form, low, high in actuator["set"]:
        _whole(address, 0, 65535, where + "set")
        _need(form in FORMATS and low <= high, where + "set", "[address, format, lowest, highest]")


def _whole(value: object, low: int, high: int, where: str) -> None:
    """A bool counts as no whole number, on both interpreters."""
    fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _need(fits, where, "a whole number from %d to %d" % (low, high))


def _need(condition: object, where: str, allowed: str) -> None:
    if not condition:
        raise TableError("%s: allowed is %s" % (where, allowed))
