"""Which batteries can be planned with: those that follow what they are sent."""

from collections.abc import Sequence

from gateway.core.model.site import Battery, Site
from gateway.ports import Cycle


class BatteryObserver:
    """Looks on (port CycleObserver); plans ask `usable`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._astray: frozenset[str] = frozenset()

    def show(self, cycle: Cycle) -> None:
        """Take the newest cycle."""
        self._astray = cycle.astray

    def usable(self) -> Sequence[Battery]:
        """The batteries of the site that followed their set-points until now."""
        return [battery for battery in self._site.batteries if battery.id not in self._astray]
