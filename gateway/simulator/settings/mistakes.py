"""What keeps the simulator from starting."""

from gateway.mistakes import MistakesError


class HouseFileError(MistakesError):
    """A house file, or a recording that it names, that cannot be used."""


class HouseLinkError(Exception):
    """A port or serial path that the machine does not give us: place, reason and remedy."""
