import math
from datetime import UTC, datetime

import pytest

from gateway.simulator.physics.pv import Clouds, Roof
from gateway.simulator.physics.sun import Plane, clear_sky, sun_at
from gateway.simulator.settings.config import Pv

LENS = (50.43, 2.83)
SOUTH = Plane(latitude_deg=50.43, longitude_deg=2.83, tilt_deg=35.0, azimuth_deg=180.0)


def moment(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


def highest(year: int, month: int, day: int) -> tuple[float, float]:
    """(elevation in degrees, minute of the UTC day) of the culmination."""
    start_s = moment(year, month, day)
    return max((math.degrees(sun_at(start_s + 60 * minute, *LENS).elevation), minute) for minute in range(1440))


@pytest.mark.parametrize(
    ("day", "elevation_deg"),
    [
        ((2024, 6, 21), 63.01),  # 90 - 50.43 + 23.44
        ((2024, 12, 21), 16.13),  # 90 - 50.43 - 23.44
        ((2024, 3, 20), 39.7),  # equinox on that day: 90 - 50.43, and a little as the sun moves north
    ],
)
def test_the_sun_culminates_at_the_published_height(day: tuple[int, int, int], elevation_deg: float) -> None:
    assert highest(*day)[0] == pytest.approx(elevation_deg, abs=0.15)


@pytest.mark.parametrize(
    ("day", "equation_of_time_min"),
    [((2024, 2, 11), -14.2), ((2024, 6, 21), -1.8), ((2024, 11, 3), 16.4)],  # published equation of time
)
def test_solar_noon_is_where_longitude_and_equation_of_time_put_it(
    day: tuple[int, int, int], equation_of_time_min: float
) -> None:
    # 12:00 UTC - 4 min per degree east - equation of time
    assert highest(*day)[1] == pytest.approx(720 - 4 * 2.83 - equation_of_time_min, abs=1.5)


def test_the_sun_is_in_the_south_at_noon_in_the_east_before_and_in_the_west_after() -> None:
    azimuths = [math.degrees(sun_at(moment(2024, 6, 21, hour, 50), *LENS).azimuth) for hour in (5, 11, 17)]
    assert azimuths[1] == pytest.approx(180.0, abs=1.0)
    assert 60.0 < azimuths[0] < 120.0
    assert 240.0 < azimuths[2] < 300.0


def test_night_gives_nothing_and_a_clear_noon_what_plants_give() -> None:
    night = clear_sky(moment(2024, 6, 21, 0), SOUTH)
    assert (night.beam_w_m2, night.diffuse_w_m2) == (0.0, 0.0)
    noon = clear_sky(moment(2024, 6, 21, 11, 50), SOUTH)
    assert 850.0 < noon.beam_w_m2 + noon.diffuse_w_m2 < 1100.0
    clear = Roof(Pv(clouds=False), seed=1, start_s=moment(2024, 6, 21))
    day_wh = sum(clear.power_w(moment(2024, 6, 21) + 60 * minute) / 60.0 for minute in range(1440))
    assert 5.5 < day_wh / 5000.0 < 8.0  # kWh per kWp of a clear day in June in the north of France


def test_clouds_have_edges_of_seconds_bright_rims_and_repeat_with_their_seed() -> None:
    start_s = moment(2024, 6, 21, 10)
    sky, same, other = (Clouds(seed=seed, start_s=start_s) for seed in (1, 1, 2))
    shares = [sky.beam_share(start_s + i / 10) for i in range(36000)]
    assert shares == [same.beam_share(start_s + i / 10) for i in range(36000)]
    assert shares[::10] != [other.beam_share(start_s + i) for i in range(3600)]
    assert min(shares) < 0.5
    assert 1.05 < max(shares) <= 1.2
    # From 2 to 6 s for 0.5 to 0.9 of the beam: at most 0.45 in a second, and no jumps.
    steepest = max(abs(after - before) for before, after in zip(shares, shares[10:], strict=False))
    assert 0.1 < steepest < 0.6


def test_clouds_do_not_depend_on_how_often_one_looks() -> None:
    start_s = moment(2024, 6, 21, 10)
    often, seldom = Clouds(seed=3, start_s=start_s), Clouds(seed=3, start_s=start_s)
    fine = [often.beam_share(start_s + i / 10) for i in range(36000)]
    assert fine[::50] == [seldom.beam_share(start_s + 5 * i) for i in range(720)]
