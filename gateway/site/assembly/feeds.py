"""The feeds that a site file asks for, from the sections `feeds` and `tariff`; each caches its last answer on disk."""

from collections.abc import Callable
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
POINTS_GOOD_S = 8 * DAY_S  # points carry their times: an old answer is right as far as it reaches
WEATHER_GOOD_S = 1.5 * DAY_S  # it is asked for three days, so an answer of the day before still holds the coming day


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """What comes from the internet; None where nothing was requested."""

    weather: Feed[Weather] | None
    prices: Feed[PointSeries] | None
    co2: Feed[PointSeries] | None

    @property
    def all(self) -> tuple[Feed[Weather] | Feed[PointSeries], ...]:
        """Those that run."""
        return tuple(feed for feed in (self.weather, self.prices, self.co2) if feed is not None)


def feeds(file: SiteFile, *, clock: Clock, folder: Path) -> Feeds:
    """The feeds of a building; `folder` keeps their last good answers over a restart."""
    tariff, section = file.tariff, file.feeds
    beside = file.path.parent

    def point_feed(source: str | None, parse: Callable[[bytes], PointSeries], cache: str) -> Feed[PointSeries] | None:
        """An address as it is; a file beside the site file unless absolute."""
        if source is None:
            return None
        place = source if is_address(source) else str(beside / source)
        return Feed(source=place, parse=parse, cache=folder / cache, clock=clock, every_s=HOUR_S, good_s=POINTS_GOOD_S)

    return Feeds(
        weather=None if section is None or section.weather is None else _weather(section.weather, clock, folder),
        prices=point_feed(None if tariff is None else tariff.published, points.parse_prices, "prices.json"),
        co2=point_feed(None if section is None else section.co2, points.parse_co2, "co2.json"),
    )


def _weather(section: WeatherSection, clock: Clock, folder: Path) -> Feed[Weather]:
    return Feed(
        source=open_meteo.address(**section.model_dump()),
        parse=open_meteo.parse,
        cache=folder / "weather.json",
        clock=clock,
        every_s=HOUR_S,
        good_s=WEATHER_GOOD_S,
    )
