"""On which phases a load draws: as the site file says, else as it reports itself, else learned from the grid meter.

When a load is switched, the phases on which it draws move by as much as it does, and the others do not. PV, batteries
and heat pumps on three phases move all of them alike, so only the differences between the phases are looked at.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from gateway.core.control.observe import Observation
from gateway.core.model.site import LoadDevice, Site

# Held by gateway/tests/core/control/test_phases.py: noise of 150 W, kettles and clouds beside the load.
STEP_W = 700.0  # of a load's power: smaller steps are not told from what else moves
CALM_W = 150.0  # a power that moves by less stands still
LAG_S = 4.0  # meter and load report a step so much sooner or later than the other one: poll and delay of both
FITS = 0.2  # of the step: what may be left over of the differences between the phases
CLEAR = 2.0  # another choice of phases leaves at least so much more over
LIVE_W = 300.0  # from here on the powers that a load reports of its own phases say where it draws

Shares = tuple[float, float, float]
"""How much of a power lies on L1, L2 and L3 (each 0…1)."""

EVEN: Shares = (1 / 3, 1 / 3, 1 / 3)  # on all three phases alike
CHOICES: tuple[Shares, ...] = tuple(
    tuple(1 / count if phase in chosen else 0.0 for phase in range(3))  # type: ignore[misc]  # three of them
    for count in (1, 2, 3)
    for chosen in combinations(range(3), count)
)
"""All that a load can draw on: one phase, two or three of them alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStep:
    """A step of a load that is under way."""

    from_w: float  # its power before
    from_phases_w: Shares  # grid powers before, import positive
    now_w: float  # its power at the last look
    calm_s: float  # monotonic moment since when that stands still


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseMemory:
    """What is known of the phases of loads; by load id."""

    lately: tuple[tuple[float, Shares], ...] = ()  # (monotonic s, grid powers in W) of the last seconds, oldest first
    still_w: Mapping[str, float] = field(default_factory=dict)  # power at which each load stood still last
    steps: Mapping[str, PhaseStep] = field(default_factory=dict)  # steps that are under way
    learned: Mapping[str, Shares] = field(default_factory=dict)  # where each draws, as far as it was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseUse:
    """Where the power of a device lies."""

    ordered: Shares  # for each W that it is sent: the most on each phase
    drawn: Shares  # for each W that it draws


def learned(memory: PhaseMemory, seen: Observation, site: Site) -> PhaseMemory:
    """With what this cycle shows. A car that leaves takes what was learned of it along."""
    if not site.loads or not site.limits_phases or len(seen.grid.phases_w) != 3:
        return memory
    a_w, b_w, c_w = seen.grid.phases_w
    oldest_s = seen.now_s - 2 * LAG_S - site.meter_delay_s[1]
    lately = (*(one for one in memory.lately if one[0] >= oldest_s), (seen.now_s, (a_w, b_w, c_w)))
    memory = replace(memory, lately=lately)
    for load in site.loads:
        memory = _with_load(memory, load, seen, site)
    return memory


def use_of(load: LoadDevice, memory: PhaseMemory, site: Site) -> PhaseUse:
    """Where a load draws. One that draws on one phase of three may draw on any of them until it is known."""
    named = site.phases.get(load.device, ())
    if named and len(named) < 3:
        return _alike(over(named))
    found = memory.learned.get(load.id)
    if found is None:
        return _alike((1.0, 1.0, 1.0)) if load.spread == 1 else _alike(EVEN)
    if load.in_amperes:  # each ampere of its set-point is one on each phase that it uses
        ordered_a, ordered_b, ordered_c = (1 / load.spread if share > 0.0 else 0.0 for share in found)
        return PhaseUse(ordered=(ordered_a, ordered_b, ordered_c), drawn=found)
    return _alike(found)


def over(phases: Sequence[int]) -> Shares:
    """A power that is spread over these phases (1 to 3); over all of them where none is named."""
    if not phases:
        return EVEN
    on_a, on_b, on_c = (1 / len(phases) if phase in phases else 0.0 for phase in (1, 2, 3))
    return on_a, on_b, on_c


def _alike(shares: Shares) -> PhaseUse:
    return PhaseUse(ordered=shares, drawn=shares)


