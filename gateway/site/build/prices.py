"""From the site file to the prices that the core plans with."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid
from gateway.core.pricing.goals import Goals, Weighed, co2_on_grid, weigh
from gateway.core.pricing.periods import Base, Colour, OffPeak, PeakOffPeak, Scheme, Tempo
from gateway.core.pricing.point_series import PointSeries
from gateway.core.pricing.prices import Prices
from gateway.core.pricing.tariff import DynamicTariff, ListTariff, Power, Tariff, on_grid, placeholder
from gateway.site.file.price_sections import OffPeakSection, TariffSection
from gateway.site.file.site_file import SiteFile

NO_POINTS = PointSeries(times_s=(), values=())


def tariff(file: SiteFile, *, colours: Mapping[date, Colour], points: PointSeries = NO_POINTS) -> Tariff:
    """The tariff of a building with what is known now of colours and published prices.

    The placeholder where none was told, and where a list it needs cannot be used.
    """
    zone, section = ZoneInfo(file.site.time_zone), file.tariff
    if section is None or file.lists.mistakes:
        return placeholder(zone)
    sell = _sell(section, file)
    if section.file is None:
        assert section.fallback_price is not None  # noqa: S101 - the site file was checked
        return DynamicTariff(
            zone=zone,
            points=points,
            sell=sell,
            fallback=section.fallback_price,
            factor=section.factor,
            add=section.add,
        )
    found = file.lists.bought
    assert found is not None  # noqa: S101 - the site file was checked
    scheme = _scheme(found.kind, section, colours)
    return ListTariff(zone=zone, scheme=scheme, lists=found.lists(section.prices), sell=sell)


def weighed(
    file: SiteFile,
    grid: TimeGrid,
    *,
    colours: Mapping[date, Colour],
    points: PointSeries = NO_POINTS,
    co2: PointSeries = NO_POINTS,
    reached_w: float = 0.0,
) -> Weighed:
    """Prices on the grid of a plan, weighed by the goals, with notes on all that was not known.

    `reached_w`: the highest quarter hour of import in this month so far.
    """
    zone = ZoneInfo(file.site.time_zone)
    prices = on_grid(tariff(file, colours=colours, points=points), grid)
    prices = replace(prices, peak=power(file).peak_price(grid, zone, reached_w))
    found = weigh(goals(file), prices, co2_on_grid(co2, grid, zone) if co2.times_s else None)
    return replace(found, notes=(*_unknown(file, prices, zone), *found.notes))


def _unknown(file: SiteFile, prices: Prices, zone: ZoneInfo) -> Iterator[Reason]:
    """Whether no tariff was told or it cannot be used, or from when to when the price first is not known."""
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
    """What the connection allows and what its peak costs."""
    section = file.tariff
    if section is None:
        return Power()
    subscribed_w = None if section.subscribed_kva is None else 1000 * section.subscribed_kva
    return Power(
        subscribed_w=subscribed_w,
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


def _scheme(kind: str, section: TariffSection, colours: Mapping[date, Colour]) -> Scheme:
    if kind == "hphc":
        return PeakOffPeak(rows=tuple(_off_peak(row) for row in section.off_peak))
    return Tempo(colours=colours) if kind == "tempo" else Base()


def _off_peak(row: OffPeakSection) -> OffPeak:
    return OffPeak(
        windows=row.windows(), first=row.first or date.min, end=row.end or date.max, season=row.season_days()
    )
