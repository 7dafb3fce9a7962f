"""How a kind of tariff declares its keys of a site file: plain annotations, which `site.file` turns into checks.

    factor: Annotated[float, Between(above=0, most=100)] = 1.0

A field without a default is needed where the kind is in use. A table of rows is a tuple of another such dataclass.
"""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Bounds of a number, in the unit of its key; None: no bound on that side."""

    least: float | None = None  # itself allowed
    above: float | None = None  # itself not allowed
    most: float | None = None  # itself allowed


@dataclass(frozen=True, slots=True)
class Matching:
    """A pattern (regular expression) that a whole text follows."""

    pattern: str  # as `re` reads it, with its own ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """How many entries a list has."""

    least: int  # entries
    most: int  # entries


@dataclass(frozen=True, slots=True)
class Such:
    """A hint for a missing key: the end of the sentence "allowed: …"."""

    words: str  # as they stand in the message


@dataclass(frozen=True, slots=True)
class Ignored:
    """A key that has no effect beside this kind, and is no mistake: site files of 0.1.0 may hold it."""


Price = Annotated[float, Between(least=-10, most=10)]  # EUR/kWh; cents by mistake are found
Text = Annotated[str, Matching(r"^[^\x00]{1,4000}$")]
