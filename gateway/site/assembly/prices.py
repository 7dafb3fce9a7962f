"""From the site file to the prices that the core plans with."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from gateway.core.accounts.quarter_account import PriceInForce
from gateway.core.model.quarters import QUARTER_S
from gateway.core.model.state import Reason, SiteState
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.called_days import Days, learn
from gateway.core.pricing.goals import Goals, Weighed, co2_on_grid, weigh
from gateway.core.pricing.kind import NO_POINTS, PriceSources, TariffKind
from gateway.core.pricing.kinds.base import placeholder
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.prices import Prices
from gateway.core.pricing.tariff import Power, Tariff, on_grid
from gateway.planning.price_inputs import PriceInputs
from gateway.site.assembly.feeds import Feeds
from gateway.site.file.price_sections import TariffSection
from gateway.site.file.site_file import SiteFile
from gateway.site.file.tariff_checks import kind_of


def kind(file: SiteFile) -> TariffKind | None:
    """The kind of a building's tariff; None where none is set, and where a list it needs cannot be used."""
    if file.tariff is None or file.lists.mistakes:
        return None
    return kind_of(file.tariff, file.lists.bought)


def tariff(file: SiteFile, *, days: Days, points: PointSeries = NO_POINTS) -> Tariff:
    """The tariff of a building with what is known now of called days and published prices.

    The placeholder where none is set, and where a list it needs cannot be used.
    """
    zone, section, chosen = ZoneInfo(file.site.time_zone), file.tariff, kind(file)
    if section is None or chosen is None:
        return placeholder(zone)
    bought = file.lists.bought
    sources = PriceSources(
        zone=zone,
        sell=_sell(section, file),
        lists=() if bought is None else bought.lists(section.prices),
        days=days,
        points=points,
    )
    return section.settings(chosen).tariff(sources)


def price_inputs(file: SiteFile, feeds: Feeds, *, meter: str) -> PriceInputs:
    """What gives the prices of each plan; `meter`: the device at the grid connection."""
    chosen = kind(file)
    return PriceInputs(
        weighed=partial(weighed, file),
        called=None if chosen is None else chosen.called,
        zone=ZoneInfo(file.site.time_zone),
        meter=meter,
        points=feeds.prices,
        co2=feeds.co2,
    )


class PricesInForce:
    """What a kWh cost in quarter hours that are over, as the accounts need it; fits the port of the accountant."""

    def __init__(self, file: SiteFile, feeds: Feeds, *, meter: str) -> None:
        """`meter`: the device at the grid connection, which announces called days."""
        chosen = kind(file)
        self._file = file
        self._feeds = feeds
        self._meter = meter
        self._called = None if chosen is None else chosen.called
        self._zone = ZoneInfo(file.site.time_zone)
        self._days: Days = {}

    def learn(self, state: SiteState) -> None:
        """The called days that the meter announces now."""
        if self._called is not None:
            local = datetime.fromtimestamp(state.utc_s, self._zone)
            self._days = learn(self._days, self._called.meter(state, self._meter, local), local.date())

    def price(self, start_s: int) -> PriceInForce | None:
        """The mean price over the quarter hour; None where any part of it is not known for sure."""
        published = self._feeds.prices
        points = None if published is None else published.answer().value
        of_now = tariff(self._file, days=self._days, points=NO_POINTS if points is None else points)
        found = on_grid(of_now, TimeGrid(start_s=float(start_s), step_s=float(QUARTER_S), steps=1))
        if found.assumed[0]:
            return None
        return PriceInForce(period=found.names[0], buy=float(found.buy[0]), sell=float(found.sell[0]))

    def co2_g_per_kwh(self, start_s: int) -> float | None:
        """Of the grid when the quarter hour began; None where no series says it."""
        series = None if self._feeds.co2 is None else self._feeds.co2.answer().value
        return None if series is None else series.at(float(start_s))


def weighed(
    file: SiteFile,
    grid: TimeGrid,
    *,
    days: Days,
    points: PointSeries = NO_POINTS,
    co2: PointSeries = NO_POINTS,
    reached_w: float = 0.0,
) -> Weighed:
    """Prices on the grid of a plan, weighed by the goals, with notes on all that was not known.

    `reached_w`: the highest quarter hour of import in this month so far.
    """
    zone = ZoneInfo(file.site.time_zone)
    prices = on_grid(tariff(file, days=days, points=points), grid)
    prices = replace(prices, peak=power(file).peak_price(grid, zone, reached_w))
    found = weigh(goals(file), prices, co2_on_grid(co2, grid, zone) if co2.times_s else None)
    return replace(found, notes=(*_unknown(file, prices, zone), *found.notes))


def _unknown(file: SiteFile, prices: Prices, zone: ZoneInfo) -> Iterator[Reason]:
    """Whether no tariff was given or it cannot be used, or from when to when the price first is not known."""
    if file.tariff is None or file.lists.mistakes:
        numbers = {"buy_price": float(prices.buy[0]), "sell_price": float(prices.sell[0])}
        yield Reason(code="tariff_missing" if file.tariff is None else "tariff_broken", numbers=numbers)
    elif any(prices.assumed):
        yield _assumed(prices, zone)


def _assumed(prices: Prices, zone: ZoneInfo) -> Reason:
    """From when to when the price first is not known, by the local clock, and the dearest that is assumed there."""
    first = prices.assumed.index(True)
    end = next((i for i in range(first, len(prices.assumed)) if not prices.assumed[i]), len(prices.assumed))
    now, begin, stop = (datetime.fromtimestamp(prices.start_s + step * prices.step_s, zone) for step in (0, first, end))
    numbers = {
        "buy_price": float(prices.buy[first:end].max()),
        "begin_day": float((begin.date() - now.date()).days),
        "begin_clock": float(begin.hour * 60 + begin.minute),
        "end_clock": float(stop.hour * 60 + stop.minute),
    }
    return Reason(code="assumed_price", numbers=numbers)


def power(file: SiteFile) -> Power:
    """What the highest power of a month costs."""
    section = file.tariff
    if section is None:
        return Power()
    return Power(
        peak_eur_per_kw_month=section.peak_eur_per_kw_month,
        peak_free_w=1000 * section.peak_free_kw,
    )


def goals(file: SiteFile) -> Goals:
    """What the plan is for."""
    return Goals(**file.goals.model_dump())


def _sell(section: TariffSection, file: SiteFile) -> float:
    """EUR/kWh for surplus: of the contract, of its table, or nothing."""
    surplus = section.surplus
    if surplus is None:
        return section.surplus_price or 0.0
    found = file.lists.surplus
    price = None if found is None else found.surplus_price(surplus.quarter, surplus.kwp)
    assert price is not None  # noqa: S101 - the site file was checked
    return price
