"""The feeds that a site file asks for, each with its own page in the cache folder."""

from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.feeds import open_meteo, points
from gateway.adapters.feeds.feed import Feed, is_address
from gateway.core.model.weather import Weather
from gateway.core.pricing.point_series import PointSeries
from gateway.ports import Clock
from gateway.site.file.price_sections import WeatherSection
from gateway.site.file.site_file import SiteFile

HOUR_S = 3600.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """What comes from outside; None where nothing was asked for."""

    weather: Feed[Weather] | None
    prices: Feed[PointSeries] | None
    co2: Feed[PointSeries] | None

    @property
    def all(self) -> tuple[Feed[Weather] | Feed[PointSeries], ...]:
        """Those that run."""
        return tuple(feed for feed in (self.weather, self.prices, self.co2) if feed is not None)


def outside(file: SiteFile, *, clock: Clock, folder: Path) -> Feeds:
    """The feeds of a building; `folder` keeps their last good answers over a restart."""
    tariff, feeds = file.tariff, file.feeds
    weather = None if feeds is None or feeds.weather is None else _weather(feeds.weather, clock, folder)
    prices = co2 = None
    if tariff is not None and tariff.published is not None:
        # Points carry their times: an old answer is right as far as it reaches, and then the last day stands in.
        prices = Feed(
            source=_source(tariff.published, file.path.parent),
            parse=points.parse_prices,
            cache=folder / "prices.json",
            clock=clock,
            every_s=HOUR_S,
            good_s=8 * DAY_S,
        )
    if feeds is not None and feeds.co2 is not None:
        co2 = Feed(
            source=_source(feeds.co2, file.path.parent),
            parse=points.parse_co2,
            cache=folder / "co2.json",
            clock=clock,
            every_s=HOUR_S,
            good_s=8 * DAY_S,
        )
    return Feeds(weather=weather, prices=prices, co2=co2)


def _weather(section: WeatherSection, clock: Clock, folder: Path) -> Feed[Weather]:
    """Asked for three days, so that an answer of the day before still holds the coming day."""
    return Feed(
        source=open_meteo.address(**section.model_dump()),
        parse=open_meteo.parse,
        cache=folder / "weather.json",
        clock=clock,
        every_s=HOUR_S,
        good_s=1.5 * DAY_S,
    )


def _source(told: str, beside: Path) -> str:
    """An address as it is; a file beside the site file unless absolute."""
    return told if is_address(told) else str(beside / told)
