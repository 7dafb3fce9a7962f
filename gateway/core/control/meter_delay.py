"""How late the meter is, learned from our own set-points (docs/adr/0010-delay-is-learned.md).

With the right delay the net load does not move when only the battery does; with a wrong one each move of the battery
shows up twice in it, once for each direction. So on every sample every delay is tried that the site file allows, alone
and as ranges of one and two seconds for meters that are not always equally late: how far does the net load wander while
the battery travels? A range is proven when it wanders hardly more than the whole one, which needs no proof; the
narrowest such range counts. What is learned fades as the battery travels on, so a meter that changes its ways is found
out within a few moves, and the whole range holds again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from gateway.core.control.battery_response import SLACK_S, PowerSample
from gateway.core.model.levels import Floats

# Held by the meters of `zen bench closed-loop` (0 to 60 s late, steadily and at random, docs/control.md).
STEP_S = 0.25  # between two delays that are tried: less than a usual meter varies by itself
WIDTHS = (0, 2, 4, 8)  # of the ranges that are tried, in steps: one delay, and ranges of half a second to two
PROOF = 0.25  # of the batteries' whole span: so far they must have travelled before anything is proven
FADE = 1.2  # of the same: travel after which a third of an experience is left
ALIKE = 0.1  # more wandering, per travel, than the best one of that width: another delay
HONEST = (0.27, 0.14, 0.12, 0.12)  # for each width: so much more than the whole range may it wander, per travel
MARGIN_S = 0.05  # beyond a range to each side, so that the true delay does not lie just beyond it
HALF_S = 0.25  # delays that explain everything alike are one: the middle of them, with so much to each side


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DelayTrial:
    """Delay ranges of one width; both series have one entry for each range, by the delay at which it begins."""

    net_w: Floats  # net load by that range at the last sample
    wander_w: Floats  # how far it wandered while the batteries travelled; fades with their travel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DelayEstimate:
    """What has been learned about the meter's delay. Sums of movements fade as the batteries travel on."""

    trials: tuple[DelayTrial, ...] = ()  # one for each width, the narrowest first; none before the first sample
    cautious_wander_w: float = 0.0  # how far the net load by the whole configured range wandered
    travel_w: float = 0.0  # how far the batteries travelled
    last_cautious_w: float = 0.0  # net load by the whole range at the last sample
    last_power_w: Floats = field(default_factory=lambda: np.zeros(0))  # of the batteries then, one for each tried delay


@cache
def tried_s(bounds_s: tuple[float, float]) -> Floats:
    """The delays that are tried within the configured bounds."""
    count = math.floor((bounds_s[1] - bounds_s[0]) / STEP_S + 1e-9) + 1
    found = np.asarray(bounds_s[0] + STEP_S * np.arange(count))
    found.flags.writeable = False  # the same array for all
    return found


def updated(
    estimate: DelayEstimate,
    grid_w: float,
    at_s: float,
    paths: Sequence[Sequence[PowerSample]],
    *,
    bounds_s: tuple[float, float],
    cautious_w: float,
    span_w: float,
) -> DelayEstimate:
    """Take one sample of the meter in; `cautious_w` is the net load (W) by the whole range of delays.

    `span_w`: from the batteries' most discharge to their most charge.
    """
    moments = at_s - tried_s(bounds_s)
    low_w, high_w = np.zeros(len(moments)), np.zeros(len(moments))
    for path in paths:
        times, powers = [c.at_s for c in path], [c.power_w for c in path]
        early, late = np.interp(moments - SLACK_S, times, powers), np.interp(moments + SLACK_S, times, powers)
        low_w, high_w = low_w + np.minimum(early, late), high_w + np.maximum(early, late)
    if len(estimate.last_power_w) != len(moments):
        return _begun(grid_w, low_w, high_w, cautious_w)
    moved_w = np.abs(high_w - estimate.last_power_w)
    stands = float(moved_w.max()) < 1.0  # for every delay: nothing to be learned
    travel_w = 0.0 if stands else float(moved_w.mean())
    keep = math.exp(-travel_w / (FADE * span_w))
    trials = tuple(
        _tried(trial, grid_w, low_w, high_w, width, keep=1.0 if stands else keep, counts=not stands)
        for trial, width in zip(estimate.trials, _widths(len(moments)), strict=True)
    )
    wander_w = 0.0 if stands else abs(cautious_w - estimate.last_cautious_w)
    return DelayEstimate(
        trials=trials,
        cautious_wander_w=keep * estimate.cautious_wander_w + wander_w,
        travel_w=keep * estimate.travel_w + travel_w,
        last_cautious_w=cautious_w,
        last_power_w=high_w,
    )


