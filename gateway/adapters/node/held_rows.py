"""Rows that were made before anybody vouched for the time: kept in memory, and dated when somebody does."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.ports import Clock, Row

MOST = 20_000  # rows: as many as wait for a disk that cannot be written


class HeldRows:
    """`is_dated` says whether the clock may be believed; `cut` rows were given up because it could not for too long."""

    def __init__(self, clock: Clock, is_dated: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_dated = is_dated
        self._kept: deque[tuple[float, Row]] = deque()  # with what the clock was ahead of the monotonic one (s)
        self.cut = 0

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()

    def taken(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that may be stored now: none while the time is not known, then all that were held, too."""
        is_dated, ahead_s = self._is_dated(), self._clock.utc_s() - self._clock.monotonic_s()
        if is_dated and not self._kept:
            return list(rows)
        self._kept.extend((ahead_s, row) for row in rows)
        if not is_dated:
            while len(self._kept) > MOST:
                self._kept.popleft()
                self.cut += 1
            return []
        found = [replace(row, time_ms=row.time_ms + round(1000 * (ahead_s - before_s))) for before_s, row in self._kept]
        self._kept.clear()
        return found
