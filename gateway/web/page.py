import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.words import LANGUAGES, text, words

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATE = Path(__file__).parent / "page.html"
COOKIE = "lang"
FALLBACK = "en"
_SLOT = re.compile(r"\{\{([\w.]+)\}\}")


def render(template: str, *, language: str, digest: str) -> str:
    """The page in one language: every `{{key}}` becomes its text; WordError for a key without one.

    `{{digest}}`, `{{language}}`, `{{words}}` and `{{other.language}}`… are filled in beside the texts.
    """
    other = next(each for each in LANGUAGES if each != language)
    slots = {
        "digest": digest,
        "language": language,
        "other": other,
        "other.name": text(other, "language.name"),
        # Inside <script>, only "<" could end the element early.
        "words": json.dumps(dict(words(language)), ensure_ascii=False).replace("<", "\\u003c"),
    }

    def fill(match: re.Match[str]) -> str:
        key = match.group(1)
        if key == "words":
            return slots[key]
        return html.escape(slots[key] if key in slots else text(language, key))

    return _SLOT.sub(fill, template)


def choose_language(request: "Request") -> str:
    """The language asked for (`?lang=`), else the remembered one, else the browser's first that is spoken here."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE), *_accepted(request))
    return next((each for each in asked if each in LANGUAGES), FALLBACK)


def _accepted(request: "Request") -> list[str]:
    """Languages of Accept-Language (RFC 9110, 12.5.4) without their regions, most preferred first."""
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(wanted, key=lambda each: each[0])]
