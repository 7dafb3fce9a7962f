"""What a kWh will cost on the grid of a plan: the site file's tariff with what meter and feeds tell."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from gateway.core.model.state import SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.colours import learn, meter_colours
from gateway.core.pricing.goals import Weighed
from gateway.core.pricing.periods import Colour
from gateway.core.pricing.point_series import PointSeries
from gateway.site.build import prices as site_prices
from gateway.site.build.feeds import Feeds
from gateway.site.file.site_file import SiteFile


class PriceInputs:
    """Remembers the Tempo colours that the meter has told; `weighed` gives the prices of a plan."""

    def __init__(self, file: SiteFile, outside: Feeds, *, meter: str) -> None:
        self._file = file
        self._outside = outside
        self._meter = meter
        self._colours: Mapping[date, Colour] = {}

    def weighed(self, grid: TimeGrid, state: SiteState, reached_w: float) -> Weighed:
        """Effective and real prices, with notes on what was not known; `reached_w`: this month's highest import."""
        zone = ZoneInfo(self._file.site.time_zone)
        today, tomorrow = meter_colours(state, self._meter)
        self._colours = learn(self._colours, utc_s=state.utc_s, zone=zone, today=today, tomorrow=tomorrow)
        prices, co2 = self._outside.prices, self._outside.co2
        return site_prices.weighed(
            self._file,
            grid,
            colours=self._colours,
            points=_points(None if prices is None else prices.answer().value),
            co2=_points(None if co2 is None else co2.answer().value),
            reached_w=reached_w,
        )


def _points(found: PointSeries | None) -> PointSeries:
    return site_prices.NO_POINTS if found is None else found
