"""All words that people read, in every language, with their numbers: the page and the commands speak from one source.

A text is a row of `<language>.json`. Its placeholders are `{name}` or `{name:as}`; the ending of the name says the unit
(`gateway.words.figures`), `as` says how a signed power is shown:

| as      | -1200 W is shown as                                      |
|---------|----------------------------------------------------------|
| (none)  | minus 1.20 kW                                            |
| `size`  | 1.20 kW                                                  |
| `grid`  | the text `grid.export`; `grid.import` above, `grid.zero` |
| `would` | the text `would.export`; likewise                        |
| `day`   | (days from now) the text `day.0`, `day.1` or `day.2`     |

`static/words.js` of the page follows the same rules; a test holds both together.
"""

import json
import re
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.words.figures import figure, is_zero

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.words.figures import Number

__all__ = ["LANGUAGES", "PLACEHOLDER", "WordError", "figure", "sentence", "text", "words"]

LANGUAGES = ("en", "fr")
PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?\}")


class WordError(LookupError):
    """A text that no file has, or that was not given all its numbers: a mistake of the caller."""


class _Texts(dict[str, str]):
    """Texts by their keys; a key that is not there says in which file it is missing."""

    def __init__(self, language: str, rows: "Mapping[str, str]") -> None:
        super().__init__(rows)
        self._language = language

    def __missing__(self, key: str) -> str:
        raise WordError(f"no text {key!r} in gateway/words/{self._language}.json: add it there")


@cache
def words(language: str) -> "Mapping[str, str]":
    """All texts of a language by their keys. WordError for a language that is not spoken here."""
    if language not in LANGUAGES:
        raise WordError(f"language {language!r}: allowed is one of {', '.join(LANGUAGES)}")
    rows = json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    return MappingProxyType(_Texts(language, {str(key): str(row) for key, row in rows.items()}))


def text(language: str, key: str, **numbers: "Number") -> str:
    """The text of a key with its numbers filled in; None is shown as an em dash.

    Raises WordError for an unknown language or key, and for a placeholder without a number.
    """
    rows = words(language)

    def fill(match: re.Match[str]) -> str:
        name, shown_as = match.group(1), match.group(2)
        if name not in numbers:
            raise WordError(f"text {key!r} needs the number {name!r}")
        return _shown(language, name, shown_as, numbers[name])

    return PLACEHOLDER.sub(fill, rows[key])


def sentence(language: str, kind: str, code: str, numbers: "Mapping[str, Number]") -> str:
    """The text `<kind>.<code>` with its numbers; the code itself where there is none: this is never an error."""
    try:
        return text(language, f"{kind}.{code}", **numbers)
    except WordError:
        return code


def _shown(language: str, name: str, shown_as: str | None, value: "Number") -> str:
    if shown_as is None or not isinstance(value, (int, float)):
        return figure(language, name, value)
    if shown_as == "day":
        return words(language)[f"day.{min(max(round(value), 0), 2)}"]
    size = figure(language, name, abs(value))
    if shown_as == "size":
        return size
    side = "zero" if is_zero(name, value) else "import" if value > 0 else "export"
    return words(language)[f"{shown_as}.{side}"].replace("{power}", size)
