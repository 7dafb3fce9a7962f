"""What a kWh costs at any moment, and on the grid of a plan.

A step that straddles a change of price has the mean over its time. Plans should have their steps on quarter hours,
where nearly all prices change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Protocol

import numpy as np

from gateway.core.model.time_grid import TimeGrid, mean
from gateway.core.pricing.periods import Scheme
from gateway.core.pricing.prices import PeakPrice, Period, Prices

CLOCK_CHANGE_S = 900.0  # clocks are set forward and back, and days begin, on quarter hours of UTC in every zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The prices of a moment (EUR/kWh)."""

    name: str  # the tariff's own, such as HC
    buy: float  # EUR/kWh for what is imported
    sell: float  # EUR/kWh for what is exported
    assumed: bool = False  # `buy` was not known and is the dearest that is possible


class Tariff(Protocol):
    """Gives the prices of any moment."""

    def rate(self, utc_s: float) -> Rate:
        """The prices of a moment; there always are some."""
        ...

    def edges(self, start_s: float, end_s: float) -> Iterable[float]:
        """Moments (UTC) at which prices may change; between two of them they do not. May give more than needed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """EUR/kWh by the names of a scheme, from the local day `first` on."""

    first: date  # itself in
    prices: Mapping[str, float]  # EUR/kWh imported, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTariff:
    """Names by the local clock, and lists of prices for them."""

    zone: tzinfo  # whose clock the contract goes by
    scheme: Scheme  # gives the names
    lists: tuple[PriceList, ...]  # rising by their first day; before the first one its prices are assumed
    sell: float  # EUR/kWh
    is_assumed: bool = False  # it is not confirmed that these prices are those of this building

    def __post_init__(self) -> None:
        """Raises ValueError for a list without a price that the scheme needs."""
        for prices in self.lists:
            missing = [name for name in self.scheme.names if name not in prices.prices]
            if missing:
                raise ValueError(f"no price for {', '.join(missing)} from {prices.first}")
        if not self.lists:
            raise ValueError("a tariff has at least one list of prices")

    def rate(self, utc_s: float) -> Rate:
        """The dearest price that is possible at this moment."""
        local = datetime.fromtimestamp(utc_s, self.zone)
        names = self.scheme.candidates(local)
        begun = [one for one in self.lists if one.first <= local.date()]
        prices = (begun[-1] if begun else self.lists[0]).prices
        name = max(names, key=lambda each: prices[each])
        assumed = self.is_assumed or len(names) > 1 or not begun
        return Rate(name=name, buy=prices[name], sell=self.sell, assumed=assumed)

    def edges(self, start_s: float, end_s: float) -> Iterable[float]:
        """Quarter hours, for changes of day and of clock, and the changes of the scheme on each local day."""
        yield from quarter_hours(start_s, end_s)
        day = datetime.fromtimestamp(start_s, self.zone).date()
        last = datetime.fromtimestamp(end_s, self.zone).date()
        while day <= last:
            for minute in self.scheme.turns_min():
                clock = datetime.combine(day, time(minute // 60, minute % 60), self.zone)
                yield clock.timestamp()
                yield clock.replace(fold=1).timestamp()  # the same hour comes twice when clocks are set back
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What the highest power of a month costs."""

    peak_eur_per_kw_month: float = 0.0  # for each kW of the month's highest quarter hour of import
    peak_free_w: float = 0.0  # of it, what costs nothing more

    def peak_price(self, grid: TimeGrid, zone: tzinfo, reached_w: float) -> PeakPrice | None:
        """What new peaks cost on the grid of a plan; `reached_w` is the highest import of its first month so far."""
        if not self.peak_eur_per_kw_month:
            return None
        starts = [grid.start_s + grid.step_s * step for step in range(grid.steps)]
        months = [month_start_s(start_s, zone) for start_s in starts]
        firsts = [step for step in range(grid.steps) if step == 0 or months[step] != months[step - 1]]
        periods = tuple(
            Period(first=first, end=end, due_w=max(self.peak_free_w, 0.0 if first else reached_w))
            for first, end in zip(firsts, [*firsts[1:], grid.steps], strict=True)
        )
        return PeakPrice(eur_per_kw=self.peak_eur_per_kw_month, periods=periods)


def month_start_s(utc_s: float, zone: tzinfo) -> float:
    """When the local month of a moment began (UTC)."""
    local = datetime.fromtimestamp(utc_s, zone)
    return datetime(local.year, local.month, 1, tzinfo=zone).timestamp()


def quarter_hours(start_s: float, end_s: float) -> list[float]:
    """The quarter hours (UTC) from one moment to before another."""
    quarters: list[float] = np.arange(
        np.ceil(start_s / CLOCK_CHANGE_S) * CLOCK_CHANGE_S, end_s, CLOCK_CHANGE_S
    ).tolist()
    return quarters


def on_grid(tariff: Tariff, grid: TimeGrid) -> Prices:
    """The prices of each step; the name is that of the longest part, and a step is assumed when any part is."""
    columns = _Columns()
    for pieces in grid.pieces(tariff.edges(grid.start_s, grid.end_s)):
        rates = [tariff.rate(begin_s) for begin_s, _ in pieces]
        shares = [share for _, share in pieces]
        columns.buy.append(mean([rate.buy for rate in rates], shares))
        columns.sell.append(mean([rate.sell for rate in rates], shares))
        columns.names.append(_longest([rate.name for rate in rates], shares))
        columns.assumed.append(any(rate.assumed for rate in rates))
    return Prices(
        start_s=grid.start_s,
        step_s=grid.step_s,
        buy=np.array(columns.buy, dtype=np.float64),
        sell=np.array(columns.sell, dtype=np.float64),
        names=tuple(columns.names),
        assumed=tuple(columns.assumed),
    )


@dataclass(slots=True)
class _Columns:
    buy: list[float] = field(default_factory=list)
    sell: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    assumed: list[bool] = field(default_factory=list)


def _longest(names: list[str], shares: list[float]) -> str:
    total: dict[str, float] = {}
    for name, share in zip(names, shares, strict=True):
        total[name] = total.get(name, 0.0) + share
    return max(total, key=lambda name: total[name])
