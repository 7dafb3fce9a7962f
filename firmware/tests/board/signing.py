"""The seal of the gateway, for both interpreters, without any code of the node: what judges it."""

import hashlib

KEY = bytes(range(32))


def hmac(key, message):
    """RFC 2104, written here once more."""
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([b ^ 0x36 for b in key]) + message).digest()
    return hashlib.sha256(bytes([b ^ 0x5C for b in key]) + inner).digest()
