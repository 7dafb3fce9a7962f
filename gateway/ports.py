"""What the loop needs of the world: each part that it is given fits one of these; tests may too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.accounts.quarter_account import QuarterAccount
from gateway.core.control.memory import StoredMemory
from gateway.core.model.house import UNKNOWN, HouseLoad
from gateway.core.model.plan import LoadSlot, Slot
from gateway.core.model.state import SetPoint, SiteState

FieldValue = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One point for the database; writing it twice changes nothing, for its time is that of the measurement."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, FieldValue]
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
        """The other gateway that commands here and was first; None when there is none."""
        ...


class Persistence(Protocol):
    """What must not be lost."""

    async def save(self, rows: Sequence[Row]) -> None:
        """Return when the rows are safe on disk, or wait for a disk that cannot be written."""
        ...


class Link(Protocol):
    """What the nodes and other gateways must hear of this one, beside set-points."""

    async def attend(self) -> None:
        """Send what is due now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One turn of the loop, as shown and stored."""

    number: int  # rises by one with each cycle of this run
    state: SiteState
    setpoints: tuple[SetPoint, ...]
    load_w: float | None  # the base load, without what is planned; None while nothing is known of it
    late_ms: float  # how long after its sample, or after its time without one, the cycle began
    lasting: StoredMemory = field(default_factory=StoredMemory)  # what decisions must remember over a restart
    astray: frozenset[str] = frozenset()  # batteries that do not follow what they are sent
    astray_loads: frozenset[str] = frozenset()  # the same of loads, by load id
    house: HouseLoad = UNKNOWN  # the same load with its range and with what is missing
    curtailed: bool = False  # whether the PV power was limited: it then says nothing about the possible PV production

    @property
    def setpoint(self) -> SetPoint | None:
        """The first one: where there is one battery, all there is."""
        return self.setpoints[0] if self.setpoints else None


class Plans(Protocol):
    """The plan, if there is one."""

    def slot(self, utc_s: float) -> Slot | None:
        """What to follow at this moment (UTC); None is the plain rule."""
        ...

    def requests(self, state: SiteState) -> Mapping[str, LoadSlot]:
        """What each load asks for in this state: by the plan, or by the plain rule where it has none."""
        ...


class CycleObserver(Protocol):
    """Who looks on: each is shown every finished cycle."""

    def show(self, cycle: Cycle) -> None:
        """Take the newest cycle; never waits."""
        ...


class AccountSink(Protocol):
    """Where finished quarter hours are kept."""

    def save_accounts(self, accounts: Sequence[QuarterAccount]) -> None:
        """Take them; one that was given before is replaced. Never waits."""
        ...
