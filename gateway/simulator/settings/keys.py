"""What values of a house file look like: the types that all its tables use."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _path(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("a path without NUL characters")
    return path


def _endpoint(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not host.isprintable() or not port.isdecimal() or int(port) > 65535:
        raise ValueError('"host:port" with port 0 to 65535, 0 for any free one')
    return text


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Unit = Annotated[int, Field(ge=1, le=247)]
TcpUnit = Annotated[int, Field(ge=1, le=255)]
Celsius = Annotated[float, Field(ge=-50.0, le=110.0)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
FilePath = Annotated[Path, AfterValidator(_path)]


class Table(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
