"""What the commanding of loads remembers from one cycle to the next."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.control.arbiter import Surplus

SAME_W = 50.0  # a power that differs by less is the same
QUIET_SHARE = 0.2  # of what it was told: a load that draws less does not take it
QUIET_S = 90.0  # a car may think about an offer for a minute
AGAIN_S = 900.0  # then it is offered something again


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The power a load was told last (W), since when (monotonic), and the most that it may have drawn until then.

    `rose_s`: when it was last told more than before.
    """

    power_w: float
    since_s: float
    before_w: float
    rose_s: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What is known of the surplus, and of each load by its id.

    `surplus` and `room` lately (W): of the sun for loads, and under the import limit. `base_w`: the building without
    batteries and commanded loads, when it could be told last. `told`: those that are commanded now; `known`: those that
    ever were. `quiet_s`: since when a load does not take what it is told; `idle_s`: until when it is therefore offered
    nothing. `books`: whose power is not in the surplus and the room that are remembered. `paths`: what each load told
    of its power (since when, W), as far back as the meter may look.
    """

    surplus: Surplus = field(default_factory=Surplus)
    room: Surplus = field(default_factory=Surplus)
    base_w: float | None = None
    told: Mapping[str, Told] = field(default_factory=dict)
    quiet_s: Mapping[str, float] = field(default_factory=dict)
    idle_s: Mapping[str, float] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    books: tuple[str, ...] = ()
    paths: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def told_w(self, id_: str) -> float:
        """What a load was told last; 0 when nothing."""
        return self.told[id_].power_w if id_ in self.told else 0.0

    def shown_w(self, id_: str) -> float:
        """The most of a load that the meter may show now, by the load's own reports."""
        return max((power_w for _, power_w in self.paths.get(id_, ())), default=0.0)


def reported(taking: Taking, drawn_w: Mapping[str, float], now_s: float, late_s: float) -> Taking:
    """With what each load tells of its power now; what ended more than `late_s` ago no meter shows any more."""
    paths = {}
    for id_, power_w in drawn_w.items():
        path = taking.paths.get(id_, ())
        path = path if path and path[-1][1] == power_w else (*path, (now_s, power_w))
        ends_s = (*(at_s for at_s, _ in path[1:]), now_s)
        paths[id_] = tuple(part for part, end_s in zip(path, ends_s, strict=True) if end_s > now_s - late_s)
    return replace(taking, paths=paths)


def most_drawn_w(told: Told | None, drawn_w: float, now_s: float, settle_s: float) -> float:
    """The most that a load may draw now (W): its report may be late while it is on its way up to what it was told.

    On its way down its own report counts: it is told less again and again while something else grows.
    """
    if told is None or now_s - told.rose_s >= settle_s:
        return drawn_w
    return max(drawn_w, told.before_w, told.power_w)


def is_settled(taking: Taking, now_s: float, settle_s: float) -> bool:
    """Whether meter and reports show all loads where they were told to be."""
    return all(now_s - told.since_s >= settle_s for told in taking.told.values())


def tell(told: Told | None, power_w: float, drawn_w: float, now_s: float, settle_s: float) -> Told:
    """After a load is told a power; the same one again changes nothing, nor what it draws already."""
    if told is not None and told.power_w == power_w:
        return told
    if told is None and abs(power_w - drawn_w) <= SAME_W:
        return Told(power_w=power_w, since_s=-math.inf, before_w=drawn_w)
    before_w, rose_s = (drawn_w, -math.inf) if told is None else (told.power_w, told.rose_s)
    return Told(
        power_w=power_w,
        since_s=now_s,
        before_w=most_drawn_w(told, drawn_w, now_s, settle_s),
        rose_s=now_s if power_w > before_w else rose_s,
    )


def listened(taking: Taking, drawn_w: Mapping[str, float], away: frozenset[str], now_s: float) -> Taking:
    """Who does not take what it is told, from what each draws (W); `away`: who starts anew when it comes back."""
    quiet_s, idle_s = {}, {id_: end_s for id_, end_s in taking.idle_s.items() if end_s > now_s and id_ not in away}
    for id_, power_w in drawn_w.items():
        told_w = taking.told_w(id_)
        if told_w <= 0.0 or power_w >= QUIET_SHARE * told_w or id_ in away:
            continue
        quiet_s[id_] = taking.quiet_s.get(id_, now_s)
        if now_s - quiet_s[id_] >= QUIET_S:
            idle_s[id_] = now_s + AGAIN_S
    return replace(taking, quiet_s=quiet_s, idle_s=idle_s)