def proven_s(
    estimate: DelayEstimate,
    bounds_s: tuple[float, float],
    span_w: float,
    *,
    before_s: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """The range of delays that is proven; the configured one while nothing is.

    `before_s`: what another run had proven. It holds, inside of what is configured now, until the batteries have
    travelled far enough to judge.
    """
    is_of_these = len(estimate.last_power_w) == len(tried_s(bounds_s))
    if estimate.travel_w < PROOF * span_w or not is_of_these:
        return bounds_s if before_s is None else _inside(before_s, bounds_s)
    for trial, width, honest in zip(estimate.trials, WIDTHS, HONEST, strict=False):
        excess = (trial.wander_w - estimate.cautious_wander_w) / estimate.travel_w
        best = float(excess.min())
        if best > honest:
            continue
        tried = tried_s(bounds_s)
        if width == 0:
            alike = tried[excess <= best + ALIKE]
            low_s, high_s = _middle(float(alike.min()) - MARGIN_S, float(alike.max()) + MARGIN_S)
        else:
            low_s = float(tried[excess.argmin()]) - MARGIN_S
            high_s = low_s + width * STEP_S + 2 * MARGIN_S
        return max(low_s, bounds_s[0]), min(high_s, bounds_s[1])
    return bounds_s


def _inside(range_s: tuple[float, float], bounds_s: tuple[float, float]) -> tuple[float, float]:
    low_s, high_s = max(range_s[0], bounds_s[0]), min(range_s[1], bounds_s[1])
    return (low_s, high_s) if low_s <= high_s else bounds_s


def _middle(low_s: float, high_s: float) -> tuple[float, float]:
    middle_s, half_s = (low_s + high_s) / 2, min((high_s - low_s) / 2, HALF_S)
    return middle_s - half_s, middle_s + half_s


def _widths(count: int) -> tuple[int, ...]:
    """Those that are narrower than the whole range."""
    return tuple(width for width in WIDTHS if width < count - 1) or WIDTHS[:1]


def _begun(grid_w: float, low_w: Floats, high_w: Floats, cautious_w: float) -> DelayEstimate:
    trials = []
    for width in _widths(len(low_w)):
        least, most = _over(low_w, high_w, width)
        trials.append(DelayTrial(net_w=grid_w - (least + most) / 2, wander_w=np.zeros(len(least))))
    return DelayEstimate(trials=tuple(trials), last_cautious_w=cautious_w, last_power_w=high_w)


def _tried(
    trial: DelayTrial, grid_w: float, low_w: Floats, high_w: Floats, width: int, *, keep: float, counts: bool
) -> DelayTrial:
    least, most = _over(low_w, high_w, width)
    net_w = np.clip(trial.net_w, grid_w - most, grid_w - least)
    wander_w = trial.wander_w if not counts else keep * trial.wander_w + np.abs(net_w - trial.net_w)
    return replace(trial, net_w=net_w, wander_w=wander_w)


def _over(low_w: Floats, high_w: Floats, width: int) -> tuple[Floats, Floats]:
    """Least and most power for each range of `width` steps."""
    count = len(low_w) - width
    least, most = low_w[:count], high_w[:count]
    for step in range(1, width + 1):  # a few passes over short rows: a third of the time of windows
        least, most = np.minimum(least, low_w[step : step + count]), np.maximum(most, high_w[step : step + count])
    return least, most
