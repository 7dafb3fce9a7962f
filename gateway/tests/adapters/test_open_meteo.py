"""A weather forecast is read with its hours and units, or refused with a reason."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.feeds import open_meteo
from gateway.adapters.feeds.feed import ContentError
from gateway.tests.adapters.outside_answers import HOUR, START, SUNNY, anything, changed, outcome


def test_members_of_an_ensemble_are_rows() -> None:
    answered = {
        "hourly_units": {"time": "unixtime", **dict.fromkeys(("a", "b"), ""), "temperature_2m": "°C"}
        | {f"global_tilted_irradiance{m}": "W/m²" for m in ("", "_member01", "_member02")},
        "hourly": {
            "time": [START, START + HOUR],
            "temperature_2m": [1.0, 3.0],
            "temperature_2m_member01": [3.0, 5.0],
            "global_tilted_irradiance": [10, 20],
            "global_tilted_irradiance_member01": [11, 21],
            "global_tilted_irradiance_member02": [12, 22],
        },
    }
    answered["hourly_units"]["temperature_2m_member01"] = "°C"
    weather = open_meteo.parse(json.dumps(answered).encode())
    assert weather.irradiance_w_m2.tolist() == [[10, 20], [11, 21], [12, 22]]
    assert weather.temp_c.tolist() == [2.0, 3.0]


def test_what_is_asked_for_names_the_roof_and_no_more_of_the_place_than_needed() -> None:
    url = open_meteo.address(
        "http://h/v1", latitude=50.43127, longitude=2.8312, tilt_deg=30, azimuth_deg=-10, model="icon_seamless"
    )
    assert url == (
        "http://h/v1?latitude=50.43&longitude=2.83&hourly=global_tilted_irradiance%2Ctemperature_2m&timeformat=unixtime"
        "&timezone=GMT&forecast_days=3&tilt=30&azimuth=-10&models=icon_seamless"
    )
    assert "shortwave_radiation" in open_meteo.address("http://h", latitude=1, longitude=2)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "garbled"),
        (b"<html>Login</html>", "garbled"),
        (b"[]", "garbled"),
        (b"\xff\xfe\x00", "garbled"),
        (b"[" * 100_000, "garbled"),
        (json.dumps(SUNNY).encode()[:200], "garbled"),
        (b'{"error": true, "reason": "Daily API request limit exceeded"}', "garbled"),
        (changed(shortwave_radiation=[1.0]), "garbled"),
        (changed(shortwave_radiation=[None] * 4), "garbled"),
        (changed(shortwave_radiation=["bright"] * 4), "garbled"),
        (changed(shortwave_radiation=[-5.0, 9000.0, None, True]), "garbled"),  # nothing possible is left
        (changed(time=[START, START + HOUR, START + HOUR, START + 2 * HOUR]), "garbled"),
        (changed(time=["2026-01-01T00:00"] * 4), "garbled"),
        (json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "temperature_2m": "°F"}}).encode(), "units"),
        (
            json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "shortwave_radiation": "MJ/m²"}}).encode(),
            "units",
        ),
        (json.dumps({**SUNNY, "hourly_units": {**SUNNY["hourly_units"], "time": "iso8601"}}).encode(), "units"),
        (json.dumps({**SUNNY, "hourly_units": None}).encode(), "garbled"),
    ],
)
def test_an_answer_that_is_no_forecast_is_refused_with_a_reason(body: bytes, why: str) -> None:
    with pytest.raises(ContentError) as caught:
        open_meteo.parse(body)
    assert caught.value.why == why


@given(anything, st.sampled_from(["hourly", "hourly_units", "time", "shortwave_radiation", "temperature_2m", ""]))
def test_whatever_a_weather_server_says_is_a_forecast_or_refused(value: object, place: str) -> None:
    answered = copy.deepcopy(SUNNY)
    if place in answered["hourly"]:
        answered["hourly"][place] = value
    else:
        answered[place] = value
    found = outcome(open_meteo.parse, json.dumps(answered).encode())
    assert found in ("garbled", "units") or found.temp_c.shape == (4,)
