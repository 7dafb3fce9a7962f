"""Which board a node is, where two have its identity: a clone, or a spare that was set up as the one it replaces.

Each run of a board has a number of its own, drawn when it starts. A number that is heard again after another one has
come is no restart: both boards are alive. Then the one that was heard first is the node, as long as it is there, and
the other one is nobody: its records are left alone, and no order names it.
"""

from dataclasses import dataclass, field

SILENT_S = 30.0  # so long without a word: three times a node's usual pause, and it has let go of its orders
GONE_S = 120.0  # after so long there is one board again
KEPT_S = 600.0  # a number that was not heard for so long is forgotten
RETURNS = 2  # words of a run that was over, before two boards are believed: one may have been on its way for long


@dataclass(slots=True)
class Boards:
    """By the number of a run: when it was heard first, and last (monotonic s)."""

    run: int | None = None  # of the board that is the node
    _first_s: dict[int, float] = field(default_factory=dict)
    _last_s: dict[int, float] = field(default_factory=dict)
    _other: int | None = None
    _since_s: float = 0.0
    _returns: int = 0

    def heard(self, run: int, now_s: float) -> int:
        """A board with this run is alive; gives the run of the node."""
        self._forget(now_s)
        is_known = run in self._first_s
        self._first_s.setdefault(run, now_s)
        self._last_s[run] = now_s
        if self.run is None or (not is_known and self.other_s(now_s) is None):
            self.run, self._returns = run, 0  # the first one ever, or a restart
        elif run != self.run:
            self._returns += 1
            if self._returns >= RETURNS:
                self._meet(run, now_s)
        return self.run

    def other_s(self, now_s: float) -> float | None:
        """Since when (s) another board is known to have the identity of the node; None while none has."""
        other = self._other
        if other is None or now_s - self._last_s.get(other, -GONE_S) >= GONE_S:
            return None
        return now_s - self._since_s

    def is_other(self, run: int, now_s: float) -> bool:
        """Whether this is a run of the other board."""
        return run == self._other and self.other_s(now_s) is not None

    def _meet(self, run: int, now_s: float) -> None:
        """Two are alive: the one that was heard first stays, or the one that is left."""
        ours = self.run
        assert ours is not None  # noqa: S101 - heard before
        if self.other_s(now_s) is None:
            self._since_s = now_s
        is_silent = now_s - self._last_s[ours] > SILENT_S
        stays = run if is_silent or self._first_s[run] < self._first_s[ours] else ours
        self.run, self._other = stays, ours if stays == run else run

    def _forget(self, now_s: float) -> None:
        for run in [one for one, last_s in self._last_s.items() if now_s - last_s > KEPT_S and one != self.run]:
            del self._last_s[run], self._first_s[run]
