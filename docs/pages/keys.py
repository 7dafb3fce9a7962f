"""Keys of a section that a person writes: what is allowed, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo


def key_row(name: str, field: FieldInfo) -> tuple[str, str, str]:
    allowed = _kind(field.annotation, field.metadata)
    default = "(needed)" if field.is_required() else f"`{_plain(field.get_default(call_default_factory=True))!r}`"
    return f"`{name}`", f"`{allowed}`", default


def _plain(value: Any) -> Any:
    """A default as it would stand in a file."""
    return str(value) if isinstance(value, Path) else value.isoformat() if isinstance(value, datetime) else value


def _kind(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """A type as a person writes it: `int ≥ 1 ≤ 65535`, `'N' | 'E' | 'O'`, `str | None`."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _kind(inner, [m for one in more for m in (one.metadata if isinstance(one, FieldInfo) else [one])])
    if get_origin(annotation) is Literal:
        return " | ".join(repr(choice) for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(_kind(part) for part in get_args(annotation))
    if get_origin(annotation) in (dict, Mapping):
        return "table"
    if get_origin(annotation) is tuple:
        parts = [part for part in get_args(annotation) if part is not Ellipsis]
        return "list of " + ", ".join(_kind(part) for part in parts)
    name = "None" if annotation is type(None) else annotation.__name__
    return " ".join([name, *filter(None, map(_bound, metadata))])


def _bound(bound: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "pattern": "matching"}
    limits = [f"{sign} {getattr(bound, key)}" for key, sign in signs.items() if getattr(bound, key, None) is not None]
    return " ".join(limits)
