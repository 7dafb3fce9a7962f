"""The flexible loads of a building as planning and the plain rule ask for them."""

import math
from collections.abc import Callable

from gateway.core.control import pool
from gateway.core.loads import plain_rule
from gateway.core.loads.curtailable import Curtailable
from gateway.core.loads.kind import FlexibleLoad
from gateway.core.model.plan import LoadSlot
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.planning.outdoor import outdoor_c


class LoadInputs:
    """`flexible` gives the loads with their states on a grid, as far as enough is known of them."""

    def __init__(
        self,
        *,
        site: Site,
        flexible: Callable[[SiteState, TimeGrid], tuple[FlexibleLoad, ...]],
        weather: Callable[[], Weather | None],
    ) -> None:
        self._curtailable = tuple(Curtailable(id=one.id, rated_w=one.rated_w) for one in site.curtailable)
        self._flexible = flexible
        self._weather = weather
        self._above_wh = {load.id: _above_wh(site, load.supplied_from_soc) for load in site.loads}

    def flexible(self, grid: TimeGrid, state: SiteState) -> Flexible:
        """What is planned on this grid."""
        loads = self._flexible(state, grid)
        return Flexible(
            loads=loads,
            curtailable=self._curtailable,
            outdoor_c=outdoor_c(self._weather(), grid),
            # what is not measured is a part of the house for control, so it is for the plan
            supplied_above_wh={load.id: self._above_wh.get(load.id, 0.0) for load in loads},
        )

    def plain_requests(self, state: SiteState) -> dict[str, LoadSlot]:
        """What they would have now by the plain rule."""
        now = TimeGrid(start_s=state.utc_s, step_s=QUARTER_S, steps=1)
        return plain_rule.requests(self._flexible(state, now), state.utc_s)


def _above_wh(site: Site, soc: float) -> float:
    """The stored energy (Wh above empty) of all batteries at a state of charge (0…1); infinite where that is."""
    if math.isinf(soc):
        return math.inf
    return max(pool.stored_wh(site.batteries, {battery.id: soc for battery in site.batteries}), 0.0)
