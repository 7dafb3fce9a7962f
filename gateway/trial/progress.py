"""How a run tells how far it is."""

from collections.abc import Callable

Tell = Callable[[float], object]
"""Told the seconds that are over."""


def unseen(_second: float) -> None:
    """For a run that nobody watches."""