def _with_load(memory: PhaseMemory, load: LoadDevice, seen: Observation, site: Site) -> PhaseMemory:
    view, id_ = seen.loads[load.id], load.id
    if not view.is_present:
        return _forgotten(memory, id_)
    if len(view.phases_w) == 3 and sum(view.phases_w) > LIVE_W:
        return replace(memory, learned={**memory.learned, id_: _nearest(view.phases_w)})
    return memory if view.power.value is None else _moved(memory, load, view.power.value, seen, site)


def _moved(memory: PhaseMemory, load: LoadDevice, power_w: float, seen: Observation, site: Site) -> PhaseMemory:
    """One look at the power of a load, by which steps begin, go on and end."""
    id_, step = load.id, memory.steps.get(load.id)
    if step is None:
        return _begun(memory, id_, power_w, seen.now_s)
    if abs(power_w - step.now_w) > CALM_W:
        step = replace(step, now_w=power_w, calm_s=seen.now_s)
        return replace(memory, steps={**memory.steps, id_: step})
    if seen.now_s - step.calm_s < LAG_S + site.meter_delay_s[1]:
        return memory
    return _ended(memory, load, step, power_w)


def _begun(memory: PhaseMemory, id_: str, power_w: float, now_s: float) -> PhaseMemory:
    """A step begins where a load leaves the power at which it stood still; the meter may show it before the load."""
    still_w = memory.still_w.get(id_, power_w)
    if abs(power_w - still_w) <= CALM_W:
        return memory if id_ in memory.still_w else replace(memory, still_w={**memory.still_w, id_: power_w})
    before = [phases_w for at_s, phases_w in memory.lately if at_s <= now_s - LAG_S]
    if not before:
        return replace(memory, still_w={**memory.still_w, id_: power_w})
    step = PhaseStep(from_w=still_w, from_phases_w=before[-1], now_w=power_w, calm_s=now_s)
    return replace(memory, steps={**memory.steps, id_: step})


def _ended(memory: PhaseMemory, load: LoadDevice, step: PhaseStep, power_w: float) -> PhaseMemory:
    """What the step says, unless another load moved beside it."""
    steps = {id_: one for id_, one in memory.steps.items() if id_ != load.id}
    after = replace(memory, steps=steps, still_w={**memory.still_w, load.id: power_w})
    moved_w = [now_w - before_w for now_w, before_w in zip(memory.lately[-1][1], step.from_phases_w, strict=True)]
    found = None if steps else matching(power_w - step.from_w, moved_w, load.spread)
    return after if found is None else replace(after, learned={**after.learned, load.id: found})


def matching(step_w: float, moved_w: Sequence[float], spread_over: int) -> Shares | None:
    """The phases on which a step of this size fits what the phases did (W); None where none fits clearly."""
    if abs(step_w) < STEP_W:
        return None
    able = [one for one in CHOICES if spread_over > 1 or max(one) == 1.0]
    left = sorted((_left_over(step_w, moved_w, one), one) for one in able)
    (best, found), (second, _) = left[:2]
    return found if best <= FITS and second >= CLEAR * best else None


def _left_over(step_w: float, moved_w: Sequence[float], shares: Shares) -> float:
    """What is left of the differences between the phases (share of the step) when this one is taken out."""
    rest = [moved - share * step_w for moved, share in zip(moved_w, shares, strict=True)]
    mean = sum(rest) / 3
    return math.sqrt(sum((one - mean) ** 2 for one in rest) / 3) / abs(step_w)


def _nearest(phases_w: Sequence[float]) -> Shares:
    """The choice of phases that is nearest to what a load reports of its own (W)."""
    total_w = sum(phases_w)
    return min(CHOICES, key=lambda one: sum((w / total_w - share) ** 2 for w, share in zip(phases_w, one, strict=True)))


def _forgotten(memory: PhaseMemory, id_: str) -> PhaseMemory:
    if id_ not in memory.learned and id_ not in memory.steps:
        return memory
    return replace(
        memory,
        steps={other: one for other, one in memory.steps.items() if other != id_},
        learned={other: one for other, one in memory.learned.items() if other != id_},
        still_w={other: one for other, one in memory.still_w.items() if other != id_},
    )
