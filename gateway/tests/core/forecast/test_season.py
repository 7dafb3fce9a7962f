"""The sun of past days brought to today: beside the sun of almanacs over places that the forecast is not told of."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.core.forecast.season import in_season, latitude_rad
from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.core.model.sun import sine_of_elevation

LILLE, SYDNEY, NAIROBI = 50.6, -33.9, -1.3


def clear(latitude: float, end: datetime, days: int, step_s: float = 900.0) -> History:
    """A flat field under skies that are always clear, up to a midnight."""
    end_s = end.timestamp()
    starts_s = np.arange(end_s - days * 86400.0, end_s, step_s)
    sun = sine_of_elevation(starts_s + step_s / 2.0, latitude=latitude, longitude=2.0)
    return History(
        start_s=float(starts_s[0]), step_s=step_s, load_w=np.full(len(sun), 300.0), pv_w=-4000.0 * np.clip(sun, 0, None)
    )


def by_day(pv_w: Floats) -> Floats:
    return -pv_w.reshape(-1, 96).mean(axis=1)


@pytest.mark.parametrize("latitude", [LILLE, 35.0, SYDNEY])
@pytest.mark.parametrize("month", [2, 5, 8, 11])
def test_hours_of_light_tell_where_the_roof_is(latitude: float, month: int) -> None:
    found = latitude_rad(clear(latitude, datetime(2023, month, 14, tzinfo=UTC), 56))
    assert found is not None
    assert math.degrees(found) == pytest.approx(latitude, abs=10.0)


@pytest.mark.parametrize("latitude", [LILLE, SYDNEY])
@pytest.mark.parametrize("month", [2, 4, 8, 10])
def test_past_days_come_nearer_to_what_the_same_sky_gives_now(latitude: float, month: int) -> None:
    history = clear(latitude, datetime(2023, month, 20, tzinfo=UTC), 42)
    today = by_day(history.pv_w)[-1]
    before, after = by_day(history.pv_w)[:7] / today - 1.0, by_day(in_season(history))[:7] / today - 1.0
    assert np.abs(after).max() < 0.6 * np.abs(before).max()  # a part is left out on purpose


def test_where_there_are_no_seasons_hardly_anything_changes() -> None:
    history = clear(NAIROBI, datetime(2023, 4, 1, tzinfo=UTC), 42)
    assert in_season(history) == pytest.approx(history.pv_w, rel=0.06)


@pytest.mark.parametrize("days", [0, 1, 6])
def test_less_than_a_week_is_left_as_it_is(days: int) -> None:
    history = clear(LILLE, datetime(2023, 2, 20, tzinfo=UTC), days) if days else clear_of_nothing()
    assert in_season(history).tolist() == history.pv_w.tolist()


def clear_of_nothing() -> History:
    return History(start_s=0.0, step_s=900.0, load_w=np.empty(0), pv_w=np.empty(0))


def test_dark_weeks_and_gaps_do_not_move_the_roof() -> None:
    """Snow for two weeks, and a week that nobody recorded: the other weeks tell the latitude."""
    whole = clear(LILLE, datetime(2023, 2, 20, tzinfo=UTC), 56)
    pv = whole.pv_w.copy()
    pv[: 14 * 96] = 0.0
    pv[20 * 96 : 29 * 96] = math.nan
    found = latitude_rad(History(start_s=whole.start_s, step_s=whole.step_s, load_w=whole.load_w, pv_w=pv))
    assert found is not None
    assert math.degrees(found) == pytest.approx(LILLE, abs=10.0)
    moved = in_season(History(start_s=whole.start_s, step_s=whole.step_s, load_w=whole.load_w, pv_w=pv))
    assert np.isnan(moved).tolist() == np.isnan(pv).tolist()
