"""Where the sun stands and what it gives to a plane under a clear sky."""

import math
from dataclasses import dataclass

SOLAR_CONSTANT_W_M2 = 1361.0
TRANSMITTANCE = 0.7  # of a clear atmosphere at air mass 1 (Campbell and Norman 1998, chapter 11)
ALBEDO = 0.2
J2000_UNIX_S = 946728000.0  # 2000-01-01 12:00 UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Sun:
    """Elevation above the horizon and azimuth (0 north, pi/2 east), radians."""

    elevation: float
    azimuth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A place on earth and a tilted surface there; degrees, azimuth 180 is south."""

    latitude_deg: float
    longitude_deg: float
    tilt_deg: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Irradiance:
    """W/m2 on a plane: straight from the sun, and from everywhere else."""

    beam_w_m2: float
    diffuse_w_m2: float


def sun_at(utc_s: float, latitude_deg: float, longitude_deg: float) -> Sun:
    """The sun's place; low-precision formulas of the Astronomical Almanac (0.01 degree from 1950 to 2050)."""
    days = (utc_s - J2000_UNIX_S) / 86400.0
    mean_longitude = math.radians(280.460 + 0.9856474 * days)
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = mean_longitude + math.radians(1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 0.0000004 * days)
    right_ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    sidereal = math.radians((280.46062 + 360.985647366 * days + longitude_deg) % 360.0)
    return _above_horizon(sidereal - right_ascension, declination, math.radians(latitude_deg))


def clear_sky(utc_s: float, plane: Plane) -> Irradiance:
    """Irradiance of a plane without clouds (Campbell and Norman 1998; air mass of Kasten and Young 1989)."""
    sun = sun_at(utc_s, plane.latitude_deg, plane.longitude_deg)
    if sun.elevation <= 0.0:
        return Irradiance(beam_w_m2=0.0, diffuse_w_m2=0.0)
    height = math.sin(sun.elevation)
    air_mass = 1.0 / (height + 0.50572 * (math.degrees(sun.elevation) + 6.07995) ** -1.6364)
    passed = TRANSMITTANCE**air_mass
    direct = SOLAR_CONSTANT_W_M2 * passed
    sky = 0.3 * (1.0 - passed) * SOLAR_CONSTANT_W_M2 * height
    tilt = math.radians(plane.tilt_deg)
    ground = ALBEDO * (direct * height + sky)
    return Irradiance(
        beam_w_m2=direct * max(_incidence(sun, plane, tilt), 0.0),
        diffuse_w_m2=sky * (1.0 + math.cos(tilt)) / 2.0 + ground * (1.0 - math.cos(tilt)) / 2.0,
    )


def _above_horizon(hour_angle: float, declination: float, latitude: float) -> Sun:
    height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
    east = -math.cos(declination) * math.sin(hour_angle)
    north = math.sin(declination) * math.cos(latitude) - math.cos(declination) * math.cos(hour_angle) * math.sin(
        latitude
    )
    return Sun(elevation=math.asin(max(-1.0, min(1.0, height))), azimuth=math.atan2(east, north) % math.tau)


def _incidence(sun: Sun, plane: Plane, tilt: float) -> float:
    """Cosine of the angle between the sun and the plane's normal."""
    turn = sun.azimuth - math.radians(plane.azimuth_deg)
    return math.sin(sun.elevation) * math.cos(tilt) + math.cos(sun.elevation) * math.sin(tilt) * math.cos(turn)
