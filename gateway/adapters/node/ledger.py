"""Which records of a node are in: every one counted once, however often it comes.

A node numbers its records from 1 with each boot and sends each until the gateway acknowledges it as stored (`heard`).
So the same record may come several times, out of order, and behind records of a later boot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BOOTS_KEPT = 16  # a node brings records of former boots from its flash, and a broker may still deliver some


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
    beyond: set[int] = field(default_factory=set)

    def give_up(self, below: int) -> None:
        """Nothing below this sequence will come any more."""
        self.upto = below - 1
        self.beyond = {seq for seq in self.beyond if seq > self.upto}
        self.close_gaps()

    def close_gaps(self) -> None:
        """Move `upto` on as far as there is no gap."""
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
    """The records of one node by boot. `unanswered`: boots with a batch for which `heard` was not said yet."""

    received: int = 0
    duplicated: int = 0
    lost: int = 0
    unanswered: set[int] = field(default_factory=set)
    _boots: dict[int, _BootRecords] = field(default_factory=dict)  # newest last
    _open: _BootRecords = field(default_factory=_BootRecords)  # of the batch that is being read

    @classmethod
    def restored(cls, snapshot: LedgerSnapshot | None) -> "Ledger":
        """The ledger as it was stored, or a new one."""
        if snapshot is None:
            return cls()
        boots = {
            boot.boot: _BootRecords(boot.upto, {seq for first, last in boot.beyond for seq in range(first, last + 1)})
            for boot in snapshot.boots
        }
        newest = list(boots.values())[-1]
        return cls(snapshot.received, snapshot.duplicated, snapshot.lost, set(), boots, newest)

    def begin(self, boot: int, oldest: int, *, former: bool = False) -> None:
        """A batch of `boot` starts, whose node holds nothing older than `oldest`: what is missing below is lost.

        `former`: the node has started again since; its present boot stays the newest.
        """
        self.unanswered.add(boot)
        if boot not in self._boots:
            new = {boot: _BootRecords()}
            self._boots = {**new, **self._boots} if former else {**self._boots, **new}
            for old in [one for one in self._boots if one != boot][:-BOOTS_KEPT]:
                del self._boots[old]
        self._open = records = self._boots[boot]
        missing = range(records.upto + 1, oldest)
        if missing:
            self.lost += len(missing) - sum(seq in missing for seq in records.beyond)
            records.give_up(oldest)

    def admit(self, seq: int) -> bool:
        """Whether this record of the open batch is new; it is in from now on."""
        records = self._open
        if seq <= records.upto or seq in records.beyond:
            self.duplicated += 1
            return False
        records.beyond.add(seq)
        self.received += 1
        records.close_gaps()
        return True

    def snapshot(self) -> LedgerSnapshot | None:
        """What to store on disk; None before the first batch."""
        if not self._boots:
            return None
        boots = [BootSnapshot(boot=boot, upto=one.upto, beyond=one.ranges()) for boot, one in self._boots.items()]
        return LedgerSnapshot(boots=boots, received=self.received, duplicated=self.duplicated, lost=self.lost)

    def take_unanswered(self) -> set[int]:
        """Boots to answer once the snapshot is on disk: those heard of since the last time, and the newest."""
        unanswered, self.unanswered = self.unanswered | set(list(self._boots)[-1:]), set()
        return unanswered

    def counts(self) -> Mapping[str, int]:
        """For the status page; `sent` is the highest sequence seen of the newest boot."""
        newest = list(self._boots.values())[-1] if self._boots else _BootRecords()
        sent = max(newest.beyond, default=newest.upto)
        return {"sent": sent, "received": self.received, "lost": self.lost, "duplicated": self.duplicated}
