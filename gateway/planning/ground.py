"""Collects what a plan is made from: the building now, its past, and what electricity will cost."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from gateway.adapters.history import Past
from gateway.core import pool
from gateway.core.goals import Goals, co2_on_grid, weigh
from gateway.core.grid import Grid
from gateway.core.levels import GridLimits
from gateway.core.model import Reason, SiteState
from gateway.core.point_series import PointSeries
from gateway.core.pool import Member
from gateway.core.quarters import QUARTER_S
from gateway.core.site import Site
from gateway.core.tariff import Tariff, on_grid
from gateway.planning.question import Question
from gateway.planning.service import NoPlanError
from gateway.ports import Clock

DAYS = 35  # of the past that a forecast looks at
HORIZON = 96  # quarter hours
SOC_S = 120.0  # the state of charge moves slowly


class Ground:
    """`question` is what Planning prepares each plan with."""

    def __init__(
        self,
        *,
        clock: Clock,
        clock_is_set: Callable[[], bool],
        state: Callable[[], SiteState],
        site: Site,
        zone: str,
        past: Past,
        tariff: Callable[[], Tariff],
        goals: Goals,
        co2: Callable[[], PointSeries | None],
    ) -> None:
        self._clock = clock
        self._clock_is_set = clock_is_set
        self._state = state
        self._site = site
        self._zone = zone
        self._past = past
        self._tariff = tariff
        self._goals = goals
        self._co2 = co2

    async def question(self) -> Question:
        """What is known now. Raises NoPlanError where that is too little, OutboxError where the store fails."""
        if not self._site.batteries:
            raise NoPlanError(Reason(code="no_battery"))
        if not self._clock_is_set():
            raise NoPlanError(Reason(code="clock_unset"))
        stored_wh = self._stored_wh()
        now_s = self._clock.utc_s()
        grid = Grid(start_s=now_s // QUARTER_S * QUARTER_S, step_s=QUARTER_S, steps=HORIZON)
        zone = ZoneInfo(self._zone)
        points = self._co2()
        weighed = weigh(
            self._goals,
            on_grid(self._tariff(), grid),
            None if points is None else co2_on_grid(points, grid, zone),
        )
        return Question(
            now_s=now_s,
            time_zone=self._zone,
            history=await self._past.quarters(int(grid.start_s), DAYS),
            prices=weighed.effective,
            storage=pool.storage(self._site.batteries),
            stored_wh=stored_wh,
            limits=GridLimits(import_max_w=self._site.import_limit_w, export_max_w=self._site.export_limit_w),
        )

    def _stored_wh(self) -> float:
        """Energy above the reserves of all batteries."""
        state = self._state()
        members = []
        for battery in self._site.batteries:
            soc = state.value(battery.id, "soc", max_age_s=SOC_S)
            if soc is None:
                raise NoPlanError(Reason(code="lost_soc"))
            members.append(Member(battery=battery, soc=soc, low_w=0.0, high_w=0.0))
        return pool.stored_wh(members)
