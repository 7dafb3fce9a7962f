"""Which records of a node are in: every one counted once, however often it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A ledger as kept on disk: all records of `boot` up to `upto` are in, or were given up by the node."""

    boot: int
    upto: int
    received: int
    duplicated: int
    lost: int


@dataclass(slots=True)
class Ledger:
    """The books of one node. `seq` starts at 1 with each boot; boots follow each other, they never mix."""

    boot: int | None = None
    upto: int = 0
    received: int = 0
    duplicated: int = 0
    lost: int = 0
    _beyond: set[int] = field(default_factory=set)

    @classmethod
    def opened(cls, page: Page | None) -> "Ledger":
        """The ledger as it was left, or a new one."""
        if page is None:
            return cls()
        return cls(page.boot, page.upto, page.received, page.duplicated, page.lost)

    def begin(self, boot: int, oldest: int) -> None:
        """A batch of `boot` starts, whose node holds nothing older than `oldest`: what is missing below is lost."""
        if boot != self.boot:
            self.boot, self.upto, self._beyond = boot, 0, set()
        missing = range(self.upto + 1, oldest)
        if missing:
            self.lost += len(missing) - sum(seq in missing for seq in self._beyond)
            self.upto = oldest - 1
            self._close_up()

    def admit(self, seq: int) -> bool:
        """Whether this record is new; it is in from now on."""
        if seq <= self.upto or seq in self._beyond:
            self.duplicated += 1
            return False
        self._beyond.add(seq)
        self.received += 1
        self._close_up()
        return True

    def page(self) -> Page | None:
        """What to keep on disk; None before the first batch. Records beyond a gap are not claimed: they come again."""
        if self.boot is None:
            return None
        return Page(boot=self.boot, upto=self.upto, received=self.received, duplicated=self.duplicated, lost=self.lost)

    def counts(self) -> Mapping[str, int]:
        """For the status page; `sent` is the highest sequence seen of this boot."""
        return {
            "sent": max(self._beyond, default=self.upto),
            "received": self.received,
            "duplicated": self.duplicated,
            "lost": self.lost,
        }

    def _close_up(self) -> None:
        self._beyond = {seq for seq in self._beyond if seq > self.upto}
        while self.upto + 1 in self._beyond:
            self.upto += 1
            self._beyond.discard(self.upto)
