"""The house file: TOML into the models of `config`, every mistake with its path."""

import tomllib
from os.path import normpath  # resolve() would follow the link that the house itself has made
from pathlib import Path

from pydantic import BaseModel, ValidationError

from gateway.house.config import HouseConfig
from gateway.house.mistakes import HouseFileError, Mistake


def load_house(path: Path) -> HouseConfig:
    """The house of a file; paths in it count from its folder. Raises HouseFileError with all mistakes."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HouseFileError([_file_mistake(path, error.strerror or str(error))]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HouseFileError([_file_mistake(path, f"a mistake of writing ({error})")]) from error
    try:
        config = HouseConfig.model_validate(content)
    except ValidationError as error:
        raise HouseFileError(mistakes_of(error)) from error
    return _resolve(config, path.parent)


def mistakes_of(error: ValidationError) -> list[Mistake]:
    """Pydantic's findings in our words."""
    return [
        Mistake(
            path=".".join(str(part) for part in item["loc"]) or "file",
            found="nothing" if item["type"] == "missing" else _shown(item["input"]),
            allowed=_allowed(item["type"], item["msg"], item["loc"]),
        )
        for item in error.errors(include_url=False, include_context=False)
    ]


def _allowed(kind: str, message: str, loc: tuple[int | str, ...]) -> str:
    if kind == "extra_forbidden":
        return "a name out of " + ", ".join(_names_at(loc[:-1]))
    for prefix in ("Value error, ", "Input should be "):
        message = message.removeprefix(prefix)
    return message


def _names_at(loc: tuple[int | str, ...]) -> list[str]:
    """The names that a table of the file may have."""
    table: type[BaseModel] = HouseConfig
    for part in loc:
        field = table.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        table = inner
    return list(table.model_fields)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item!r}" for key, item in value.items()) or "an empty table"
    return repr(value)


def _file_mistake(path: Path, found: str) -> Mistake:
    return Mistake(path=str(path), found=found, allowed="a readable TOML file (see config/demo/house.toml)")


def _resolve(config: HouseConfig, folder: Path) -> HouseConfig:
    """The same house with paths that no longer depend on where the program was started."""
    base = folder.absolute()
    meter = config.serve.meter.model_copy(update={"serial": Path(normpath(base / config.serve.meter.serial))})
    return config.model_copy(
        update={
            "load": config.load.model_copy(update={"file": config.load.file and base / config.load.file}),
            "pv": config.pv.model_copy(update={"file": config.pv.file and base / config.pv.file}),
            "serve": config.serve.model_copy(update={"meter": meter}),
        }
    )
