"""What a node says in JSON, and how much of it can be used."""

import json
from typing import Any, TypeGuard


def json_object(payload: bytes) -> dict[str, Any]:
    """The object in a payload; an empty one for anything else."""
    try:
        text = payload.decode()
        value = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair: no file and no database takes it
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _no_constant(name: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259), and no page could show them."""
    raise ValueError(f"{name} is no number")


def is_count(value: object) -> TypeGuard[int]:
    """A whole number that fits the wire's u32."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
