"""The words of the dashboards in both languages, from one file; those of the gateway come from `gateway.words`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gateway.words import LANGUAGES, WordError, words

PLACE = Path(__file__).with_name("texts.json")


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> text."""
    rows = json.loads(PLACE.read_text(encoding="utf-8"))
    return {str(key): dict(zip(LANGUAGES, pair, strict=True)) for key, pair in rows.items()}


class Speaker:
    """Says keys in one language, and remembers which it was asked for."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.said: set[str] = set()

    def __call__(self, key: str) -> str:
        """The text. Raises WordError for a key without one."""
        if key not in texts():
            raise WordError(f"no text {key!r} in {PLACE.name}: add it there")
        self.said.add(key)
        return texts()[key][self.language]

    def word(self, key: str) -> str:
        """A text that the page of the gateway shows, too."""
        return words(self.language)[key]
