"""The tables of states are walked: each row does what it says, and no pair is forgotten."""

import itertools
import json
import math
from dataclasses import replace

import pytest

from gateway.core.control import level_rule
from gateway.core.control.arbiter import (
    SWITCH_MEANING,
    SWITCH_TRANSITIONS,
    Consumer,
    SwitchEvent,
    SwitchState,
    switch_state,
)
from gateway.core.control.curtailment import (
    CURTAILMENT_MEANING,
    CURTAILMENT_TRANSITIONS,
    Curtailment,
    CurtailmentEvent,
    CurtailmentState,
    Flows,
    limited,
)
from gateway.core.control.cycle_input import CycleInput
from gateway.core.control.level_rule import LEVELS, LevelRule
from gateway.core.control.load_memory import (
    AGAIN_S,
    ANSWER_MEANING,
    ANSWERS,
    QUIET_S,
    AnswerEvent,
    AnswerState,
    LoadAnswer,
    LoadMemory,
    SentPower,
    answered,
)
from gateway.core.control.memory import StoredMemory, from_note, to_note
from gateway.core.control.observe import observe
from gateway.core.control.trust.judge import ReadingMemory, judge
from gateway.core.control.trust.meter_watch import MeterWatch
from gateway.core.control.trust.rules import BATTERY_RULES, METER_RULES
from gateway.core.control.trust.sent import Sent
from gateway.core.control.trust.standstill import Standstill
from gateway.core.model.levels import Levels, Storage
from gateway.core.model.site import Inverter
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.core.model.switched import Switched, switch
from gateway.tests.core.plant import SITE

STORAGE = Storage(capacity_wh=10_000.0, charge_max_w=5000.0, discharge_max_w=5000.0)
MIDDLE = Levels(charge_wh=5000.0, reserve_wh=5000.0, fill_wh=5000.0, export_wh=5000.0)

# rule -> (stored energy at which it is entered from the inactive side, and at which it is left; is it active below?)
LEVEL_ROWS = {
    LevelRule.CHARGE: (4800.0, 5000.0, True),
    LevelRule.SELL: (5200.0, 5000.0, False),
    LevelRule.KEEP: (5000.0, 5200.0, True),
    LevelRule.LEAVE: (5000.0, 4800.0, False),
}


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.rule.value)
def test_each_level_is_entered_and_left_where_its_row_says(level) -> None:
    enter_wh, leave_wh, is_below = LEVEL_ROWS[level.rule]
    inside = -1.0 if is_below else 1.0

    def is_active(stored_wh: float, *, before: bool) -> bool:
        active = frozenset({level.rule}) if before else frozenset()
        return level.rule in level_rule.after(stored_wh, MIDDLE, STORAGE, active)

    assert is_active(enter_wh + inside, before=False)
    assert not is_active(enter_wh - inside, before=False)
    assert is_active(leave_wh + inside, before=True)
    assert not is_active(leave_wh - inside, before=True)


def test_levels_at_empty_and_full_are_never_active() -> None:
    plain = Levels(charge_wh=0.0, reserve_wh=0.0, fill_wh=10_000.0, export_wh=10_000.0)
    for stored_wh in (-500.0, 0.0, 5000.0, 10_000.0, 10_500.0):
        assert level_rule.after(stored_wh, plain, STORAGE, frozenset(LevelRule)) == frozenset()


# seconds since the last power, whether the newest read failed, since when the meter's number stands still -> answer
METER_ROWS = [
    (0.0, False, 0.0, Mode.CONTROL, None),
    (3.0, False, 5.0, Mode.CONTROL, None),
    (3.1, False, 0.0, Mode.HOLD, "wait"),
    (1.0, True, 0.0, Mode.HOLD, "wait"),
    (1.0, False, 5.1, Mode.HOLD, "frozen_wait"),
    (1.0, False, 10.1, Mode.RELEASE, "frozen_meter"),
    (8.1, False, 0.0, Mode.RELEASE, "lost_meter"),
    (8.1, True, 10.1, Mode.RELEASE, "lost_meter"),
]
# the same of a battery, with the age of its state of charge
BATTERY_ROWS = [
    (3.0, False, 30.0, Mode.CONTROL, None),
    (3.1, False, 0.0, Mode.HOLD, "wait_battery"),
    (1.0, True, 0.0, Mode.HOLD, "wait_battery"),
    (1.0, False, 30.1, Mode.RELEASE, "lost_soc"),
    (3.1, False, 30.1, Mode.HOLD, "wait_battery"),
    (8.1, True, 30.1, Mode.RELEASE, "lost_battery"),
]
NOW_S = 1000.0


