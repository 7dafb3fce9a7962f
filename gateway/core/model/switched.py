"""Something that is switched on and off, and since when: what minimum up and down times count from."""

from dataclasses import dataclass

LONG_AGO_S = 1e9  # some 30 years: longer than any minimum down time


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """Whether a consumer runs, and since when."""

    runs: bool  # at a power above 0
    since_s: float  # UTC, because it must outlive a restart


def switch(before: Switched | None, now_s: float, *, runs: bool) -> Switched:
    """After this moment (UTC). Nobody knows since when something rests that never ran: long enough to be started."""
    if before is None:
        return Switched(runs=runs, since_s=now_s if runs else now_s - LONG_AGO_S)
    return before if before.runs == runs else Switched(runs=runs, since_s=now_s)
