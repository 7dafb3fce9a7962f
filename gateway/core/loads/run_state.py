"""What loads carry from slot to slot of a plan where no device reports it: since when one runs or rests.

Where a load is measured, what was measured goes before.
"""

from gateway.core.model.switched import Switched

RUNS_W = 1.0  # a load that draws more runs


def switched_after(before: Switched | None, now_s: float, *, runs: bool) -> Switched | None:
    """Since when it runs or rests; the start of a rest is not known as long as it never ran."""
    if before is None:
        return Switched(runs=True, since_s=now_s) if runs else None
    return before if before.runs == runs else Switched(runs=runs, since_s=now_s)
