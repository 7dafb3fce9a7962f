"""A weather forecast, as equal steps."""

from dataclasses import dataclass

import numpy as np

from gateway.core.model.levels import Floats
from gateway.core.model.time_grid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Means over equal steps; NaN where the forecast says nothing."""

    # When the first step begins (UTC).
    start_s: float
    # Length of a step (s).
    step_s: float
    # Irradiance (members x steps, W/m²) on the roof or on the ground, as it was asked for; members are equally likely.
    irradiance_w_m2: Floats
    # Outdoor temperature of each step (°C), the mean of the members.
    temp_c: Floats

    def __post_init__(self) -> None:
        """Raises ValueError when the shapes do not fit."""
        if self.irradiance_w_m2.ndim != 2 or self.temp_c.shape != self.irradiance_w_m2.shape[1:]:
            raise ValueError("irradiance has members and steps, temperature the same steps")


def outdoor_c(weather: Weather | None, grid: TimeGrid) -> Floats | None:
    """Outdoor temperature (°C) at the middle of each step, or None without a forecast."""
    if weather is None or not np.isfinite(weather.temp_c).any():
        return None
    known = np.isfinite(weather.temp_c)
    known_s = weather.start_s + weather.step_s * (np.arange(len(known)) + 0.5)
    middles_s = grid.start_s + grid.step_s * (np.arange(grid.steps) + 0.5)
    return np.asarray(np.interp(middles_s, known_s[known], weather.temp_c[known]))
