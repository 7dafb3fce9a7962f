"""Sections of flexible loads in a site file: `[loads.ID]` with a `kind`; all may be left out.

Each is made from the settings of its kind (`gateway/core/loads`): the fields of the dataclass are the keys.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from pydantic import Field, create_model, model_validator

from gateway.core.loads.kind import LoadSettings
from gateway.core.loads.kinds import KINDS
from gateway.core.loads.settings import CommonSettings, FieldBounds
from gateway.mistakes import Mistake, choice, shown, validated
from gateway.site.file.section import Section

_COMMON = [field.name for field in dataclasses.fields(CommonSettings)]


class LoadSection(Section):
    """A section of one kind; what its settings refuse is a mistake of the whole section."""

    settings_type: ClassVar[Callable[..., LoadSettings]]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.settings()
        return self

    def settings(self) -> LoadSettings:
        """What was written, as the kind of load takes it. Raises ValueError where it does not fit together."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        return self.settings_type(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


def section_of(settings: type[LoadSettings]) -> type[LoadSection]:
    """The section whose keys are the fields of these settings, with their bounds and defaults."""
    hints = get_type_hints(settings, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(settings)}
    keys: dict[str, Any] = {name: _key(hints[name], fields[name]) for name in _COMMON}
    keys["kind"] = (Literal.__getitem__(settings.kind), ...)
    keys |= {name: _key(hints[name], field) for name, field in fields.items() if name not in _COMMON}
    name = settings.__name__.replace("Settings", "Section")
    section: type[LoadSection] = create_model(name, __base__=LoadSection, __doc__=settings.__doc__, **keys)
    section.settings_type = settings
    return section


def _key(hint: Any, field: "dataclasses.Field[Any]") -> tuple[Any, Any]:
    """Type and default of a key, as Pydantic takes them."""
    if field.default_factory is not dataclasses.MISSING:
        return _checked(hint), Field(default_factory=field.default_factory)
    if isinstance(field.default, tuple):
        default = list(field.default)
        return _checked(hint), Field(default_factory=lambda: list(default))
    return _checked(hint), ... if field.default is dataclasses.MISSING else field.default


def _checked(hint: Any) -> Any:
    """A type of the settings as a file has it (lists, tables), with its bounds as Pydantic knows them."""
    inner = get_args(hint)
    if get_origin(hint) is Annotated:
        bounds = next((one for one in inner[1:] if isinstance(one, FieldBounds)), FieldBounds())
        return Annotated[_checked(inner[0]), _field(bounds)]
    if get_origin(hint) is tuple:
        return list[_checked(inner[0])]  # type: ignore[misc]  # a type that is made here
    if get_origin(hint) is Mapping:
        return dict[_checked(inner[0]), _checked(inner[1])]  # type: ignore[misc]  # likewise
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(_checked(part) for part in inner)]  # noqa: UP007 - of parts that are made here
    return hint


def _field(bounds: FieldBounds) -> Any:
    return Field(
        gt=bounds.above,
        ge=bounds.least,
        le=bounds.most,
        pattern=bounds.pattern,
        min_length=bounds.fewest,
        max_length=bounds.longest,
    )


SECTIONS: Mapping[str, type[LoadSection]] = {kind: section_of(settings) for kind, settings in KINDS.items()}


def read_loads(rows: Any, mistakes: list[Mistake]) -> dict[str, LoadSettings]:
    """The loads of a site file by their ids; mistakes are added."""
    if not isinstance(rows, dict):
        mistakes.append(Mistake(path="loads", found=shown(rows), allowed="tables [loads.<id>]"))
        return {}
    return dict(_each(rows, mistakes))


def _each(rows: Mapping[str, Any], mistakes: list[Mistake]) -> Iterator[tuple[str, LoadSettings]]:
    for id_, row in rows.items():
        path = f"loads.{id_}"
        kind = row.get("kind") if isinstance(row, dict) else None
        if not isinstance(row, dict):
            mistakes.append(Mistake(path=path, found=shown(row), allowed=f"a table [{path}]"))
        elif not isinstance(kind, str) or kind not in SECTIONS:
            found = "nothing" if kind is None else shown(kind)
            mistakes.append(Mistake(path=f"{path}.kind", found=found, allowed=choice(str(kind), list(SECTIONS))))
        else:
            section, found_in_it = validated(SECTIONS[kind], row, at=path)
            mistakes += found_in_it
            if section is not None:
                yield id_, section.settings()
