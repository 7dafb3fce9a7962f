"""The outdoor temperature that a weather feed foresees, on the steps of a plan."""

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.model.time_grid import TimeGrid
from gateway.core.model.weather import Weather


def outdoor_c(weather: Weather | None, grid: TimeGrid) -> Floats | None:
    """Outdoor temperature at the middle of each step (°C), or None without a forecast."""
    if weather is None or not np.isfinite(weather.temp_c).any():
        return None
    known = np.isfinite(weather.temp_c)
    foreseen_s = weather.start_s + weather.step_s * (np.arange(len(known)) + 0.5)
    middles_s = grid.start_s + grid.step_s * (np.arange(grid.steps) + 0.5)
    return np.asarray(np.interp(middles_s, foreseen_s[known], weather.temp_c[known]))
