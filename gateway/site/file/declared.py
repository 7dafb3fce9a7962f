"""Sections of a site file from dataclasses of the core that declare their keys (`core.pricing.keys`), and back."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import Field, create_model, model_validator

from gateway.core.pricing.keys import Between, Ignored, Items, Matching, Such
from gateway.site.file.section import Section

Made = TypeVar("Made")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One key of a site file."""

    name: str
    hint: Any  # its type as it is declared
    allowed: Any  # its type with its checks, as pydantic takes it
    default: Any  # `...` when the key is needed
    such: str  # what to write when it is missing
    is_ignored: bool  # beside another kind it is no mistake

    @property
    def optional(self) -> tuple[Any, None]:
        """Type and default of the same key where it may be left out."""
        return Union[(self.allowed, None)], None  # noqa: UP007 - of a type made at run time

    @property
    def is_needed(self) -> bool:
        """Whether there is no default."""
        return self.default is ...


@cache
def keys(declaring: type) -> tuple[Declared, ...]:
    """The keys that a dataclass declares, in its order. Raises TypeError for what a site file cannot hold."""
    hints = get_type_hints(declaring, include_extras=True)
    return tuple(_key(field, hints[field.name]) for field in dataclasses.fields(declaring))


@cache
def section_of(declaring: type) -> type[Section]:
    """The section with the checks of a dataclass, its own check among them."""

    def check(section: Section) -> Section:
        made(declaring, {name: getattr(section, name) for name in type(section).model_fields})
        return section

    fields: dict[str, Any] = {key.name: (key.allowed, key.default) for key in keys(declaring)}
    checks: dict[str, Any] = {"makes_sense": model_validator(mode="after")(check)}
    return create_model(
        declaring.__name__,
        __base__=Section,
        __doc__=declaring.__doc__,
        __validators__=checks,
        **fields,
    )


def rows_of(declaring: type) -> dict[str, type]:
    """The dataclasses of those keys that are lists of tables, by key."""
    hints = get_type_hints(declaring)
    parts = {name: [part for part in get_args(hint) if dataclasses.is_dataclass(part)] for name, hint in hints.items()}
    return {name: found[0] for name, found in parts.items() if found and isinstance(found[0], type)}


def made(declaring: type[Made], values: Mapping[str, Any]) -> Made:
    """The dataclass with checked values; what is not among them keeps its default. Its own ValueErrors pass."""
    rows = rows_of(declaring)
    return declaring(**{name: _plain(value, rows.get(name)) for name, value in values.items()})


def _plain(value: Any, row: type | None) -> Any:
    if isinstance(value, list):
        return tuple(_plain(each, row) for each in value)
    if isinstance(value, Section) and row is not None:
        return made(row, {name: getattr(value, name) for name in type(value).model_fields})
    return value


def _key(field: "dataclasses.Field[Any]", hint: Any) -> Declared:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    such = next((mark.words for mark in marks if isinstance(mark, Such)), "a value: this key is needed")
    return Declared(
        name=field.name,
        hint=hint,
        allowed=_allowed(hint),
        default=... if field.default is dataclasses.MISSING else field.default,
        such=such,
        is_ignored=any(isinstance(mark, Ignored) for mark in marks),
    )


def _allowed(hint: Any) -> Any:
    """A type as pydantic takes it: marks become its checks, tuples lists, dataclasses sections."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        checks = [check for mark in marks if (check := _check(mark)) is not None]
        return Annotated[_allowed(inner), *checks] if checks else _allowed(inner)
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(_allowed(part) for part in get_args(hint))]  # noqa: UP007 - of a list of parts
    if get_origin(hint) is tuple:
        return list[_allowed(_entry(get_args(hint)))]  # type: ignore[misc]  # a type made at run time
    return section_of(hint) if dataclasses.is_dataclass(hint) and isinstance(hint, type) else hint


def _entry(parts: Sequence[Any]) -> Any:
    if len(parts) != 2 or parts[1] is not Ellipsis:
        raise TypeError(f"tuple{list(parts)}: a list of a site file has entries of one type")
    return parts[0]


def _check(mark: object) -> Any:
    """The check of a mark; None for one that says nothing of the value."""
    match mark:
        case Between(least=least, above=above, most=most):
            return Field(ge=least, gt=above, le=most)
        case Matching(pattern=pattern):
            return Field(pattern=pattern)
        case Items(least=fewest, most=most_items):
            return Field(min_length=fewest, max_length=most_items)
        case Such() | Ignored():
            return None
        case _:
            raise TypeError(f"{mark!r}: no mark of core.pricing.keys")
