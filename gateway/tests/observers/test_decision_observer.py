"""Decisions and events as cycles bring them: what changes is told, what stays is not, and flutter is bounded."""

from dataclasses import replace

import pytest

from gateway.adapters.archive.records import LONGEST_S, Decision, HistoryEvent
from gateway.adapters.store.gaps import Gap
from gateway.core.model.site import Site
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.observers.decision_observer import AT_ONCE, EACH_S, DecisionObserver
from gateway.observers.event_observer import EventObserver
from gateway.ports import Cycle

T = 1_784_066_400.0


class Kept:
    """What was given: the newest of each begin."""

    def __init__(self) -> None:
        self.decisions: dict[tuple[str, float], Decision] = {}
        self.events: dict[tuple[str, str, float], HistoryEvent] = {}
        self.alive_s = 0.0

    def save_decisions(self, decisions) -> None:
        self.decisions |= {(one.device, one.since_s): one for one in decisions}

    def save_events(self, events) -> None:
        self.events |= {(one.kind, one.device, one.since_s): one for one in events}

    def is_alive(self, utc_s: float) -> None:
        self.alive_s = utc_s


def cycle(
    now_s: float, *codes: str, mode: Mode = Mode.CONTROL, is_dated: bool = True, seen_s: float | None = None, **more
):
    setpoints = tuple(
        SetPoint(device=f"b{i}", power_w=100.0, mode=mode, reason=Reason(code=code, numbers={"net_w": now_s}))
        for i, code in enumerate(codes)
    )
    readings = {} if seen_s is None else {"grid": {"p_w": Reading(value=1.0, measured_s=seen_s)}}
    state = SiteState(now_s=now_s, utc_s=T + now_s, devices=readings, is_dated=is_dated)
    return Cycle(number=1, state=state, setpoints=setpoints, load_w=None, late_ms=0.0, **more)


def test_a_decision_lasts_until_its_mode_or_reason_changes() -> None:
    kept, rows = Kept(), [
        (cycle(0, "a"), [("a", 0, None)]),
        (cycle(1, "a"), [("a", 0, None)]),
        (cycle(2, "b"), [("a", 0, 2), ("b", 2, None)]),
        (cycle(3, "b", mode=Mode.HOLD), [("a", 0, 2), ("b", 2, 3), ("b", 3, None)]),
        (cycle(9, "b", mode=Mode.HOLD), [("a", 0, 2), ("b", 2, 3), ("b", 3, None)]),
    ]  # fmt: skip
    observer = DecisionObserver(kept)
    for shown, expected in rows:
        observer.show(shown)
        found = [(one.code, one.since_s - T, one.until_s and one.until_s - T) for one in kept.decisions.values()]
        assert found == expected
    assert kept.decisions["b0", T + 2].numbers == {"net_w": 2}  # those of its begin
    assert kept.alive_s == T + 9


def test_each_device_has_decisions_of_its_own() -> None:
    kept = Kept()
    observer = DecisionObserver(kept)
    observer.show(cycle(0, "a", "x"))
    observer.show(cycle(1, "a", "y"))
    assert [(one.device, one.code) for one in kept.decisions.values()] == [("b0", "a"), ("b1", "x"), ("b1", "y")]


def test_what_was_decided_before_the_clock_was_set_is_dated_later() -> None:
    kept = Kept()
    observer = DecisionObserver(kept)
    for now_s, code in ((0, "a"), (1, "b")):
        observer.show(cycle(now_s, code, is_dated=False))
    assert kept.decisions == {}
    shown = cycle(2, "b")
    observer.show(replace(shown, state=replace(shown.state, utc_s=T + 1002)))
    assert [(one.code, one.since_s - T) for one in kept.decisions.values()] == [("a", 1000), ("b", 1001)]


def test_flutter_is_bounded_and_what_is_not_kept_one_by_one_is_counted() -> None:
    kept, changes = Kept(), 20_000
    observer = DecisionObserver(kept)
    for i in range(changes):
        observer.show(cycle(i, "ab"[i % 2]))
    assert AT_ONCE <= len(kept.decisions) <= AT_ONCE + changes / EACH_S + 1
    assert len(kept.decisions) + sum(one.more for one in kept.decisions.values()) == changes
    ends = [one.until_s for one in kept.decisions.values()]
    begins = [one.since_s for one in kept.decisions.values()]
    assert ends[:-1] == begins[1:]  # none overlaps, no time is without one


def test_one_that_never_changes_begins_anew_each_month() -> None:
    kept = Kept()
    observer = DecisionObserver(kept)
    for now_s in (0.0, LONGEST_S - 1, LONGEST_S, LONGEST_S + 5):
        observer.show(cycle(now_s, "a"))
    assert [one.since_s - T for one in kept.decisions.values()] == [0, LONGEST_S]


class Outbox:
    """How many lines were dropped, and the gaps, as the test says."""

    def __init__(self) -> None:
        self.dropped = 0
        self.gaps: tuple[Gap, ...] = ()

    async def known_gaps(self) -> tuple[Gap, ...]:
        return self.gaps


SITE = Site(grid="grid", pv=(), batteries=(), grid_setpoint_w=0.0, import_limit_w=9e3, export_limit_w=9e3)


@pytest.mark.parametrize(
    ("last_seen", "events"),
    [
        (lambda now: now, []),
        (lambda now: now if now < 100 or now > 150 else 100.0, []),  # 50 s are no event
        (lambda now: now if now < 100 or now > 400 else 100.0, [(161, 400)]),
        (lambda now: min(now, 100.0), [(161, None)]),
    ],
)
def test_a_device_that_is_silent_for_a_minute_is_an_event_until_it_speaks(last_seen, events) -> None:
    kept = Kept()
    observer = EventObserver(SITE, kept, outbox=Outbox())
    for now in range(600):
        observer.show(cycle(float(now), seen_s=last_seen(float(now))))
    found = [(one.since_s - T, one.until_s and one.until_s - T) for one in kept.events.values()]
    assert found == events
    assert {(one.kind, one.device) for one in kept.events.values()} <= {("device_silent", "grid")}


def test_a_battery_that_goes_astray_now_and_then_within_a_minute_is_one_event() -> None:
    kept = Kept()
    observer = EventObserver(SITE, kept, outbox=Outbox())
    for now in range(300):
        astray = frozenset({"b0"}) if 50 <= now < 200 and now % 20 < 5 else frozenset()
        observer.show(cycle(float(now), seen_s=float(now), astray=astray))
    assert [(one.kind, one.since_s - T, (one.until_s or 0) - T) for one in kept.events.values()] == [
        ("device_astray", 60, 184)
    ]
