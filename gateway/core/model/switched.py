"""Something that is switched on and off, and since when: what least times count from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A consumer that runs or does not, and since when (UTC): what its dwell time counts from."""

    runs: bool
    since_s: float


def switch(before: Switched | None, now_s: float, *, runs: bool) -> Switched:
    """After this moment (UTC). Of what never ran nobody knows since when it rests: long enough."""
    if before is None:
        return Switched(runs=runs, since_s=now_s if runs else now_s - 1e9)
    return before if before.runs == runs else Switched(runs=runs, since_s=now_s)
