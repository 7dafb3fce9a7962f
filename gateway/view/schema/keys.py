"""How a key of the schema is described, and how one is left out."""

from dataclasses import dataclass
from enum import Enum

DRAWN = "drawn positive"
IMPORT = "import positive"


@dataclass(frozen=True, slots=True)
class About:
    """Stands beside the type of each field (`Annotated`): docs/reference/api.md is written from it.

    `null`: when the value is null; `left_out`: when the key itself is not there. Both empty: it is always there.
    """

    text: str
    unit: str = ""
    sign: str = ""
    null: str = ""
    left_out: str = ""


class LeftOut(Enum):
    """The type of LEFT_OUT."""

    LEFT_OUT = "left out"


LEFT_OUT = LeftOut.LEFT_OUT
"""The value of a field whose key shall not be written at all, which is not the same as null."""
