"""What a kWh will cost on the time grid of a plan: the building's tariff with the data of meter and feeds."""

from datetime import datetime, tzinfo
from typing import Protocol

from gateway.adapters.feeds.feed import Feed
from gateway.core.model.state import SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.called_days import CalledDays, Days, learn
from gateway.core.pricing.goals import Weighed
from gateway.core.pricing.kind import NO_POINTS
from gateway.core.pricing.point_series import PointSeries


class WeighedPrices(Protocol):
    """The prices of a building on a time grid, weighed by its goals."""

    def __call__(
        self, grid: TimeGrid, *, days: Days, points: PointSeries, co2: PointSeries, reached_w: float
    ) -> Weighed:
        """With what is known of called days, published prices (EUR/kWh) and CO2 (g/kWh)."""
        ...


class PriceInputs:
    """Remembers the called days that the meter has announced; `weighed` gives the prices of a plan."""

    def __init__(
        self,
        *,
        weighed: WeighedPrices,
        called: CalledDays | None,
        zone: tzinfo,
        meter: str,
        points: Feed[PointSeries] | None,
        co2: Feed[PointSeries] | None,
    ) -> None:
        self._weighed = weighed
        self._called = called
        self._zone = zone
        self._meter = meter
        self._points = points
        self._co2 = co2
        self._days: Days = {}

    def weighed(self, grid: TimeGrid, state: SiteState, reached_w: float) -> Weighed:
        """Effective and real prices, with notes on what was not known; `reached_w`: this month's highest import."""
        if self._called is not None:
            local = datetime.fromtimestamp(state.utc_s, self._zone)
            self._days = learn(self._days, self._called.meter(state, self._meter, local), local.date())
        return self._weighed(
            grid, days=self._days, points=_series(self._points), co2=_series(self._co2), reached_w=reached_w
        )


def _series(feed: Feed[PointSeries] | None) -> PointSeries:
    found = None if feed is None else feed.answer().value
    return NO_POINTS if found is None else found
