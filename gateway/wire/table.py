"""The poll table: all that a node knows of its devices. Compiled by the gateway, kept by the node as `table.json`.

{"n": 848000000, "v": 2, "node": "cellar",
 "buses":  [{"kind": "rtu", "port": "rs485", "baud": 9600, "parity": "N", "stop": 1, "timeout_ms": 200},
            {"kind": "tcp", "host": "192.168.1.20", "port": 502, "timeout_ms": 1000, "gap_ms": 0, "lenient": true},
            {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"}],
 "units":  [{"bus": 0, "id": 1, "wfc": 16, "max": 60, "even": true, "gap_ms": 100},
            {"bus": 1, "id": 1, "wfc": 6}],
 "blocks": [{"u": 0, "fc": 4, "a": 52, "n": 2, "ms": 1000},
            {"u": 1, "fc": 3, "m": 103, "a": 14, "n": 13, "ms": 1000},
            {"u": 2, "labels": [["SINSTS", "d"], ["EAST", "c"]], "ms": 1000}],
 "actuators": [{"u": 2, "arm": [], "set": [[40149, "i", -5000, 5000]],
                "go": [[40151, [0, 802]]], "safe": [[40151, [0, 803]]],
                "rb": [[40149, 40149, 0], [40151, 40151, 0]],
                "refresh_ms": 15000, "ttl_ms": 15000, "min_ms": 0, "budget": 0}]}

- `n` is the number of the table: the gateway gives a higher one to each change (seconds since 2000, or one more than
  before), so that a sealed table that was recorded cannot be brought back. A node refuses a lower number than that of
  the newest table it took ("old: 5, newer is 9"); the same table under a higher number only gets that number. Without
  `n`, which comes first when it is there, the number is 0: a table that comes by cable replaces whatever there was.
- A bus is a serial line or one TCP connection; `port` of a serial line is a name that the node's `node.json` explains.
  `gap_ms` of a bus is its turnaround: after an exchange no unit is asked for so long, and on a line for 3.5 characters
  in any case.
- An answer on TCP is that of the transaction and of the unit that were asked. With `lenient`, which is optional, one
  under any other is believed, too, and the connection is closed after each question without an answer, because a late
  answer could not be told from the next one. A node of 0.1.0 does not know `lenient` and stays strict.
- A bus of kind `tic` is the customer telegram of a Linky meter: only heard, at 1200 or 9600 Bd, beginning with `baud`.
- `wfc` is the function code of a unit's writes: 6 (one register at a time), 16, 23 (written and read back in one
  exchange; what comes back must be what was written), or for coils 5 (one at a time) and 15.
  Its limits, all optional: `max` registers in one exchange (longer writes are split), `even` (addresses and counts of
  registers are even, except with function 6), `gap_ms` (the least time between two exchanges with this unit; the others
  go on meanwhile).
- A block is one read of `n` registers (`fc` 3 or 4) or coils (1 or 2) from `a`, every `ms`. With `m` it is inside
  SunSpec model `m`, `a` counts from the model's ID register, and the node finds the model by walking the chain from
  40000, 50000 or 0. Coils travel packed as in the answer: coil a + i is bit i % 8 of byte i / 8; two bytes make a
  register, high byte first, and zeros fill the last one.
- A block of a telegram names labels, each with a form: "d" a decimal number, "c" one that is a counter, "x" a
  hexadecimal number, "s" up to four characters. Each becomes two registers (u32), 0xFFFFFFFF when the frame had none or
  none with a fitting checksum, when its data have another form, or when a counter falls or leaps by more than 1000 (it
  is believed again with the third number in a row that follows from the one before). A record is made at the end of a
  frame, at most one per `ms`; after 8 s without a frame one that says TIMEOUT, BAD_FRAME when groups came whose
  checksum did not fit, or NO_LINK. Labels that name a person (ADCO, ADSC, PRM, MSG1, MSG2) never leave the node.
- An actuator is what an order may do. At the start of a lease and at each refresh the node writes `arm` (the device's
  own reversion timer), then the values of `set`, then `go` (the enable); at the end of the lease `safe`.
  A `set` entry is [address, format, lowest, highest]: format "h" int16, "H" uint16, "i" int32, "I" uint32, with "<"
  behind it for low word first. The node refuses a value outside its range. A coil is written as a register is, with the
  words 0 and 1 and the format "H". Without a change it writes again every `refresh_ms` (0: never), and no lease is
  longer than `ttl_ms`.
- Every write is read back, at the address written, with function 3 (coils: 1). A row of `rb` says otherwise for one
  address: [address written, address to read, function], with function 0 where the product cannot be read back.
- `min_ms` is the shortest time between two changes; an order that comes too early waits, and the newest wins. Safe
  values do not wait. `budget` counts the writes a day (UTC) to registers that wear out, 0 for those that do not: with
  it a register is written only when it holds something else, the count outlives a restart, and the last write of a
  day is kept for the safe values. A budget needs `min_ms`, `refresh_ms` 0, and registers that can be read back.
- Registers are raw: the node knows no scale, no sign and no name of a device.
"""

