"""The machine's clocks, and the mapping of a node's clock onto ours."""

import time
from dataclasses import dataclass, field

WINDOW_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemClock:
    """The clocks of this machine; `offset_s` shifts UTC, so that a demonstration can live on another day."""

    offset_s: float = 0.0

    def utc_s(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time() + self.offset_s

    def monotonic_s(self) -> float:
        """Seconds that only rise."""
        return time.monotonic()


@dataclass(slots=True)
class NodeClock:
    """When, on our monotonic clock, a node measured something.

    Only differences of the node's clock are used: the quickest message of the last half minute shows the offset
    between both clocks but for its travel time, and every other moment is reckoned with that offset. So a node
    without a clock is as good as one with, and a wrong one does no harm.
    """

    _best_s: float | None = field(default=None, init=False)
    _before_s: float | None = field(default=None, init=False)
    _since_s: float = field(default=0.0, init=False)

    def moment_s(self, node_s: float, arrived_s: float) -> float:
        """Our monotonic moment of the node's moment `node_s`; never later than the arrival."""
        offset_s = arrived_s - node_s
        if self._best_s is None or arrived_s - self._since_s > WINDOW_S:
            self._before_s, self._best_s, self._since_s = self._best_s, offset_s, arrived_s
        self._best_s = min(self._best_s, offset_s)
        least_s = self._best_s if self._before_s is None else min(self._best_s, self._before_s)
        return min(node_s + least_s, arrived_s)
