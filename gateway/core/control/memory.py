"""What one decision leaves to the next, and the part of it that survives a restart."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from gateway.core.control.batteries import BatteryMemory
from gateway.core.control.curtailment import Curtailment
from gateway.core.control.level_rule import LEVELS, ActiveLevels
from gateway.core.control.limit_guard import GuardMemory
from gateway.core.control.load_memory import LoadMemory
from gateway.core.control.net_load import NetLoadMemory
from gateway.core.control.phases import PhaseMemory
from gateway.core.control.pv_limits import PvMemory
from gateway.core.control.trust.judge import ReadingMemory
from gateway.core.control.trust.meter_proof import MeterProof
from gateway.core.control.trust.meter_watch import MeterWatch
from gateway.core.model.switched import Switched

Note = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMemory:
    """The part of control's memory that survives a restart."""

    levels: ActiveLevels = frozenset()  # levels of the plan that were crossed
    resting: tuple[str, ...] = ()  # batteries at their reserve
    working: tuple[str, ...] = ()  # batteries with a power other than 0
    switched: Mapping[str, Switched] = field(default_factory=dict)  # loads by their id: what runs since when
    delay_s: tuple[float, float] | None = None  # range of the meter's delay that is proven; None while nothing is
    meter_answered: bool = False  # whether the grid meter has shown what the batteries did


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What control remembers from one cycle to the next, one part for each stage. A new one starts afresh."""

    # by which it is found that a meter stands still, and what was last trusted
    readings: ReadingMemory = field(default_factory=ReadingMemory)
    phases: PhaseMemory = field(default_factory=PhaseMemory)  # on which phases loads draw
    guards: GuardMemory = field(default_factory=GuardMemory)  # limits that are held tighter
    batteries: BatteryMemory = field(default_factory=BatteryMemory)  # of the third stage
    curtailment: Curtailment = field(default_factory=Curtailment)  # of the fourth stage
    pv: PvMemory = field(default_factory=PvMemory)  # likewise
    loads: LoadMemory = field(default_factory=LoadMemory)  # of the last stage

    @classmethod
    def restored(cls, stored: StoredMemory) -> "Memory":
        """One that goes on where another run left."""
        net = NetLoadMemory(proven_delay_s=stored.delay_s)
        return cls(
            readings=ReadingMemory(meter=MeterWatch(proof=MeterProof(is_new=not stored.meter_answered))),
            batteries=BatteryMemory(levels=stored.levels, resting=stored.resting, working=stored.working, net=net),
            loads=LoadMemory(switched=stored.switched),
        )

    @property
    def is_curtailed(self) -> bool:
        """Whether PV was limited, so that its power does not say what the sun gave."""
        return self.curtailment.limit_w is not None or self.pv.is_capped

    @property
    def stored(self) -> StoredMemory:
        """The part that survives a restart."""
        return StoredMemory(
            levels=self.batteries.levels,
            resting=self.batteries.resting,
            working=self.batteries.working,
            switched=self.loads.switched,
            delay_s=self.batteries.net.proven_delay_s,
            meter_answered=not self.readings.meter.proof.is_new,
        )


def to_note(stored: StoredMemory) -> Note:
    """For the store: only what JSON knows, under the keys of release 0.1.0."""
    return {
        "latches": {level.note_key: level.rule in stored.levels for level in LEVELS},
        "resting": list(stored.resting),
        "working": list(stored.working),
        "consumers": {id_: asdict(switched) for id_, switched in stored.switched.items()},
        "delay_s": stored.delay_s,
        **({"meter_answered": True} if stored.meter_answered else {}),
    }


def from_note(note: object) -> StoredMemory:
    """From the store; whatever is not understood is forgotten, because a fresh start is always safe."""
    try:
        assert isinstance(note, Mapping)  # noqa: S101 - handled by the except below
        return StoredMemory(
            levels=_levels(note["latches"]),
            resting=tuple(str(id_) for id_ in note["resting"]),
            working=tuple(str(id_) for id_ in note["working"]),
            switched={
                str(id_): Switched(runs=bool(row["runs"]), since_s=float(row["since_s"]))
                for id_, row in note["consumers"].items()
            },
            delay_s=_range_s(note.get("delay_s")),
            meter_answered=note.get("meter_answered") is True,
        )
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        return StoredMemory()


def _levels(sides: Mapping[str, object]) -> ActiveLevels:
    """Those whose key is true; a key that no level has makes the note another program's. Raises ValueError then."""
    if not sides.keys() <= {level.note_key for level in LEVELS}:
        raise ValueError(f"no such levels: {sorted(sides)}")
    return frozenset(level.rule for level in LEVELS if sides.get(level.note_key))


def _range_s(note: object) -> tuple[float, float] | None:
    """Two seconds in order; None for all else, as a note of an earlier release has it."""
    if not isinstance(note, (list, tuple)) or len(note) != 2 or not all(isinstance(n, (int, float)) for n in note):
        return None
    low_s, high_s = note
    return (low_s, high_s) if 0.0 <= low_s <= high_s < math.inf else None
