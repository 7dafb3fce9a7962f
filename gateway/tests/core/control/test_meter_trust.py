"""A meter that tells the truth is believed whatever the house does; one that does not is found out by its answers."""

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.core.control.dispatch import decide
from gateway.core.control.memory import Memory, StoredMemory
from gateway.core.control.observe import observe
from gateway.core.control.trust import meter_proof
from gateway.core.control.trust.balance import GIVES_W, implied_loads
from gateway.core.control.trust.judge import ReadingMemory
from gateway.core.control.trust.meter_proof import METER_MEANING, METER_TRANSITIONS, MeterEvent, MeterProof, MeterState
from gateway.core.control.trust.meter_watch import MeterWatch
from gateway.core.control.trust.own_steps import OwnSteps
from gateway.core.control.trust.ratings import within_ratings
from gateway.core.model.site import Inverter, Site
from gateway.core.model.state import Mode, Reading, Reason, SetPoint, SiteState
from gateway.tests.core import building
from gateway.tests.core.plant import BATTERY, SITE, Plant

KETTLE = 2_000.0


def kettle(t: float) -> float:
    """400 W, and 2 kW more for 20 of each 60 s."""
    return 400.0 + (KETTLE if t % 60.0 < 20.0 else 0.0)


def codes(plant: Plant, since_s: float = 0.0) -> set[str]:
    return {setpoint.reason.code for at_s, setpoint in plant.setpoints if at_s >= since_s}


def first(plant: Plant, code: str) -> float:
    return next(at_s for at_s, setpoint in plant.setpoints if setpoint.reason.code == code)


