"""What the loop needs of the world. Adapters fit these; tests may too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.control.memory import StoredMemory
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.state import SetPoint, SiteState

Field = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One point for the database: idempotent, because its time is the moment of the measurement."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Field]
    time_ms: int  # UTC


class Clock(Protocol):
    """The time. `utc_s` may jump; `monotonic_s` never does."""

    def utc_s(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only rise."""
        ...


class Measurements(Protocol):
    """What is known of the building."""

    async def sample(self, timeout_s: float) -> float | None:
        """Wait for the next sample of the grid meter: its arrival (monotonic), or None when none came in time."""
        ...

    def state(self) -> SiteState:
        """All readings, frozen now."""
        ...


class Actuation(Protocol):
    """What carries set-points to the devices."""

    async def send(self, setpoint: SetPoint) -> None:
        """Send an order for one lease; power None gives the device back. Does not wait for the answer."""
        ...

    async def answered(self) -> None:
        """Wait, within bounds, until the last order was answered."""
        ...

    def yields_to(self) -> str | None:
        """The other gateway that writes here, if there is one."""
        ...


class Store(Protocol):
    """What must not be lost."""

    async def keep(self, rows: Sequence[Row]) -> None:
        """Return when the rows are safe on disk."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One turn of the loop, as shown and stored."""

    number: int
    state: SiteState
    setpoints: tuple[SetPoint, ...]
    load_w: float | None
    late_ms: float
    lasting: StoredMemory = field(default_factory=StoredMemory)
    curtailed: bool = False
    """Whether the roof was held back: its power then tells nothing of the sun."""

    @property
    def setpoint(self) -> SetPoint | None:
        """The first one: where there is one battery, all there is."""
        return self.setpoints[0] if self.setpoints else None


class Plans(Protocol):
    """The plan, if there is one."""

    def slot(self, utc_s: float) -> Slot | None:
        """What to follow at this moment (UTC); None is the plain rule."""
        ...

    def wants(self, state: SiteState) -> Mapping[str, LoadSlot]:
        """What each load would have in this state: by the plan, or by the plain rule where it has none."""
        ...


class Display(Protocol):
    """Who wants to see each cycle."""

    def show(self, cycle: Cycle) -> None:
        """Take the newest cycle; never waits."""
        ...
