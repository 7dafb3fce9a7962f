"""Line protocol (InfluxDB 2, "Line protocol"): rows as the database takes them, and what a line is made of."""

import math
import re
from collections.abc import Collection, Sequence

from gateway.ports import FieldValue, Row

# A field value is a text in quotation marks, in which a backslash takes the next character as it is, or has neither
# comma nor space.
_FIELD = re.compile(r'(?:[^\\,= ]|\\.)+=(?:"(?:[^"\\]|\\.)*"|[^", ]*)', re.DOTALL)
_HEAD = re.compile(r"(?:[^\\ ]|\\.)+", re.DOTALL)  # measurement and tags
MOST_DIGITS = 20  # of a moment: more is damage
_NAME = re.compile(r"(?:[^\\,= ]|\\.)+", re.DOTALL)


def line(row: Row) -> str:
    """A row as text: milliseconds; numbers are always floats, so that types never clash.

    A number that is none (NaN, infinite) is left out, for the database would refuse the row; empty without any field.
    """
    known = {k: v for k, v in row.fields.items() if not isinstance(v, float) or math.isfinite(v)}
    if not known:
        return ""
    tags = "".join(f",{_key(k)}={_key(v)}" for k, v in sorted(row.tags.items()) if v)
    fields = ",".join(f"{_key(k)}={_value(v)}" for k, v in sorted(known.items()))
    return f"{_key(row.measurement)}{tags} {fields} {row.time_ms}"


def measurement(text: str) -> str:
    """What a line begins with."""
    found = _NAME.match(text)
    return found[0] if found else text


def tag(text: str, name: str) -> str:
    """The value of a tag of a line; empty without it."""
    head = _HEAD.match(text)
    found = re.search(rf",{re.escape(_key(name))}=((?:[^\\\\,= ]|\\\\.)+)", head[0]) if head else None
    return re.sub(r"\\(.)", r"\1", found[1]) if found else ""


def moment_ms(text: str) -> int:
    """When it was (ms since 1970); 0 where damage hides it."""
    moment = text.rpartition(" ")[2]
    return int(moment) if moment.isascii() and moment.isdecimal() and len(moment) < MOST_DIGITS else 0


def fields(text: str) -> tuple[str, ...]:
    """The names of the fields of a line; none of what is no line."""
    return tuple(name for name, _ in _fields(text))


def with_fields(text: str, names: Collection[str]) -> str | None:
    """The line with only these of its fields; None where none of them is in it."""
    head = _HEAD.match(text)
    kept = [part for name, part in _fields(text) if name in names]
    return f"{head[0]} {','.join(kept)} {text.rpartition(' ')[2]}" if head and kept else None


def _fields(text: str) -> Sequence[tuple[str, str]]:
    head = _HEAD.match(text)
    body = text[head.end() + 1 :].rpartition(" ")[0] if head else ""
    parts = [found[0] for found in _FIELD.finditer(body)]
    names = [_NAME.match(part) for part in parts]
    return [(name[0], part) for name, part in zip(names, parts, strict=True) if name]


def _key(text: str) -> str:
    for mark in ("\\", ",", "=", " "):
        text = text.replace(mark, f"\\{mark}")
    return text


def _value(value: FieldValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(float(value))
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
