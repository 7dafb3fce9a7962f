"""The flexible loads of a building as planning and the plain rule ask for them."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from gateway.core.loads import plain_rule
from gateway.core.loads.kinds import Curtailable
from gateway.core.model.plan import LoadSlot
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.site import Site
from gateway.core.model.state import SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather
from gateway.core.planning.schedule.joint import Flexible
from gateway.planning.jobs import Seen, jobs, outdoor_c
from gateway.site.file.load_sections import LoadSection


class Loads:
    """Sections of the site file with what is seen of them now."""

    def __init__(
        self,
        *,
        sections: Mapping[str, LoadSection],
        zone: ZoneInfo,
        site: Site,
        seen: Callable[[SiteState], Mapping[str, Seen]],
        weather: Callable[[], Weather | None],
    ) -> None:
        self._sections = sections
        self._zone = zone
        self._curtailable = tuple(Curtailable(id=one.id, rated_w=one.rated_w) for one in site.curtailable)
        self._seen = seen
        self._weather = weather

    def flexible(self, grid: TimeGrid, state: SiteState) -> Flexible:
        """What a plan on this grid is asked for."""
        return Flexible(
            jobs=jobs(self._sections, self._seen(state), grid, self._zone),
            curtailable=self._curtailable,
            outdoor_c=outdoor_c(self._weather(), grid),
        )

    def wants(self, state: SiteState) -> dict[str, LoadSlot]:
        """What they would have now by the plain rule."""
        if not self._sections:
            return {}
        now = TimeGrid(start_s=state.utc_s, step_s=QUARTER_S, steps=1)
        return plain_rule.wants(jobs(self._sections, self._seen(state), now, self._zone), state.utc_s)
