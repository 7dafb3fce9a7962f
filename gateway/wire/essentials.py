"""node.json: what a node must know before it can be told anything. Written by `zen node provision` or the setup form.

{"v": 1, "site": "lens", "node": "cellar", "key": "64 hexadecimal digits", "board": "esp32s3",
 "broker": {"host": "192.168.1.10", "port": 8883, "user": "cellar", "password": "...", "ca": "base64 of a DER"},
 "time": {"host": "192.168.1.10", "port": 10123},
 "wifi": {"ssid": "house", "password": "..."}, "eth": {...},
 "serial": {"rs485": {"uart": 1, "tx": 17, "rx": 18, "de": 21}},
 "led": 48, "button": 0, "ring_bytes": 6600, "spill_kb": 0, "watchdog_ms": 8000}

Needed: site, node, key and the broker's host and port. On a computer a serial line is the path of a tty.
"""

import json

VERSION = 1
# place, least, greatest; `!`: needed, `#`: a whole number, else the length of a text
_RULES = (
    "!site 1 32 !node 1 32 !key 64 64 !broker.host 1 253 !#broker.port 1 65535 broker.user 1 64 "
    "broker.password 0 128 broker.ca 1 3000 time.host 1 253 #time.port 1 65535 wifi.ssid 1 32 wifi.password 8 63 "
    "#led 0 48 #button 0 48 #ring_bytes 1000 4000000 #spill_kb 0 16384 #watchdog_ms 1000 60000"
)
_NAME = "-0123456789abcdefghijklmnopqrstuvwxyz"


class EssentialsError(ValueError):
    """A node.json with a mistake: says the place and what is allowed there."""


def parse(text: str) -> dict:
    """The object of a JSON text; EssentialsError when anything in it is not as described above."""
    try:
        conf = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the stack
        conf = 0
    _need(isinstance(conf, dict) and conf.get("v", VERSION) == VERSION, "v", "1")
    rules = _RULES.split()
    while rules:
        rule, low, high = rules.pop(0), int(rules.pop(0)), int(rules.pop(0))
        place = rule.lstrip("!#")
        value = conf
        for part in place.split("."):
            value = value.get(part) if isinstance(value, dict) else value and 0
        kind = int if "#" in rule else str
        if value is not None or "!" in rule:
            size = len(value) if kind is str and isinstance(value, str) else value
            fits = isinstance(value, kind) and not isinstance(value, bool) and low <= size <= high
            _need(fits, place, "%s %d to %d" % ("whole number" if kind is int else "text of length", low, high))
    for place, letters in (("site", _NAME), ("node", _NAME), ("key", "0123456789abcdefABCDEF")):
        _need(not conf[place].strip(letters), place, letters)
    return conf


def _need(condition: object, place: str, allowed: str) -> None:
    if not condition:
        raise EssentialsError("%s: allowed is %s" % (place, allowed))
