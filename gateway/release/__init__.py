"""Releases for nodes: keys, building, sending. Node and gateway share their form in `gateway.wire.release`."""


class ReleaseError(Exception):
    """What the person who makes or sends a release must mend; `word` is the key of its translation."""

    def __init__(self, word: str, text: str) -> None:
        self.word = word
        super().__init__(text)