SENT = Sent(
    last={"battery": SetPoint(device="battery", power_w=None, mode=Mode.RELEASE, reason=Reason(code="full"))},
    responses={},
    controlled=(),
    loads=LoadMemory(),
)


def trust_of(devices, readings) -> tuple[Mode, str | None]:
    seen = observe(SiteState(now_s=NOW_S, utc_s=NOW_S, devices=devices), SITE)
    cycle = CycleInput(seen=seen, site=SITE, slot=None, requests={})
    trust = judge(cycle, readings, SENT).batteries["battery"]
    return trust.mode, trust.reason and trust.reason.code


def reading(value: float, age_s: float, *, failed: bool) -> Reading:
    return Reading.absent("timeout", NOW_S) if failed else Reading(value=value, measured_s=NOW_S - age_s)


FRESH_BATTERY = {"p_w": Reading(value=0.0, measured_s=NOW_S), "soc": Reading(value=0.5, measured_s=NOW_S)}


@pytest.mark.parametrize(("age_s", "failed", "still_s", "mode", "code"), METER_ROWS)
def test_what_a_silent_or_frozen_meter_allows(age_s, failed, still_s, mode, code) -> None:
    moved = {"battery": 0.0}
    still = Standstill(grid_w=500.0, since_s=NOW_S - still_s, devices_w=moved, moved=still_s > 0.0)
    readings = ReadingMemory(seen_s={"grid": NOW_S - age_s}, meter=MeterWatch(standstill=still))
    devices = {"grid": {"p_w": reading(500.0, age_s, failed=failed)}, "battery": FRESH_BATTERY}
    assert trust_of(devices, readings) == (mode, code)


@pytest.mark.parametrize(("age_s", "failed", "soc_age_s", "mode", "code"), BATTERY_ROWS)
def test_what_a_silent_battery_allows(age_s, failed, soc_age_s, mode, code) -> None:
    readings = ReadingMemory(seen_s={"battery": NOW_S - age_s})
    battery = {"p_w": reading(0.0, age_s, failed=failed), "soc": Reading(value=0.5, measured_s=NOW_S - soc_age_s)}
    devices = {"grid": {"p_w": Reading(value=500.0, measured_s=NOW_S)}, "battery": battery}
    assert trust_of(devices, readings) == (mode, code)


def test_every_rule_of_meter_and_battery_is_walked() -> None:
    assert {code for *_, code in METER_ROWS} - {None} == {rule.code for rule in METER_RULES}
    assert {code for *_, code in BATTERY_ROWS} - {None} == {rule.code for rule in BATTERY_RULES}


BOILER = Consumer(id="boiler", min_w=2000.0, max_w=2000.0, dwell_on_s=600.0, dwell_off_s=60.0)
SWITCHED = {
    SwitchState.MUST_RUN: Switched(runs=True, since_s=NOW_S - 100.0),
    SwitchState.MAY_STOP: Switched(runs=True, since_s=NOW_S - 600.0),
    SwitchState.MUST_REST: Switched(runs=False, since_s=NOW_S - 10.0),
    SwitchState.MAY_START: Switched(runs=False, since_s=NOW_S - 60.0),
}


NEVER_DECIDED = (SwitchState.MUST_REST, SwitchEvent.STARTED)  # `test_arbiter` shows it
PAIRS = [pair for pair in itertools.product(SwitchState, SwitchEvent) if pair != NEVER_DECIDED]


@pytest.mark.parametrize(("before", "event"), PAIRS)
def test_a_switched_consumer_goes_through_its_states(before, event) -> None:
    switched, now_s = SWITCHED[before], NOW_S
    assert switch_state(BOILER, switched, NOW_S) is before
    if event is SwitchEvent.TIME_OVER:
        now_s = NOW_S + 1000.0
    else:
        switched = switch(switched, NOW_S, runs=event is SwitchEvent.STARTED)
    assert switch_state(BOILER, switched, now_s) is SWITCH_TRANSITIONS.get((before, event), before)


