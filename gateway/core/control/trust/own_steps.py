"""Asking the grid meter: the batteries step to and fro by a few hundred watts, and each step must show in it.

They step from the power that they have: to stop them would be a large step for a building that relies on them.

`gain` is what the meter moved by, as a share of what the batteries moved by: 1 of a meter that tells the truth, -1 of a
reversed one, a third or two of one that misses a phase, 0 of one that stands or measures something else.
"""

from dataclasses import dataclass, replace

from gateway.core.model.state import Reason

GENTLE_W = 200.0  # of a step while all is calm: enough beyond the noise of meters
STEP_W, STEP_SHARE = 400.0, 0.1  # of a step: beyond the noise of a household, and a share of what a battery can do
MOVED = 0.5  # of a step: what moved by less has not followed it
RIGHT = (0.6, 1.5)  # gains of a meter that tells the truth, beside loads that move by less than the step
MOVED_ELSEWHERE = 1.6  # steps: a reversed meter moves by one of them
MUTE = 0.25  # of a meter that has not answered yet, or never does
WILD = (-2.0, 2.5)  # gains beyond are of a load that has moved meanwhile, and say nothing
CLEAR = 2  # so many more answers of one kind than of the other are a verdict
CALM = 0.3  # of a move or step: where PV and loads are known less exactly, the meter's answer says nothing
RESTLESS_S = 15.0  # so long PV and loads may move on, then the asking ends: the next move of the batteries will tell
MOST_S = 240.0  # of asking: an unclear answer must not keep the batteries from their work
MOST_STEPS = 10  # without a clear answer it is believed for what else it says
ROOM = 0.03  # of the capacity, above the reserve or below full: so much a battery needs for its steps
PATIENCE_S = 65.0  # a meter that does not answer is waited for: some hold their registers for a minute
SETTLE_S = 2.5  # from the end of a battery's move to its report, and one sample of the meter more


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """Two powers of one moment (W)."""

    at_s: float  # monotonic, of the meter's sample
    rest_w: float  # the grid without all other devices, import positive
    ours_w: (
        float  # of the devices whose moves it must show, drawn positive: all controlled batteries, or PV with a limit
    )
    loose_w: float = 0.0  # by so much `rest_w` may be wrong, because PV and loads moved while the meter may be late


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterVerdict:
    """The end of the asking."""

    reason: Reason | None  # why the meter is not to be believed; None: it is
    is_clear: bool = True  # whether its answers say so; else it is believed because nothing speaks against it
    late_s: float = 0.0  # the longest time that it needed for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSteps:
    """The steps so far. None has been ordered while `since_s` is None."""

    base_w: float = 0.0  # what the batteries had when the asking began, charging positive
    away_w: float = 0.0  # how far from it they are sent now
    since_s: float | None = None  # monotonic moment of that order
    begun_s: float = 0.0  # monotonic moment of the first one
    before: Powers | None = None  # at its end, the level before; None during the first one
    gains: tuple[float, ...] = ()  # of the steps that were answered or waited for in vain
    late_s: tuple[float, ...] = ()  # how long after its order each right answer came
    blank: int = 0  # steps that the batteries did not follow
    up: bool = True  # whether the steps are towards charging
    start: Powers | None = None  # when the asking began
    is_gentle: bool = False  # whether it ends as soon as anything else moves: it was begun for no doubt

    @property
    def order_w(self) -> float:
        """What the batteries are sent together now (W, charging positive)."""
        return self.base_w + self.away_w


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSize:
    """What steps the batteries can make, and how soon they show (s)."""

    step_w: float  # of one step, above 0; 0 when they can make none
    low_w: float  # the lowest power that they may have, charging positive
    high_w: float  # the highest one
    wait_s: float  # from the order of a step until a meter that is as late as configured must show it
    is_urgent: bool = False  # whether a limit is exceeded, by what the meter says: then there is no time for steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What one cycle of asking gives."""

    steps: OwnSteps  # for the next one
    verdict: MeterVerdict | None = None  # None while it goes on


