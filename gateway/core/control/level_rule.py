"""The rule that follows the levels of a plan, each second, in closed form.

Never charge from the grid above `charge`, never discharge to the building below `reserve`, take all surplus up to
`fill`, sell from the battery only above `export`. Without a plan, and with the levels of the plain rule, what is left
is: set-point = target - net load. A level that was crossed has to be left by `GAP` before it is crossed again, so that
the steps of a state of charge make no chatter.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from gateway.core.model.levels import Levels, Storage
from gateway.core.model.plan import Slot
from gateway.core.model.state import Purpose, Reason

GAP = 0.02  # of the capacity: two steps of a state of charge that is reported in percent


class LevelRule(StrEnum):
    """How a level changes the plain set-point; the value is the code of its reason."""

    CHARGE = "plan_charges"
    SELL = "plan_sells"
    KEEP = "plan_keeps"
    LEAVE = "plan_leaves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level as a state with hysteresis: active on one side of it, entered and left at different energies."""

    rule: LevelRule  # what is done while it is active
    note_key: str  # its name in the note of the store
    level_wh: Callable[[Levels], float]  # stored energy above empty at which it lies
    compare: Callable[[float, float], bool]  # how the stored energy lies to the level while it is active
    enter_gaps: float  # where it becomes active: so many gaps above the level
    leave_gaps: float  # where it ends: so many gaps above the level

    @property
    def is_below(self) -> bool:
        """Whether it is active below the level; else above."""
        return self.compare in (operator.lt, operator.le)


# Which level acts when several are active: the first one in this order.
LEVELS = (
    Level(
        rule=LevelRule.CHARGE,
        note_key="charging",
        level_wh=lambda levels: levels.charge_wh,
        compare=operator.lt,
        enter_gaps=-1.0,
        leave_gaps=0.0,
    ),
    Level(
        rule=LevelRule.SELL,
        note_key="selling",
        level_wh=lambda levels: levels.export_wh,
        compare=operator.gt,
        enter_gaps=1.0,
        leave_gaps=0.0,
    ),
    Level(
        rule=LevelRule.KEEP,
        note_key="kept",
        level_wh=lambda levels: levels.reserve_wh,
        compare=operator.le,
        enter_gaps=0.0,
        leave_gaps=1.0,
    ),
    Level(
        rule=LevelRule.LEAVE,
        note_key="filled",
        level_wh=lambda levels: levels.fill_wh,
        compare=operator.ge,
        enter_gaps=0.0,
        leave_gaps=-1.0,
    ),
)


ActiveLevels = frozenset[LevelRule]
"""The levels on whose side the stored energy is; none without a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDecision:
    """The set-point after the levels of the plan (W, charging positive)."""

    requested_w: float  # of all batteries, charging positive
    active: ActiveLevels  # after this cycle
    purpose: Purpose = Purpose.SELF_CONSUMPTION  # of the set-points that follow from it
    reason: Reason | None = None  # None where no level changed anything; its `power_w` is what the levels request


def decided(
    plain_w: float, stored_wh: float, slot: Slot | None, storage: Storage, before: ActiveLevels
) -> LevelDecision:
    """The power by the levels of the slot; `plain_w` keeps the grid at its set-point, `stored_wh` is above empty."""
    if slot is None:
        return LevelDecision(requested_w=plain_w, active=frozenset())
    active = after(stored_wh, slot.levels, storage, before)
    for level in LEVELS:
        requested_w = _requested_w(level.rule, plain_w, storage) if level.rule in active else None
        if requested_w is not None:
            reason = _reason(level, slot, stored_wh, plain_w=plain_w, power_w=requested_w)
            return LevelDecision(requested_w=requested_w, active=active, purpose=_purpose(level.rule), reason=reason)
    return LevelDecision(requested_w=plain_w, active=active)


def after(stored_wh: float, levels: Levels, storage: Storage, before: ActiveLevels) -> ActiveLevels:
    """What is active at this stored energy (Wh above empty). Levels at empty and full cannot be crossed."""
    return frozenset(
        level.rule for level in LEVELS if _is_active(level, stored_wh, levels, storage, was_active=level.rule in before)
    )


def _is_active(level: Level, stored_wh: float, levels: Levels, storage: Storage, *, was_active: bool) -> bool:
    level_wh, full_wh = level.level_wh(levels), storage.capacity_wh
    can_be_crossed = level_wh > 0.0 if level.is_below else level_wh < full_wh
    gaps = level.leave_gaps if was_active else level.enter_gaps
    return can_be_crossed and level.compare(stored_wh, level_wh + gaps * (GAP * full_wh))


def _requested_w(rule: LevelRule, plain_w: float, storage: Storage) -> float | None:
    """The power (W) that an active level requests; None where the plain set-point is right for it."""
    match rule:
        case LevelRule.CHARGE:
            return storage.charge_max_w
        case LevelRule.SELL:
            return -storage.discharge_max_w
        case LevelRule.KEEP:
            return 0.0 if plain_w < 0.0 else None
        case LevelRule.LEAVE:
            return 0.0 if plain_w > 0.0 else None
        case _:
            assert_never(rule)


def _purpose(rule: LevelRule) -> Purpose:
    """What the power that a rule requests is for."""
    match rule:
        case LevelRule.CHARGE:
            return Purpose.GRID_CHARGE
        case LevelRule.SELL:
            return Purpose.SALE
        case LevelRule.KEEP | LevelRule.LEAVE:
            return Purpose.SELF_CONSUMPTION
        case _:
            assert_never(rule)


def _reason(level: Level, slot: Slot, stored_wh: float, *, plain_w: float, power_w: float) -> Reason:
    """Why, with both sides of the comparison; `plan` is the code of the plan's own reason."""
    numbers: dict[str, float | str] = {
        "stored_wh": stored_wh,
        "level_wh": level.level_wh(slot.levels),
        "now_price": _compared_price(level.rule, slot),
        "worth_price": slot.value,
        "net_w": -plain_w,
        "power_w": power_w,
        "plan": slot.reason.code,
    }
    return Reason(code=level.rule.value, numbers=numbers)


def _compared_price(rule: LevelRule, slot: Slot) -> float:
    """The price (EUR/kWh) beside which the plan set the level: of import, or of export."""
    match rule:
        case LevelRule.CHARGE | LevelRule.KEEP:
            return slot.buy
        case LevelRule.SELL | LevelRule.LEAVE:
            return slot.sell
        case _:
            assert_never(rule)
