"""The UTC that records of a node are stored with: the node's own, or ours where the two do not agree."""

from dataclasses import dataclass, field

from gateway.adapters.clock import Stamp

AGREE_S = 5.0  # a node calls its clock good within 1 s of its time server, and messages take a while
BOOTS_KEPT = 16  # as many as `ledger` keeps: their records may still come from flash


@dataclass(slots=True)
class RecordDates:
    """A node may have its time from somewhere else, and that may be wrong.

    One that is further off our clock than AGREE_S is not believed: its records are dated by their age, which depends on
    no clock. What was found for a boot holds for its records that come later from flash. To be asked only while our
    clock may be believed.
    """

    ahead_s: float = 0.0  # the node's clock of ours, 0 while they agree
    _by_boot: dict[int, float] = field(default_factory=dict)

    def dated_s(self, stamp: Stamp, reckoned_s: float, *, direct: bool) -> float:
        """UTC of a record (seconds since 1970); `reckoned_s` is the same by its age and our clock.

        `direct`: that age is known exactly; else it rests on the node's UTC, which was corrected.
        """
        if stamp.utc_s is None:
            return reckoned_s
        if not direct:
            return stamp.utc_s
        ahead_s = stamp.utc_s - reckoned_s
        self.ahead_s = ahead_s if abs(ahead_s) > AGREE_S else 0.0
        self._note(stamp.base[0])
        return reckoned_s if self.ahead_s else stamp.utc_s

    def corrected_s(self, boot: int, utc_s: float) -> float:
        """A moment that a node's clock showed in that boot, by ours."""
        return utc_s - self._by_boot.get(boot, 0.0)

    def _note(self, boot: int) -> None:
        self._by_boot.pop(boot, None)
        if self.ahead_s:
            self._by_boot[boot] = self.ahead_s
        for old in list(self._by_boot)[:-BOOTS_KEPT]:
            del self._by_boot[old]
