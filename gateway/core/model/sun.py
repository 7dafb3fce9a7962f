"""Where the sun is, and what it can give at most: what is known of a roof that says nothing."""

import math
from collections.abc import Sequence

import numpy as np

from gateway.core.model.levels import Floats

AXIS_DEG = 23.44  # of the earth
SOLSTICE_DAY = 10.0  # days from the winter solstice to the end of the year
YEAR_DAYS = 365.25  # from one solstice to the next, leap years shared out
NEW_YEAR_2000_S = 946_684_800.0  # UTC of its midnight, from which days of the year are counted
DAY_S = 86400.0  # of UTC, by which the sun goes

ERROR_DEG = 1.0  # of `elevation_deg`: half a degree of its declination, refraction at the horizon
# Light of the clear sky on a plane that faces the sun (W/m²), by its way through the air: Meinel and Meinel, Applied
# Solar Energy (1976); the way itself: Kasten and Young, Applied Optics 28 (1989), formula 3.
OUTSIDE_W_M2, PASSES, BENDS = 1353.0, 0.7, 0.678
BRIGHT = 1.25  # the sky beside the sun, and the bright edges of clouds
STC_W_M2 = 1000.0  # at which a roof has its peak power

Place = tuple[float, float]
"""Latitude and longitude (degrees, north and east positive)."""


def declination(utc_s: Floats) -> Floats:
    """Angle (rad) of the sun above the plane of the equator, to about half a degree."""
    days = (utc_s - NEW_YEAR_2000_S) / DAY_S
    return np.asarray(-math.radians(AXIS_DEG) * np.cos(2.0 * np.pi * (days + SOLSTICE_DAY) / YEAR_DAYS))


def sine_of_elevation(utc_s: Floats, *, latitude: float, longitude: float) -> Floats:
    """Sine of the sun's height above the horizon, to about a degree: without the equation of time."""
    days = (utc_s - NEW_YEAR_2000_S) / DAY_S
    above = declination(utc_s)
    hour = np.radians(15.0) * ((days % 1.0) * 24.0 - 12.0 + longitude / 15.0)
    place = math.radians(latitude)
    return np.asarray(
        math.sin(place) * np.sin(above) + math.cos(place) * np.cos(above) * np.cos(hour), dtype=np.float64
    )


def elevation_deg(utc_s: float, place: Place) -> float:
    """The sun's height above the horizon (degrees), within ERROR_DEG."""
    latitude, longitude = place
    solar_s = np.array([utc_s + _equation_of_time_s(utc_s)])
    return math.degrees(math.asin(float(sine_of_elevation(solar_s, latitude=latitude, longitude=longitude)[0])))


def is_down(utc_s: float, places: Sequence[Place]) -> bool:
    """Whether it is night in all of these places for certain; not known, hence False, without any."""
    return bool(places) and all(elevation_deg(utc_s, place) < -ERROR_DEG for place in places)


def most_share(utc_s: float, places: Sequence[Place]) -> float:
    """The most that a roof in one of these places can give now, whichever way it faces (0…1 of its peak power)."""
    return max((_clear_sky_share(elevation_deg(utc_s, place) + ERROR_DEG) for place in places), default=1.0)


def _clear_sky_share(elevation: float) -> float:
    if elevation <= 0.0:
        return 0.0
    air = 1.0 / (math.sin(math.radians(elevation)) + 0.50572 * (elevation + 6.07995) ** -1.6364)
    beam_w_m2 = OUTSIDE_W_M2 * math.pow(PASSES, math.pow(air, BENDS))
    return min(BRIGHT * beam_w_m2 / STC_W_M2, 1.0)


def _equation_of_time_s(utc_s: float) -> float:
    """How far a sundial is ahead of a clock (s): the usual three terms, within half a minute."""
    day = (utc_s - NEW_YEAR_2000_S) / DAY_S % YEAR_DAYS
    angle = 2.0 * math.pi * (day - 81.0) / 364.0
    return 60.0 * (9.87 * math.sin(2.0 * angle) - 7.53 * math.cos(angle) - 1.5 * math.sin(angle))
