"""What the PV of a past day would be today, as far as the height of the sun goes.

A record of a month is old by a month of sunshine: in February its days give too little, in September too much. Nothing
about the place is needed: the hours of light in the record give the latitude, or rather the one at which a flat field
would see as much of the sun as this roof does.
"""

import math

import numpy as np

from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.core.model.sun import DAY_S, declination

BLOCK_DAYS = 7  # one of them is clear at dawn and at dusk
LIT = 0.01  # share of the highest power above which it is day
NO_SEASON_WEIGHT = 0.02  # of a place without seasons beside what was seen: at the equinox all days are alike
SHARE = 0.7  # a roof leans towards the winter's sun, clouds take part of the rest
FARTHEST = 3.0  # factor beyond which a day of another season is no candidate for this one


def in_season(history: History) -> Floats:
    """PV of the history (W, sign rule) as the same skies would give now; unchanged where no week is known."""
    per_day = round(DAY_S / history.step_s)
    days = len(history.pv_w) // per_day
    latitude = latitude_rad(history)
    if latitude is None:
        return history.pv_w
    past = _day_light(history.end_s - DAY_S * (np.arange(days + 1, 0.0, -1.0) - 0.5), latitude)
    now = _day_light(np.array([history.end_s + 0.5 * DAY_S]), latitude)
    factors = np.clip((now / past) ** SHARE, 1.0 / FARTHEST, FARTHEST)
    return np.asarray(history.pv_w * np.repeat(factors, per_day)[-len(history.pv_w) :])


def latitude_rad(history: History) -> float | None:
    """Where a flat field has as many hours of light, north positive; None where PV of less than a week is known.

    On every day cos(half its light) = -tan(latitude) tan(declination): a regression through 0.
    """
    per_week = BLOCK_DAYS * round(DAY_S / history.step_s)
    weeks = len(history.pv_w) // per_week
    power = np.nan_to_num(-history.pv_w[len(history.pv_w) - weeks * per_week :])
    if weeks == 0 or power.max() <= 0.0:
        return None
    best = power.reshape(weeks, BLOCK_DAYS, -1).max(axis=1)
    light_h = np.count_nonzero(best > LIT * best.max(axis=1, keepdims=True), axis=1) * history.step_s / 3600.0
    middles_s = history.end_s - BLOCK_DAYS * DAY_S * (np.arange(weeks, 0.0, -1.0) - 0.5)
    lit = light_h > 0.0
    slope, seen = np.tan(declination(middles_s))[lit], -np.cos(np.pi * light_h / 24.0)[lit]
    return math.atan(float(slope @ seen) / (float(slope @ slope) + NO_SEASON_WEIGHT))


def _day_light(moments_s: Floats, latitude: float) -> Floats:
    """What a flat field gets of these days beside what it would get on the equator, without air."""
    slope = math.tan(latitude) * np.tan(declination(moments_s))
    half = np.arccos(np.clip(-slope, -1.0, 1.0))
    return np.maximum(math.cos(latitude) * (half * slope + np.sin(half)), 0.05)
