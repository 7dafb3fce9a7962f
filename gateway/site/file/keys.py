"""The key that a node shares with its gateway: what is one, and what is not."""

from gateway.mistakes import Mistake
from gateway.wire.essentials import is_guessable

KEY_ALLOWED = "64 random hexadecimal digits, as `openssl rand -hex 32` prints them: no zeros, no pattern"

KEY_HEX = 64  # digits of 256 bits (`gateway.wire.seal`)


def key_mistake(name: str, key: str) -> Mistake | None:
    """What is wrong with a node's key in the variable `name`; it is never shown."""
    if len(key) != KEY_HEX or not all(c in "0123456789abcdefABCDEF" for c in key):
        return Mistake(path=name, found=f"{len(key)} characters", allowed="64 hexadecimal digits in the environment")
    if is_guessable(key):
        return Mistake(path=name, found="a key that can be guessed", allowed=KEY_ALLOWED)
    return None
