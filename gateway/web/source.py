from typing import Protocol

from gateway.view.schema.cycle import CycleView
from gateway.view.schema.history import DaysView, DecisionsView, EventsView, QuartersView
from gateway.view.schema.plan import PlanView
from gateway.view.schema.status import StatusView
from gateway.view.schema.trend import TrendView


class ViewSource(Protocol):
    """Where the page gets what it shows.

    Called in the gateway's own loop: each answer comes from memory within milliseconds.
    """

    def state(self) -> CycleView:
        """The last finished cycle."""
        ...

    def trend(self, hours: float) -> TrendView:
        """The last hours up to now."""
        ...

    def plan(self) -> PlanView:
        """The plan that is followed, or why there is none."""
        ...

    def status(self) -> StatusView:
        """Figures of the gateway itself."""
        ...

    async def changed(self, after: int) -> int:
        """Wait for a cycle number above `after` and return it; the caller limits the wait."""
        ...


class HistorySource(Protocol):
    """What is kept for years, of a period (UTC s, its end excluded).

    Called in a thread: it may take as long as a disk does. Every call may raise HistoryError.
    """

    time_zone: str
    """IANA name of the building's time zone, in which dates are meant."""

    def quarters(self, from_s: float, to_s: float) -> QuartersView:
        """Quarter hours that begin in it."""
        ...

    def days(self, from_s: float, to_s: float) -> DaysView:
        """Local days that begin in it."""
        ...

    def decisions(self, from_s: float, to_s: float) -> DecisionsView:
        """Decisions that held in it."""
        ...

    def events(self, from_s: float, to_s: float) -> EventsView:
        """Events that lasted in it."""
        ...
