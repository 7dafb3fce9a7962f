"""The weather feed as power of this roof: what it says now, and what it had said of the past a day before."""

from collections.abc import Callable, Sequence

import numpy as np

from gateway.adapters.feeds.feed import FeedAnswer
from gateway.adapters.store.history import HistoryStore
from gateway.core.forecast.outdoor import OutdoorTemperatures
from gateway.core.forecast.pv_feed import PvForecast
from gateway.core.model.history import History
from gateway.core.model.levels import Floats
from gateway.core.model.state import Reason
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather
from gateway.planning.outdoor import outdoor_c

STC_W_M2 = 1000.0  # the irradiance at which a roof has its peak power
SOON = 4  # steps: the nearer, the surer; an hour without the feed leaves no gap
AHEAD_S = (12 * 3600, 36 * 3600)  # span from now that is kept, to be compared with what comes


class WeatherInputs:
    """What scenarios are drawn with; what the feed says today is kept, to be judged by what comes."""

    def __init__(self, *, weather: Callable[[], FeedAnswer[Weather]] | None, past: HistoryStore, kwp: float) -> None:
        self._weather = weather
        self._past = past
        self._kwp = kwp

    async def pv_forecast(self, grid: TimeGrid, history: History) -> PvForecast | None:
        """None without a feed or a known roof, or when the feed does not reach far enough. Raises OutboxError."""
        weather = None if self._weather is None else self._weather().value
        members = None if weather is None or self._kwp <= 0.0 else _on_grid(weather, grid)
        if members is None or not np.isfinite(members).all():
            return None
        await self._past.save_irradiance_forecast(_day_ahead(members.mean(axis=0), grid))
        steps = len(history.load_w)
        said = await self._past.irradiance_forecast(int(history.start_s), steps)
        return PvForecast(members_w=self._power_w(members), past_w=self._power_w(said))

    async def outdoor(self, grid: TimeGrid, history: History) -> OutdoorTemperatures | None:
        """Temperatures of the history and of the coming steps; None without a feed. Raises OutboxError."""
        ahead_c = None if self._weather is None else outdoor_c(self._weather().value, grid)
        if ahead_c is None:
            return None
        soon = [(int(grid.start_s + grid.step_s * step), float(ahead_c[step])) for step in range(SOON)]
        await self._past.save_outdoor_forecast(soon)
        past_c = await self._past.outdoor_forecast_c(int(history.start_s), len(history.load_w))
        return OutdoorTemperatures(past_c=past_c, ahead_c=ahead_c)

    def notes(self, grid: TimeGrid) -> tuple[Reason, ...]:
        """A note where a configured feed says too little of these steps, or where what it says is old."""
        if self._weather is None or self._kwp <= 0.0:
            return ()
        answer = self._weather()
        if answer.value is None or not np.isfinite(_on_grid(answer.value, grid)).all():
            return (Reason(code="weather_missing"),)
        if answer.is_stale and answer.age_s is not None:
            return (Reason(code="weather_old", numbers={"age_s": answer.age_s}),)
        return ()

    def _power_w(self, irradiance_w_m2: Floats) -> Floats:
        return np.asarray(-1000.0 * self._kwp / STC_W_M2 * irradiance_w_m2)


def _on_grid(weather: Weather, grid: TimeGrid) -> Floats:
    """Irradiance (members x steps) at the middles of the steps; NaN where the forecast does not reach."""
    middles_s = grid.start_s + grid.step_s * (np.arange(grid.steps) + 0.5)
    index = np.floor((middles_s - weather.start_s) / weather.step_s).astype(np.intp)
    inside = (index >= 0) & (index < weather.irradiance_w_m2.shape[1])
    found = weather.irradiance_w_m2[:, np.where(inside, index, 0)]
    return np.where(inside, found, np.nan)


def _day_ahead(irradiance_w_m2: Floats, grid: TimeGrid) -> Sequence[tuple[int, float]]:
    """Beginnings (UTC) and irradiance (W/m²) of the steps that are kept."""
    first, last = (int(seconds // grid.step_s) for seconds in AHEAD_S)
    steps = range(first, min(last, grid.steps))
    return [(int(grid.start_s + grid.step_s * step), float(irradiance_w_m2[step])) for step in steps]
