"""A first day is plausible: the sun of almanacs, the yield of published years, a home that sleeps at night."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway.core.forecast.prior import prior
from gateway.core.model.sun import sine_of_elevation
from gateway.core.model.time_grid import TimeGrid

LILLE = {"latitude": 50.63, "longitude": 3.06}
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("moment", "elevation_deg"),
    [
        # solar noon at Lille: 90° - latitude ± 23.44° at the solstices, 90° - latitude at the equinox
        (datetime(2024, 6, 21, 11, 50, tzinfo=UTC), 90 - 50.63 + 23.44),
        (datetime(2024, 12, 21, 11, 46, tzinfo=UTC), 90 - 50.63 - 23.44),
        (datetime(2024, 3, 20, 11, 55, tzinfo=UTC), 90 - 50.63),
    ],
)
def test_the_sun_stands_where_almanacs_have_it(moment: datetime, elevation_deg: float) -> None:
    [sine] = sine_of_elevation(np.array([moment.timestamp()]), **LILLE)
    assert math.degrees(math.asin(sine)) == pytest.approx(elevation_deg, abs=1.0)


def test_a_year_yields_what_a_roof_in_the_north_of_france_yields() -> None:
    start = datetime(2023, 1, 1, tzinfo=UTC).timestamp()
    year = prior(TimeGrid(start_s=start, step_s=900, steps=365 * 96), zone=PARIS, kwp=1.0, **LILLE)
    assert 850_000 < -year.pv_w.sum() / 4 < 1_050_000  # Wh per kWp; Uccle 2019: 889, Aachen 2021: 1045 kWh
    assert (year.pv_w <= 0).all()
    assert 3_000_000 < year.load_w.sum() / 4 < 4_500_000


def test_hours_are_those_of_the_local_clock_on_the_day_of_25_hours() -> None:
    start = datetime(2024, 10, 26, 22, tzinfo=UTC).timestamp()  # midnight in Paris
    load = prior(TimeGrid(start_s=start, step_s=3600, steps=25), zone=PARIS, kwp=0.0, **LILLE).load_w
    assert list(load[:8]) == [250.0] * 7 + [500.0]  # 02:00 comes twice: seven hours before 06:00
