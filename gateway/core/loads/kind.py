"""What a kind of load offers, each in one module: its settings, what is observed of it, its model and its state.

settings -> observation -> load and its state -> request to the planner, or the plain rule. `kinds` lists all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from gateway.core.loads.memory import Dataclass
from gateway.core.loads.request import LoadRequest, Outlook
from gateway.core.loads.settings import Misfit
from gateway.core.model.load import Load
from gateway.core.model.plan import LoadSlot
from gateway.core.model.state import SiteState
from gateway.core.model.switched import Switched
from gateway.core.model.time_grid import TimeGrid

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMoment:
    """A moment at which the needs of a load are looked at."""

    state: SiteState  # readings of its device
    zone: tzinfo  # of local clocks
    dt_s: float = 0.0  # since the moment before; 0 at the first
    switched: Switched | None = None  # whether control has it running, and since when; None where that is not known


class PlannableLoad(Load, Protocol[StateT]):
    """A load with all that a plan and the plain rule need, given its state."""

    @property
    def state_type(self) -> type[StateT]:
        """The class of its states."""

    def request(self, state: StateT, outlook: Outlook) -> LoadRequest:
        """What it asks of a plan."""

    def plain_slot(self, state: StateT, now_s: float) -> LoadSlot:
        """What it would have now (UTC) without a plan."""

    def carried(self, state: StateT, power_w: float, *, begin_s: float, end_s: float) -> StateT:
        """Its state after it drew a mean power between two moments (UTC)."""


class FlexibleLoad(Protocol):
    """A load of any kind with its state."""

    @property
    def id(self) -> str:
        """Its name in the site file and in plans."""

    def request(self, outlook: Outlook) -> LoadRequest:
        """What it asks of a plan."""

    def plain_slot(self, now_s: float) -> LoadSlot:
        """What it would have now (UTC) without a plan."""

    def carried(self, power_w: float, *, begin_s: float, end_s: float) -> Self:
        """The load after it drew a mean power between two moments (UTC): a run that has begun stays begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadWithState(Generic[StateT]):
    """A load and its state, of one kind; fits FlexibleLoad. ValueError where the kinds differ."""

    load: PlannableLoad[StateT]  # its constants
    state: StateT  # of the same kind

    def __post_init__(self) -> None:
        """Raises ValueError for a state of another kind of load."""
        if type(self.state) is not self.load.state_type:
            raise ValueError(f"{type(self.state).__name__} is no state of {self.load.id}")

    @property
    def id(self) -> str:
        """Its name in the site file and in plans."""
        return self.load.id

    def request(self, outlook: Outlook) -> LoadRequest:
        """What it asks of a plan."""
        return self.load.request(self.state, outlook)

    def plain_slot(self, now_s: float) -> LoadSlot:
        """What it would have now (UTC) without a plan."""
        return self.load.plain_slot(self.state, now_s)

    def carried(self, power_w: float, *, begin_s: float, end_s: float) -> Self:
        """The load after it drew a mean power between two moments (UTC): a run that has begun stays begun."""
        return replace(self, state=self.load.carried(self.state, power_w, begin_s=begin_s, end_s=end_s))


class LoadObservation(Dataclass, Protocol):
    """What has been seen of a load. Fields marked by `memory` outlive a restart."""

    def observed(self, now: LoadMoment) -> Self:
        """After a cycle; of a load that has a device."""

    def flexible(self, now: LoadMoment, grid: TimeGrid) -> FlexibleLoad | None:
        """The load with its state on this grid; None while too little is known to plan it."""

    @property
    def event(self) -> object:
        """Changes when something has happened that a plan did not know; None for ever where nothing can."""


class LoadSettings(Dataclass, Protocol):
    """What the user writes of a load: one class for each kind, whose fields are the keys of `[loads.ID]`."""

    kind: ClassVar[str]  # as the user writes it; `load.<kind>` are its words
    needed_points: ClassVar[tuple[str, ...]]  # what its product must report
    own_reasons: ClassVar[tuple[str, ...]]  # codes that only loads of this kind give: a test asks for their words

    @property
    def device(self) -> str | None:
        """The device that meters and obeys; None for a load that is planned and shown only."""

    @property
    def meter(self) -> str | None:
        """Another device that meters it."""

    @property
    def battery_above(self) -> float | None:
        """State of charge (0…1) from which on the batteries may supply it beyond the surplus; None: never."""

    @property
    def phases_used(self) -> int:
        """Over how many phases a set-point in amperes is spread."""

    def load(self, id_: str) -> Load:
        """The load that the settings describe."""

    def unseen(self, id_: str) -> LoadObservation:
        """The load before anything has been seen of it."""

    def misfits(self, unit: str) -> Iterator[Misfit]:
        """What a product cannot do whose set-points are in this unit (W, A, share, switch)."""
