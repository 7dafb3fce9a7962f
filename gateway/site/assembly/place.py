"""Where a building is, as far as its site file says: for the sun, which tells what a silent inverter can give."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.core.model.sun import Place
from gateway.site.file.site_file import SiteFile

Span = tuple[float, float]

MIDDLE: Place = (50.3, 2.8)  # Arras: the middle of the Hauts-de-France, where the demonstrators are
# Latitudes and longitudes of the French time zones; Paris is that of the mainland and Corsica.
FRANCE: Mapping[str, tuple[Span, Span]] = {
    "Europe/Paris": ((41.3, 51.2), (-5.2, 9.7)),
    "America/Cayenne": ((2.1, 5.8), (-54.7, -51.5)),
    "America/Guadeloupe": ((15.8, 16.6), (-61.9, -60.9)),
    "America/Martinique": ((14.3, 15.0), (-61.3, -60.7)),
    "Indian/Mayotte": ((-13.1, -12.5), (44.9, 45.4)),
    "Indian/Reunion": ((-21.5, -20.8), (55.1, 55.9)),
}
DEGREES_PER_H = 15.0  # of longitude
LAX_H = 1.5  # so far from the sun's time the standard time of a zone may be, either way
INHABITED = 62.0  # farther from the equator hardly anybody lives
TROPICS = 15.0  # nearer to it nobody changes the hour


def position(file: SiteFile) -> Place | None:
    """The coordinates in the site file: its own, or those for the weather; None without any."""
    site, weather = file.site, file.feeds.weather if file.feeds else None
    if site.latitude is not None and site.longitude is not None:
        return site.latitude, site.longitude
    return None if weather is None else (weather.latitude, weather.longitude)


def corners(file: SiteFile) -> tuple[Place, ...]:
    """The position alone; without one, the corners of the area that has the time zone of the site file."""
    found = position(file)
    if found is not None:
        return (found,)
    latitudes, longitudes = FRANCE.get(file.site.time_zone) or _area(ZoneInfo(file.site.time_zone))
    return tuple((latitude, longitude) for latitude in latitudes for longitude in longitudes)


def _area(zone: ZoneInfo) -> tuple[Span, Span]:
    """What a clock says of its place: the longitude by its standard time, the half of the earth by its summer."""
    january_h, july_h = (_offset_h(zone, month) for month in (1, 7))
    middle = DEGREES_PER_H * min(january_h, july_h)
    longitudes = middle - DEGREES_PER_H * LAX_H, middle + DEGREES_PER_H * LAX_H
    if july_h > january_h:
        return (TROPICS, INHABITED), longitudes
    if january_h > july_h:
        return (-INHABITED, -TROPICS), longitudes
    return (-INHABITED, INHABITED), longitudes


def _offset_h(zone: ZoneInfo, month: int) -> float:
    offset = datetime(2026, month, 15, tzinfo=UTC).astimezone(zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600.0
