"""What is wrong with a house file, told all at once."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake: its place in the file, what was found there, what is allowed there."""

    path: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; allowed is {self.allowed}"


class HouseFileError(Exception):
    """A house file that cannot be used; `mistakes` holds every one of them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class HouseLinkError(Exception):
    """A port or serial path that the machine does not give us: place, reason and remedy."""
