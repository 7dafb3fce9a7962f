"""Collects what a plan is made from: the building now, its past, and what the feeds say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.adapters.store.history import HistoryStore
from gateway.core.control import pool
from gateway.core.model.levels import GridLimits
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import Reason, SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.planning.method import Method
from gateway.core.planning.schedule.load_plan import Flexible
from gateway.core.pricing.goals import Weighed
from gateway.core.pricing.tariff import month_start_s
from gateway.planning.plan_inputs import Place, PlanInputs
from gateway.planning.service import NoPlanError
from gateway.planning.weather_inputs import WeatherInputs
from gateway.ports import Clock

HORIZON = 96  # quarter hours: a day, see `horizon_h` of the planning method
SOC_S = 120.0  # oldest state of charge that is taken for the present one: it moves slowly


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCollector:
    """`collect` gives the service the inputs of each plan."""

    # Monotonic time and time of day.
    clock: Clock
    # Whether the time of day is known.
    clock_is_set: Callable[[], bool]
    # The readings of now.
    state: Callable[[], SiteState]
    # Limits of the building.
    site: Site
    # The batteries that follow what they are sent.
    batteries: Callable[[], Sequence[Battery]]
    # IANA name of the local clock.
    zone: str
    # The stored quarter hours.
    past: HistoryStore
    # Prices on a grid of steps; the last argument is this month's highest import so far (W).
    prices: Callable[[TimeGrid, SiteState, float], Weighed]
    # The weather feed, as power of this roof and as temperatures.
    weather: WeatherInputs
    # Where the roof is, for the first days without a history.
    place: Place
    # Parameters of forecast and planning.
    method: Method
    # The loads that are planned, as they are now.
    flexible: Callable[[TimeGrid, SiteState], Flexible]

    async def collect(self) -> PlanInputs:
        """What is known now. Raises NoPlanError where that is too little, OutboxError where the store fails."""
        batteries = self.batteries()
        if not batteries:
            raise NoPlanError(Reason(code="all_astray" if self.site.batteries else "no_battery"))
        if not self.clock_is_set():
            raise NoPlanError(Reason(code="clock_unset"))
        state = self.state()
        grid = TimeGrid(start_s=state.utc_s // QUARTER_S * QUARTER_S, step_s=QUARTER_S, steps=HORIZON)
        history = await self.past.quarters(int(grid.start_s), self.method.forecast.days)
        return PlanInputs(
            now_s=state.utc_s,
            time_zone=self.zone,
            history=history,
            pv_forecast=await self.weather.pv_forecast(grid, history),
            prices=self.prices(grid, state, await self._reached_w(state.utc_s)),
            storage=pool.storage(batteries),
            stored_wh=_stored_wh(batteries, state),
            limits=_limits(self.site.at(state)),
            place=self.place,
            method=self.method,
            flexible=self.flexible(grid, state),
            notes=self.weather.notes(grid),
            outdoor=await self.weather.outdoor(grid, history),
        )

    async def _reached_w(self, utc_s: float) -> float:
        """The highest quarter hour of import in this month so far."""
        return await self.past.highest_import_w(month_start_s(utc_s, ZoneInfo(self.zone)), utc_s)


def _stored_wh(batteries: Sequence[Battery], state: SiteState) -> float:
    """Energy above the reserves of these batteries."""
    socs = {}
    for battery in batteries:
        soc = state.value(battery.id, "soc", max_age_s=SOC_S)
        if soc is None:
            raise NoPlanError(Reason(code="lost_soc"))
        socs[battery.id] = soc
    return pool.stored_wh(batteries, socs)


def _limits(site: Site) -> GridLimits:
    """What the connection bears now; a plan takes it for the whole day."""
    return GridLimits(import_max_w=site.import_limit_w, export_max_w=site.export_limit_w)
