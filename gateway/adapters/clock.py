"""The machine's clocks, and the mapping of a node's clock onto ours."""

import time
from dataclasses import dataclass, field

WINDOW_S = 30.0  # of the quickest message: crystals part by at most 3 ms in it (100 ppm), travel times vary by more
WARM_S = 10.0  # a backlog is through by then
BACKLOG_S = 5.0  # a record this much older than its arrival was stored somewhere: no message travels that long
SET_BACK_S = 0.5  # records of one boot may be stamped a little out of order; this much is a clock that was set


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When a record was made, as its node says: seconds on the node's clock, in one base; `utc` if they are UTC."""

    base: tuple[int, bool]  # boot, and whether it is UTC: a clock that is set begins a new base
    seq: int
    node_s: float
    utc_s: float | None


@dataclass(slots=True)
class NodeClock:
    """When, on our monotonic clock, a node measured something.

    Only differences of the node's clock are used: the quickest message of the last half minute shows the offset
    between both clocks but for its travel time, and every other moment is reckoned with that offset. So a node
    without a clock is as good as one with, and a wrong one does no harm. After a fresh start the first messages may be
    a backlog: until messages have come for a while, a record whose UTC lies back is as old as that says.
    """

    _base: tuple[int, bool] | None = field(default=None, init=False)
    _last: tuple[int, float] = field(default=(0, 0.0), init=False)  # seq and moment of the newest record
    _begun_s: float = field(default=0.0, init=False)
    _best_s: float | None = field(default=None, init=False)
    _before_s: float | None = field(default=None, init=False)
    _since_s: float = field(default=0.0, init=False)

    def hear(self, newest: Stamp, sent_s: float, arrived_s: float) -> None:
        """A batch left at `sent_s` on the node's clock; `newest` is its last record."""
        self._follow(newest, arrived_s)
        if newest.node_s <= sent_s:
            self._learn(arrived_s - sent_s, arrived_s)

    def moment_s(self, stamp: Stamp, arrived_s: float, utc_now_s: float) -> float:
        """Our monotonic moment of a record; never later than its arrival."""
        self._follow(stamp, arrived_s)
        self._learn(arrived_s - stamp.node_s, arrived_s)
        moment_s = self.mapped_s(stamp.node_s, arrived_s)
        if stamp.utc_s is None or arrived_s - self._begun_s > WARM_S:
            return moment_s
        age_s = utc_now_s - stamp.utc_s
        return min(moment_s, arrived_s - age_s) if age_s > BACKLOG_S else moment_s

    def _follow(self, stamp: Stamp, arrived_s: float) -> None:
        """A new base, or a clock that was set back: what was learned is void."""
        seq, node_s = self._last
        set_back = stamp.seq > seq and stamp.node_s < node_s - SET_BACK_S
        if stamp.base != self._base or set_back:
            self._base, self._best_s, self._before_s, self._begun_s = stamp.base, None, None, arrived_s
            self._last = stamp.seq, stamp.node_s
        elif stamp.seq > seq:
            self._last = stamp.seq, stamp.node_s

    def mapped_s(self, node_s: float, arrived_s: float) -> float:
        """Our moment of the node's moment by the least offset seen so far; nothing is learned."""
        offset_s = self._offset_s()
        return arrived_s if offset_s is None else min(node_s + offset_s, arrived_s)

    def reading_s(self, now_s: float) -> float | None:
        """What the node's clock shows at our moment `now_s`, late by the travel time; None where that is not UTC."""
        offset_s = self._offset_s()
        return None if offset_s is None or self._base is None or not self._base[1] else now_s - offset_s

    def _offset_s(self) -> float | None:
        known = [offset_s for offset_s in (self._best_s, self._before_s) if offset_s is not None]
        return min(known) if known else None

    def _learn(self, offset_s: float, arrived_s: float) -> None:
        if self._best_s is None or arrived_s - self._since_s > WINDOW_S:
            self._before_s, self._best_s, self._since_s = self._best_s, offset_s, arrived_s
        self._best_s = min(self._best_s, offset_s)
