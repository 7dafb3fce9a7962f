"""Whether the grid meter is believed: while what it says is possible, and it answers our own steps as a meter must.

A meter whose sign is wrong, that misses a phase or shows another house can say possible things for hours; but when a
battery moves by 2 kW, the meter must move by 2 kW the same way, within its delay. Each move of our own is watched for
that. A contradiction is no verdict, because loads move too: then the batteries make small steps of their own, one after
the other, until the answers are clear. What is not believed is asked again after a pause that doubles.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.control.trust.own_steps import MeterVerdict, OwnSteps
from gateway.core.model.state import Reason

ASK_AGAIN_S = 10.0  # before a meter that was not believed is asked for the first time; doubled each time up to …
DISPROVEN_S = 120.0  # the first pause after answers that were wrong: a wire does not turn round by itself
ASK_AGAIN_MOST_S = 600.0  # … ten minutes
GOOD_S = 600.0  # believed for so long: the next pause is the first one again
POSSIBLE_S = 10.0  # what it says must have been possible for so long before it is asked


class MeterState(StrEnum):
    """What is thought of the grid meter."""

    BELIEVED = "believed"
    QUESTIONED = "questioned"
    ASKED = "asked"
    DISBELIEVED = "disbelieved"


class MeterEvent(StrEnum):
    """What a cycle with a fresh sample of the meter finds. The first event that applies counts."""

    IMPOSSIBLE = "impossible"
    DISPROVEN = "disproven"
    PROVEN = "proven"
    CONTRADICTS = "contradicts"
    SILENT = "silent"
    PAUSE_OVER = "pause_over"
    POSSIBLE = "possible"


METER_MEANING: Mapping[StrEnum, str] = {
    MeterState.BELIEVED: "decisions rest on it",
    MeterState.QUESTIONED: "it said something impossible once: set-points are held for a cycle",
    MeterState.ASKED: "batteries make small steps to see whether it answers them; loads are held",
    MeterState.DISBELIEVED: "all devices have their own mode, and it is told",
    MeterEvent.IMPOSSIBLE: "by its reading the building itself would give power",
    MeterEvent.DISPROVEN: "it did not answer our steps, or not as much, or the other way round",
    MeterEvent.PROVEN: "it answered our steps, or there is nothing that could make one",
    MeterEvent.CONTRADICTS: "a move of the batteries for other reasons was not seen in it",
    MeterEvent.SILENT: "it has answered nothing since the start, and all is calm",
    MeterEvent.PAUSE_OVER: f"the pause is over, and it has been possible for {POSSIBLE_S:g} s",
    MeterEvent.POSSIBLE: "none of these",
}

# What is not in the table leaves the state as it is.
METER_TRANSITIONS = {
    (MeterState.BELIEVED, MeterEvent.IMPOSSIBLE): MeterState.QUESTIONED,
    (MeterState.BELIEVED, MeterEvent.CONTRADICTS): MeterState.ASKED,
    (MeterState.BELIEVED, MeterEvent.SILENT): MeterState.ASKED,
    (MeterState.QUESTIONED, MeterEvent.IMPOSSIBLE): MeterState.DISBELIEVED,
    (MeterState.QUESTIONED, MeterEvent.CONTRADICTS): MeterState.ASKED,
    (MeterState.QUESTIONED, MeterEvent.POSSIBLE): MeterState.BELIEVED,
    (MeterState.ASKED, MeterEvent.IMPOSSIBLE): MeterState.DISBELIEVED,
    (MeterState.ASKED, MeterEvent.DISPROVEN): MeterState.DISBELIEVED,
    (MeterState.ASKED, MeterEvent.PROVEN): MeterState.BELIEVED,
    (MeterState.DISBELIEVED, MeterEvent.PAUSE_OVER): MeterState.ASKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterProof:
    """What is thought of the grid meter, and since when. Moments are monotonic."""

    state: MeterState = MeterState.BELIEVED  # what is thought of it
    why: Reason | None = None  # of a meter that is not believed; None of one that is
    ask_s: float = -math.inf  # when it is asked again, while it is not believed
    pause_s: float = ASK_AGAIN_S  # before it is asked the next time
    impossible_s: float = -math.inf  # when it last said something impossible
    steps: OwnSteps | None = None  # the steps by which it is asked; None while it is not
    is_new: bool = False  # whether it has answered nothing yet since the program started


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What this cycle's fresh sample shows of the meter."""

    now_s: float  # monotonic
    impossible: Reason | None = None  # why no building could draw that; None: it is possible
    contradicts: bool = False  # whether the last moves of the batteries were not seen in it
    is_silent: bool = False  # whether it has answered nothing since the start, and all is calm
    is_askable: bool = True  # whether all is known that the answers are compared with
    verdict: MeterVerdict | None = None  # of the steps by which it is asked; None while they are not done


def judged(before: MeterProof, facts: MeterFacts) -> MeterProof:
    """What is thought of the meter after this cycle."""
    event = _event(before, facts)
    state = METER_TRANSITIONS.get((before.state, event), before.state)
    impossible_s = facts.now_s if event is MeterEvent.IMPOSSIBLE else before.impossible_s
    after = replace(before, state=state, impossible_s=impossible_s)
    if state is before.state:
        is_good = state is MeterState.BELIEVED and facts.now_s > before.ask_s + GOOD_S
        return replace(after, pause_s=ASK_AGAIN_S) if is_good else after
    if state is MeterState.DISBELIEVED:
        why = facts.impossible or (facts.verdict.reason if facts.verdict else None)
        pause_s = before.pause_s if facts.impossible else max(before.pause_s, DISPROVEN_S)
        longer_s = min(2.0 * pause_s, ASK_AGAIN_MOST_S)
        return replace(after, why=why, ask_s=facts.now_s + pause_s, pause_s=longer_s, steps=None)
    if state is MeterState.ASKED:
        return replace(after, steps=OwnSteps(is_gentle=event is MeterEvent.SILENT))
    return replace(after, why=None, steps=None)


def _event(before: MeterProof, facts: MeterFacts) -> MeterEvent:
    if facts.impossible is not None:
        return MeterEvent.IMPOSSIBLE
    if facts.verdict is not None:
        return MeterEvent.PROVEN if facts.verdict.reason is None else MeterEvent.DISPROVEN
    if facts.contradicts:
        return MeterEvent.CONTRADICTS
    if facts.is_silent:
        return MeterEvent.SILENT
    is_over = facts.is_askable and facts.now_s >= max(before.ask_s, before.impossible_s + POSSIBLE_S)
    return MeterEvent.PAUSE_OVER if is_over and before.state is MeterState.DISBELIEVED else MeterEvent.POSSIBLE
