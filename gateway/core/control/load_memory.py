"""What the control of loads remembers from one cycle to the next."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.core.control.arbiter import RecentPower
from gateway.core.control.observe import Observation
from gateway.core.model.limits import LimitPlace
from gateway.core.model.site import Site
from gateway.core.model.switched import Switched

SETTLE_S = 10.0  # beyond the meter's delay: a car that wakes up, its report every 2 s, and the node between
REACT_S = 8.0  # until a report shows that less is drawn: a car has 5 s (IEC 61851-1), the report and the node the rest
SAME_W = 50.0  # a power that differs by less is the same: steps of amperes at 230 V, noise of meters
QUIET_SHARE = 0.2  # of what it was sent: a load that draws less does not take it
QUIET_S = 90.0  # a car may think about an offer for a minute
AGAIN_S = 900.0  # then it is offered something again: a car may have been full, a thermostat closed


class AnswerState(StrEnum):
    """How a load responds to its set-points."""

    TAKES = "takes"
    QUIET = "quiet"
    IDLE = "idle"


class AnswerEvent(StrEnum):
    """What is seen of a controlled load in one cycle. The first event that applies counts."""

    AWAY = "away"
    PAUSE_OVER = "pause_over"
    DRAWS = "draws"
    STILL_LITTLE = "still_little"
    LITTLE = "little"


ANSWER_MEANING: Mapping[StrEnum, str] = {
    AnswerState.TAKES: "draws what it was sent, or was sent nothing",
    AnswerState.QUIET: "draws clearly less than it was sent",
    AnswerState.IDLE: f"did so for {QUIET_S:g} s: is offered nothing for {AGAIN_S:g} s",
    AnswerEvent.AWAY: "there is no car",
    AnswerEvent.PAUSE_OVER: f"{AGAIN_S:g} s since it became idle",
    AnswerEvent.DRAWS: f"draws at least {QUIET_SHARE:g} of what it was sent, or was sent nothing",
    AnswerEvent.STILL_LITTLE: f"draws less, for {QUIET_S:g} s",
    AnswerEvent.LITTLE: "draws less",
}

ANSWERS = {
    (AnswerState.TAKES, AnswerEvent.AWAY): AnswerState.TAKES,
    (AnswerState.TAKES, AnswerEvent.DRAWS): AnswerState.TAKES,
    (AnswerState.TAKES, AnswerEvent.LITTLE): AnswerState.QUIET,
    (AnswerState.QUIET, AnswerEvent.AWAY): AnswerState.TAKES,
    (AnswerState.QUIET, AnswerEvent.DRAWS): AnswerState.TAKES,
    (AnswerState.QUIET, AnswerEvent.LITTLE): AnswerState.QUIET,
    (AnswerState.QUIET, AnswerEvent.STILL_LITTLE): AnswerState.IDLE,
    (AnswerState.IDLE, AnswerEvent.AWAY): AnswerState.TAKES,
    (AnswerState.IDLE, AnswerEvent.PAUSE_OVER): AnswerState.TAKES,
    (AnswerState.IDLE, AnswerEvent.DRAWS): AnswerState.IDLE,
    (AnswerState.IDLE, AnswerEvent.LITTLE): AnswerState.IDLE,
}
"""The state after an event, for every pair that can occur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadAnswer:
    """How a load responds to its set-points, and since or until when."""

    answer: AnswerState = AnswerState.TAKES  # who was never sent anything takes it
    moment_s: float = -math.inf  # monotonic: QUIET since when, IDLE until when; without meaning for TAKES


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPower:
    """The power that a load was sent last (W)."""

    power_w: float  # 0 or above
    since_s: float  # monotonic moment of its last change; -inf where it drew that power already
    before_w: float  # the most that it may have drawn until then
    raised_s: float = -math.inf  # monotonic moment at which it was last sent more than before; -inf: never


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMemory:
    """What is known of the surplus, and of each load by its id."""

    surplus: RecentPower = field(default_factory=RecentPower)  # surplus for loads
    headroom: Mapping[LimitPlace, RecentPower] = field(default_factory=dict)  # what was left under each import limit
    base_w: float | None = None  # building without batteries and controlled loads; None: never known yet
    surplus_given_w: float = 0.0  # of the surplus, what the loads were given last, 0 or above
    excluded: tuple[str, ...] = ()  # batteries and loads whose power is not in the three above
    sent: Mapping[str, SentPower] = field(default_factory=dict)  # loads that are controlled now
    ever_sent: frozenset[str] = frozenset()  # loads that ever were: they may have to be given back
    answers: Mapping[str, LoadAnswer] = field(default_factory=dict)  # a load that is not in it takes what it is sent
    reports: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """Each load's own power (since when, W), oldest first, as far back as the meter may look."""
    orders: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """What each load was sent (since when, W), oldest first, as far back as it may still be under way."""
    switched: Mapping[str, Switched] = field(default_factory=dict)  # what runs since when; survives a restart

    def sent_w(self, id_: str) -> float:
        """What a load was sent last; 0 when nothing."""
        return self.sent[id_].power_w if id_ in self.sent else 0.0

    def shown_w(self, id_: str) -> float:
        """The most of a load that the meter may show now, by the load's own reports."""
        return max((power_w for _, power_w in self.reports.get(id_, ())), default=0.0)

    def ordered_w(self, id_: str) -> float:
        """The most that a load may draw now if it does what it is sent; infinite where it was sent nothing."""
        return max((power_w for _, power_w in self.orders.get(id_, ())), default=math.inf)

    def runs(self, id_: str) -> bool:
        """Whether a load runs, as far as anybody knows."""
        return id_ in self.switched and self.switched[id_].runs


