"""One arbiter of all surplus: who may have how much of it, so that nothing fights.

Everything that can wait or store is a `Consumer` with the worth of the next kWh in it. Surplus goes to the highest
worth first, in steps the consumer can do; what has been switched stays so for its dwell time. The battery pool is one
of them: it takes what the others, coarser and slower, leave.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.model.switched import Switched, switch

WATCHED_S = 20.0  # more is given out only when it was there for so long
RECENT_S = 6.0  # less is given out when the mean of so long is less
START_W = 100.0  # beyond its least power, before a consumer is switched on


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """What can take surplus. Powers in W, `step_w` 0 for any; `value` in EUR/kWh; dwell times in s.

    A relay has `min_w` equal to `max_w`. Among equal values the lower `priority` comes first.
    """

    id: str
    min_w: float
    max_w: float
    step_w: float = 0.0
    value: float = 0.0
    priority: int = 0
    dwell_on_s: float = 0.0
    dwell_off_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """What was there lately: (moment, W), oldest first."""

    seen: tuple[tuple[float, float], ...] = field(default=())


def seen(surplus: Surplus, now_s: float, available_w: float) -> Surplus:
    """Take one more moment in; forget what is no longer watched."""
    recent = tuple(moment for moment in surplus.seen if moment[0] > now_s - WATCHED_S)
    return Surplus(seen=(*recent, (now_s, available_w)))


def lasting_w(surplus: Surplus, given_w: float) -> float:
    """What can be given out (W): more than now only what has been there all along, less as soon as it is gone."""
    if not surplus.seen:
        return 0.0
    now_s = surplus.seen[-1][0]
    recent = [w for at_s, w in surplus.seen if at_s > now_s - RECENT_S]
    mean_w = sum(recent) / len(recent)
    if mean_w < given_w:
        return mean_w
    return max(given_w, min(w for _, w in surplus.seen))


def shared(
    available_w: float, consumers: Sequence[Consumer], switched: Mapping[str, Switched], now_s: float
) -> tuple[dict[str, float], dict[str, Switched]]:
    """Power of each consumer (W) and who runs since when (`now_s` and `since_s` are UTC).

    The sum never exceeds `available_w`, but for the least powers of those whose dwell time is not over.
    """
    bound = {c.id: c.min_w for c in consumers if must_run(c, switched.get(c.id), now_s)}
    left_w = available_w - sum(bound.values())
    powers: dict[str, float] = {}
    for consumer in sorted(consumers, key=lambda c: (-c.value, c.priority, c.id)):
        least_w = bound.get(consumer.id, 0.0)
        power_w = _fitting_w(consumer, least_w + max(left_w, 0.0), switched.get(consumer.id), now_s)
        powers[consumer.id] = max(power_w, least_w)
        left_w -= powers[consumer.id] - least_w
    return powers, {c.id: switch(switched.get(c.id), now_s, runs=powers[c.id] > 0.0) for c in consumers}


def must_run(consumer: Consumer, switched: Switched | None, now_s: float) -> bool:
    """Whether its least time of running is not over."""
    return switched is not None and switched.runs and _since_s(switched, now_s) < consumer.dwell_on_s


def must_rest(consumer: Consumer, switched: Switched | None, now_s: float) -> bool:
    """Whether its least time of resting is not over."""
    return switched is not None and not switched.runs and _since_s(switched, now_s) < consumer.dwell_off_s


def _since_s(switched: Switched, now_s: float) -> float:
    """Never negative: a clock that was set back must not hold a relay for years."""
    age_s = now_s - switched.since_s
    return age_s if age_s >= 0.0 else math.inf


def _fitting_w(consumer: Consumer, room_w: float, switched: Switched | None, now_s: float) -> float:
    """The most that fits into `room_w`, in steps above the least power; 0 when that does not fit."""
    runs = switched is not None and switched.runs
    if must_rest(consumer, switched, now_s):
        return 0.0
    if room_w < consumer.min_w + (0.0 if runs or consumer.min_w == 0.0 else START_W):
        return 0.0
    power_w = min(room_w, consumer.max_w)
    if consumer.step_w > 0.0:
        power_w = consumer.min_w + consumer.step_w * math.floor((power_w - consumer.min_w) / consumer.step_w + 1e-9)
    return power_w
