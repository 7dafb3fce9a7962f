"""What batteries lost, how often they were filled, and how much of what they took they gave back."""

from dataclasses import dataclass

from gateway.core.accounts.period import PeriodAccount

LEAST_CYCLES = 1.0  # of all that they can hold: with less, the error of the state of charge is all one sees


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFigures:
    """Of all batteries together, over the time of an account. None where it cannot be said."""

    losses_wh: float | None  # taken, less given back, less what is stored now beyond the start
    full_cycles: float | None  # given back, in times of what they can hold
    efficiency: float | None  # 0…1: given back and still stored, of what was taken and was stored before
    stored_change_wh: float | None  # beyond the start, by the state of charge


def storage_figures(account: PeriodAccount, capacity_wh: float) -> StorageFigures:
    """Of an account; `capacity_wh`: what all batteries can hold. Where a quarter hour is missing, only the cycles."""
    charged, discharged = account.charged_wh, account.discharged_wh
    first, last = account.stored_wh
    if discharged.value is None or charged.value is None or capacity_wh <= 0.0:
        return StorageFigures(losses_wh=None, full_cycles=None, efficiency=None, stored_change_wh=None)
    cycles = discharged.value / capacity_wh
    whole = charged.trail.is_whole and discharged.trail.is_whole
    if not whole or first is None or last is None:
        return StorageFigures(losses_wh=None, full_cycles=cycles, efficiency=None, stored_change_wh=None)
    change = last - first
    taken, back = charged.value + max(-change, 0.0), discharged.value + max(change, 0.0)
    is_sure = min(charged.value, discharged.value) >= LEAST_CYCLES * capacity_wh
    return StorageFigures(
        losses_wh=charged.value - discharged.value - change,
        full_cycles=cycles,
        efficiency=back / taken if is_sure else None,
        stored_change_wh=change,
    )
