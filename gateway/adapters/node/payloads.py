"""What a node says in JSON, and how much of it can be used."""

import json
import math
from typing import Any, NoReturn, TypeGuard

MOST_BYTES = 65_536  # a node has less memory than that
DEEPEST = 16  # objects and lists in one another; a node sends three
_LARGEST = 2**63  # beyond it no counter of any device, and no whole number of the database


def json_object(payload: bytes) -> dict[str, Any]:
    """The object in a payload, which can be stored and shown as it is; an empty one for anything else."""
    if len(payload) > MOST_BYTES:
        return {}
    try:
        text = payload.decode()
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
        _must_be_flat(value, DEEPEST)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair: no file and no database takes it
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _finite(text: str) -> float:
    """A number beyond all that a computer knows (1e999) is none."""
    found = float(text)
    return found if math.isfinite(found) else _no_constant(text)


def _whole(text: str) -> int:
    found = int(text)
    return found if -_LARGEST <= found < _LARGEST else _no_constant(text[:20])


def _must_be_flat(value: object, depth: int) -> None:
    """Raises ValueError for what lies too deep to be walked through again and again."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if depth == 0:
            raise ValueError("too deep")
        _must_be_flat(one, depth - 1)


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON (RFC 8259), and no page could show them."""
    raise ValueError(f"{name} is no number")


def is_count(value: object) -> TypeGuard[int]:
    """A whole number that fits the wire's u32."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
