"""node.json: what a node must know before it can be reached. Written by `zen node provision` or the setup form.

{"v": 1, "site": "lens", "node": "cellar", "key": "64 hexadecimal digits", "board": "esp32s3",
 "broker": {"host": "192.168.1.10", "port": 8883, "user": "cellar", "password": "...", "ca": "base64 of a DER"},
 "time": {"host": "192.168.1.10", "port": 10123},
 "wifi": {"ssid": "house", "password": "..."}, "eth": {...},
 "serial": {"rs485": {"uart": 1, "tx": 17, "rx": 18, "de": 21}},
 "led": 48, "button": 0, "ring_bytes": 6600, "spill_kb": 0, "watchdog_ms": 8000}

Needed: site, node, key (random digits) and the broker's host and port. `eth` and `wifi` may have "ip": [address, mask,
gateway, name server], else DHCP gives them. A serial line has uart, tx, rx and perhaps de; on a computer it is the path
of a tty.
"eth": {"phy": "LAN8720", "addr", "mdc", "mdio", "power", "clock"}, the last two where they are wired, or
"eth": {"phy": "W5500", "addr", "spi", "sck", "mosi", "miso", "cs", "int", "reset"}, the last one where it is wired.
`spill_a_day`: pieces of 4 kB that may be written to flash in a day.
"""

import json

VERSION = 1
# place, least, greatest; `!`: needed, `#`: a whole number, else the length of a text
_RULES = (
    "!site 1 32 !node 1 32 !key 64 64 !broker.host 1 253 !#broker.port 1 65535 broker.user 1 64 "
    "broker.password 0 128 broker.ca 1 3000 time.host 1 253 #time.port 1 65535 wifi.ssid 1 32 wifi.password 8 63 "
    "#led 0 48 #button 0 48 #ring_bytes 1000 4000000 #spill_kb 0 16384 #spill_a_day 0 100000 #watchdog_ms 1000 60000"
)
_LINE = "uart 2 tx 48 rx 48 ?de 48"  # name, greatest; behind `?` not needed
_PHYS = {
    "LAN8720": "addr 31 mdc 48 mdio 48 ?power 48 ?clock 48",
    "W5500": "addr 31 spi 2 sck 48 mosi 48 miso 48 cs 48 int 48 ?reset 48",
}
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
    _hardware(conf)
    return conf


def take(text: str) -> dict:
    """As `parse`, for a node.json that is new: a key that can be guessed is refused, too."""
    conf = parse(text)
    allowed = "64 random hexadecimal digits, as `openssl rand -hex 32` prints them: no zeros, no pattern"
    _need(not is_guessable(conf["key"]), "key", allowed)
    return conf


def is_guessable(key: str) -> bool:
    """Whether a key in hexadecimal digits is zeros, or something repeated."""
    # of 32 random bytes about 30 differ; of a pattern that is repeated at most half of them
    return len({key[at : at + 2].lower() for at in range(0, len(key), 2)}) <= 16


def _hardware(conf: dict) -> None:
    """Lines and network: a node that fails on them at its start could not be corrected over the air."""
    lines = conf.get("serial")
    if lines is not None:
        _need(isinstance(lines, dict), "serial", "lines by name, none for a board without")
        for name in lines:
            line = lines[name]
            if not isinstance(line, str):
                _numbers("serial." + name, line, _LINE)
            _need(line, "serial." + name, "uart, tx, rx, or on a computer the path of a tty: a line needs a place")
    wired = conf.get("eth")
    if wired is not None:
        phy = wired.get("phy") if isinstance(wired, dict) else None
        _need(isinstance(phy, str) and phy in _PHYS, "eth.phy", "LAN8720 or W5500, which the interpreter can drive")
        _numbers("eth", wired, _PHYS[phy])  # type: ignore[index]  # a text by now
    for place in ("eth", "wifi"):
        address = (conf.get(place) or {}).get("ip")
        if address is not None:
            fits = isinstance(address, list) and len(address) == 4 and all(_is_address(one) for one in address)
            _need(fits, place + ".ip", "address, mask, gateway, name server, such as 192.168.1.20; without it: DHCP")


def _numbers(place: str, found: object, rules: str) -> None:
    words = rules.split()
    while words:
        name, high = words.pop(0), int(words.pop(0))
        value = found.get(name.lstrip("?")) if isinstance(found, dict) else None
        missing = name[0] == "?" and isinstance(found, dict) and name[1:] not in found
        fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= high
        _need(missing or fits, place + "." + name.lstrip("?"), "whole number 0 to %d" % high)


def _is_address(text: object) -> bool:
    parts = text.split(".") if isinstance(text, str) else []
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _need(condition: object, place: str, allowed: str) -> None:
    if not condition:
        raise EssentialsError("%s: allowed is %s" % (place, allowed))