def test_a_clock_that_was_set_back_ends_every_minimum_time() -> None:
    for before in SwitchState:
        after = switch_state(BOILER, replace(SWITCHED[before], since_s=NOW_S + 1e6), NOW_S)
        assert after in (SwitchState.MAY_STOP, SwitchState.MAY_START)


def answer_after(before: LoadAnswer, event: AnswerEvent) -> LoadAnswer:
    """One cycle in which that is seen of a car that was sent 3 kW."""
    drawn_w = 3000.0 if event is AnswerEvent.DRAWS else 0.0
    memory = LoadMemory(sent={"car": SentPower(power_w=3000.0, since_s=0.0, before_w=0.0)}, answers={"car": before})
    away = frozenset({"car"}) if event is AnswerEvent.AWAY else frozenset()
    return answered(memory, {"car": drawn_w}, away, NOW_S).answers.get("car", LoadAnswer())


def moment_s(state: AnswerState, event: AnswerEvent) -> float:
    if state is AnswerState.QUIET:
        return NOW_S - (QUIET_S if event is AnswerEvent.STILL_LITTLE else QUIET_S - 1.0)
    return NOW_S if event is AnswerEvent.PAUSE_OVER else NOW_S + 1.0


@pytest.mark.parametrize(("pair", "expected"), ANSWERS.items(), ids=str)
def test_a_load_that_does_not_take_what_it_is_sent_goes_through_its_states(pair, expected) -> None:
    state, event = pair
    before = LoadAnswer(answer=state, moment_s=moment_s(state, event))
    after = answer_after(before, event)
    assert after.answer is expected
    if expected is state:
        assert after == before or state is AnswerState.TAKES
    else:
        assert (
            after.moment_s
            == {AnswerState.TAKES: -math.inf, AnswerState.QUIET: NOW_S, AnswerState.IDLE: NOW_S + AGAIN_S}[expected]
        )


def test_no_event_of_a_load_is_without_a_row() -> None:
    moments = (-math.inf, NOW_S - 1e4, NOW_S - 1.0, NOW_S, NOW_S + 1.0, NOW_S + 1e4)
    for answer, moment, event in itertools.product(AnswerState, moments, AnswerEvent):
        answer_after(LoadAnswer(answer=answer, moment_s=moment), event)


ROOF = replace(SITE, curtailable=(Inverter(id="pv", rated_w=6000.0),))


@pytest.mark.parametrize(("pair", "expected"), CURTAILMENT_TRANSITIONS.items(), ids=str)
def test_curtailment_goes_through_its_states(pair, expected) -> None:
    state, event = pair
    before = Curtailment(limit_w=None if state is CurtailmentState.FREE else 1000.0)
    export_w = 12_000.0 if event is CurtailmentEvent.ENOUGH else 0.0
    flows = Flows(used_w=500.0, pv_w=-5000.0, battery_max_w=0.0, grid_w=0.0, export_w=export_w)
    assert limited(ROOF, before, flows).memory.state is expected


def test_every_state_and_event_is_explained() -> None:
    assert set(SWITCH_MEANING) == {*SwitchState, *SwitchEvent}
    assert set(ANSWER_MEANING) == {*AnswerState, *AnswerEvent}
    assert set(CURTAILMENT_MEANING) == {*CurtailmentState, *CurtailmentEvent}


NOTE_OF_0_1_0 = """{"latches": {"charging": false, "kept": true, "filled": false, "selling": true},
"resting": ["battery"], "working": ["left", "right"], "consumers": {"car": {"runs": true, "since_s": 1718985600.5}},
"delay_s": [0.45, 0.8]}"""


def test_a_note_of_release_0_1_0_is_read_and_written_again_as_it_was() -> None:
    note = json.loads(NOTE_OF_0_1_0)
    stored = from_note(note)
    assert stored == StoredMemory(
        levels=frozenset({LevelRule.KEEP, LevelRule.SELL}),
        resting=("battery",),
        working=("left", "right"),
        switched={"car": Switched(runs=True, since_s=1718985600.5)},
        delay_s=(0.45, 0.8),
    )
    assert json.loads(json.dumps(to_note(stored))) == note
