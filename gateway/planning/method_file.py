"""`config/planner.toml`: the one configuration of forecasting and planning, for every building and every bench."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from gateway.core.forecast.method import ForecastMethod
from gateway.core.planning.method import Method, PlanningMethod
from gateway.mistakes import Mistake, MistakesError, choice, read_toml, shown
from gateway.paths import config_folder

Section = TypeVar("Section")

GATEWAY_SECTIONS = {"planning": PlanningMethod, "forecast": ForecastMethod}
STUDY_SECTIONS = ("grid_goal",)  # stands in the same file, is read by the bench of its own (`read_section`)


def method_file() -> Path:
    """The file that is used where no other is named."""
    return config_folder() / "planner.toml"


def read_method(path: Path | None = None) -> Method:
    """The method in a file; MistakesError with every mistake of it."""
    path = path or method_file()
    table, mistakes = _table(path)
    made = {name: _section(kind, name, table.get(name), mistakes) for name, kind in GATEWAY_SECTIONS.items()}
    if mistakes:
        raise MistakesError(path, mistakes)
    return Method(**made)


def read_section(kind: type[Section], name: str, path: Path | None = None) -> Section:
    """One section of a file, for a bench with parameters of its own; MistakesError with every mistake of it."""
    path = path or method_file()
    table, mistakes = _table(path)
    made: Section | None = _section(kind, name, table.get(name), mistakes)
    if mistakes or made is None:
        raise MistakesError(path, mistakes)
    return made


def as_table(method: Method) -> dict[str, Any]:
    """The method as nested tables, to be printed beside a result."""
    return asdict(method)


def _table(path: Path) -> tuple[Mapping[str, Any], list[Mistake]]:
    """What the file holds, and a mistake for each table that is not known."""
    table = read_toml(path, example="config/planner.toml")
    if isinstance(table, Mistake):
        raise MistakesError(path, [table])
    known = [*GATEWAY_SECTIONS, *STUDY_SECTIONS]
    unknown = [name for name in table if name not in known]
    return table, [
        Mistake(path=name, found="a table that nothing reads", allowed=choice(name, known)) for name in unknown
    ]


def _section(kind: type, name: str, values: Any, mistakes: list[Mistake]) -> Any:
    """The section, or None with its mistakes added; every key must be there, so that the file says it all."""
    wanted = {one.name: int if one.type in (int, "int") else float for one in fields(kind)}
    if not isinstance(values, dict):
        mistakes.append(Mistake(path=name, found=shown(values), allowed=f"a table [{name}]"))
        return None
    before = len(mistakes)
    mistakes += [
        Mistake(path=f"{name}.{key}", found="a key that nothing reads", allowed=choice(key, list(wanted)))
        for key in values
        if key not in wanted
    ]
    for key, number in wanted.items():
        value = values.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (number is float and isinstance(value, float))):
            allowed = "a whole number" if number is int else "a number"
            mistakes.append(Mistake(path=f"{name}.{key}", found=shown(value), allowed=allowed))
    if len(mistakes) > before:
        return None
    try:
        return kind(**{key: number(values[key]) for key, number in wanted.items()})
    except ValueError as error:
        mistakes.append(Mistake(path=name, found=shown(values), allowed=str(error)))
        return None
