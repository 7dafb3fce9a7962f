"""Mistakes in files that people write: each with its place, what was found, what is allowed; all reported together."""

import difflib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake."""

    path: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; allowed: {self.allowed}"


class MistakesError(Exception):
    """A file that cannot be used; `mistakes` holds every one of them."""

    def __init__(self, path: Path | None, mistakes: Sequence[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


def read_toml(path: Path, *, example: str) -> dict[str, Any] | Mistake:
    """The table in a TOML file, or why there is none; `example` names a file that is right."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        found = error.strerror or "no file"
    except UnicodeDecodeError as error:
        found = f"bytes that are not UTF-8 (at {error.start})"
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or numbers and nesting beyond all reason
        found = f"text that is not TOML: {error}"
    return Mistake(path=str(path), found=found, allowed=f"a readable TOML file, see {example}")


def validated(model: type[Model], value: Any, *, at: str = "") -> tuple[Model | None, list[Mistake]]:
    """The model of a value, or None and its mistakes; `at` is the place of the value in its file."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, mistakes_of(error, model, at=at)


def mistakes_of(error: ValidationError, model: type | None = None, *, at: str = "") -> list[Mistake]:
    """Pydantic's findings in our words; with the model, an unknown key is answered with the known ones."""
    return [_mistake(model, detail, at) for detail in error.errors(include_url=False)]


def choice(word: str, known: Sequence[str]) -> str:
    """The allowed words, and the one that was probably meant."""
    near = difflib.get_close_matches(word, known, n=1)
    listed = ", ".join(known) or "nothing"
    return f"{listed} (did you mean {near[0]}?)" if near else listed


def shown(value: Any) -> str:
    """A value as it may stand in a message."""
    return json.dumps(value, default=str, ensure_ascii=False)[:80]


def _mistake(model: type | None, detail: ErrorDetails, at: str) -> Mistake:
    place = ".".join(str(part) for part in (at, *detail["loc"]) if part != "") or "file"
    if detail["type"] == "extra_forbidden":
        known = _names(model, detail["loc"][:-1])
        return Mistake(path=place, found="a key that nothing reads", allowed=choice(str(detail["loc"][-1]), known))
    if detail["type"] == "missing":
        return Mistake(path=place, found="nothing", allowed="a value: this key is needed")
    if detail["type"] in ("model_type", "dict_type"):
        return Mistake(path=place, found=shown(detail["input"]), allowed=f"a table [{place}]")
    allowed = detail["msg"]
    for prefix in ("Value error, ", "Input should be ", "a valid "):
        allowed = allowed.removeprefix(prefix)
    return Mistake(path=place, found=shown(detail["input"]), allowed=allowed)


def _names(model: type | None, loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at `loc` inside a model; empty where it is no table of its own."""
    if model is None or not issubclass(model, BaseModel):
        return []
    for part in loc:
        inner = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        tables = [one for one in (inner, *get_args(inner)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not tables:
            return []
        model = tables[0]
    return list(model.model_fields)