import binascii
import json

try:
    from micropython import const  # what begins with an underscore then costs neither name nor memory
except ImportError:

    def const(value):  # type: ignore[no-untyped-def, misc]
        """What CPython has not."""
        return value


VERSION = 2
_READABLE = const((1, 2))  # 1 had no number
_NUMBERED = const('{"n":')
_BUS_KINDS = const(("rtu", "tcp", "tic"))
_BAUDS = const((1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200))
RANGES = {"h": (-32768, 32767), "H": (0, 65535), "i": (-2147483648, 2147483647), "I": (0, 4294967295)}
_LABEL_FORMS = const(("d", "c", "x", "s"))
MAX_LABELS = 30
PERSONAL_LABELS = ("ADCO", "ADSC", "PRM", "MSG1", "MSG2")
_FORMATS = const(("h", "H", "i", "I", "i<", "I<"))
_READ_FUNCTIONS = const((1, 2, 3, 4))
_WRITE_FUNCTIONS = const((5, 6, 15, 16, 23))
_COIL_FUNCTIONS = const((1, 2, 5, 15))
_EVEN_FUNCTIONS = const((3, 4, 16, 23))  # those that an even unit can be asked with
MAX_REGISTERS = 125
MAX_COILS = 2000
TIMEOUT_LIMIT_MS = 3000  # a bus shows that it lives between two exchanges
GAP_LIMIT_MS = 60000
_MAX_SETTINGS = const(16)  # registers of one order
MAX_BUDGET = 1000  # writes a day
_LETTERS = const("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")
_HOUR_MS = const(3600000)
TTL_LIMIT_MS = 30000  # no lease is longer, whatever a table says


class TableError(ValueError):
    """A poll table with a mistake: says the place and what is allowed there."""


def identity(text: str) -> int:
    """The name by which records know their table: CRC-32 of its JSON text without `n`."""
    raw = memoryview(text.encode())
    begin = text.find(",") + 1 if text.startswith(_NUMBERED) else 1
    return binascii.crc32(raw[begin:], binascii.crc32(raw[:1])) & 0xFFFFFFFF


def number(text: str) -> int:
    """How new a table is, from its JSON text; ValueError when that is no number."""
    return int(text[len(_NUMBERED) : text.find(",")]) if text.startswith(_NUMBERED) else 0


def parse(text: str) -> dict:
    """The table of a JSON text; TableError when anything in it is not as described above."""
    try:
        table = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the stack
        raise TableError("table is not JSON")
    _need(isinstance(table, dict) and table.get("v") in _READABLE, "v", "this firmware reads version %d" % VERSION)
    _whole(table.get("n", 0), 0, 4294967295, "n")
    places = []
    for where, bus in _each(table, "buses", 32):
        places.append(_check_bus(bus, where))
        _need(places[-1] not in places[:-1], where + "port", "a place that no other bus has")
    hearing = []  # for each unit, whether it is the meter of a telegram
    for where, unit in _each(table, "units", 255):
        _check_unit(unit, where, len(table["buses"]))
        hearing.append(table["buses"][unit["bus"]]["kind"] == "tic")
        alone = [other["bus"] for other in table["units"][: len(hearing)]].count(unit["bus"]) == 1
        _need(alone or not hearing[-1], where + "bus", "one meter for each telegram")
    forms: dict = {}  # of labels, by unit
    for where, block in _each(table, "blocks", 255):
        unit = _unit(block, where, table["units"])
        _whole(block.get("ms"), 100, 3600000, where + "ms")
        if hearing[block["u"]]:
            _check_labels(block.get("labels"), forms.setdefault(block["u"], {}), where + "labels")
        else:
            _check_block(block, where, unit)
    for where, actuator in _each(table, "actuators", 255):
        _check_actuator(actuator, where, table["units"])
        _need(not hearing[actuator["u"]], where + "u", "a unit that can be asked")
    return table


