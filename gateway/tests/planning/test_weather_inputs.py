"""What plans learn from the weather feed, what is kept of it for later, and what is told when it says too little."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from gateway.adapters.feeds.feed import FeedAnswer
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.core.model.history import History
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather
from gateway.planning.weather_inputs import WeatherInputs

T = 1_735_732_800  # 2025-01-01 12:00 UTC
GRID = TimeGrid(start_s=T, step_s=900.0, steps=96)
HISTORY = History(start_s=T - 7200.0, step_s=900.0, load_w=np.zeros(8), pv_w=np.zeros(8))


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[HistoryStore]:
    outbox = Outbox(tmp_path / "a.sqlite", max_mb=10)
    yield HistoryStore(outbox)
    outbox.close()


def weather(start_s: float = T - 3600.0, *, hours: int = 48, temp_c: float = 4.0) -> Weather:
    return Weather(
        start_s=start_s, step_s=3600.0, irradiance_w_m2=np.full((1, hours), 100.0), temp_c=np.full(hours, temp_c)
    )


def answer(value: Weather | None, *, age_s: float = 60.0, is_stale: bool = False) -> FeedAnswer[Weather]:
    return FeedAnswer(value=value, age_s=None if value is None else age_s, is_stale=is_stale, why=None)


def sky(past: HistoryStore, answered: FeedAnswer[Weather] | None, kwp: float = 5.0) -> WeatherInputs:
    return WeatherInputs(weather=None if answered is None else lambda: answered, past=past, kwp=kwp)


@pytest.mark.parametrize(
    ("answered", "kwp", "notes"),
    [
        (None, 5.0, []),  # nobody asked for a feed
        (answer(weather()), 5.0, []),
        (answer(None), 5.0, ["weather_missing"]),
        (answer(weather(hours=20)), 5.0, ["weather_missing"]),  # it ends before the plan does
        (answer(weather(), age_s=9 * 3600.0, is_stale=True), 5.0, ["weather_old"]),
        (answer(None), 0.0, []),  # without a roof nothing is missing
    ],
)
async def test_what_the_feed_lacks_is_reported(
    past: HistoryStore, answered: FeedAnswer[Weather] | None, kwp: float, notes: list[str]
) -> None:
    looking = sky(past, answered, kwp)
    assert [note.code for note in looking.notes(GRID)] == notes
    assert (await looking.pv_forecast(GRID, HISTORY) is None) == (
        notes == ["weather_missing"] or answered is None or kwp == 0.0
    )


async def test_the_warmth_of_the_next_hour_is_kept_and_what_was_said_last_stays(past: HistoryStore) -> None:
    for start_s, temp_c in ((T, 4.0), (T + 900, 6.0)):
        grid = TimeGrid(start_s=start_s, step_s=900.0, steps=96)
        found = await sky(past, answer(weather(temp_c=temp_c)), kwp=0.0).outdoor(grid, HISTORY)
        assert found is not None
        assert found.ahead_c == pytest.approx(np.full(96, temp_c))
        assert np.isnan(found.past_c).all()
    kept = await past.outdoor_forecast_c(T, 6)
    assert kept == pytest.approx([4.0, 6.0, 6.0, 6.0, 6.0, np.nan], nan_ok=True)
    later = await sky(past, answer(weather())).outdoor(
        TimeGrid(start_s=T + 1800, step_s=900.0, steps=96),
        History(start_s=T, step_s=900.0, load_w=np.zeros(2), pv_w=np.zeros(2)),
    )
    assert later is not None
    assert later.past_c == pytest.approx([4.0, 6.0])


async def test_without_a_feed_there_is_no_temperature(past: HistoryStore) -> None:
    assert await sky(past, None).outdoor(GRID, HISTORY) is None
    assert await sky(past, answer(None)).outdoor(GRID, HISTORY) is None
