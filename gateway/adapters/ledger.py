"""Which records of a node are in: every one counted once, however often it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

BOOTS_KEPT = 4  # a broker may still deliver records of boots before the present one


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A ledger as kept on disk: all records of `boot` up to `upto` are in, or were given up by the node."""

    boot: int
    upto: int
    received: int
    duplicated: int
    lost: int


@dataclass(slots=True)
class _Book:
    """One boot: all up to `upto` is settled, of what lies beyond it only the gaps are missing."""

    upto: int = 0
    beyond: set[int] = field(default_factory=set)

    def close_up(self) -> None:
        self.beyond = {seq for seq in self.beyond if seq > self.upto}
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.discard(self.upto)


@dataclass(slots=True)
class Ledger:
    """The books of one node. `seq` starts at 1 with each boot; the newest boot is the one that `heard` speaks of."""

    received: int = 0
    duplicated: int = 0
    lost: int = 0
    _books: dict[int, _Book] = field(default_factory=dict)  # by boot, newest last
    _open: _Book = field(default_factory=_Book)

    @classmethod
    def opened(cls, page: Page | None) -> "Ledger":
        """The ledger as it was left, or a new one."""
        if page is None:
            return cls()
        book = _Book(upto=page.upto)
        return cls(page.received, page.duplicated, page.lost, {page.boot: book}, book)

    def begin(self, boot: int, oldest: int) -> None:
        """A batch of `boot` starts, whose node holds nothing older than `oldest`: what is missing below is lost."""
        if boot not in self._books:
            self._books[boot] = _Book()
            for former in list(self._books)[:-BOOTS_KEPT]:
                del self._books[former]
        self._open = book = self._books[boot]
        missing = range(book.upto + 1, oldest)
        if missing:
            self.lost += len(missing) - sum(seq in missing for seq in book.beyond)
            book.upto = oldest - 1
            book.close_up()

    def admit(self, seq: int) -> bool:
        """Whether this record of the open batch is new; it is in from now on."""
        book = self._open
        if seq <= book.upto or seq in book.beyond:
            self.duplicated += 1
            return False
        book.beyond.add(seq)
        self.received += 1
        book.close_up()
        return True

    def page(self) -> Page | None:
        """What to keep on disk; None before the first batch. Records beyond a gap are not claimed: they come again."""
        if not self._books:
            return None
        boot, book = list(self._books.items())[-1]
        return Page(boot=boot, upto=book.upto, received=self.received, duplicated=self.duplicated, lost=self.lost)

    def counts(self) -> Mapping[str, int]:
        """For the status page; `sent` is the highest sequence seen of the newest boot."""
        newest = list(self._books.values())[-1] if self._books else _Book()
        sent = max(newest.beyond, default=newest.upto)
        return {"sent": sent, "received": self.received, "lost": self.lost, "duplicated": self.duplicated}
