"""The language of the terminal."""

import os

from gateway.words import LANGUAGES, text


def language() -> str:
    """The first of LC_ALL, LC_MESSAGES, LANG that is set decides; English for any language we do not speak."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        spoken = os.environ.get(name, "")[:2].lower()
        if spoken:
            return spoken if spoken in LANGUAGES else "en"
    return "en"


def say(key: str, **numbers: float | str | None) -> str:
    """A text in the terminal's language."""
    return text(language(), key, **numbers)
