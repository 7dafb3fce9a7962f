"""What a load does with what it is sent, and so what it can take now.

A car that is nearly full, or has one phase where the charger has three, takes a part of what it is sent: the rest is
given to others. One that draws clearly more than it was sent does not follow:
somebody else commands it, or it does not listen. That is told, and it is given back for a while that doubles, but not
while the building draws more than it may: then it is asked to draw less all the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.limited_flows import LimitedFlow
from gateway.core.control.load_facts import LoadView
from gateway.core.control.load_memory import QUIET_SHARE, SETTLE_S, LoadMemory
from gateway.core.control.observe import Observation
from gateway.core.control.trust.following import FORGET_S, PAUSE_MOST_S, PAUSE_S, REGAINED, Direction, near_w, shown
from gateway.core.model.site import LoadDevice, Site
from gateway.core.model.state import Reason

ASTRAY_S = 12.0  # so many seconds astray, less a part of those in which it was not: it does not follow
NEAR = (150.0, 0.12)  # W and share of a power, within which it is the same: 207 to 253 V for 230 V (EN 50160)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFollowing:
    """How one load follows what it is sent. Moments are monotonic."""

    takes: Direction = field(default_factory=Direction)  # of what it is sent
    reported_s: float = -math.inf  # of the newest report that was compared
    astray_s: float = 0.0  # seconds for which it drew more than it was sent, less those for which it did not
    away_s: float = -math.inf  # until then it is given back
    pause_s: float = PAUSE_S  # for so long the next time
    why: Reason | None = None  # of its being given back; None while it follows

    def is_away(self, now_s: float) -> bool:
        """Whether it is given back because it does not follow."""
        return now_s < self.away_s


def is_deaf(power_w: float, beyond_w: float) -> bool:
    """Whether a load that draws `power_w`, of which `beyond_w` is more than it was sent (W), does not follow."""
    return beyond_w > near_w(NEAR, power_w)


def followed(
    before: Mapping[str, LoadFollowing], seen: Observation, site: Site, memory: LoadMemory
) -> dict[str, LoadFollowing]:
    """After the reports of this cycle, by load id, of those that take set-points."""
    found = {}
    for load in site.loads:
        one, view = before.get(load.id, LoadFollowing()), seen.loads.get(load.id)
        if not load.takes_orders or view is None:
            continue
        is_new = view.power.value is not None and view.power.measured_s > one.reported_s
        if load.id in memory.sent and is_new:
            one = _compared(one, load, view, memory, seen.now_s)
        found[load.id] = _retried(one, view, seen.now_s)
    return found


def is_beyond(load: LoadDevice, flows: tuple[LimitedFlow, ...]) -> bool:
    """Whether more is drawn than may be at a place where the load counts."""
    return any(
        flow.drawn.get(load.device, 0.0) > 0.0 and (flow.measured_w or 0.0) > flow.import_max_w for flow in flows
    )


def _compared(
    before: LoadFollowing, load: LoadDevice, view: LoadView, memory: LoadMemory, now_s: float
) -> LoadFollowing:
    """After one report. What holds heat has a thermostat of its own, which is not held against it."""
    power_w, at_s = view.drawn_w, view.power.measured_s
    passed_s = min(max(at_s - before.reported_s, 0.0), 2.0)
    one = replace(before, reported_s=at_s)
    is_astray = load.load.comfort is None and is_deaf(power_w, power_w - memory.ordered_w(load.id))
    if is_astray and one.astray_s + passed_s >= ASTRAY_S:
        numbers = {"ordered_w": memory.ordered_w(load.id), "power_w": power_w}
        pause_s = min(2.0 * one.pause_s, PAUSE_MOST_S)
        why = Reason(code="load_not_followed", numbers=numbers)
        return replace(one, astray_s=0.0, away_s=now_s + one.pause_s, pause_s=pause_s, why=why)
    one = replace(one, astray_s=one.astray_s + passed_s if is_astray else max(one.astray_s - REGAINED * passed_s, 0.0))
    sent = memory.sent[load.id]
    is_steady = at_s - sent.since_s >= SETTLE_S + load.pause_s
    is_shown = is_steady and power_w >= QUIET_SHARE * sent.power_w > 0.0  # who draws nothing is offered nothing anyhow
    if not is_shown:
        return one
    most_w, sent_w = max(band.high_w for band in load.load.bands), (sent.power_w, sent.power_w)
    return replace(one, takes=shown(one.takes, power_w, sent_w, rated_w=most_w, near=NEAR, at_s=at_s))


def _retried(one: LoadFollowing, view: LoadView, now_s: float) -> LoadFollowing:
    """A car that leaves takes along what was learned of it; of others it says little after a quarter of an hour."""
    if not view.is_present or now_s - one.takes.less_s > FORGET_S:
        one = replace(one, takes=Direction())
    if now_s > one.away_s + PAUSE_MOST_S:
        one = replace(one, pause_s=PAUSE_S)
    return one if one.why is None or one.is_away(now_s) else replace(one, why=None)
