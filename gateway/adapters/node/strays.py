"""Answers to orders that we never wrote: they change nothing, are counted, and are said once a minute."""

import logging
from collections import deque
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)

SAY_AGAIN_S = 60.0
SHOWN_S = 600.0  # so long after the last one the page names the node
SHOWN_MOST = 1000  # more are not counted one by one


@dataclass(slots=True)
class Strays:
    """Of one node: whoever sends them has its account."""

    count: int = 0  # since the start
    _lately: deque[float] = field(default_factory=lambda: deque(maxlen=SHOWN_MOST))
    _said_s: float | None = None
    _said: int = 0

    def note(self, node: str, what: str, now_s: float) -> None:
        """One more; `what` it says."""
        self.count += 1
        self._lately.append(now_s)
        if self._said_s is None or now_s - self._said_s >= SAY_AGAIN_S:
            new, self._said, self._said_s = self.count - self._said, self.count, now_s
            _log.warning(
                "node %s: %d answers to orders that this gateway never wrote, the last one: %s", node, new, what
            )

    def lately(self, now_s: float) -> int:
        """How many in the last ten minutes."""
        while self._lately and now_s - self._lately[0] > SHOWN_S:
            self._lately.popleft()
        return len(self._lately)