def stepped(steps: OwnSteps, now: Powers, size: StepSize, now_s: float) -> Stepped:
    """After one more sample of the meter; `now_s` is the moment (monotonic) of the next order."""
    if size.step_w <= 0.0 or size.high_w - size.low_w < size.step_w:
        return Stepped(steps=steps, verdict=MeterVerdict(reason=None, is_clear=False))
    if steps.is_gentle:
        size = replace(size, step_w=min(size.step_w, GENTLE_W))
    if steps.since_s is None or steps.start is None:
        base_w = min(max(now.ours_w, size.low_w), size.high_w)
        up = _fits(base_w, size, up=True)
        return Stepped(steps=replace(steps, base_w=base_w, since_s=now_s, begun_s=now_s, up=up, start=now))
    waited_s = now.at_s - steps.since_s
    is_restless = now.loose_w > CALM * size.step_w
    is_disturbed = steps.is_gentle and _moved(steps.start, now, size)
    is_too_long = now_s - steps.begun_s > MOST_S or (is_restless and waited_s > size.wait_s + RESTLESS_S)
    if is_disturbed or is_too_long or size.is_urgent:
        return Stepped(steps=steps, verdict=_majority(steps))
    if waited_s < size.wait_s or is_restless:
        return Stepped(steps=steps)
    if steps.before is None:
        return Stepped(steps=_next(steps, now, size, now_s))
    return _answered(steps, steps.before, now, size, now_s)


def _answered(steps: OwnSteps, before: Powers, now: Powers, size: StepSize, now_s: float) -> Stepped:
    """After a step that must show by now: its answer, or more patience."""
    waited_s = now.at_s - (steps.since_s or 0.0)
    moved_w = now.ours_w - before.ours_w
    if abs(moved_w) < MOVED * size.step_w:
        return _ended(replace(_next(steps, now, size, now_s, turn=True), blank=steps.blank + 1))
    gain = (now.rest_w - before.rest_w) / moved_w
    if abs(gain) < MUTE and waited_s < PATIENCE_S:
        return Stepped(steps=steps)
    late_s = (*steps.late_s, waited_s - size.wait_s) if RIGHT[0] <= gain <= RIGHT[1] else steps.late_s
    gains = (*steps.gains, gain) if WILD[0] <= gain <= WILD[1] else steps.gains
    return _ended(replace(_next(steps, now, size, now_s), gains=gains, late_s=late_s))


def _next(steps: OwnSteps, now: Powers, size: StepSize, now_s: float, *, turn: bool = False) -> OwnSteps:
    """The next level: to and from the base in turn; with `turn` in the other direction from now on, if that fits."""
    up = not steps.up if turn and _fits(steps.base_w, size, up=not steps.up) else steps.up
    away_w = (size.step_w if up else -size.step_w) if steps.away_w == 0.0 else 0.0
    return replace(steps, away_w=away_w, since_s=now_s, before=now, up=up)


def _moved(start: Powers, now: Powers, size: StepSize) -> bool:
    """Whether something else than our steps moves the grid or the batteries."""
    far_w = MOVED_ELSEWHERE * size.step_w
    return max(abs(now.rest_w - start.rest_w), abs(now.ours_w - start.ours_w)) > far_w


def _fits(base_w: float, size: StepSize, *, up: bool) -> bool:
    return base_w + size.step_w <= size.high_w if up else base_w - size.step_w >= size.low_w


def _ended(steps: OwnSteps) -> Stepped:
    right = sum(RIGHT[0] <= gain <= RIGHT[1] for gain in steps.gains)
    wrong = len(steps.gains) - right
    if right - wrong >= (1 if steps.is_gentle else CLEAR):
        return Stepped(steps=steps, verdict=MeterVerdict(reason=None, late_s=max(steps.late_s)))
    if wrong - right >= CLEAR:
        return Stepped(steps=steps, verdict=MeterVerdict(reason=_reason(steps.gains)))
    is_over = len(steps.gains) + steps.blank >= MOST_STEPS or steps.blank >= MOST_STEPS // 2
    return Stepped(steps=steps, verdict=MeterVerdict(reason=None, is_clear=False) if is_over else None)


def _majority(steps: OwnSteps) -> MeterVerdict:
    """When the asking has lasted too long: what most of the answers say; it is believed where they say nothing."""
    wrong = sum(not RIGHT[0] <= gain <= RIGHT[1] for gain in steps.gains)
    is_wrong = 2 * wrong > len(steps.gains)
    return MeterVerdict(reason=_reason(steps.gains) if is_wrong else None, is_clear=is_wrong)


def _reason(gains: tuple[float, ...]) -> Reason:
    """Why the meter is not believed, by the middle one of its answers that were not right."""
    wrong = sorted(gain for gain in gains if not RIGHT[0] <= gain <= RIGHT[1])
    gain = wrong[len(wrong) // 2]
    if gain <= -RIGHT[0]:
        return Reason(code="meter_reversed")
    if abs(gain) < MUTE:
        return Reason(code="meter_mute")
    return Reason(code="meter_gain", numbers={"gain_pct": 100.0 * gain})
