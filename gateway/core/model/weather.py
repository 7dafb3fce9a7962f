"""A weather forecast, as equal steps."""

from dataclasses import dataclass

from gateway.core.model.levels import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Means over equal steps; NaN where the forecast says nothing."""

    # When the first step begins (UTC).
    start_s: float
    # Length of a step (s).
    step_s: float
    # Irradiance (members x steps, W/m²) on the roof or on level ground, as requested; members are equally likely.
    irradiance_w_m2: Floats
    # Outdoor temperature of each step (°C), the mean of the members.
    temp_c: Floats

    def __post_init__(self) -> None:
        """Raises ValueError when the shapes do not fit."""
        if self.irradiance_w_m2.ndim != 2 or self.temp_c.shape != self.irradiance_w_m2.shape[1:]:
            raise ValueError("irradiance has members and steps, temperature the same steps")
