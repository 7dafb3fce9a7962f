"""The one way from the schema to JSON: a key for each field, in the order of the fields, numbers as they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from gateway.view.schema.keys import LEFT_OUT

Json = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

_PLAIN = frozenset({bool, int, float, str, type(None)})  # a column of the trend has 1500 of them: no call for each


def encode(shown: object) -> Json:
    """A value of the schema as JSON values. TypeError for what the schema does not hold."""
    if shown is None or isinstance(shown, (bool, int, float, str)):
        return shown
    if isinstance(shown, Mapping):
        return {str(key): encode(value) for key, value in shown.items()}
    if isinstance(shown, (list, tuple)):
        return [value if type(value) in _PLAIN else encode(value) for value in shown]
    if is_dataclass(shown):
        values = {field.name: getattr(shown, field.name) for field in fields(shown)}
        return {name: encode(value) for name, value in values.items() if value is not LEFT_OUT}
    raise TypeError(f"nothing of the schema: {shown!r}")


def json_text(shown: object) -> str:
    """The text that goes out. ValueError for a number that JSON does not know: there is none in the schema."""
    return json.dumps(encode(shown), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
