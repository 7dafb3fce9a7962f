"""Prices and CO2 for points in time: forms that leave nothing to guess."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.feeds import points
from gateway.adapters.feeds.feed import ContentError
from gateway.tests.adapters.outside_answers import CSV, anything, outcome


def test_prices_across_a_change_of_clock_are_an_hour_apart() -> None:
    series = points.parse_prices(CSV)
    assert [later - one for one, later in zip(series.times_s, series.times_s[1:], strict=False)] == [3600.0, 3600.0]
    assert series.values == (0.10, 0.12, 0.14)


@pytest.mark.parametrize(
    "body",
    [
        (
            b'{"unit": "EUR/MWh", "points": [{"time": "2026-01-15T00:15+01:00", "value": -5},'
            b' {"time": "2026-01-14T23:00Z", "value": 83.1}]}'
        ),
        b"time,price_eur_per_mwh\r\n2026-01-15T00:00+01:00,83.1\r\n2026-01-14T23:15Z,-5\r\n\r\n",
        b"\xef\xbb\xbftime,price_eur_per_kwh\n2026-01-15T00:00:00+01:00,0.0831\n2026-01-15T00:15:00+01:00,-0.005\n",
    ],
)
def test_the_same_prices_in_other_forms_are_the_same(body: bytes) -> None:
    series = points.parse_prices(body)
    assert series.times_s == (1_768_431_600.0, 1_768_432_500.0)  # 2026-01-14T23:00Z
    assert series.values == (pytest.approx(0.0831), pytest.approx(-0.005))
    assert series.step_s == 900.0


def test_co2_is_reported_in_grams() -> None:
    assert points.parse_co2(b"time,co2_g_per_kwh\n2026-01-15T00:00Z,62\n").values == (62.0,)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (CSV.replace(b"price_eur_per_kwh", b"price"), "units"),
        (CSV.replace(b"price_eur_per_kwh", b"co2_g_per_kwh"), "units"),
        (b'{"unit": "ct/kWh", "points": []}', "units"),
        (b'{"unit": "EUR/kWh", "points": []}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": "2026-01-15T00:00Z", "value": "0.1"}]}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": "2026-01-15T00:00Z", "value": NaN}]}', "garbled"),
        (b'{"unit": "EUR/kWh", "points": [{"time": 7, "value": 1}]}', "garbled"),
        (CSV.replace(b"0.12", b"83.1"), "implausible"),  # EUR/MWh under the heading of kWh
        (CSV.replace(b"+01:00", b""), "time_zone"),
        (CSV.replace(b"0.12", b"abc"), "garbled"),
        (CSV.replace(b",0.12", b""), "garbled"),
        (CSV.replace(b"time,", b"when,"), "garbled"),
        (b"time,price_eur_per_kwh\n", "garbled"),
        (b"", "garbled"),
        (b"\xff", "garbled"),
        (b"{" * 5000, "garbled"),
    ],
)
def test_prices_that_leave_something_to_guess_are_refused(body: bytes, why: str) -> None:
    with pytest.raises(ContentError) as caught:
        points.parse_prices(body)
    assert caught.value.why == why


@given(st.lists(st.tuples(anything | st.datetimes().map(lambda t: f"{t.isoformat()}+01:00"), anything), max_size=4))
def test_whatever_a_price_server_says_is_a_series_or_refused(rows: list[tuple[object, object]]) -> None:
    reported = {"unit": "EUR/kWh", "points": [{"time": time_, "value": value} for time_, value in rows]}
    found = outcome(points.parse_prices, json.dumps(reported).encode())
    assert found in ("garbled", "time_zone", "implausible") or 0 < len(found.values) <= len(rows)


@given(st.binary(max_size=200))
def test_bytes_are_a_series_or_refused(body: bytes) -> None:
    for start in (b"", b"time,price_eur_per_kwh\n"):
        with pytest.raises(ContentError):
            points.parse_prices(start + body)