def _check_bus(bus: dict, where: str) -> tuple:
    """Gives the place that it occupies."""
    kind = bus.get("kind")
    _one_of(_BUS_KINDS, kind, where + "kind")
    if kind == "tcp":
        _need(_is_name(bus.get("host")), where + "host", "an address")
        _whole(bus.get("port", 502), 1, 65535, where + "port")
        _one_of((False, True), bus.get("lenient", False), where + "lenient")
        place = bus["host"], bus.get("port", 502)
    else:
        _need(_is_name(bus.get("port")), where + "port", "the name of a serial line")
        _one_of((1200, 9600) if kind == "tic" else _BAUDS, bus.get("baud"), where + "baud")
        _one_of(("E",) if kind == "tic" else ("N", "E", "O"), bus.get("parity", "N"), where + "parity")
        _one_of((7,) if kind == "tic" else (8,), bus.get("bits", 8), where + "bits")
        _whole(bus.get("stop", 1), 1, 2, where + "stop")
        place = bus["port"], 0  # no TCP port
    if kind != "tic":
        _whole(bus.get("timeout_ms"), 1, TIMEOUT_LIMIT_MS, where + "timeout_ms")
        _whole(bus.get("gap_ms", 0), 0, 1000, where + "gap_ms")
    return place


def _check_unit(unit: dict, where: str, buses: int) -> None:
    _whole(unit.get("bus"), 0, buses - 1, where + "bus")
    _whole(unit.get("id"), 0, 255, where + "id")
    _one_of(_WRITE_FUNCTIONS, unit.get("wfc"), where + "wfc")
    _whole(unit.get("max", MAX_REGISTERS), 2, MAX_REGISTERS, where + "max")
    _one_of((False, True), unit.get("even", False), where + "even")
    _whole(unit.get("gap_ms", 0), 0, GAP_LIMIT_MS, where + "gap_ms")


def _check_block(block: dict, where: str, unit: dict) -> None:
    function = block.get("fc")
    _one_of(_READ_FUNCTIONS, function, where + "fc")
    coils = function in _COIL_FUNCTIONS
    most = unit.get("max", MAX_REGISTERS)
    _whole(block.get("n"), 1, min(16 * most, MAX_COILS) if coils else most, where + "n")
    _span(unit, function, block.get("a"), block["n"], where + "a")
    if "m" in block:
        _whole(block["m"], 1, 65534, where + "m")
        _need(not coils, where + "fc", "3 or 4: SunSpec has no coils")


def _check_labels(labels: list, forms: dict, where: str) -> None:
    _need(isinstance(labels, list) and 0 < len(labels) <= MAX_LABELS, where, "1 to %d labels" % MAX_LABELS)
    for label in labels:
        pair = isinstance(label, list) and len(label) == 2 and isinstance(label[0], str)
        _need(pair and label[1] in _LABEL_FORMS, where, "[label, one of d, c, x, s]")
        name = label[0]
        _need(2 <= len(name) <= 8 and not name.strip(_LETTERS), where, "labels of the telegram")
        _need(name not in PERSONAL_LABELS, where, "no label that names a person, as %s does" % name)
        _need(forms.setdefault(name, label[1]) == label[1], where, "one form for %s" % name)


