"""What one decision leaves to the next, and the part of it that survives a restart."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from gateway.core.control.curtailment import Curtailment
from gateway.core.control.follow import Latches
from gateway.core.control.load_memory import Taking
from gateway.core.control.meter_delay import Belief
from gateway.core.control.motion import Motion
from gateway.core.control.trust import Watch
from gateway.core.model.state import SetPoint
from gateway.core.model.switched import Switched

Plain = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What a restart must not forget: sides of the levels, who rests, who works, who was switched when.

    `delay_s`: the range of the meter's delay that was proven; None while nothing is.
    """

    latches: Latches = field(default_factory=Latches)
    resting: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    consumers: Mapping[str, Switched] = field(default_factory=dict)
    delay_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All of it. A fresh one is a fresh start; one with `lasting` goes on where another run left."""

    motions: Mapping[str, Motion] = field(default_factory=dict)
    last: Mapping[str, SetPoint] = field(default_factory=dict)
    net_w: float | None = None
    ours: tuple[str, ...] = ()  # the batteries that are not part of it
    cautious_w: float | None = None  # the estimate that trusts no delay
    shown_s: float | None = None  # the newest sample of the grid meter that was taken in
    period_s: float = 1.0  # between the last two samples
    slopes_w: tuple[float, ...] = ()  # the last steps of the net load, W per second
    delay: Belief | None = None
    watch: Watch = field(default_factory=Watch)
    lasting: Lasting = field(default_factory=Lasting)
    curtailment: Curtailment = field(default_factory=Curtailment)
    taking: Taking = field(default_factory=Taking)


def kept(lasting: Lasting) -> Plain:
    """For the store: only what JSON knows."""
    return {
        "latches": asdict(lasting.latches),
        "resting": list(lasting.resting),
        "working": list(lasting.working),
        "consumers": {id_: asdict(switched) for id_, switched in lasting.consumers.items()},
        "delay_s": lasting.delay_s,
    }


def recalled(plain: object) -> Lasting:
    """From the store; whatever is not understood is forgotten, because a fresh start is always safe."""
    try:
        assert isinstance(plain, Mapping)  # noqa: S101 - told by the except below
        return Lasting(
            latches=Latches(**{name: bool(side) for name, side in plain["latches"].items()}),
            resting=tuple(str(id_) for id_ in plain["resting"]),
            working=tuple(str(id_) for id_ in plain["working"]),
            consumers={
                str(id_): Switched(runs=bool(row["runs"]), since_s=float(row["since_s"]))
                for id_, row in plain["consumers"].items()
            },
            delay_s=_range_s(plain.get("delay_s")),
        )
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        return Lasting()


def _range_s(plain: object) -> tuple[float, float] | None:
    """Two seconds in order; None for all else, as a note of an earlier release has it."""
    if not isinstance(plain, (list, tuple)) or len(plain) != 2 or not all(isinstance(n, (int, float)) for n in plain):
        return None
    low_s, high_s = plain
    return (low_s, high_s) if 0.0 <= low_s <= high_s < math.inf else None
