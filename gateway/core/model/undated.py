"""What was seen before anybody knew what time it was: kept in its order, and dated once that is known."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Undated(Generic[T]):
    """At most so many of the newest, each with its monotonic moment."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[float, T]] = []

    def keep(self, now_s: float, seen: T) -> None:
        """One more, seen at that monotonic moment."""
        self._kept.append((now_s, seen))
        del self._kept[: -self._most]

    def dated(self, now_s: float, utc_s: float) -> Iterator[tuple[float, T]]:
        """All that is kept, oldest first, with its UTC, now that that of a monotonic moment is known; none is left."""
        kept, self._kept = self._kept, []
        return ((utc_s - (now_s - at_s), seen) for at_s, seen in kept)
