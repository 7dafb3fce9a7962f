"""Which records of a node are in: every one counted once, however often it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BOOTS_KEPT = 16  # a node brings records of former boots from its flash, and a broker may still deliver some


@dataclass(frozen=True, slots=True, kw_only=True)
class BootPage:
    """One boot: all records up to `upto` are in, or were given up by the node; so are those of the ranges `beyond`."""

    boot: int
    upto: int
    beyond: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A ledger as kept on disk; the newest boot is the last one."""

    boots: Sequence[BootPage]
    received: int
    duplicated: int
    lost: int


@dataclass(slots=True)
class _Book:
    """One boot: all up to `upto` is settled, of what lies beyond it only the gaps are missing."""

    upto: int = 0
    beyond: set[int] = field(default_factory=set)

    def give_up(self, below: int) -> None:
        """Nothing below this sequence will come any more."""
        self.upto = below - 1
        self.beyond = {seq for seq in self.beyond if seq > self.upto}
        self.close_up()

    def close_up(self) -> None:
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.discard(self.upto)

    def ranges(self) -> list[tuple[int, int]]:
        """What lies beyond the gaps, as (first, last)."""
        found: list[tuple[int, int]] = []
        for seq in sorted(self.beyond):
            if found and seq == found[-1][1] + 1:
                found[-1] = (found[-1][0], seq)
            else:
                found.append((seq, seq))
        return found


@dataclass(slots=True)
class Ledger:
    """The books of one node. `seq` starts at 1 with each boot. `news`: boots with a batch that is not answered yet."""

    received: int = 0
    duplicated: int = 0
    lost: int = 0
    news: set[int] = field(default_factory=set)
    _books: dict[int, _Book] = field(default_factory=dict)  # by boot, newest last
    _open: _Book = field(default_factory=_Book)

    @classmethod
    def opened(cls, page: Page | None) -> "Ledger":
        """The ledger as it was left, or a new one."""
        if page is None:
            return cls()
        books = {
            boot.boot: _Book(boot.upto, {seq for first, last in boot.beyond for seq in range(first, last + 1)})
            for boot in page.boots
        }
        return cls(page.received, page.duplicated, page.lost, set(), books, list(books.values())[-1])

    def begin(self, boot: int, oldest: int, *, former: bool = False) -> None:
        """A batch of `boot` starts, whose node holds nothing older than `oldest`: what is missing below is lost.

        `former`: the node has started again since; its present boot stays the newest.
        """
        self.news.add(boot)
        if boot not in self._books:
            self._books = {boot: _Book(), **self._books} if former else {**self._books, boot: _Book()}
            for old in [one for one in self._books if one != boot][:-BOOTS_KEPT]:
                del self._books[old]
        self._open = book = self._books[boot]
        missing = range(book.upto + 1, oldest)
        if missing:
            self.lost += len(missing) - sum(seq in missing for seq in book.beyond)
            book.give_up(oldest)

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
        """What to keep on disk; None before the first batch."""
        if not self._books:
            return None
        boots = [BootPage(boot=boot, upto=book.upto, beyond=book.ranges()) for boot, book in self._books.items()]
        return Page(boots=boots, received=self.received, duplicated=self.duplicated, lost=self.lost)

    def take_news(self) -> set[int]:
        """Boots to speak of once the page is on disk: those heard of since the last time, and the newest."""
        news, self.news = self.news | set(list(self._books)[-1:]), set()
        return news

    def counts(self) -> Mapping[str, int]:
        """For the status page; `sent` is the highest sequence seen of the newest boot."""
        newest = list(self._books.values())[-1] if self._books else _Book()
        sent = max(newest.beyond, default=newest.upto)
        return {"sent": sent, "received": self.received, "lost": self.lost, "duplicated": self.duplicated}
