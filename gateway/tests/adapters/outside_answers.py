"""Answers as servers outside give them, made here, and a clock that is moved by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from gateway.adapters.feeds.feed import ContentError

HOUR = 3600
START = 1_767_222_000  # 2025-12-31T23:00Z
# The shape of an answer of Open-Meteo with unix times; the figures are made here.
SUNNY = {
    "latitude": 50.42,
    "longitude": 2.84,
    "generationtime_ms": 0.06,
    "utc_offset_seconds": 0,
    "timezone": "GMT",
    "timezone_abbreviation": "GMT",
    "elevation": 38.0,
    "hourly_units": {"time": "unixtime", "shortwave_radiation": "W/m²", "temperature_2m": "°C"},
    "hourly": {
        "time": [START + HOUR * n for n in range(4)],
        "shortwave_radiation": [0.0, 120.0, 340.0, None],
        "temperature_2m": [2.0, 4.0, 8.0, 6.0],
    },
}


@dataclass
class HandClock:
    now_s: float = float(START)

    def utc_s(self) -> float:
        return self.now_s

    def monotonic_s(self) -> float:
        return self.now_s


def changed(**hourly: object) -> bytes:
    return json.dumps({**SUNNY, "hourly": {**SUNNY["hourly"], **hourly}}).encode()


def outcome(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """The value, or why there is none; other errors are ours."""
    try:
        return parse(body)
    except ContentError as error:
        return error.why


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


CSV = b"time,price_eur_per_kwh\n2026-03-29T00:00+01:00,0.10\n2026-03-29T01:00+01:00,0.12\n2026-03-29T03:00+02:00,0.14\n"
