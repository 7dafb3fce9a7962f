"""Reasons only explain: with every code renamed wherever it comes in, decisions and memory stay the same."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.control.dispatch import Memory, decide
from gateway.core.control.memory import from_note, to_note
from gateway.core.model.plan import LoadPurpose
from gateway.core.model.state import Mode, Purpose, Reason
from gateway.tests.core.control.scenes import Scene


@cache
def may_hold_reasons(kind) -> bool:
    """Whether a value of this type can have a reason in it, by the types of its fields."""
    kinds = get_type_hints(kind).values() if is_dataclass(kind) else get_args(kind)
    return kind is Reason or any(may_hold_reasons(each) for each in kinds)


def with_reasons(value, change):
    """The same value, whatever is nested in it, with `change` applied to each of its reasons."""
    if isinstance(value, Reason):
        return change(value)
    if is_dataclass(value) and may_hold_reasons(type(value)):
        return replace(value, **{f.name: with_reasons(getattr(value, f.name), change) for f in fields(value)})
    if isinstance(value, Mapping):
        return {key: with_reasons(each, change) for key, each in value.items()}
    return tuple(with_reasons(each, change) for each in value) if isinstance(value, tuple) else value


def renamed(value):
    return with_reasons(value, lambda reason: Reason(code=f"other_{reason.code[::-1]}", numbers=reason.numbers))


def without_words(value):
    return with_reasons(value, lambda _reason: Reason(code=""))


def restarted(memory: Memory) -> Memory:
    return Memory.restored(from_note(json.loads(json.dumps(to_note(memory.stored)))))


def lived(seed: int):
    """Each second's set-points and memory as they are, and with all words renamed on their way in."""
    scene, plain, other, setpoints = Scene(seed).run(), Memory(), Memory(), None
    while True:
        try:
            second = scene.send(setpoints)
        except StopIteration:
            return
        if second.is_restart:
            plain, other = restarted(plain), restarted(other)
        setpoints, plain = decide(second.state, second.site, second.slot, plain, second.requests)
        found, other = decide(second.state, second.site, renamed(second.slot), renamed(other), renamed(second.requests))
        yield second, (setpoints, plain), (found, other)


def assert_same(seed: int) -> None:
    """Set-points of each second, and at the end the whole memory: arrays of what was learned by their numbers."""
    plain, other = (), ()
    for _, plain, other in lived(seed):
        assert without_words(plain[0]) == without_words(other[0])
        assert plain[1].stored == other[1].stored
    assert repr(without_words(plain)) == repr(without_words(other))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(1000, 10**6))
def test_no_decision_and_no_memory_depends_on_the_code_of_a_reason(seed: int) -> None:
    assert_same(seed)


@pytest.mark.parametrize("seed", range(16))
def test_nor_does_it_in_these_scenes(seed: int) -> None:
    assert_same(seed)


def test_the_scenes_hold_what_control_once_could_have_read_from_a_word() -> None:
    """A trade with the grid that is not held on, and water heated above its usual temperature."""
    ended, heated = set(), False
    for seed in range(16):
        before: Memory = Memory()
        for second, (setpoints, memory), _ in lived(seed):
            for setpoint in setpoints:
                last = before.batteries.last.get(setpoint.device)
                if last is not None and last.power_w and setpoint.mode is Mode.HOLD and setpoint.power_w == 0.0:
                    ended.add(last.purpose)
            request = second.requests.get("tank")
            temp_c = second.state.value("tank-meter", "temp_c", max_age_s=120.0)
            power_w = next((s.power_w for s in setpoints if s.device == "tank-meter"), None)
            is_hot = temp_c is not None and temp_c >= 60.0
            heated |= bool(power_w) and is_hot and request is not None and request.purpose is LoadPurpose.HYGIENE
            before = memory
    assert ended == {Purpose.GRID_CHARGE, Purpose.SALE}
    assert heated
