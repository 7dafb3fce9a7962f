"""One arbiter of all surplus: how much each consumer may have, so that none works against another.

Everything that can wait or store is a `Consumer` with the marginal value of energy in it. Surplus goes to the highest
value first, in steps the consumer can do; what has been switched stays so for its minimum up or down time. The battery
pool is one of them: it takes what the others, coarser and slower, leave.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.model.switched import Switched, switch

# Held by car and boiler in `zen bench closed-loop` (docs/control.md): one switch an hour against 70 of a simple law.
WATCHED_S = 20.0  # more is given out only when it was there for so long: a gap between two clouds
RECENT_S = 6.0  # less is given out when the mean of so long is less: a dip of a second is the batteries'
START_W = 100.0  # beyond its least power, before a consumer is switched on


class SwitchState(StrEnum):
    """Whether a switched consumer runs or rests, and whether its minimum time has passed."""

    MUST_RUN = "must_run"
    MAY_STOP = "may_stop"
    MUST_REST = "must_rest"
    MAY_START = "may_start"


class SwitchEvent(StrEnum):
    """What moves a switched consumer from one state to another."""

    STARTED = "started"
    STOPPED = "stopped"
    TIME_OVER = "time_over"


SWITCH_MEANING: Mapping[StrEnum, str] = {
    SwitchState.MUST_RUN: "runs, and its minimum up time is not over",
    SwitchState.MAY_STOP: "runs",
    SwitchState.MUST_REST: "rests, and its minimum down time is not over",
    SwitchState.MAY_START: "rests, or it is not known since when",
    SwitchEvent.STARTED: "a power above 0 is decided",
    SwitchEvent.STOPPED: "no power is decided; a limit of the connection does so in any state",
    SwitchEvent.TIME_OVER: "the minimum time of its state is over, or the clock was set back",
}

# What is not in the table leaves the state as it is.
SWITCH_TRANSITIONS = {
    (SwitchState.MAY_START, SwitchEvent.STARTED): SwitchState.MUST_RUN,
    (SwitchState.MUST_RUN, SwitchEvent.TIME_OVER): SwitchState.MAY_STOP,
    (SwitchState.MUST_RUN, SwitchEvent.STOPPED): SwitchState.MUST_REST,
    (SwitchState.MAY_STOP, SwitchEvent.STOPPED): SwitchState.MUST_REST,
    (SwitchState.MUST_REST, SwitchEvent.TIME_OVER): SwitchState.MAY_START,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """Something that can take surplus. A relay has `min_w` equal to `max_w`."""

    id: str  # the load's name, or `surplus_sharing.BATTERY` for all batteries together
    min_w: float  # least power while it runs, 0 or above
    max_w: float  # most power, not below `min_w` while it can run at all
    step_w: float = 0.0  # between two powers that can be set; 0: any power
    value: float = 0.0  # marginal value of energy in it (EUR/kWh)
    priority: int = 0  # among equal values the lower one comes first
    dwell_on_s: float = 0.0  # minimum up time
    dwell_off_s: float = 0.0  # minimum down time


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPower:
    """A power of the last WATCHED_S seconds (W)."""

    samples: tuple[tuple[float, float], ...] = field(default=())  # (monotonic s, W), oldest first


def sampled(recent: RecentPower, now_s: float, power_w: float) -> RecentPower:
    """Take one more moment in; forget what is no longer watched."""
    kept = tuple(sample for sample in recent.samples if sample[0] > now_s - WATCHED_S)
    return RecentPower(samples=(*kept, (now_s, power_w)))


def sustained_w(recent: RecentPower, given_w: float) -> float:
    """What can be given (W): it rises only by what was there in all of the last seconds, and falls at once."""
    if not recent.samples:
        return 0.0
    now_s = recent.samples[-1][0]
    newest = [w for at_s, w in recent.samples if at_s > now_s - RECENT_S]
    mean_w = sum(newest) / len(newest)
    if mean_w < given_w:
        return mean_w
    return max(given_w, min(w for _, w in recent.samples))


def allocated(
    available_w: float, consumers: Sequence[Consumer], switched: Mapping[str, Switched], now_s: float
) -> dict[str, float]:
    """Power of each consumer (W) by its id; `now_s` is UTC, by which `switched` counts.

    The sum never exceeds `available_w`, but for the least powers of those whose minimum up time is not over.
    """
    bound = {c.id: c.min_w for c in consumers if must_run(c, switched.get(c.id), now_s)}
    left_w = available_w - sum(bound.values())
    powers: dict[str, float] = {}
    for consumer in sorted(consumers, key=lambda c: (-c.value, c.priority, c.id)):
        least_w = bound.get(consumer.id, 0.0)
        power_w = _fitting_w(consumer, least_w + max(left_w, 0.0), switched.get(consumer.id), now_s)
        powers[consumer.id] = max(power_w, least_w)
        left_w -= powers[consumer.id] - least_w
    return powers


def switched_after(
    powers_w: Mapping[str, float], switched: Mapping[str, Switched], now_s: float
) -> dict[str, Switched]:
    """Whether each consumer runs with these powers (W), and since when it has run or rested (UTC)."""
    return {id_: switch(switched.get(id_), now_s, runs=power_w > 0.0) for id_, power_w in powers_w.items()}


def switch_state(consumer: Consumer, switched: Switched | None, now_s: float) -> SwitchState:
    """What it may do at this moment (UTC)."""
    if switched is None:
        return SwitchState.MAY_START
    age_s = now_s - switched.since_s
    age_s = age_s if age_s >= 0.0 else math.inf  # a clock that was set back must not hold a relay for years
    if switched.runs:
        return SwitchState.MUST_RUN if age_s < consumer.dwell_on_s else SwitchState.MAY_STOP
    return SwitchState.MUST_REST if age_s < consumer.dwell_off_s else SwitchState.MAY_START


def must_run(consumer: Consumer, switched: Switched | None, now_s: float) -> bool:
    """Whether its minimum up time is not over."""
    return switch_state(consumer, switched, now_s) is SwitchState.MUST_RUN


def must_rest(consumer: Consumer, switched: Switched | None, now_s: float) -> bool:
    """Whether its minimum down time is not over."""
    return switch_state(consumer, switched, now_s) is SwitchState.MUST_REST


def _fitting_w(consumer: Consumer, available_w: float, switched: Switched | None, now_s: float) -> float:
    """The most that fits into `available_w`, in steps above the least power; 0 when that does not fit."""
    runs = switched is not None and switched.runs
    if must_rest(consumer, switched, now_s):
        return 0.0
    if available_w < consumer.min_w + (0.0 if runs or consumer.min_w == 0.0 else START_W):
        return 0.0
    power_w = min(available_w, consumer.max_w)
    if consumer.step_w > 0.0:
        power_w = consumer.min_w + consumer.step_w * math.floor((power_w - consumer.min_w) / consumer.step_w + 1e-9)
    return power_w
