"""What time it is, as far as anybody knows: this machine's clock, or the nodes', until somebody vouches for the first.

A small computer without a battery wakes up at a time of its past, in 1970 at worst, and is set when a network comes;
the nodes have gone on meanwhile. Until then what was measured is kept without a date, and dated later.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.ports import Clock

AGREE_S = 5.0  # between two clocks that are both right: a message travels, and a node's may run free for a while
TOLD_S = 60.0  # how long a node's word counts
LOOK_S = 1.0  # between two looks at who vouches
AHEAD_S = 86400.0  # a node's clock that was set by somebody is wrong by less
FIRST_S, LAST_S = 1_577_836_800.0, 2_840_140_800.0  # 2020 and 2060 (UTC): outside of them a clock was never set


class TimeSource(StrEnum):
    """Who vouches for the time."""

    UNSET = "unset"
    NODES = "nodes"
    STORE = "store"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTime:
    """A node's clock, which it says somebody has set: UTC (s since 1970) at our monotonic moment."""

    utc_s: float
    at_s: float


@dataclass(slots=True, kw_only=True)
class SiteTime:
    """The clock of a gateway. Fits the port Clock.

    `is_synchronised`: somebody sets the machine's clock (NTP). `is_settled`: that, or the machine has run so long that
    nobody will; `settle_s` is that time. `known_s`: the last UTC that the store knows, None with a new store.
    `is_real` off: a demonstration, which may live in any year.
    """

    system: Clock
    is_synchronised: Callable[[], bool]
    is_settled: Callable[[], bool]
    settle_s: float
    known_s: float | None = None
    is_real: bool = True
    told: Callable[[], Iterable[ToldTime]] = tuple
    _source: TimeSource = TimeSource.UNSET
    _begun_s: float = field(init=False)
    _looked_s: float | None = None
    _offset_s: float = 0.0  # from the monotonic clock, by the nodes

    def __post_init__(self) -> None:
        """The moment from which the store's last time is carried on; one that no clock ever shows is none."""
        self._begun_s = self.system.monotonic_s()
        if self.known_s is not None and not 0.0 <= self.known_s < LAST_S:
            self.known_s = None

    @property
    def source(self) -> TimeSource:
        """Who vouches now."""
        self._look()
        return self._source

    @property
    def is_vouched(self) -> bool:
        """Whether what is measured now may be dated."""
        return self.source is not TimeSource.UNSET

    def monotonic_s(self) -> float:
        """Seconds that only rise."""
        return self.system.monotonic_s()

    def utc_s(self) -> float:
        """The best that is known, vouched for or not."""
        match self.source:
            case TimeSource.SYSTEM:
                return self.system.utc_s()
            case TimeSource.NODES:
                return self.monotonic_s() + self._offset_s
            case _:
                return max(self.system.utc_s(), self._carried_on_s())

    def is_possible(self, utc_s: float) -> bool:
        """Whether something can have been measured then: not in a year before or after all, and not yet to come."""
        if self.is_vouched:
            return utc_s <= self.utc_s() + AHEAD_S and (not self.is_real or utc_s >= FIRST_S)
        return not self.is_real or FIRST_S <= utc_s < LAST_S

    def _carried_on_s(self) -> float:
        return 0.0 if self.known_s is None else self.known_s + self.monotonic_s() - self._begun_s

    def _look(self) -> None:
        """Find out who vouches now. Once it is the machine, it stays so: who sets it then means it."""
        now_s = self.monotonic_s()
        if self._source is TimeSource.SYSTEM or (self._looked_s is not None and now_s - self._looked_s < LOOK_S):
            return
        self._looked_s = now_s
        self._source = self._voucher(now_s)

    def _voucher(self, now_s: float) -> TimeSource:
        system_s = self.system.utc_s()
        if self.is_synchronised():
            return TimeSource.SYSTEM
        offsets_s = [one.utc_s - one.at_s for one in self.told() if now_s - one.at_s <= TOLD_S and self._may_be(one)]
        if offsets_s and max(offsets_s) - min(offsets_s) <= AGREE_S:
            self._offset_s = max(offsets_s)  # of the message that travelled least
            agrees = abs(now_s + self._offset_s - system_s) <= AGREE_S
            return TimeSource.SYSTEM if agrees else TimeSource.NODES
        if self._source is TimeSource.NODES:
            return TimeSource.NODES  # silent, or at odds now: the machine's clock is no better for that
        if not self.is_settled() or (self.is_real and not FIRST_S <= system_s < LAST_S):
            return TimeSource.UNSET
        if self.known_s is None or system_s >= self.known_s - AGREE_S:
            return TimeSource.SYSTEM
        return TimeSource.STORE if now_s - self._begun_s >= self.settle_s else TimeSource.UNSET

    def _may_be(self, told: ToldTime) -> bool:
        """Whether a node can mean it: not before what the store knows, which had been vouched for."""
        is_later = self.known_s is None or told.utc_s >= self.known_s - AGREE_S
        return is_later and (not self.is_real or FIRST_S <= told.utc_s < LAST_S)
