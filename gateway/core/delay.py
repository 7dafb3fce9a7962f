"""How late the meter is, learned from our own set-points.

With the right delay the net load does not move when only the battery does; with a wrong one each move of the battery
shows up twice in it, once for each direction. So every delay that the site file allows is tried on every sample: how
far does the net load wander while the battery travels? A delay is believed when it wanders hardly more than the
estimate that trusts no delay at all; those that do the same are the range. What is learned fades as the battery
travels on, so a meter that changes its ways is found out within a few moves, and the full range holds again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.levels import Floats
from gateway.core.motion import Sample

STEP_S = 0.25  # between two delays that are tried
PROOF_W = 5_000.0  # the battery must have travelled so far before anything is believed
FADE_W = 12_000.0  # travel after which a third of an experience is left
ALIKE = 0.25  # more wandering, per travel, than the best one: another delay
HONEST = 0.4  # the best one may wander so much more, per travel, than the estimate that needs no delay
MARGIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """What has been seen: wandering of the net load (W) for each delay tried and for the cautious estimate."""

    wander_w: Floats
    cautious_w: float = 0.0
    travel_w: float = 0.0
    last_net_w: Floats | None = None
    last_cautious_w: float = 0.0
    last_power_w: Floats | None = None


def tried_s(bounds_s: tuple[float, float]) -> Floats:
    """The delays that are tried within the configured bounds."""
    count = math.floor((bounds_s[1] - bounds_s[0]) / STEP_S + 1e-9) + 1
    return np.asarray(bounds_s[0] + STEP_S * np.arange(count))


def fresh(bounds_s: tuple[float, float]) -> Belief:
    """Nothing seen yet."""
    return Belief(wander_w=np.zeros(len(tried_s(bounds_s))))


def watch(
    belief: Belief,
    grid_w: float,
    at_s: float,
    paths: Sequence[Sequence[Sample]],
    *,
    bounds_s: tuple[float, float],
    cautious_w: float,
) -> Belief:
    """Take one sample of the meter in; `cautious_w` is the estimate that any delay within the bounds may explain."""
    moments = at_s - tried_s(bounds_s)
    power_w = np.zeros(len(moments))
    for path in paths:
        power_w += np.interp(moments, [c.at_s for c in path], [c.power_w for c in path])
    net_w = grid_w - power_w
    after = replace(belief, last_net_w=net_w, last_cautious_w=cautious_w, last_power_w=power_w)
    if belief.last_net_w is None or belief.last_power_w is None or len(belief.last_net_w) != len(net_w):
        return replace(after, wander_w=np.zeros(len(net_w)), cautious_w=0.0, travel_w=0.0)
    moved_w = np.abs(power_w - belief.last_power_w)
    if float(moved_w.max()) < STEP_S:  # the battery stands still for every delay: nothing to be learned
        return after
    travel_w = float(moved_w.mean())
    keep = math.exp(-travel_w / FADE_W)
    return replace(
        after,
        wander_w=keep * belief.wander_w + np.abs(net_w - belief.last_net_w),
        cautious_w=keep * belief.cautious_w + abs(cautious_w - belief.last_cautious_w),
        travel_w=keep * belief.travel_w + travel_w,
    )


def believed_s(belief: Belief, bounds_s: tuple[float, float]) -> tuple[float, float]:
    """The range of delays that is proven; the configured one while nothing is."""
    if belief.travel_w < PROOF_W:
        return bounds_s
    excess = (belief.wander_w - belief.cautious_w) / belief.travel_w
    if float(excess.min()) > HONEST:
        return bounds_s
    alike = tried_s(bounds_s)[excess <= excess.min() + ALIKE]
    low = max(float(alike.min()) - MARGIN_S, bounds_s[0])
    return low, min(float(alike.max()) + MARGIN_S, bounds_s[1])
