"""What the planner hands to the loop: levels for each slot, the prices behind them, and why."""

from dataclasses import dataclass

from gateway.core.levels import Levels
from gateway.core.model import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One step of a plan. Prices and the marginal value of stored energy at its end in EUR/kWh.

    `net_w` and `energy_wh`: mean net load expected, and the energy stored at its end if it comes; None if nobody said.
    """

    start_s: float  # UTC
    buy: float
    sell: float
    levels: Levels
    value: float
    reason: Reason
    net_w: float | None = None
    energy_wh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Slots of equal length, one after the other; `made_s` is when it was made (UTC)."""

    made_s: float
    step_s: float
    slots: tuple[Slot, ...]

    def at(self, utc_s: float) -> Slot | None:
        """The slot that holds now, or None where the plan does not reach: no plan is a special case of a plan."""
        if not self.slots:
            return None
        index = int((utc_s - self.slots[0].start_s) // self.step_s)
        return self.slots[index] if 0 <= index < len(self.slots) else None