def settle_s(site: Site) -> float:
    """The longest time until meter and reports show what a load was sent."""
    return SETTLE_S + site.meter_delay_s[1] + max((load.pause_s for load in site.loads), default=0.0)


def coming_net_w(memory: LoadMemory, observation: Observation, site: Site) -> float:
    """What the building may draw (W) when its loads do what they were sent; -inf while all of them do it already.

    Batteries make way for it before a load draws.
    """
    now_s, within_s = observation.now_s, settle_s(site)
    if memory.base_w is None or is_settled(memory, now_s, within_s):
        return -math.inf
    sent = [load for load in site.loads if load.id in memory.sent]
    return memory.base_w + sum(
        most_drawn_w(memory.sent[load.id], observation.loads[load.id].drawn_w, now_s, within_s) for load in sent
    )


def reported(memory: LoadMemory, drawn_w: Mapping[str, float], now_s: float, late_s: float) -> LoadMemory:
    """With each load's power now (W); what ended more than `late_s` ago no meter shows any more."""
    reports = {id_: lasted(memory.reports.get(id_, ()), w, now_s, late_s) for id_, w in drawn_w.items()}
    return replace(memory, reports=reports)


def lasted(
    parts: tuple[tuple[float, float], ...], power_w: float, now_s: float, late_s: float
) -> tuple[tuple[float, float], ...]:
    """Powers (since when, W) with the one that holds from now on, without what ended more than `late_s` ago."""
    parts = parts if parts and parts[-1][1] == power_w else (*parts, (now_s, power_w))
    ends_s = (*(at_s for at_s, _ in parts[1:]), now_s)
    return tuple(part for part, end_s in zip(parts, ends_s, strict=True) if end_s > now_s - late_s)


def most_drawn_w(sent: SentPower | None, drawn_w: float, now_s: float, within_s: float) -> float:
    """The most that a load may draw now (W): its report may be late while it is on its way up to what it was sent.

    On its way down its own report counts: it is sent less again and again while something else grows.
    """
    if sent is None or now_s - sent.raised_s >= within_s:
        return drawn_w
    return max(drawn_w, sent.before_w, sent.power_w)


def likely_range_w(sent: SentPower | None, drawn_w: float, now_s: float, within_s: float) -> tuple[float, float]:
    """Least and most of what a load is likely to draw now (W): between its report and what it was sent last."""
    if sent is None or now_s - sent.since_s >= within_s:
        return drawn_w, drawn_w
    return min(drawn_w, sent.power_w), max(drawn_w, sent.power_w if sent.raised_s == sent.since_s else 0.0)


def is_settled(memory: LoadMemory, now_s: float, within_s: float) -> bool:
    """Whether meter and reports show all loads where they were sent to."""
    return all(now_s - sent.since_s >= within_s for sent in memory.sent.values())


def sent_after(before: SentPower | None, power_w: float, drawn_w: float, now_s: float, within_s: float) -> SentPower:
    """After a load is sent a power; the same one again changes nothing, nor what it draws already."""
    if before is not None and before.power_w == power_w:
        return before
    if before is None and abs(power_w - drawn_w) <= SAME_W:
        return SentPower(power_w=power_w, since_s=-math.inf, before_w=drawn_w)
    before_w, raised_s = (drawn_w, -math.inf) if before is None else (before.power_w, before.raised_s)
    return SentPower(
        power_w=power_w,
        since_s=now_s,
        before_w=most_drawn_w(before, drawn_w, now_s, within_s),
        raised_s=now_s if power_w > before_w else raised_s,
    )


def answered(memory: LoadMemory, drawn_w: Mapping[str, float], away: frozenset[str], now_s: float) -> LoadMemory:
    """What each controlled load does with what it is sent, from what it draws (W); `away`: where there is no car.

    Of a load that is not controlled now only its pause is remembered.
    """
    known = {id_ for id_, answer in memory.answers.items() if answer.answer is AnswerState.IDLE}
    answers = {}
    for id_ in known | drawn_w.keys():
        before = memory.answers.get(id_, LoadAnswer())
        draws = id_ not in drawn_w or memory.sent_w(id_) <= 0.0 or drawn_w[id_] >= QUIET_SHARE * memory.sent_w(id_)
        after = _answer(before, now_s, draws=draws, is_away=id_ in away)
        if after.answer is not AnswerState.TAKES:
            answers[id_] = after
    return replace(memory, answers=answers)


def _answer(before: LoadAnswer, now_s: float, *, draws: bool, is_away: bool) -> LoadAnswer:
    """One step through the table, and the moment of a new state."""
    event = _event(before, now_s, draws=draws, is_away=is_away)
    after = ANSWERS[before.answer, event]
    if after is before.answer:
        return before
    moments_s = {AnswerState.TAKES: -math.inf, AnswerState.QUIET: now_s, AnswerState.IDLE: now_s + AGAIN_S}
    return LoadAnswer(answer=after, moment_s=moments_s[after])


def _event(before: LoadAnswer, now_s: float, *, draws: bool, is_away: bool) -> AnswerEvent:
    if is_away:
        return AnswerEvent.AWAY
    if before.answer is AnswerState.IDLE and before.moment_s <= now_s:
        return AnswerEvent.PAUSE_OVER
    if draws:
        return AnswerEvent.DRAWS
    is_long = before.answer is AnswerState.QUIET and now_s - before.moment_s >= QUIET_S
    return AnswerEvent.STILL_LITTLE if is_long else AnswerEvent.LITTLE
