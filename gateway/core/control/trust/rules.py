"""What a silent or frozen meter or battery allows, as tables: late is bridged, gone or frozen is given back."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.control.observe import FRESH_S
from gateway.core.model.state import Mode, Reason

GONE_S = 8.0  # a meter or battery that is silent for longer is gone: its own mode is better than the last set-point
FROZEN_S = 5.0  # a meter that stands still this long while other things move shows an old picture
FROZEN_GONE_S = 10.0  # after so long its value is as good as none
HOLD_SLACK, HELD = 1.2, 2.0  # times the hold of a meter that takes a number only now and then: late, and frozen
SOC_S = 30.0  # the state of charge moves slowly and is read every few seconds
LONGEST_AGE_S = 86400.0  # where nothing ever came, a day stands for it: no number is infinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the readings allow for one device: its mode, and why."""

    mode: Mode  # what the loop does with it
    reason: Reason | None = None  # None exactly when they allow control


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long ago a meter or battery was last read (s)."""

    age_s: float  # of its last known power; infinite when it was never known
    is_absent: bool = False  # whether its newest reading failed
    still_s: float = 0.0  # since when the meter's number stands still while devices moved; 0 while it does not
    hold_s: float = 0.0  # for how long this meter is known to hold its number before it takes the next; 0: it does not
    soc_age_s: float = 0.0  # of the battery's last known state of charge; infinite when it was never known


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRule:
    """A row of the rules for meter or battery: the first that applies counts; without one the device is controlled."""

    mode: Mode  # of what it holds for
    code: str  # of the reason
    when: str  # the condition in words, for the docs
    holds: Callable[[Silence], bool]  # whether it does for this silence
    age_s: Callable[[Silence], float] | None = None  # the number of the reason; None: it has none


METER_RULES = (
    TrustRule(
        mode=Mode.RELEASE,
        code="lost_meter",
        when=f"no power for more than {GONE_S:g} s",
        holds=lambda silence: silence.age_s > GONE_S,
        age_s=lambda silence: silence.age_s,
    ),
    TrustRule(
        mode=Mode.RELEASE,
        code="frozen_meter",
        when=f"the same number for more than {FROZEN_GONE_S:g} s while devices moved; {HELD:g} times its usual hold",
        holds=lambda silence: silence.still_s > max(FROZEN_GONE_S, HELD * silence.hold_s),
        age_s=lambda silence: silence.still_s,
    ),
    TrustRule(
        mode=Mode.HOLD,
        code="wait",
        when=f"no power for more than {FRESH_S:g} s, or the newest reading failed",
        holds=lambda silence: silence.age_s > FRESH_S or silence.is_absent,
        age_s=lambda silence: silence.age_s,
    ),
    TrustRule(
        mode=Mode.HOLD,
        code="frozen_wait",
        when=f"the same number for more than {FROZEN_S:g} s while devices moved, or longer than its usual hold",
        holds=lambda silence: silence.still_s > max(FROZEN_S, HOLD_SLACK * silence.hold_s),
        age_s=lambda silence: silence.still_s,
    ),
)
"""Rules for the readings of the grid meter: what they say applies to every device that is controlled."""

BATTERY_RULES = (
    TrustRule(
        mode=Mode.RELEASE,
        code="lost_battery",
        when=f"no power for more than {GONE_S:g} s",
        holds=lambda silence: silence.age_s > GONE_S,
    ),
    TrustRule(
        mode=Mode.HOLD,
        code="wait_battery",
        when=f"no power for more than {FRESH_S:g} s, or the newest reading failed",
        holds=lambda silence: silence.age_s > FRESH_S or silence.is_absent,
        age_s=lambda silence: silence.age_s,
    ),
    TrustRule(
        mode=Mode.RELEASE,
        code="lost_soc",
        when=f"no state of charge for more than {SOC_S:g} s",
        holds=lambda silence: silence.soc_age_s > SOC_S,
    ),
)
"""Rules for the readings of one battery, as long as the grid meter's allow control."""


def ruled(rules: tuple[TrustRule, ...], silence: Silence) -> Trust:
    """What the first rule says that holds; control where none does."""
    for rule in rules:
        if rule.holds(silence):
            numbers = {} if rule.age_s is None else {"age_s": min(rule.age_s(silence), LONGEST_AGE_S)}
            return Trust(mode=rule.mode, reason=Reason(code=rule.code, numbers=numbers))
    return Trust(mode=Mode.CONTROL)
