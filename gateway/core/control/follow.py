"""The rule that follows the levels of a plan, each second, in closed form.

Never charge from the grid above `charge`, never discharge to the building below `reserve`, take all surplus up to
`fill`, sell from the battery only above `export`. Without a plan, and with the levels of the plain rule, what is left
is: set-point = target - net load. A level that was crossed has to be left by `GAP` before it is crossed again, so that
the steps of a state of charge make no chatter.
"""

import math
from dataclasses import dataclass

from gateway.core.model.levels import Storage
from gateway.core.model.plan import Slot
from gateway.core.model.state import Reason

GAP = 0.02  # of the capacity: two steps of a state of charge told in percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Latches:
    """On which side of each level the store is."""

    charging: bool = False  # below `charge`: from the grid
    kept: bool = False  # below `reserve`: nothing to the building
    filled: bool = False  # above `fill`: surplus is left
    selling: bool = False  # above `export`: to the grid


def usable(slot: Slot | None) -> Slot | None:
    """The slot, if all its numbers are numbers: a plan that is none must not be followed."""
    if slot is None:
        return None
    levels = slot.levels
    numbers = (levels.charge_wh, levels.reserve_wh, levels.fill_wh, levels.export_wh, slot.buy, slot.sell, slot.value)
    return slot if all(math.isfinite(number) for number in numbers) and slot.peak_target_w >= 0.0 else None


def latched(stored_wh: float, slot: Slot | None, storage: Storage, before: Latches) -> Latches:
    """The sides after this state of charge (Wh above empty). Levels at empty and full cannot be crossed."""
    if slot is None:
        return Latches()
    levels, full_wh = slot.levels, storage.capacity_wh
    gap_wh = GAP * full_wh
    return Latches(
        charging=levels.charge_wh > 0.0 and stored_wh < levels.charge_wh - (0.0 if before.charging else gap_wh),
        kept=levels.reserve_wh > 0.0 and stored_wh <= levels.reserve_wh + (gap_wh if before.kept else 0.0),
        filled=levels.fill_wh < full_wh and stored_wh >= levels.fill_wh - (gap_wh if before.filled else 0.0),
        selling=levels.export_wh < full_wh and stored_wh > levels.export_wh + (0.0 if before.selling else gap_wh),
    )


def wanted_w(plain_w: float, latches: Latches, storage: Storage) -> tuple[float, str | None]:
    """What the levels make of the plain set-point (W), and the code of the rule that changed it."""
    if latches.charging:
        return storage.charge_max_w, "plan_charges"
    if latches.selling:
        return -storage.discharge_max_w, "plan_sells"
    if latches.kept and plain_w < 0.0:
        return 0.0, "plan_keeps"
    if latches.filled and plain_w > 0.0:
        return 0.0, "plan_leaves"
    return plain_w, None


def reason(code: str, slot: Slot, stored_wh: float, *, plain_w: float, power_w: float) -> Reason:
    """Why, with both sides of the comparison; `plan` is the code of the plan's own reason."""
    levels = slot.levels
    level_wh = {
        "plan_charges": levels.charge_wh,
        "plan_sells": levels.export_wh,
        "plan_keeps": levels.reserve_wh,
        "plan_leaves": levels.fill_wh,
    }[code]
    price = {"plan_charges": slot.buy, "plan_sells": slot.sell, "plan_keeps": slot.buy, "plan_leaves": slot.sell}[code]
    numbers: dict[str, float | str] = {
        "stored_wh": stored_wh,
        "level_wh": level_wh,
        "now_price": price,
        "worth_price": slot.value,
        "net_w": -plain_w,
        "power_w": power_w,
        "plan": slot.reason.code,
    }
    return Reason(code=code, numbers=numbers)
