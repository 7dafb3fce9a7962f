"""Which records of a node are in: every one counted once, however often it comes.

A node numbers its records from 1 with each boot and sends each until the gateway acknowledges it as stored (`heard`).
So the same record may come several times, out of order, and behind records of a later boot.

What a message claims is bounded: a node cannot have made more records than its poll table makes in the time that has
passed, and what lies beyond its gaps comes in a few pieces. More than that is left alone, which loses nothing of an
honest node: it sends again what was not heard. A claim that is the only one for ANEW_S is taken as it is.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BOOTS_KEPT = 16  # a node brings records of former boots from its flash, and a broker may still deliver some
RANGES_KEPT = 64  # of one boot, beyond its gaps
SLACK = 10_000  # records that a node may be ahead of its pace: as many as the ring of a board holds
FASTER = 2.0  # than its pace: the poll table that it works with may be another one
AWAY_S = 90 * 86400.0  # as long may a node have been on its own when it is heard for the first time
ANEW_S = 30.0  # for so long nothing of the present boot could be used
LATER_S = 5.0  # moments of records are known more exactly than this
ANY_PACE = 1e9  # records a second


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSnapshot:
    """One boot: all records up to `upto` are in, or were given up by the node; so are those of the ranges `beyond`."""

    boot: int
    upto: int
    beyond: Sequence[tuple[int, int]] = ()  # (first, last), both included


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSnapshot:
    """A ledger as it is stored on disk; the newest boot is the last one."""

    boots: Sequence[BootSnapshot]
    received: int
    duplicated: int
    lost: int


@dataclass(slots=True)
class _BootRecords:
    """One boot: all up to `upto` is settled, of what lies beyond it only the gaps are missing."""

    upto: int = 0
    beyond: list[tuple[int, int]] = field(default_factory=list)  # (first, last) in order, with gaps between

    @property
    def top(self) -> int:
        """The highest sequence that is settled."""
        return self.beyond[-1][1] if self.beyond else self.upto

    def has(self, seq: int) -> bool:
        """Whether this record is in, or given up."""
        place = bisect_left(self.beyond, seq, key=_last)
        return seq <= self.upto or (place < len(self.beyond) and self.beyond[place][0] <= seq)

    def add(self, seq: int) -> bool:
        """Take in a record that is not; False when it would make one gap too many."""
        place = begin = end = bisect_left(self.beyond, seq, key=_last)
        first = last = seq
        if place > 0 and self.beyond[place - 1][1] == seq - 1:
            begin, first = place - 1, self.beyond[place - 1][0]
        if place < len(self.beyond) and self.beyond[place][0] == seq + 1:
            end, last = place + 1, self.beyond[place][1]
        if begin == end and seq != self.upto + 1 and len(self.beyond) >= RANGES_KEPT:
            return False
        self.beyond[begin:end] = [(first, last)]
        self._close_gap()
        return True

    def give_up(self, below: int) -> int:
        """Nothing below this sequence will come any more: how many are missing."""
        known = sum(min(last, below - 1) - first + 1 for first, last in self.beyond if first < below)
        missing = below - 1 - self.upto - known
        self.upto = below - 1
        self.beyond = [(max(first, below), last) for first, last in self.beyond if last >= below]
        self._close_gap()
        return missing

    def _close_gap(self) -> None:
        """Move `upto` on when there is no gap behind it."""
        if self.beyond and self.beyond[0][0] == self.upto + 1:
            self.upto = self.beyond.pop(0)[1]


@dataclass(slots=True)
class Ledger:
    """The records of one node by boot. `unanswered`: boots with a batch for which `heard` was not said yet.

    `refused`: batches and records that cannot be true.
    """

    received: int = 0
    duplicated: int = 0
    lost: int = 0
    refused: int = 0
    unanswered: set[int] = field(default_factory=set)
    _boots: dict[int, _BootRecords] = field(default_factory=dict)  # newest last
    _open: _BootRecords = field(default_factory=_BootRecords)  # of the batch that is being read
    _is_former: bool = False  # that batch
    _is_new: bool = False  # something was, since the last judgement …
    _is_foreign: bool = False  # … or cannot be of whom we know: too far ahead, or made when its number was settled
    _ahead: float = 0.0  # how far the newest number may rise now
    _ahead_s: float | None = None  # when that was reckoned
    _taken_s: float = math.inf  # when a record of the present boot was last taken in
    _useless_s: float | None = None  # since when nothing of the present boot could be used, by what cannot be

    @classmethod
    def restored(cls, snapshot: LedgerSnapshot | None) -> "Ledger":
        """The ledger as it was stored, or a new one."""
        if snapshot is None:
            return cls()
        boots = {
            boot.boot: _BootRecords(boot.upto, sorted((first, last) for first, last in boot.beyond)[:RANGES_KEPT])
            for boot in snapshot.boots
        }
        found = cls(received=snapshot.received, duplicated=snapshot.duplicated, lost=snapshot.lost)
        found._boots = boots
        return found

    def begin(
        self, boot: int, oldest: int, *, former: bool = False, now_s: float = 0.0, pace: float = ANY_PACE
    ) -> bool:
        """A batch of `boot` starts, whose node holds nothing older than `oldest`: what is missing below is lost.

        False when that cannot be: the batch is to be left alone. `former`: the node has started again since, its
        present boot stays the newest. `now_s` is our monotonic moment, `pace` the records of the node in a second.
        """
        self._earn(now_s, pace)
        self._judge(now_s)
        records = self._boots.get(boot)
        ahead = AWAY_S * pace if former else self._ahead
        if (former and records is None) or (not former and self._is_stuck(now_s)):  # nobody can say what was lost
            records = _BootRecords(max(0, oldest - 1))
        elif oldest - 1 - (records.top if records else 0) > ahead:
            self._is_foreign |= not former
            self.refused += 1
            return False
        self._open = self._keep(boot, records or _BootRecords(), former=former)
        self._is_former = former
        self.unanswered.add(boot)
        if oldest > self._open.upto + 1:
            before = self._open.top
            self.lost += self._open.give_up(oldest)
            self._rise(before)
        return True

    def admit(self, seq: int, *, made_s: float = -math.inf, now_s: float = 0.0) -> bool:
        """Whether this record of the open batch is new; it is in from now on. `made_s`: when it was made."""
        records, before = self._open, self._open.top
        if records.has(seq):
            self.duplicated += 1
            self._is_foreign |= made_s > self._taken_s + LATER_S
            return False
        if (not self._is_former and seq - before > self._ahead) or not records.add(seq):
            self.refused += 1
            return False
        self.received += 1
        self._is_new = True
        if not self._is_former:
            self._rise(before)
            self._taken_s = now_s
            if made_s > now_s - LATER_S:  # the node is up to date: there is nothing between this one and its newest
                self._ahead = min(self._ahead, SLACK)
        return True

    def snapshot(self) -> LedgerSnapshot | None:
        """What to store on disk; None before the first batch."""
        if not self._boots:
            return None
        boots = [BootSnapshot(boot=boot, upto=one.upto, beyond=tuple(one.beyond)) for boot, one in self._boots.items()]
        return LedgerSnapshot(boots=boots, received=self.received, duplicated=self.duplicated, lost=self.lost)

    def take_unanswered(self) -> set[int]:
        """Boots to answer once the snapshot is on disk: those heard of since the last time, and the newest."""
        unanswered, self.unanswered = self.unanswered | set(list(self._boots)[-1:]), set()
        return unanswered

    def counts(self) -> Mapping[str, int]:
        """For the status page; `sent` is the highest sequence seen of the newest boot."""
        newest = list(self._boots.values())[-1] if self._boots else _BootRecords()
        return {"sent": newest.top, "received": self.received, "lost": self.lost, "duplicated": self.duplicated}

    def _keep(self, boot: int, records: _BootRecords, *, former: bool) -> _BootRecords:
        """Among the boots, and the oldest beyond those that are kept goes: never the present one."""
        if boot in self._boots:
            self._boots[boot] = records
            return records
        new = {boot: records}
        self._boots = {**new, **self._boots} if former else {**self._boots, **new}
        for old in [one for one in self._boots if one != boot][:-BOOTS_KEPT]:
            del self._boots[old]
        return records

    def _earn(self, now_s: float, pace: float) -> None:
        """The node has made records since."""
        passed_s = AWAY_S / FASTER if self._ahead_s is None else now_s - self._ahead_s
        self._ahead += FASTER * pace * passed_s
        if self._ahead_s is None:
            self._ahead += SLACK
            self._taken_s = now_s
        self._ahead_s = now_s

    def _rise(self, before: int) -> None:
        if not self._is_former:
            self._ahead -= self._open.top - before

    def _judge(self, now_s: float) -> None:
        """Whether anything of the batch before could be used."""
        if self._is_new and not self._is_former:
            self._useless_s = None
        elif self._is_foreign and self._useless_s is None:
            self._useless_s = now_s
        self._is_new = self._is_foreign = False

    def _is_stuck(self, now_s: float) -> bool:
        """Whether nothing of the present boot could be used for long: its numbers are not those that we know."""
        if self._useless_s is None or now_s - self._useless_s < ANEW_S:
            return False
        self._useless_s, self._ahead = None, SLACK
        return True


def _last(piece: tuple[int, int]) -> int:
    return piece[1]
