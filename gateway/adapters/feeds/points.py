"""Prices or CO2 for points in time, from CSV or JSON: published by anybody, in a form that leaves nothing to guess.

CSV: a heading and rows, `time,price_eur_per_kwh` (or `price_eur_per_mwh`, or `co2_g_per_kwh`).
JSON: `{"unit": "EUR/MWh", "points": [{"time": "2026-01-15T00:00+01:00", "value": 83.1}, …]}`.
Times are ISO 8601 with their zone (`Z` or an offset): without one, an hour of each October would occur twice.
"""

import csv
import io
import json
import math
from datetime import datetime
from itertools import pairwise
from typing import Any

from gateway.adapters.feeds.feed import ContentError
from gateway.core.pricing.point_series import LONGEST_STEP_S, PointSeries

PRICE = {"EUR/kWh": 1.0, "EUR/MWh": 0.001}
CO2 = {"g/kWh": 1.0}
HEADINGS = {"price_eur_per_kwh": "EUR/kWh", "price_eur_per_mwh": "EUR/MWh", "co2_g_per_kwh": "g/kWh"}
MOST_POINTS = 20_000  # half a year of quarter hours
# What lies beyond is a mistake of unit: the day-ahead market has stayed within -500 and 5000 EUR/MWh.
RANGES = {"EUR/kWh": (-10.0, 10.0), "EUR/MWh": (-10_000.0, 10_000.0), "g/kWh": (0.0, 3000.0)}


def parse_prices(body: bytes) -> PointSeries:
    """Prices in EUR/kWh. Raises ContentError: garbled, units, time_zone, implausible."""
    return _parse(body, PRICE)


def parse_co2(body: bytes) -> PointSeries:
    """CO2 in g/kWh. Raises ContentError likewise."""
    return _parse(body, CO2)


def _parse(body: bytes, units: dict[str, float]) -> PointSeries:
    try:
        text = body.decode("utf-8-sig").strip()
        unit, rows = _json(text) if text.startswith("{") else _csv(text)
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError, csv.Error) as error:
        raise ContentError("garbled", f"points: {error!r}") from error
    if unit not in units:
        raise ContentError("units", f"points in {unit!r}, expected {' or '.join(units)}")
    if not 0 < len(rows) <= MOST_POINTS:
        raise ContentError("garbled", f"points: {len(rows)} rows")
    points = {_time_s(time): units[unit] * _value(value, unit) for time, value in rows}
    times_s = sorted(points)
    steps = [later - one for one, later in pairwise(times_s)]
    return PointSeries(
        times_s=tuple(times_s),
        values=tuple(points[t] for t in times_s),
        step_s=min([*steps, LONGEST_STEP_S]),
    )


def _json(text: str) -> tuple[str, list[tuple[Any, Any]]]:
    document = json.loads(text)
    return str(document["unit"]), [(point["time"], point["value"]) for point in document["points"]]


def _csv(text: str) -> tuple[str, list[tuple[Any, Any]]]:
    rows = csv.reader(io.StringIO(text))
    heading = next(rows, [])
    if len(heading) != 2 or heading[0].strip() != "time":
        raise ValueError(f"heading {heading[:5]}: expected time and one of {', '.join(HEADINGS)}")
    name = heading[1].strip()
    return HEADINGS.get(name, name), [(time, float(value)) for time, value in (row for row in rows if row)]


def _time_s(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ContentError("garbled", f"points: {error}") from error
    if moment.tzinfo is None:
        raise ContentError("time_zone", f"points: {value!r} has no zone")
    return moment.timestamp()


def _value(value: Any, unit: str) -> float:
    low, high = RANGES[unit]
    is_nan = isinstance(value, float) and math.isnan(value)  # a whole number may be too long to be asked
    if isinstance(value, bool) or not isinstance(value, (int, float)) or is_nan:
        raise ContentError("garbled", f"points: {str(value)[:40]!r} is no number")
    if not low <= value <= high:
        raise ContentError("implausible", f"points: a value outside of {low:g} to {high:g} {unit}")
    return float(value)
