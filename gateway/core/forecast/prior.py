"""What a building without history is expected to do: a usual household, and a clear sky over its roof."""

import math
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from gateway.core.forecast.scenarios import Prior
from gateway.core.model.levels import Floats

# Shape of a household's day by local hour, mean 1: low at night, a small top at noon, the highest in the evening.
NIGHT_AND_MORNING = (0.6, 0.5, 0.5, 0.5, 0.5, 0.6, 0.8, 1.1, 1.1, 1.0, 0.9, 1.1)
NOON_AND_EVENING = (1.3, 1.2, 1.0, 0.9, 1.0, 1.2, 1.6, 1.8, 1.6, 1.3, 1.0, 0.9)
DAY = NIGHT_AND_MORNING + NOON_AND_EVENING
USUAL_LOAD_W = 400.0  # 3,500 kWh a year: nothing is known of this household
CLEAR_W_PER_KWP = 800.0  # of a clear sky at normal incidence, with the usual losses
AXIAL_TILT = math.radians(23.44)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """The PV plant as far as it is known before it has produced."""

    peak_w: float
    latitude_deg: float
    longitude_deg: float


def usual(start_s: float, step_s: float, steps: int, zone: tzinfo, roof: Roof | None) -> Prior:
    """The prior of the coming steps; no PV where nothing is known of a roof."""
    starts_s = start_s + step_s * np.arange(steps, dtype=np.float64)
    hours = [datetime.fromtimestamp(moment_s, zone).hour for moment_s in starts_s.tolist()]
    shape = np.array([DAY[hour] for hour in hours]) / (sum(DAY) / len(DAY))
    sun = np.zeros(steps) if roof is None else -clear_sky_w(roof, starts_s + step_s / 2.0)
    return Prior(load_w=USUAL_LOAD_W * shape, pv_w=sun)


def clear_sky_w(roof: Roof, moments_s: Floats) -> Floats:
    """Production (positive W) of a flat roof under a clear sky, by the sine of the sun's height.

    Height from latitude, declination (Cooper 1969) and solar time without the equation of time: 16 minutes at most.
    """
    days = moments_s / 86400.0
    year_day = days % 365.2425
    declination = AXIAL_TILT * np.sin(2.0 * math.pi * (284.0 + year_day + 1.0) / 365.0)
    turn = 2.0 * math.pi * (days % 1.0 - 0.5 + roof.longitude_deg / 360.0)
    latitude = math.radians(roof.latitude_deg)
    sine = math.sin(latitude) * np.sin(declination) + math.cos(latitude) * np.cos(declination) * np.cos(turn)
    return np.asarray(np.maximum(sine, 0.0) * CLEAR_W_PER_KWP * roof.peak_w / 1000.0)
