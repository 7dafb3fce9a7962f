"""Releases for nodes: keys, building, sending. Node and gateway share their form in `gateway.wire.release`."""

from types import ModuleType


class ReleaseError(Exception):
    """What the person who makes or sends a release must mend; `word` is the key of its translation."""

    def __init__(self, word: str, text: str) -> None:
        self.word = word
        super().__init__(text)


def signing() -> ModuleType:
    """`gateway.release.keys`: only who makes releases has its library. Raises ReleaseError without it."""
    try:
        from gateway.release import keys  # noqa: PLC0415 - the gateway itself needs none of it
    except ImportError as error:
        raise ReleaseError("no_cryptography", "cryptography is missing: pip install 'zen-e-ville[node]'") from error
    return keys
