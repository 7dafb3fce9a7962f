"""The last look at a plan before it is handed on: one that is old or broken must not be followed."""

import math
from itertools import pairwise

from gateway.core.model.levels import Storage
from gateway.core.model.plan import Plan, Slot
from gateway.core.model.state import Reason

ROUNDING = 1e-9  # share of the capacity by which the highest level may exceed it


def refusal(plan: Plan, storage: Storage, *, now_s: float, max_age_s: float) -> Reason | None:
    """Why a plan must not be followed, or None: it is old, does not hold now, or holds something that is no number."""
    age_s = now_s - plan.made_s
    if not 0.0 <= age_s <= max_age_s or plan.at(now_s) is None:
        return Reason(code="plan_old", numbers={"age_s": age_s})
    for index, slot in enumerate(plan.slots):
        if not _is_sound(slot, storage, plan.slots[0].start_s + index * plan.step_s):
            return Reason(code="plan_broken", numbers={"slot": float(index)})
    return None if _loads_are_sound(plan) else Reason(code="plan_broken", numbers={"slot": 0.0})


def _is_sound(slot: Slot, storage: Storage, start_s: float) -> bool:
    levels = slot.levels
    amounts = (0.0, levels.charge_wh, levels.reserve_wh, levels.export_wh, storage.capacity_wh * (1.0 + ROUNDING))
    ordered = all(low <= high for low, high in pairwise(amounts))
    inner = levels.charge_wh <= levels.fill_wh <= levels.export_wh
    numbers = all(math.isfinite(number) for number in (slot.buy, slot.sell, slot.value)) and slot.peak_target_w >= 0.0
    return ordered and inner and slot.start_s == start_s and numbers


def _loads_are_sound(plan: Plan) -> bool:
    """Every load has one slot for each of the plan's, with finite numbers."""
    slots = [slot for profile in plan.loads.values() for slot in profile]
    whole = all(len(profile) == len(plan.slots) for profile in plan.loads.values())
    return whole and all(math.isfinite(slot.power_w) and math.isfinite(slot.value) for slot in slots)
