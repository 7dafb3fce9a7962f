"""Messages that are nearly right, for both interpreters: `mutant(good)` of bytes that hold a JSON text, or of any bytes."""

import json
import random

ODD = (
    "null", "true", "false", "0", "-1", "1", "255", "256", "65536", "2147483648", "4294967296", "-9223372036854775808",
    "1" + 22 * "0", "9" * 40, "9" * 400, "0.5", "-0.0", "1e300", '""', '"x"', '"%s"' % ("x" * 300), '"%s"' % ("0" * 64),
    '"\\u0000"', '"\\u20ac"', '"true"', '"-1"', "[]", "{}", "[[]]", "[0]", '["x"]', '{"x": 0}', "[%snull]" % ("null, " * 40),
)  # fmt: skip
PIECES = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\0", b"\n", b"null", b"true", b"1e999", b"-1e999", b"NaN",
    b"Infinity", b"-", b"9" * 40, b"9" * 400, b"0.5", b"\\ud800", b"\\u0000", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"[[[[[[[[", b'{"a":', b" " * 60,
)  # fmt: skip


def noise(most):
    return bytes([random.getrandbits(8) for _ in range(random.randrange(most))])


def mutant(good):
    """One of every kind of harm; now and then none at all."""
    return random.choice(HARMS)(good)


def cut(good):
    return good[: random.randrange(len(good) + 1)]


def other(good):
    """A JSON text with values that are missing, of another kind, or too large."""
    try:
        value = json.loads(good)
    except ValueError:  # no JSON
        return wounded(good)
    for _ in range(1 + random.getrandbits(1)):
        spoil(value)
    return json.dumps(value).encode()


def wounded(good):
    """Bits, bytes and pieces that are changed, lost, put in or moved."""
    raw = bytearray(good)
    for _ in range(1 + random.getrandbits(1)):
        at = random.randrange(len(raw) + 1)
        to = min(at + random.getrandbits(3), len(raw))
        kind = random.getrandbits(2)
        if kind == 0 and at < len(raw):
            raw[at] ^= 1 << random.getrandbits(3)
        elif kind == 1:
            raw = raw[:at] + raw[to:]
        elif kind == 2:
            raw = raw[:at] + random.choice(PIECES) + raw[to:]
        else:
            raw = raw[:at] + raw[max(at - 30, 0) : to] + raw[at:]
    return bytes(raw)


def nested(good):
    """A value inside so many brackets."""
    deep = random.choice((3, 30, 300, 1000, 3000))
    begin, end = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    at = good.rfind(b":", 0, random.randrange(len(good) + 1)) + 1
    return good[:at] + begin * deep + b"0" + end * (deep if random.getrandbits(1) else deep >> 1) + b"," + good[at:]


def doubled(good):
    """A key that comes twice, with another value the first or the second time."""
    keys = [part for part in good.split(b'"')[1::2] if part.isalpha()]
    if not keys:
        return good + good
    pair = b'"' + random.choice(keys) + b'":' + random.choice(ODD).encode()
    at = good.find(b"{") + 1 if random.getrandbits(1) else good.rfind(b"}")
    return good[:at] + (pair + b"," if good[at - 1 : at] == b"{" else b"," + pair) + good[at:]


def spoil(value):
    """One place of a JSON value, however deep."""
    while isinstance(value, (dict, list)) and value:
        key = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if isinstance(inner, (dict, list)) and inner and random.getrandbits(2):
            value = inner
            continue
        harm(value, key, inner)
        return


def harm(value, key, inner):
    kind = random.getrandbits(3)
    if kind == 0:
        del value[key]
    elif kind == 1:
        value[key] = [inner] if random.getrandbits(1) else {"x": inner}
    elif kind == 2 and isinstance(value, list):
        value.append(inner)
    elif kind == 2:
        value[str(key) + "x"] = value.pop(key)
    elif kind == 3 and isinstance(inner, int):
        value[key] = inner + random.choice((-1, 1, 1000, -1000, 1 << 16, 1 << 32))
    elif kind == 4:
        value[key] = str(inner)
    else:
        value[key] = json.loads(random.choice(ODD))


HARMS = (
    (lambda _good: noise(120), bytes, cut, wounded, wounded, wounded, nested, doubled) + (other,) * 8
)  # fmt: skip
