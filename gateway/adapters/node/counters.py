"""Counters of energy: what is nonsense between two true readings, and when a meter is another one.

A counter neither goes back nor rises faster than any building draws. What does is absent, and what came before stays
known: a product that answers 0 for a while has counted nothing meanwhile. Only what stays where it is and counts on
from there is a new meter, and what goes on behind the end of its register has begun anew; both are said as an event.
"""

import math
from dataclasses import dataclass, field, replace

from gateway.adapters.products.points import Label, Point
from gateway.core.model.state import Reading

SLACK_WH = 100.0  # coarse counters step by up to 0.1 kWh
MOST_W = 200_000.0  # no building of ours moves more
AWAY_S = 30 * 86400.0  # what was kept over a restart may be so old
PROVES_S = 300.0  # so long a new count must hold, and rise, before it is believed: no nonsense does both
TELEGRAM_DIGITS = 9  # of an index (Enedis-NOI-CPT_54E and ERDF-NOI-CPT_02E)

CHANGED, ROLLED_OVER = "changed", "rolled_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A counter's value (Wh) at a monotonic moment."""

    wh: float
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterEvent:
    """A counter that goes on from another value: `changed` (another meter) or `rolled_over` (its register was full)."""

    device: str
    point: str
    what: str
    before_wh: float
    after_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterState:
    """`known`: the last true value. `stray_*`: the first and the last of values that fit each other, but not that one.

    `late`: the last true value among records that came behind younger ones.
    """

    known: Count
    stray_first: Count | None = None
    stray_last: Count | None = None
    late: Count | None = None


@dataclass(slots=True)
class Counters:
    """Of all devices of a node, by device and point. `events` are new since they were taken."""

    states: dict[tuple[str, str], CounterState] = field(default_factory=dict)
    events: list[CounterEvent] = field(default_factory=list)

    def check(self, device: str, point: Point | Label, reading: Reading) -> Reading:
        """The reading, absent ("implausible") where the counter cannot be there."""
        if reading.value is None:
            return reading
        key, count = (device, point.name), Count(wh=reading.value, at_s=reading.measured_s)
        state = self.states.get(key)
        if state is None:
            self.states[key] = CounterState(known=count)
            return reading
        if count.at_s < state.known.at_s:
            is_true, self.states[key] = _late(state, count)
        else:
            is_true, self.states[key], what = _next(state, count, span_wh(point))
            if what is not None:
                before_wh = state.known.wh
                event = CounterEvent(device=device, point=point.name, what=what, before_wh=before_wh, after_wh=count.wh)
                self.events.append(event)
        return reading if is_true else Reading.absent("implausible", reading.measured_s)

    def known(self) -> dict[str, dict[str, float]]:
        """The last true value (Wh) of each counter, by device and point: to be kept over a restart."""
        found: dict[str, dict[str, float]] = {}
        for (device, point), state in self.states.items():
            found.setdefault(device, {})[point] = state.known.wh
        return found

    def restore(self, known: object, now_s: float) -> None:
        """Go on from values that were kept, however long ago; what is not understood is forgotten."""
        for device, points in known.items() if isinstance(known, dict) else ():
            for point, wh in points.items() if isinstance(points, dict) else ():
                if isinstance(wh, (int, float)) and math.isfinite(wh):
                    self.states[str(device), str(point)] = CounterState(known=Count(wh=wh, at_s=now_s - AWAY_S))

    def take_events(self) -> list[CounterEvent]:
        """What has happened since the last call."""
        taken, self.events = self.events, []
        return taken


def span_wh(point: Point | Label) -> float | None:
    """What the register or the telegram can count up to before it begins at 0 again; None where that is not known."""
    if isinstance(point, Label):
        return 10.0**TELEGRAM_DIGITS * point.scale
    if point.type in ("float32", "bit") or point.sf_address is not None:
        return None
    bits = 16 * point.count - point.type.startswith("int")
    return 2.0**bits * point.scale


def _next(state: CounterState, count: Count, span: float | None) -> tuple[bool, CounterState, str | None]:
    """Whether a younger value is true, the state after it, and what has happened to the counter, if anything has."""
    known = state.known
    if _fits(known, count):
        return True, CounterState(known=count, late=state.late), None
    if span is not None and count.wh < known.wh and _fits(replace(known, wh=known.wh - span), count):
        return True, CounterState(known=count), ROLLED_OVER
    last = state.stray_last
    begins = last is None or state.stray_first is None or not _fits(last, count)
    first = count if begins or state.stray_first is None else state.stray_first
    counts_on = count.wh > first.wh and count.at_s - first.at_s >= PROVES_S
    if counts_on or (known.wh == 0.0 and begins):  # 0 is where a counter begins: nothing was known before
        return True, CounterState(known=count), CHANGED
    return False, replace(state, stray_first=first, stray_last=count), None


def _late(state: CounterState, count: Count) -> tuple[bool, CounterState]:
    """Whether a value that comes behind younger ones is true: between the one before it and the youngest."""
    follows = state.late is None or count.at_s < state.late.at_s or _fits(state.late, count)
    is_true = follows and _fits(count, state.known) and (count.wh > 0.0 or state.known.wh <= SLACK_WH)
    return is_true, replace(state, late=count) if is_true else state


def _fits(earlier: Count, later: Count) -> bool:
    """Whether a counter can have moved from the one to the other."""
    most_wh = SLACK_WH + MOST_W * (later.at_s - earlier.at_s) / 3600.0
    return 0.0 <= later.wh - earlier.wh <= most_wh
