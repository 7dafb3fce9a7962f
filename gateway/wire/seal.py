"""Messages that only the gateway can have written: HMAC-SHA256 (RFC 2104) in front of a JSON text.

Sealed message: 32 bytes of HMAC over `<topic leaf> 0x00 <JSON text>`, then the JSON text. The leaf is inside the
seal, so that a poll table can never be replayed as an order.
"""

import hashlib
import json

MAC_SIZE = 32
MAX_SEALED = 8192  # bytes; nothing longer is even looked at
_BLOCK = 64


class SealError(ValueError):
    """A message whose seal or content is not what it should be."""


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 of bytes (MicroPython has no `hmac` module)."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


def unseal(key: bytes, leaf: str, payload: bytes | bytearray | memoryview) -> str:
    """The JSON text of a sealed message; SealError when it is forged, cut or too long."""
    if not MAC_SIZE < len(payload) <= MAX_SEALED:
        raise SealError("size %d" % len(payload))
    body = bytes(payload[MAC_SIZE:])
    if not _equal(hmac_sha256(key, leaf.encode() + b"\0" + body), payload[:MAC_SIZE]):
        raise SealError("wrong seal")
    return body.decode()


def unseal_json(key: bytes, leaf: str, payload: bytes | bytearray | memoryview) -> dict:
    """The object inside a sealed message; SealError as `unseal`, also for text that is not a JSON object."""
    text = unseal(key, leaf, payload)
    try:
        value = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the stack
        value = None
    if isinstance(value, dict):
        return value
    raise SealError("no JSON object")


def _equal(a: bytes, b: bytes | bytearray | memoryview) -> bool:
    """Compare without telling by the time taken where they differ."""
    difference = len(a) ^ len(b)
    for x, y in zip(a, b):
        difference |= x ^ y
    return difference == 0
