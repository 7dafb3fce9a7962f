"""Writing what `wire.seal` reads: apart, because a running node only reads."""

from .seal import hmac_sha256


def seal(key: bytes, leaf: str, text: str) -> bytes:
    """The sealed message of a JSON text."""
    body = text.encode()
    return hmac_sha256(key, leaf.encode() + b"\0" + body) + body
