"""When the sun is down, and what it can give at most: against the simulated building's own sun, which is more exact."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model.sun import ERROR_DEG, elevation_deg, is_down, most_share
from gateway.simulator.physics.sun import Plane, clear_sky, sun_at

LILLE, LENS, REUNION, OSLO = (50.63, 3.06), (50.43, 2.83), (-21.1, 55.5), (59.9, 10.8)
JUNE_NOON, JUNE_MIDNIGHT, DECEMBER_NOON = 1_718_970_600.0, 1_718_924_400.0, 1_734_782_400.0  # by the sun of Lens
moments = st.floats(1_577_836_800.0, 2_208_988_800.0)  # 2020 to 2040


@given(moments, st.sampled_from([LILLE, LENS, REUNION, OSLO]))
def test_the_height_of_the_sun_is_right_within_its_error(utc_s: float, place: tuple[float, float]) -> None:
    true = math.degrees(sun_at(utc_s, *place).elevation)
    assert elevation_deg(utc_s, place) == pytest.approx(true, abs=ERROR_DEG)


@given(moments, st.sampled_from([LILLE, LENS, REUNION, OSLO]), st.floats(0, 90), st.floats(0, 360))
def test_no_clear_sky_gives_more_than_the_most(
    utc_s: float, place: tuple[float, float], tilt_deg: float, azimuth_deg: float
) -> None:
    plane = Plane(latitude_deg=place[0], longitude_deg=place[1], tilt_deg=tilt_deg, azimuth_deg=azimuth_deg)
    light = clear_sky(utc_s, plane)
    share = (light.beam_w_m2 + light.diffuse_w_m2) / 1000.0
    assert min(share, 1.0) <= most_share(utc_s, [place]) + 0.02
    if is_down(utc_s, [place]):
        assert share == 0.0


def test_the_shortest_night_of_the_north_is_one_and_its_noon_is_none() -> None:
    assert is_down(JUNE_MIDNIGHT, [LENS])
    assert not is_down(JUNE_NOON, [LENS])
    assert not is_down(DECEMBER_NOON, [LENS])
    assert most_share(JUNE_NOON, [LENS]) == 1.0
    assert 0.3 < most_share(DECEMBER_NOON, [LENS]) <= 1.0


def test_without_a_place_nothing_is_certain() -> None:
    assert not is_down(JUNE_MIDNIGHT, [])
    assert most_share(JUNE_MIDNIGHT, []) == 1.0
    dawn_s = JUNE_MIDNIGHT + 4.25 * 3600.0  # 3.25 h UTC: before the sunrise of Lens, after that of Réunion
    assert is_down(dawn_s, [LENS])
    assert not is_down(dawn_s, [LENS, REUNION])
