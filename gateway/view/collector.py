"""Holds the newest cycle and the last day in memory. Fits the port Display and the page's ViewSource."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from gateway.core.model.site import Site
from gateway.core.model.undated import Undated
from gateway.planning.service import PlanStatus
from gateway.ports import Cycle
from gateway.view import cycle as shown
from gateway.view.labels import Labels
from gateway.view.percentiles import percentiles
from gateway.view.plan import plan_view
from gateway.view.schema.cycle import CycleView, DatabaseView, LinksView, OrderView, PlanMadeView
from gateway.view.schema.plan import PlanView
from gateway.view.schema.status import PercentilesView, StatusView
from gateway.view.schema.trend import TrendView
from gateway.view.trend import RecentTrend, Values

LATE_KEPT = 100_000  # cycles whose lateness is remembered: a good day
UNDATED_KEPT = 3600  # cycles that wait for a clock that is not set yet: an hour


class PageParts(Protocol):
    """What the parts beside the loop say of themselves, collected on each request."""

    def links(self) -> LinksView:
        """Broker and nodes."""
        ...

    def orders(self) -> Mapping[str, OrderView]:
        """By device that was ordered something."""
        ...

    def database(self) -> DatabaseView:
        """Store and database."""
        ...


class GatewayParts(PageParts, Protocol):
    """The parts of a gateway, which have figures, too."""

    def status(self, *, cycles: int, cycle_late_ms: PercentilesView) -> StatusView:
        """All figures, with those of the loop."""
        ...


Parts = TypeVar("Parts", bound=PageParts)


class ViewCollector(Generic[Parts]):
    """Takes each cycle, gives views of it. `before` is what is shown until the first one."""

    def __init__(
        self,
        *,
        site: Site,
        labels: Labels,
        before: Cycle,
        quality: shown.Quality,
        parts: Parts,
        plan_status: Callable[[float], PlanStatus],
        trend: RecentTrend,
        keep_step: Callable[[int, Values], None],
    ) -> None:
        """`plan_status` of a moment (UTC); `keep_step` is given each finished step of the trend."""
        self._site = site
        self._labels = labels
        self._cycle = before
        self._quality = quality
        self._parts = parts
        self._plan_status = plan_status
        self._trend = trend
        self._keep_step = keep_step
        self._next = asyncio.Event()  # set by the next cycle
        self._late_ms: deque[float] = deque(maxlen=LATE_KEPT)
        self._undated: Undated[Values] = Undated(UNDATED_KEPT)

    def show(self, cycle: Cycle) -> None:
        """Take the newest cycle."""
        self._cycle = cycle
        self._late_ms.append(cycle.late_ms)
        flow, soc = shown.flow_view(self._site, cycle), shown.soc(self._site, cycle.state)
        values = {
            "pv_w": flow.pv_w,
            "load_w": flow.load_w,
            "battery_w": flow.battery_w,
            "grid_w": flow.grid_w,
            "soc": soc,
        }
        self._undated.keep(cycle.state.now_s, values)
        if cycle.state.is_dated:
            for utc_s, seen in self._undated.dated(cycle.state.now_s, cycle.state.utc_s):
                self._add_to_trend(utc_s, seen)
        came, self._next = self._next, asyncio.Event()
        came.set()

    def state(self) -> CycleView:
        """The newest cycle, with the parts as they are now."""
        cycle, site, labels = self._cycle, self._site, self._labels
        return CycleView(
            cycle=cycle.number,
            time=datetime.fromtimestamp(cycle.state.utc_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            site=labels.site,
            version=labels.version,
            flow=shown.flow_view(site, cycle),
            soc=shown.soc(site, cycle.state),
            reserve=shown.reserve(site),
            devices=shown.device_views(cycle.state, labels, self._quality),
            setpoint=shown.setpoint_view(cycle.setpoint) if cycle.setpoint else None,
            setpoints=tuple(shown.named_setpoint_view(setpoint, site, labels) for setpoint in cycle.setpoints),
            plan=self._plan_made(),
            links=self._parts.links(),
            orders=self._parts.orders(),
            database=self._parts.database(),
        )

    def trend(self, hours: float) -> TrendView:
        """Columns of the last hours."""
        return self._trend.since(self._cycle.state.utc_s - 3600 * hours)

    def plan(self) -> PlanView:
        """The plan from its present slot on, in fractions of all batteries together."""
        utc_s = self._cycle.state.utc_s
        return plan_view(self._plan_status(utc_s), self._site.batteries, utc_s, self._labels.kinds)

    async def changed(self, after: int) -> int:
        """Wait for a cycle above `after`; its number."""
        while self._cycle.number <= after:
            await self._next.wait()
        return self._cycle.number

    def _add_to_trend(self, utc_s: float, values: Values) -> None:
        done = self._trend.add(utc_s, values)
        if done is not None:
            self._keep_step(*done)

    def _plan_made(self) -> PlanMadeView:
        plan = self._plan_status(self._cycle.state.utc_s).plan
        return PlanMadeView(made_s=plan.made_s if plan else None)


class GatewayView(ViewCollector[GatewayParts]):
    """The same of a gateway, with its figures."""

    def status(self) -> StatusView:
        """Figures of the gateway itself."""
        return self._parts.status(cycles=self._cycle.number, cycle_late_ms=percentiles(self._late_ms))
