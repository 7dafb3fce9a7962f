"""Prices by the hour or quarter hour, as a market or a supplier publishes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated

from gateway.core.pricing.keys import Between, Ignored, Price, Text
from gateway.core.pricing.kind import PriceSources, TariffKind
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.tariff import Rate, quarter_hours

DEAR_SHARE = 0.1  # of a day's highest price: so much above the shape of that day a missing price is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicTariff:
    """Prices by the hour or quarter as published: buy = factor * point + add.

    Where none is published yet, that of the same time on the last day that has one, raised by a tenth of that day's
    highest; where there is none at all, `fallback`.
    """

    zone: tzinfo  # the days of this zone are used where prices are missing
    points: PointSeries  # EUR/kWh
    sell: float  # EUR/kWh
    fallback: float  # EUR/kWh
    factor: float = 1.0  # such as 1.2 for a tax of 20 %
    add: float = 0.0  # EUR/kWh, for network and fixed taxes

    def rate(self, utc_s: float) -> Rate:
        """The published price, or the assumed one."""
        point = self.points.at(utc_s)
        if point is not None:
            return Rate(name="DYNAMIC", buy=self.factor * point + self.add, sell=self.sell)
        before = self.points.of_a_day_before(utc_s, self.zone)
        if before is None:
            return Rate(name="DYNAMIC", buy=self.fallback, sell=self.sell, assumed=True)
        value, highest = before
        dear = self.factor * (value + DEAR_SHARE * max(highest, 0.0)) + self.add
        return Rate(name="DYNAMIC", buy=dear, sell=self.sell, assumed=True)

    def edges(self, start_s: float, end_s: float) -> Iterable[float]:
        """The published moments, and quarter hours where shapes of other days stand in."""
        yield from self.points.edges(start_s, end_s)
        yield from quarter_hours(start_s, end_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicSettings:
    """Prices that change by the hour: `points` is a file or an address with them.

    price = `factor` * point + `add`; `fallback_price` stands in where none is known at all.
    """

    points: Text  # the file or address of prices for each hour or quarter hour
    factor: Annotated[float, Between(above=0, most=100), Ignored()] = 1.0  # on each point: taxes in proportion
    add: Annotated[Price, Ignored()] = 0.0  # EUR/kWh
    fallback_price: Price  # EUR/kWh

    def tariff(self, sources: PriceSources) -> DynamicTariff:
        """The points that are known, made dear where they end."""
        return DynamicTariff(
            zone=sources.zone,
            points=sources.points,
            sell=sources.sell,
            fallback=self.fallback_price,
            factor=self.factor,
            add=self.add,
        )


KIND = TariffKind(
    id="dynamic",
    names=("DYNAMIC",),
    settings=DynamicSettings,
    example='[tariff]\npoints = "prices.csv"\nfactor = 1.2\nadd = 0.09\nfallback_price = 0.30',
    chosen_by="points",
    points_key="points",
)