WRONG = {
    "reversed": (lambda w: -w, {"meter_reversed", "meter_impossible"}),
    "a phase is missing": (lambda w: w / 3, {"meter_gain"}),
    "of another building": (lambda w: 700.0 + 3.0 * math.sin(w), {"meter_mute"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_meter_is_found_out_within_minutes_and_the_battery_runs_by_itself(name: str) -> None:
    shown, expected = WRONG[name]
    plant = Plant(load_w=kettle, shown=shown)
    plant.run(600)
    found = codes(plant) & expected
    assert found
    assert min(first(plant, code) for code in found) < (60 if name == "reversed" else 450)
    assert plant.setpoints[-1][1].mode in (Mode.RELEASE, Mode.CONTROL)
    released = [setpoint for _, setpoint in plant.setpoints if setpoint.mode is Mode.RELEASE]
    assert released
    assert all(setpoint.power_w is None for setpoint in released)


@pytest.mark.parametrize("gain", [1.0, 0.95, 1.05])
@pytest.mark.parametrize("delay_s", [0.0, 2.5])
def test_a_true_meter_is_never_doubted_for_long(gain: float, delay_s: float) -> None:
    """Two hours of kettles at random moments; inexact current transformers are no lie."""
    draw = random.Random(5)
    edges = sorted(draw.uniform(0, 7200) for _ in range(160))

    def load_w(t: float) -> float:
        return 300.0 + (KETTLE if sum(edge <= t for edge in edges) % 2 else 0.0)

    plant = Plant(load_w=load_w, shown=lambda w: gain * w, meter_delay_s=lambda: delay_s, noise_w=15)
    plant.run(1800)
    assert {setpoint.mode for _, setpoint in plant.setpoints[2:]} == {Mode.CONTROL}
    asked = sum(setpoint.reason.code == "meter_asked" for _, setpoint in plant.setpoints)
    assert asked < 0.02 * len(plant.setpoints)


def test_it_is_believed_again_when_it_is_right_again_and_asked_ever_more_rarely_before() -> None:
    sign = [-1.0]
    plant = Plant(load_w=kettle, shown=lambda w: sign[0] * w)
    plant.run(400)
    begun = [
        at_s
        for (at_s, one), (_, before) in zip(plant.setpoints[1:], plant.setpoints, strict=False)
        if one.reason.code == "meter_asked" and before.reason.code != "meter_asked"
    ]
    pauses = [after - before for before, after in pairwise(begun)]
    assert pauses == sorted(pauses)
    sign[0] = 1.0
    plant.run(900)
    assert plant.setpoints[-1][1].mode is Mode.CONTROL
    assert codes(plant, since_s=1200.0) & {"meter_asked", "meter_reversed", "meter_impossible"} == set()


@pytest.mark.parametrize(("sign", "mode"), [(1.0, Mode.CONTROL), (-1.0, Mode.RELEASE)])
def test_in_a_calm_night_a_new_program_asks_the_meter_once_by_a_small_step(sign: float, mode: Mode) -> None:
    """At 0 W both signs look alike; a right meter is asked once in the life of a site."""
    plant = Plant(load_w=lambda _: 0.0, shown=lambda w: sign * w, memory=Memory.restored(StoredMemory()))
    plant.run(70)
    asked = [abs(one.power_w or 0.0) for _, one in plant.setpoints if one.reason.code == "meter_asked"]
    assert 0.0 < max(asked) <= 200.0
    assert plant.setpoints[-1][1].mode is mode
    assert plant.memory.stored.meter_answered is (sign > 0.0)
    plant.memory = Memory.restored(plant.memory.stored)
    plant.run(70)
    again = [one for at_s, one in plant.setpoints if at_s > 75.0 and one.reason.code == "meter_asked"]
    assert (again == []) is (sign > 0.0)


def test_asking_for_no_doubt_ends_as_soon_as_anything_else_moves() -> None:
    plant = Plant(load_w=lambda t: 2_000.0 if t > 47.0 else 0.0, memory=Memory.restored(StoredMemory()))
    plant.run(60)
    assert "meter_asked" in codes(plant)
    assert max(abs(w) for w in plant.between(52.0, 60.0)) < 50.0


def test_a_meter_that_holds_its_number_is_no_frozen_one_once_its_hold_is_known() -> None:
    plant = Plant(load_w=kettle)
    held = [0.0, 0.0]

    def shown(w: float) -> float:
        if plant.t - held[0] >= 20.0:
            held[0], held[1] = plant.t, w
        return held[1]

    plant.shown = shown
    plant.run(600)
    modes = [setpoint.mode for at_s, setpoint in plant.setpoints if at_s > 300.0]
    assert modes.count(Mode.RELEASE) == 0
    assert plant.memory.readings.meter.delay_s(SITE)[1] >= 20.0


def state_of(values: dict[str, dict[str, float]], now_s: float) -> SiteState:
    devices = {
        device: {name: Reading(value=number, measured_s=now_s) for name, number in points.items()}
        for device, points in values.items()
    }
    return SiteState(now_s=now_s, utc_s=now_s, devices=devices)


READ = {
    "grid of -52 kW": ("grid", "p_w", -52_000.0),
    "phase of 60 kW": ("grid", "p_l2_w", 60_000.0),
    "battery of 52 kW": ("battery", "p_w", 52_000.0),
    "battery of -65,536 W": ("battery", "p_w", -65_536.0),
    "charge of 655.35": ("battery", "soc", 655.35),
    "PV of -1.6 MW": ("pv", "p_w", -1_600_000.0),
    "PV that draws 4 kW": ("pv", "p_w", 4_000.0),
}


@pytest.mark.parametrize("name", READ)
def test_a_number_beyond_all_ratings_is_no_value(name: str) -> None:
    device, point, value = READ[name]
    site = replace(SITE, peak_w={"pv": 5_000.0})
    usual = {"grid": {"p_w": 400.0, "p_l2_w": 100.0}, "pv": {"p_w": -300.0}, "battery": {"p_w": -50.0, "soc": 0.5}}
    usual[device][point] = value
    state = within_ratings(state_of(usual, 7.0), site)
    assert state.reading(device, point) == Reading.absent("implausible", 7.0)
    assert sum(one.value is None for points in state.devices.values() for one in points.values()) == 1


def test_what_is_possible_is_left_alone_and_so_is_what_the_site_does_not_name() -> None:
    devices = {"grid": {"p_w": Reading(value=11_900.0, measured_s=1.0), "f_hz": Reading(value=1e9, measured_s=1.0)}}
    state = SiteState(now_s=1.0, utc_s=1.0, devices=devices)
    assert within_ratings(state, SITE) is state


SUNNY = replace(SITE, peak_w={"pv": 5_000.0})


def decided(values: dict[str, dict[str, float]], site: Site = SUNNY, seconds: int = 6) -> list[tuple[SetPoint, ...]]:
    """The set-points of some seconds in which all readings are renewed and stay the same."""
    found, memory = [], Memory()
    for second in range(1, seconds + 1):
        setpoints, memory = decide(state_of(values, float(second)), site, None, memory)
        found.append(setpoints)
    return found


def test_a_building_that_gives_power_is_impossible_and_a_balcony_is_not() -> None:
    for given_w, is_possible in ((GIVES_W - 200.0, True), (GIVES_W + 400.0, False)):
        values = {"grid": {"p_w": -given_w}, "pv": {"p_w": 0.0}, "battery": {"p_w": 0.0, "soc": 1.0}}
        modes = [setpoint.mode for (setpoint,) in decided(values)]
        assert (Mode.CONTROL in modes[2:]) is is_possible


def test_it_is_held_for_one_cycle_and_then_given_back() -> None:
    plant = Plant(load_w=lambda _: 500.0)
    plant.run(10)
    plant.shown = lambda w: w - 8_000.0
    plant.run(3)
    late = [setpoint for _, setpoint in plant.setpoints[-3:]]
    assert [one.reason.code for one in late][:2] == ["meter_questioned", "meter_impossible"]
    assert (late[0].mode, late[1].mode, late[1].power_w) == (Mode.HOLD, Mode.RELEASE, None)


def test_one_phase_that_cannot_be_is_named() -> None:
    phases = {"p_l1_w": 2_700.0, "p_l2_w": -2_500.0, "p_l3_w": 200.0}
    values = {"grid": {"p_w": 400.0, **phases}, "pv": {"p_w": 0.0}, "battery": {"p_w": 0.0, "soc": 0.05}}
    site = replace(SUNNY, batteries=(replace(BATTERY, phase=1),))
    last = decided(values, site)[3][0]
    assert (last.reason.code, last.reason.numbers["phase"]) == ("phase_impossible", "L2")


def test_while_it_is_asked_loads_are_held() -> None:
    asked = MeterWatch(proof=MeterProof(state=MeterState.ASKED, steps=OwnSteps()))
    values = {"grid": {"p_w": 400.0}, "battery": {"p_w": -50.0, "soc": 0.5}, "pool-meter": {"p_w": 0.0}}
    site = building.site(building.POOL, battery=True)
    setpoints, _ = decide(state_of(values, 1.0), site, None, Memory(readings=ReadingMemory(meter=asked)))
    assert [setpoint.reason.code for setpoint in setpoints] == ["meter_asked", "meter_asked_first"]


def test_a_meter_that_is_not_believed_is_not_believed_because_somebody_else_is_silent() -> None:
    """Its answers could not be compared with what the sun does; asked is when that is known again."""
    reversed_ = MeterProof(state=MeterState.DISBELIEVED, why=Reason(code="meter_reversed"), ask_s=0.0)
    memory = Memory(readings=ReadingMemory(meter=MeterWatch(proof=reversed_)))
    values = {"grid": {"p_w": 400.0}, "battery": {"p_w": -50.0, "soc": 0.5}}
    for second in range(1, 400):
        (setpoint,), memory = decide(state_of(values, float(second)), SUNNY, None, memory)
    assert setpoint.mode is not Mode.CONTROL
    assert memory.readings.meter.proof.state is MeterState.DISBELIEVED
    for second in range(400, 403):
        state = state_of(values | {"pv": {"p_w": 0.0}}, float(second))
        (setpoint,), memory = decide(state, SUNNY, None, memory)
    assert memory.readings.meter.proof.state is MeterState.ASKED


INVERTERS = (Inverter(id="pv", rated_w=5_000.0), Inverter(id="barn", rated_w=5_000.0))


def test_without_a_meter_that_is_believed_pv_is_held_at_what_may_be_exported() -> None:
    site = replace(SUNNY, curtailable=INVERTERS[:1], export_limit_w=1_500.0)
    values = {"grid": {"p_w": -4_000.0}, "pv": {"p_w": -500.0}, "battery": {"p_w": 0.0, "soc": 0.5}}
    pv = decided(values, site)[3][1]
    assert pv.reason.code == "pv_blind"
    assert pv.power_w == pytest.approx(-1_480.0)


def test_what_a_battery_gives_by_itself_is_a_part_of_what_may_be_exported_then() -> None:
    site = replace(SUNNY, curtailable=INVERTERS[:1], export_limit_w=1_500.0)
    values = {"grid": {"p_w": -4_000.0}, "pv": {"p_w": -500.0}, "battery": {"p_w": -600.0, "soc": 0.5}}
    assert decided(values, site)[3][1].power_w == pytest.approx(-880.0)


def test_an_inverter_that_ignores_its_limit_is_named_and_the_other_one_makes_up_for_it() -> None:
    site = replace(SUNNY, pv=("pv", "barn"), curtailable=INVERTERS, batteries=(), export_limit_w=3_000.0)
    values = {"grid": {"p_w": -5_600.0}, "pv": {"p_w": -3_000.0}, "barn": {"p_w": -3_000.0}}
    pv, barn = decided(values | {"barn": {"p_w": -200.0}, "grid": {"p_w": -2_800.0}}, site, seconds=40)[-1]
    assert pv.reason.code == "pv_not_followed"
    assert barn.power_w == pytest.approx(-380.0, abs=1.0)  # 3.4 kW less 3 kW, and a margin


def test_without_a_sample_of_the_meter_nothing_is_said_about_the_building() -> None:
    seen = observe(SiteState(now_s=1.0, utc_s=1.0, devices={}), SITE)
    assert implied_loads(seen, SITE, {}, {}) == ()


def test_every_event_in_every_state_leads_where_the_table_says() -> None:
    for state in MeterState:
        for event in MeterEvent:
            proof = MeterProof(state=state, ask_s=100.0 if event is not MeterEvent.PAUSE_OVER else 0.0)
            after = meter_proof.judged(proof, FACTS[event])
            expected = METER_TRANSITIONS.get((state, event), state)
            if event is MeterEvent.PAUSE_OVER and state is not MeterState.DISBELIEVED:
                expected = METER_TRANSITIONS.get((state, MeterEvent.POSSIBLE), state)
            assert after.state is expected, (state, event)
    assert set(METER_MEANING) == {*MeterState, *MeterEvent}


FACTS = {
    MeterEvent.IMPOSSIBLE: meter_proof.MeterFacts(now_s=50.0, impossible=meter_proof.Reason(code="meter_impossible")),
    MeterEvent.DISPROVEN: meter_proof.MeterFacts(
        now_s=50.0, verdict=meter_proof.MeterVerdict(reason=meter_proof.Reason(code="meter_mute"))
    ),
    MeterEvent.PROVEN: meter_proof.MeterFacts(now_s=50.0, verdict=meter_proof.MeterVerdict(reason=None)),
    MeterEvent.CONTRADICTS: meter_proof.MeterFacts(now_s=50.0, contradicts=True),
    MeterEvent.SILENT: meter_proof.MeterFacts(now_s=50.0, is_silent=True),
    MeterEvent.PAUSE_OVER: meter_proof.MeterFacts(now_s=50.0),
    MeterEvent.POSSIBLE: meter_proof.MeterFacts(now_s=50.0),
}
