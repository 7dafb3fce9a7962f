"""Values that a device is sent and follows a little later."""

from collections import deque


class Orders:
    """Each value counts from its own moment on; none overtakes the one before it."""

    def __init__(self, first: float) -> None:
        self.value = first
        self._waiting: deque[tuple[float, float]] = deque()

    @property
    def last(self) -> float:
        """The newest value, obeyed or not."""
        return self._waiting[-1][1] if self._waiting else self.value

    def give(self, value: float, due_s: float) -> None:
        """Let a value count from then on."""
        not_before_s = self._waiting[-1][0] if self._waiting else due_s
        self._waiting.append((max(due_s, not_before_s), value))

    def reset(self, value: float) -> None:
        """At once, and nothing waits any more."""
        self._waiting.clear()
        self.value = value

    def at(self, now_s: float) -> float:
        """What is obeyed now; moments do not go back."""
        while self._waiting and self._waiting[0][0] <= now_s:
            self.value = self._waiting.popleft()[1]
        return self.value
