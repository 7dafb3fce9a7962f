"""What a database means by refusing a line: of what kind the refusal is, so that it can be told in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# The words of InfluxDB 1.x and 2.x, then those of 3.
_TYPE = re.compile(
    r'input field "(?P<field>.+?)" on measurement "(?P<measurement>.+?)"'
    r" is type (?P<ours>\w+), already exists as type (?P<theirs>\w+)"
)
_TYPE_3 = re.compile(
    r"type for column '(?P<field>.+?)', expected (?:\S*::)?(?P<theirs>\w+), got (?:\S*::)?(?P<ours>\w+)"
)
_KINDS = (  # a code of `refused.*` in the words, and what the answer contains
    ("retention", "beyond retention policy"),
    ("retention", "outside of the retention"),
    ("unreadable", "unable to parse"),
    ("unreadable", "invalid line protocol"),
    ("too_large", "too large"),
)
TYPES = {  # names that databases have for the same
    "float": "float",
    "f64": "float",
    "integer": "integer",
    "i64": "integer",
    "unsigned": "integer",
    "uinteger": "integer",
    "string": "string",
    "utf8": "string",
    "boolean": "boolean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why, as a code of `refused.*` in the words with what belongs into the sentence."""

    code: str  # type, retention, unreadable, too_large, or other
    names: Mapping[str, str] = field(default_factory=dict)  # of a `type`: field, measurement, ours, theirs


def explained(why: str) -> Refusal:
    """The kind of a refusal, from the database's own words."""
    clash = _TYPE.search(why) or _TYPE_3.search(why)
    if clash:
        names = {"measurement": "", **clash.groupdict()}
        kinds = {name: TYPES.get(names[name].lower(), "other") for name in ("ours", "theirs")}
        return Refusal(code="type", names={**names, **kinds})
    return Refusal(code=next((code for code, words in _KINDS if words in why.lower()), "other"))