def _check_actuator(actuator: dict, where: str, units: list) -> None:
    unit = _unit(actuator, where, units)
    function = unit["wfc"]
    coils = function in _COIL_FUNCTIONS
    _whole(actuator.get("ttl_ms"), 1000, TTL_LIMIT_MS, where + "ttl_ms")
    refresh_ms = actuator.get("refresh_ms")
    _need(refresh_ms == 0 or _is_whole(refresh_ms, 500, 600000), where + "refresh_ms", "0, or from 500 to 600000")
    _whole(actuator.setdefault("min_ms", 0), 0, _HOUR_MS, where + "min_ms")
    _whole(actuator.setdefault("budget", 0), 0, MAX_BUDGET, where + "budget")
    actuator["refresh_ms"] = refresh_ms or _HOUR_MS  # by then what is not to be refreshed is at least looked at
    for key in ("arm", "go", "safe"):
        for place, (address, words) in _rows(actuator.setdefault(key, []), 2, where + key, "[address, [words]]"):
            _need(isinstance(words, list), place, "[address, [words]]")
            _span(unit, function, address, len(words), place)
            for word in words:
                _whole(word, 0, 1 if coils else 65535, place)
    rows = actuator.get("set")
    _need(isinstance(rows, list) and 0 < len(rows) <= _MAX_SETTINGS, where + "set", "1 to %d registers" % _MAX_SETTINGS)
    for place, (address, form, low, high) in _rows(rows, 4, where + "set", "[address, format, low, high]"):
        _one_of(("H",) if coils else _FORMATS, form, place)
        _span(unit, function, address, 1 if form in ("h", "H") else 2, place)
        least, most = (0, 1) if coils else RANGES[form[0]]
        _whole(low, least, most, place + " lowest")
        _whole(high, low, most, place + " highest")
    actuator["reads"] = _reads(actuator, where, 1 if coils else 3)
    if actuator["budget"]:
        readable = all(function for reads in actuator["reads"] for _, function in reads)
        kind = actuator["budget"] > 1 and actuator["min_ms"] and not refresh_ms and readable
        _need(kind, where + "budget", "two or more, with min_ms, refresh_ms 0 and registers that can be read back")


def _reads(actuator: dict, where: str, usual: int) -> list:
    """(address, function) to read back each write of an order, and each of the safe values: what the node walks."""
    other = {}
    for place, (written, address, function) in _rows(actuator.get("rb", []), 3, where + "rb", "[written, read, fc]"):
        _whole(written, 0, 65535, place)
        _whole(address, 0, 65535, place)
        _one_of((0,) + _READ_FUNCTIONS, function, place)
        other[written] = (address, function)
    order = [write[0] for write in actuator["arm"] + actuator["set"] + actuator["go"]]
    safe = [write[0] for write in actuator["safe"]]
    return [[other.get(address, (address, usual)) for address in addresses] for addresses in (order, safe)]


def _each(table: dict, key: str, most: int):  # type: ignore[no-untyped-def]  # an iterator; its name would cost a board
    """(where, entry) of a list of objects."""
    _need(isinstance(table.get(key), list) and len(table[key]) <= most, key, "a list of at most %d" % most)
    for i, entry in enumerate(table[key]):
        _need(isinstance(entry, dict), "%s[%d]" % (key, i), "an object")
        yield "%s[%d]." % (key, i), entry


def _rows(value, size: int, where: str, allowed: str):  # type: ignore[no-untyped-def]  # an iterator, too
    """(where, row) of a list of rows of that size."""
    _need(isinstance(value, list), where, "a list of " + allowed)
    for i, row in enumerate(value):
        place = "%s[%d]" % (where, i)
        _need(isinstance(row, list) and len(row) == size, place, allowed)
        yield place, row


def _unit(entry: dict, where: str, units: list) -> dict:
    _whole(entry.get("u"), 0, len(units) - 1, where + "u")
    return units[entry["u"]]


def _span(unit: dict, function: object, address, count, where: str) -> None:  # type: ignore[no-untyped-def]
    """Addresses that exist, and as even as the unit needs them."""
    _whole(count, 1, MAX_COILS, where)
    _whole(address, 0, 65536 - count, where)
    if unit.get("even") and function in _EVEN_FUNCTIONS:
        _need(address % 2 == 0 and count % 2 == 0, where, "an even address and an even count")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) < 256


def _one_of(choice: tuple, value: object, where: str) -> None:
    """True is no 1 here."""
    allowed = "one of %s" % ", ".join(str(one) for one in choice)
    _need(any(value == one and type(value) is type(one) for one in choice), where, allowed)


def _whole(value: object, low: int, high: int, where: str) -> None:
    _need(_is_whole(value, low, high), where, "a whole number from %d to %d" % (low, high))


def _is_whole(value: object, low: int, high: int) -> bool:
    """A bool counts as no whole number, on both interpreters."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _need(condition: object, where: str, allowed: str) -> None:
    if not condition:
        raise TableError("%s: allowed is %s" % (where, allowed))
