"""Weather in the format of Open-Meteo: what to ask for, and what the answer means.

Radiation is the mean of the hour BEFORE its time, temperature that of the moment (open-meteo.com/en/docs, "Hourly
Parameter Definition"), so the first step begins one step before the first time.
"""

import json
import math
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import numpy as np

from gateway.adapters.feeds.feed import ContentError
from gateway.core.model.levels import Floats
from gateway.core.model.weather import Weather

TILTED, FLAT, TEMPERATURE = "global_tilted_irradiance", "shortwave_radiation", "temperature_2m"
UNITS = {TILTED: "W/m²", FLAT: "W/m²", TEMPERATURE: "°C", "time": "unixtime"}
BRIGHTEST_W_M2 = 1800.0  # cloud edges exceed the sun's 1361 for minutes, never for an hour
COLDEST_C, HOTTEST_C = -90.0, 60.0  # records of the world: -89.2 and 56.7 (WMO)
MOST_STEPS = 24 * 17  # Open-Meteo gives 16 days at most, and one may be begun
LAST_S = 2**33  # in 2242: a time beyond it is in milliseconds


def address(
    url: str,
    *,
    latitude: float,
    longitude: float,
    tilt_deg: float | None = None,
    azimuth_deg: float | None = None,
    model: str | None = None,
) -> str:
    """Where to ask for three days; the place is given to two decimals (1 km), which is finer than any model."""
    roof = {} if tilt_deg is None or azimuth_deg is None else {"tilt": tilt_deg, "azimuth": azimuth_deg}
    ensemble = {} if model is None else {"models": model}
    query = {
        "latitude": f"{latitude:.2f}",
        "longitude": f"{longitude:.2f}",
        "hourly": f"{TILTED if roof else FLAT},{TEMPERATURE}",
        "timeformat": "unixtime",
        "timezone": "GMT",
        "forecast_days": 3,
        **roof,
        **ensemble,
    }
    return f"{url}?{urlencode(query)}"


def parse(body: bytes) -> Weather:
    """The forecast in an answer. Raises ContentError: garbled, or units when they are not ours."""
    try:
        document = json.loads(body)
        hourly, units = document["hourly"], document["hourly_units"]
        times_s = [int(t) for t in hourly["time"]]
        columns = {str(name): column for name, column in hourly.items() if name != "time"}
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError, OverflowError) as error:
        raise ContentError("garbled", f"weather: {error!r}") from error
    _check_units(units, columns)
    step_s = _step_s(times_s)
    irradiance = [
        _column(columns[name], len(times_s), 0.0, BRIGHTEST_W_M2) for name in columns if _is_of(name, TILTED, FLAT)
    ]
    temps = [
        _column(columns[name], len(times_s), COLDEST_C, HOTTEST_C) for name in columns if _is_of(name, TEMPERATURE)
    ]
    if not irradiance or not np.isfinite(np.array(irradiance)).any():
        raise ContentError("garbled", "weather: no irradiance")
    return Weather(
        start_s=float(times_s[0]) - step_s,
        step_s=step_s,
        irradiance_w_m2=np.array(irradiance),
        temp_c=_over_steps(temps, len(times_s)),
    )


def _is_of(name: str, *kinds: str) -> bool:
    """Whether a column is of one of these kinds; members of an ensemble are called KIND_member07."""
    return any(name == kind or name.startswith(f"{kind}_member") for kind in kinds)


def _check_units(units: Any, columns: dict[str, Any]) -> None:
    if not isinstance(units, dict):
        raise ContentError("garbled", "weather: no units")
    for name in ("time", *columns):
        expected = next((unit for kind, unit in UNITS.items() if _is_of(name, kind)), None)
        if expected is not None and units.get(name) != expected:
            raise ContentError("units", f"weather: {name} in {units.get(name)!r}, expected {expected!r}")


def _step_s(times_s: list[int]) -> float:
    steps = {later - one for one, later in pairwise(times_s)}
    if not all(0 < t < LAST_S for t in times_s):
        raise ContentError("garbled", "weather: times that are no unix times")
    if len(times_s) > MOST_STEPS or len(steps) != 1 or not 900 <= min(steps) <= 3600 * 6:
        raise ContentError("garbled", f"weather: {len(times_s)} times in steps of {sorted(steps)[:5]} s")
    return float(steps.pop())


def _column(values: Any, length: int, low: float, high: float) -> list[float]:
    """Numbers in their range; null and impossible ones are NaN."""
    if not isinstance(values, list) or len(values) != length:
        raise ContentError("garbled", "weather: columns of different lengths")
    return [
        float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) and low <= v <= high else math.nan
        for v in values
    ]


def _over_steps(temps: list[list[float]], length: int) -> Floats:
    """Temperatures at the ends of steps as means over them; the first step has only its end."""
    if not temps:
        return np.full(length, math.nan)
    members = np.array(temps)
    known = np.isfinite(members)
    total = np.where(known, members, 0.0).sum(axis=0)
    ends = np.divide(total, known.sum(axis=0), out=np.full(length, math.nan), where=known.any(axis=0))
    before = np.concatenate([ends[:1], ends[:-1]])
    return np.asarray(np.where(np.isfinite(before), (before + ends) / 2, ends))
